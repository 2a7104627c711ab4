"""Reading again over REST what was pushed while a consumer was not there."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import anyio

from rtstream_async.errors import NotFoundError, RTStreamError
from rtstream_async.models.messages import Message
from rtstream_async.models.records import Scene
from rtstream_async.models.transcripts import TranscriptSegment
from rtstream_async.protocol.checkpoint import CheckpointKey
from rtstream_async.realtime.burst import Burst
from rtstream_async.realtime.poll import as_message

__all__ = ["Archive", "Records"]

logger = logging.getLogger("rtstream_async.realtime")

_FIRST_DELAY: Final = 0.5  # seconds
_LONGEST_DELAY: Final = 15.0  # seconds
_BUDGET: Final = 120.0  # seconds
_QUIET: Final = 60.0  # seconds


class Records(Protocol):
    """How records are read over REST."""

    def now(self) -> float:
        """Return the service's Unix time, seconds."""
        ...

    async def makers(self, rtstream_id: str, channel: str) -> Sequence[str]:
        """Return what made messages of `channel`, whether it still runs or not."""
        ...

    async def records(
        self, rtstream_id: str, channel: str, source: str, since: float
    ) -> Sequence[Scene | TranscriptSegment]:
        """Return what a source made that ends after `since` (Unix seconds), in any order."""
        ...


class Archive:
    """The history of streams, as the messages that were pushed, or would have been."""

    def __init__(self, records: Records, finish: Callable[[Message], Message]) -> None:
        """Read nothing yet.

        Args:
            records: Reads over REST.
            finish: Does to a message what is done to those of the socket.
        """
        self._records = records
        self._finish = finish
        self._failures = Burst(logger, quiet=_QUIET)

    def now(self) -> float:
        """Return the service's Unix time, seconds."""
        return self._records.now()

    async def read(
        self, key: CheckpointKey, since: float, *, budget: float = _BUDGET
    ) -> list[Message]:
        """Return what ends after `since` (Unix seconds), in any order.

        A stream that is gone has no history. What fails and may work later is tried again.

        Args:
            key: Stream and channel.
            since: From when.
            budget: Seconds for all attempts.

        Raises:
            RTStreamError: It can't be read, or not within the budget.
        """
        until = anyio.current_time() + budget
        delay = _FIRST_DELAY
        while True:
            try:
                return await self._read(key, since)
            except NotFoundError as exc:
                logger.warning("%s of %s has no history: %s", key[1], key[0], exc)
                return []
            except RTStreamError as exc:
                if not exc.is_retryable or anyio.current_time() + delay >= until:
                    raise
                self._failures.warn("reading %s of %s failed: %s", key[1], key[0], exc)
            await anyio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - only spreads calls
            delay = min(_LONGEST_DELAY, delay * 2)

    async def _read(self, key: CheckpointKey, since: float) -> list[Message]:
        stream, channel = key
        return [
            self._finish(as_message(channel, stream, record, source=source, origin="replay"))
            for source in await self._records.makers(stream, channel)
            for record in await self._records.records(stream, channel, source, since)
        ]
