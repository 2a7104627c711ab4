"""`consume()`: a handler for every message, with a checkpoint behind it."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Hashable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from rtstream_async.protocol.retry import RetryPolicy
from rtstream_async.resources.context import Context

if TYPE_CHECKING:  # loaded with the reader, when it is first used
    from rtstream_async.realtime.checkpoint import Checkpoint
    from rtstream_async.realtime.consume import Consumed

__all__ = ["Consuming"]

M = TypeVar("M")


class Consuming:
    """Gives a connection `consume()`."""

    _context: Context

    async def consume(
        self,
        source: AsyncIterable[M],
        handler: Callable[[M], Awaitable[object]],
        *,
        concurrency: int = 16,
        key: Callable[[M], Hashable] | None = None,
        checkpoint: Checkpoint | None = None,
        retries: int | RetryPolicy = 3,
        dead_letter: Callable[[M, Exception], Awaitable[object]] | None = None,
        lookahead: int = 256,
        since: float | datetime | None = None,
        overlap: float = 300.0,
        commit_every: float = 0.2,
    ) -> Consumed:
        """Call `handler` for every message of `source` until that ends, and return the counts.

        Messages with the same key are handled one after the other, others side by side. With a
        checkpoint, what was handled is noted after the handler: the next run, in another process
        too, first reads over REST what was stored since then (`msg.origin` is `replay`), and then
        goes on live. Each stored record is handled at least once.

        Cancelling, as Ctrl-C does, waits for no handler (but they are cancelled), commits what is
        done, and puts back into the subscription what was taken and not done.

        Args:
            source: A subscription, a monitor, or any async iterable of messages.
            handler: An async function of one message. What it raises is tried again.
            concurrency: How many handlers run at the same time.
            key: What is handled in order; by default the stream (`by_stream`).
            checkpoint: Where it is kept how far this is: `SQLiteCheckpoint(path)`,
                `MemoryCheckpoint()`, or your own. It is closed at the end.
            retries: How often a handler that raised is called again, with jitter, or a
                `RetryPolicy`. Messages of the same key wait meanwhile.
            dead_letter: An async function of a message and an error, called when all attempts
                have failed; the message counts as handled then. Without it, `consume()` ends.
            lookahead: How many messages are taken from `source` and not done, at most. What
                comes beyond that stays in `source`, where its overflow policy applies.
            since: Where a new checkpoint begins (Unix seconds, or an aware `datetime`): history
                from then on is handled first. By default now, or when this connection armed it, if
                that is not longer ago than `overlap`.
            overlap: For how many seconds before the newest record it is remembered what was
                handled. Records that come later than that after their neighbours may be missed
                by the next run.
            commit_every: Seconds between two commits.

        Raises:
            InvalidArgumentError: An argument can't be used; nothing was taken.
            HandlerError: All attempts with a message failed, and there is no `dead_letter`, or it
                failed too.
            CheckpointError: The checkpoint can't be read or written.
            RTStreamError: The source failed, or its history can't be read.
        """
        from rtstream_async.api.polling import RecordPoller
        from rtstream_async.realtime import consume

        settings = consume.checked(
            source,
            handler,
            concurrency=concurrency,
            key=key or consume.by_stream,
            checkpoint=checkpoint,
            retries=retries,
            dead_letter=dead_letter,
            lookahead=lookahead,
            since=since,
            overlap=overlap,
            commit_every=commit_every,
        )
        records = RecordPoller(self._context.caller)
        return await consume.run(source, settings, hub=self._context.hub, records=records)
