"""`consume()`: a handler for every message, in order per key, and a checkpoint behind it."""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncIterable, Awaitable, Callable, Hashable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import attrs

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.messages import Message
from rtstream_async.protocol.bounds import at_least, unix_seconds
from rtstream_async.protocol.retry import RetryPolicy
from rtstream_async.protocol.router import subject_of

if TYPE_CHECKING:
    from rtstream_async.protocol.checkpoint import CheckpointKey
    from rtstream_async.realtime.archive import Records
    from rtstream_async.realtime.checkpoint import Checkpoint
    from rtstream_async.realtime.hub import Hub

__all__ = [
    "ConsumeSettings",
    "Consumed",
    "by_stream",
    "by_stream_and_channel",
    "checked",
    "run",
]

M = TypeVar("M")

Handler = Callable[[M], Awaitable[object]]
DeadLetter = Callable[[M, Exception], Awaitable[object]]

_SWEEPS: Final = (5.0, 20.0, 60.0)  # seconds: results are late, and REST shows them later still
_TICK: Final = 1.0  # seconds
_HELD: Final = 10_000


def by_stream(message: object) -> Hashable:
    """Return the stream of a message: all that is about one stream is handled in order.

    A message of a capture session has the session instead; an announcement may have neither, and
    then is in order with its like.
    """
    if isinstance(message, Message):
        return subject_of(message)
    return getattr(message, "rtstream_id", None)


def by_stream_and_channel(message: object) -> Hashable:
    """Return the stream and channel of a message: each channel is handled in order by itself."""
    return by_stream(message), getattr(message, "channel", None)


@attrs.frozen(kw_only=True)
class Consumed:
    """What became of the messages that `consume()` took."""

    handled: int = 0  #: messages that the handler returned from
    dead: int = 0  #: messages given to `dead_letter` instead
    retries: int = 0  #: calls of the handler after the first, of all messages
    replayed: int = 0  #: of those handled or dead: read from the history
    repeats: int = 0  #: messages that the source gave, and that had been handled before


@attrs.frozen(kw_only=True)
class ConsumeSettings(Generic[M]):
    """What `consume()` was told, checked."""

    handler: Handler[M]
    key: Callable[[M], Hashable]
    concurrency: int
    lookahead: int
    retries: RetryPolicy
    dead_letter: DeadLetter[M] | None
    checkpoint: Checkpoint | None
    since: float | None
    overlap: float
    commit_every: float
    held: int  #: messages of the source that wait while the history is read
    sweeps: tuple[float, ...]
    """Seconds after the start, and after the source has dropped something, at which the history is
    read again, for what REST shows late."""
    tick: float  #: seconds between two looks at what the source drops and which keys it has


def checked(
    source: AsyncIterable[M],
    handler: Handler[M],
    *,
    concurrency: int,
    key: Callable[[M], Hashable],
    checkpoint: Checkpoint | None,
    retries: int | RetryPolicy,
    dead_letter: DeadLetter[M] | None,
    lookahead: int,
    since: Any,
    overlap: float,
    commit_every: float,
) -> ConsumeSettings[M]:
    """Return the arguments of `consume()` as settings.

    Raises:
        InvalidArgumentError: One of them can't be used.
    """
    if not hasattr(source, "__aiter__"):
        raise InvalidArgumentError("source", "must be a subscription or another async iterable")
    _check_async("handler", handler)
    if dead_letter is not None:
        _check_async("dead_letter", dead_letter)
    if not callable(key):
        raise InvalidArgumentError("key", f"must be a function of a message, not {key!r}")
    _check_checkpoint(checkpoint)
    if since is not None and checkpoint is None:
        raise InvalidArgumentError("since", "needs a checkpoint, whose beginning it is")
    return ConsumeSettings(
        handler=handler,
        key=key,
        concurrency=at_least("concurrency", concurrency, 1),
        lookahead=max(at_least("lookahead", lookahead, 1), concurrency),
        retries=RetryPolicy.of(retries),
        dead_letter=dead_letter,
        checkpoint=checkpoint,
        since=None if since is None else unix_seconds("since", since),
        overlap=_seconds("overlap", overlap),
        commit_every=_seconds("commit_every", commit_every),
        held=_HELD,
        sweeps=tuple(delay for delay in _SWEEPS if delay < overlap),
        tick=_TICK,
    )


async def run(
    source: AsyncIterable[M], settings: ConsumeSettings[M], *, hub: Hub, records: Records
) -> Consumed:
    """Handle what `source` gives until it ends, and return the counts.

    Args:
        source: Gives messages.
        settings: What is done with them.
        hub: Of the connection that the source may be of.
        records: Reads history over REST.
    """
    from rtstream_async.realtime.archive import Archive
    from rtstream_async.realtime.consumer import Consumer

    hub.check()

    def armed_since(key: CheckpointKey) -> float | None:
        track = hub.track_of(*key)
        return None if track is None else track.since

    def armed_keys() -> list[CheckpointKey]:
        return [(arm.rtstream_id, arm.channel) for arm in hub.arms.all() if arm.rtstream_id]

    consumer = Consumer(
        source,
        settings,
        archive=Archive(records, hub.finish),
        begin=armed_since,
        armed=armed_keys,
    )
    return await consumer.run()


def _check_async(argument: str, function: object) -> None:
    call = getattr(function, "__call__", None)  # noqa: B004 - an object may have an async one
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call):
        return
    raise InvalidArgumentError(
        argument,
        "must be an async function; one that blocks belongs in a thread, which an async function"
        " reaches with `await asyncio.to_thread(...)`",
    )


def _check_checkpoint(checkpoint: object) -> None:
    wanted = ("load", "commit", "aclose")
    if checkpoint is None or all(callable(getattr(checkpoint, name, None)) for name in wanted):
        return
    raise InvalidArgumentError(
        "checkpoint", f"must be a Checkpoint with async load, commit and aclose: {checkpoint!r}"
    )


def _seconds(argument: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
        return float(value)
    raise InvalidArgumentError(argument, f"must be a number of seconds, 0 or more, not {value!r}")
