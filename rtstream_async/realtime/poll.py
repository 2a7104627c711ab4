"""Reading what is made of one stream over REST, as long as nothing pushes it to us."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from rtstream_async.errors import RTStreamError
from rtstream_async.models.messages import (
    AudioMessage,
    Message,
    Origin,
    SceneMessage,
    TranscriptMessage,
)
from rtstream_async.models.records import Scene
from rtstream_async.models.transcripts import TranscriptSegment
from rtstream_async.protocol.recovery import Found, Track
from rtstream_async.realtime.burst import Burst
from rtstream_async.realtime.call_limit import CallLimit
from rtstream_async.realtime.settings import HubSettings

__all__ = ["POLLABLE", "Poller", "RecordPoll", "as_message"]

_KINDS: dict[str, Callable[..., Message]] = {
    "scene_index": SceneMessage,
    "audio_index": AudioMessage,
    "transcript": TranscriptMessage,
}
_INDEXED = frozenset({"scene_index", "audio_index"})  # whose records are of one index each
POLLABLE = frozenset(_KINDS)
"""The channels whose messages can also be read over REST."""

_IDLE_AFTER = 15  # turns without news
_LOOK_EVERY = 15  # turns: for what was started or stopped meanwhile
_LONGEST = 60.0  # seconds between two turns where nothing runs, or nothing works


class Poller(Protocol):
    """How records are read without the socket."""

    def now(self) -> float:
        """Return the service's Unix time, seconds."""
        ...

    async def sources(self, rtstream_id: str, channel: str) -> Sequence[str]:
        """Return what makes messages of `channel` now: ids of indexes, or the one transcript.

        `channel` is one of `POLLABLE`.
        """
        ...

    async def records(
        self,
        rtstream_id: str,
        channel: str,
        source: str,
        since: float,
        *,
        limit: int | None = None,
    ) -> Sequence[Scene | TranscriptSegment]:
        """Return what a source made that ends after `since` (Unix seconds), in any order.

        Not more than about `limit` records: the newest.
        """
        ...


def as_message(
    channel: str, stream: str, record: Scene | TranscriptSegment, *, source: str, origin: Origin
) -> Message:
    """Return a record as the message that it would have been pushed as.

    Its raw frame too: a program that reads `message["data"]["start"]` reads milliseconds there.
    """
    told = {
        **record.raw,
        "text": record.text,
        "start": round(record.start * 1e3),
        "end": round(record.end * 1e3),
    }
    of_index = {"index_id": source} if channel in _INDEXED else {}
    return _KINDS[channel](
        channel=channel,
        rtstream_id=stream,
        received_at=time.time(),
        origin=origin,
        source={"channel": channel, "rtstream_id": stream, "data": told},
        start=record.start,
        end=record.end,
        text=record.text,
        **of_index,
    )


class RecordPoll:
    """Polls what makes messages of one stream and channel, on from where its track stands."""

    def __init__(
        self,
        poller: Poller,
        stream: str,
        channel: str,
        track: Track[Message],
        *,
        limit: CallLimit,
        settings: HubSettings,
        deliver: Callable[[Message], None],
        on_silent: Callable[[], None],
        on_found: Callable[[], None],
        failures: Burst,
    ) -> None:
        """Prepare to poll.

        Args:
            poller: How.
            stream: Id of the stream.
            channel: One of `POLLABLE`.
            track: What was delivered of it.
            limit: How many calls there may be at once, with those of others.
            settings: How often.
            deliver: Takes the messages, in order of time.
            on_silent: Called when there is nothing to poll, at each look.
            on_found: Called when there is something, after there was nothing.
            failures: Warns of calls that failed.
        """
        self._poller = poller
        self._stream = stream
        self._channel = channel
        self._track = track
        self._limit = limit
        self._settings = settings
        self._deliver = deliver
        self._on_silent = on_silent
        self._on_found = on_found
        self._failures = failures
        self._sources: Sequence[str] = ()
        self._turns = 0
        self._idle_turns = 0
        self._delay = settings.poll_idle_interval
        self._has_found = False

    def begin(self) -> None:
        """Note that it is polled from now on."""
        self._track.is_polled = True

    def end(self) -> None:
        """Note that it is polled no longer."""
        self._track.is_polled = False

    async def turn(self) -> float:
        """Deliver what is new; return how many seconds until it is worth while to look again.

        Cancelling loses nothing: the next poll reads the same.
        """
        try:
            async with self._limit.place():
                messages = await self._read()
        except RTStreamError as exc:
            self._failures.warn("polling %s of %s failed: %s", self._channel, self._stream, exc)
            self._delay = min(_LONGEST, self._delay * 2)
        else:
            self._take(messages)
        # Chance only spreads the calls of many polls.
        return self._delay * random.uniform(0.75, 1.25)  # noqa: S311

    async def _read(self) -> list[Message]:
        """Return what is new, in order of time."""
        if not self._sources or self._turns % _LOOK_EVERY == 0:
            self._sources = await self._poller.sources(self._stream, self._channel)
        self._turns += 1
        now = self._poller.now()
        window = self._track.poll_window(now, now - time.time())
        found: list[Found[Message]] = []
        for source in self._sources:
            records = await self._poller.records(self._stream, self._channel, source, window.since)
            found += [
                Found(source=source, message=self._message(record, source)) for record in records
            ]
        return self._track.late(found, window)

    def _take(self, messages: list[Message]) -> None:
        if not self._sources:
            self._has_found = False
            self._on_silent()
            self._delay = min(_LONGEST, self._delay * 2)
            return
        if not self._has_found:
            self._has_found = True
            self._on_found()
        self._idle_turns = 0 if messages else self._idle_turns + 1
        is_idle = self._idle_turns >= _IDLE_AFTER
        self._delay = self._settings.poll_idle_interval if is_idle else self._settings.poll_interval
        for message in messages:
            self._deliver(message)

    def _message(self, record: Scene | TranscriptSegment, source: str) -> Message:
        return as_message(self._channel, self._stream, record, source=source, origin="poll")
