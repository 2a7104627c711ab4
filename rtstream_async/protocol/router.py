"""Which targets a message of a stream and channel goes to."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from rtstream_async.models.messages import CaptureMessage, Message

__all__ = ["Key", "Router", "keys_of", "subject_of"]

T = TypeVar("T", bound=Hashable)

Key = tuple[str | None, str | None]
"""A stream id (of a capture session: the session's) and a channel; in a subscription, `None` stands
for all of them."""

_MAX_STREAMS_CACHED = 65_536  # per channel: ids come from outside, as many as they like
_MAX_CHANNELS_CACHED = 256


def subject_of(message: Message) -> str | None:
    """Return what a message without a stream is about: the capture session, if it is of one."""
    if message.rtstream_id is None and isinstance(message, CaptureMessage):
        return message.session_id
    return message.rtstream_id


def keys_of(streams: Iterable[str] | None, channels: Iterable[str] | None) -> tuple[Key, ...]:
    """Return the keys of a subscription to `streams` and `channels`; `None` is all of them."""
    every_stream: list[str | None] = [None] if streams is None else [*streams]
    every_channel: list[str | None] = [None] if channels is None else [*channels]
    return tuple((stream, channel) for stream in every_stream for channel in every_channel)


class Router(Generic[T]):
    """Finds the targets of a message in one look-up, however many there are.

    The answer for a (stream, channel) is kept, and forgotten only when a target that it concerns
    comes or goes.
    """

    __slots__ = ("_answers", "_buckets")

    def __init__(self) -> None:
        self._buckets: dict[Key, dict[T, None]] = {}
        self._answers: dict[str, dict[str | None, tuple[T, ...]]] = {}

    def add(self, target: T, keys: Iterable[Key]) -> None:
        """Send what matches one of `keys` to `target` too."""
        for key in keys:
            self._buckets.setdefault(key, {})[target] = None
            self._forget(key)

    def remove(self, target: T, keys: Iterable[Key]) -> None:
        """Send what matches `keys` no longer to `target`; keys it does not have are no matter."""
        for key in keys:
            bucket = self._buckets.get(key)
            if bucket is None:
                continue
            bucket.pop(target, None)
            if not bucket:
                del self._buckets[key]
            self._forget(key)

    def clear(self) -> None:
        """Have no targets any more."""
        self._buckets.clear()
        self._answers.clear()

    def targets(self, stream: str | None, channel: str) -> tuple[T, ...]:
        """Return whom a message of `stream` and `channel` goes to, each once."""
        try:
            return self._answers[channel][stream]
        except KeyError:
            return self._work_out(stream, channel)

    def of_stream(self, stream: str, channel: str) -> tuple[T, ...]:
        """Return those targets that asked for this very stream, and for `channel` or all."""
        exact = self._buckets.get((stream, channel), {})
        return (*exact, *(t for t in self._buckets.get((stream, None), {}) if t not in exact))

    def _work_out(self, stream: str | None, channel: str) -> tuple[T, ...]:
        # A dict, not a list: a target may have an exact key and a wildcard.
        found: dict[T, None] = {}
        for key in ((stream, channel), (None, channel), (stream, None), (None, None)):
            found.update(self._buckets.get(key, {}))
        answer = tuple(found)
        if channel not in self._answers and len(self._answers) >= _MAX_CHANNELS_CACHED:
            self._answers.clear()
        streams = self._answers.setdefault(channel, {})
        if len(streams) >= _MAX_STREAMS_CACHED:
            streams.clear()
        streams[stream] = answer
        return answer

    def _forget(self, key: Key) -> None:
        stream, channel = key
        touched = self._answers.values() if channel is None else [self._answers.get(channel, {})]
        for streams in touched:
            if stream is None:
                streams.clear()
            else:
                streams.pop(stream, None)
