"""Which targets a message of a stream and channel goes to."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from rtstream_async.models.messages import CaptureMessage, Message

__all__ = ["Key", "Route", "Router", "keys_of", "subject_of"]

T = TypeVar("T", bound=Hashable)
N = TypeVar("N")

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


class Route(Generic[T, N]):
    """What is known of the messages of one stream and channel.

    Attributes:
        targets: Whom they go to, each once.
        note: What else is kept for them.
    """

    __slots__ = ("note", "targets")

    def __init__(self, targets: tuple[T, ...], note: N) -> None:
        self.targets = targets
        self.note = note


class Router(Generic[T, N]):
    """Finds the targets of a message in one look-up, however many there are.

    The route of a (stream, channel) is kept, and forgotten only when a target that it concerns
    comes or goes.

    Attributes:
        routes: Those that are kept, by channel and stream. For who can't afford a call: what is
            not there, `route()` finds.
    """

    __slots__ = ("_note_of", "_only", "_several", "routes")

    def __init__(self, note_of: Callable[[Key], N]) -> None:
        """Have no targets yet.

        Args:
            note_of: Returns the note of a stream and channel; when that would be another, tell
                `forget()`.
        """
        self._note_of = note_of
        # Nearly all keys have one target, and thousands of dicts for one each would cost memory.
        self._only: dict[Key, T] = {}
        self._several: dict[Key, dict[T, None]] = {}
        self.routes: dict[str, dict[str | None, Route[T, N]]] = {}

    def add(self, target: T, keys: Iterable[Key]) -> None:
        """Send what matches one of `keys` to `target` too."""
        for key in keys:
            if key in self._several:
                self._several[key][target] = None
            elif key in self._only:
                self._several[key] = {self._only.pop(key): None, target: None}
            else:
                self._only[key] = target
            self.forget(key)

    def remove(self, target: T, keys: Iterable[Key]) -> None:
        """Send what matches `keys` no longer to `target`; keys it does not have are no matter."""
        for key in keys:
            if key in self._several:
                self._several[key].pop(target, None)
                if not self._several[key]:
                    del self._several[key]
            elif self._only.get(key) == target:
                del self._only[key]
            self.forget(key)

    def clear(self) -> None:
        """Have no targets any more."""
        self._only.clear()
        self._several.clear()
        self.routes.clear()

    def targets(self, stream: str | None, channel: str) -> tuple[T, ...]:
        """Return whom a message of `stream` and `channel` goes to, each once."""
        return self.route(stream, channel).targets

    def route(self, stream: str | None, channel: str) -> Route[T, N]:
        """Return what is known of the messages of `stream` and `channel`."""
        try:
            return self.routes[channel][stream]
        except KeyError:
            return self._work_out(stream, channel)

    def of_stream(self, stream: str, channel: str) -> tuple[T, ...]:
        """Return those targets that asked for this very stream, and for `channel` or all."""
        return self._united((stream, channel), (stream, None))

    def _work_out(self, stream: str | None, channel: str) -> Route[T, N]:
        targets = self._united((stream, channel), (None, channel), (stream, None), (None, None))
        route = Route(targets, self._note_of((stream, channel)))
        if channel not in self.routes and len(self.routes) >= _MAX_CHANNELS_CACHED:
            self.routes.clear()
        streams = self.routes.setdefault(channel, {})
        if len(streams) >= _MAX_STREAMS_CACHED:
            streams.clear()
        streams[stream] = route
        return route

    def _united(self, *keys: Key) -> tuple[T, ...]:
        # A dict, not a list: a target may have an exact key and a wildcard.
        found: dict[T, None] = {}
        for key in keys:
            if key in self._only:
                found[self._only[key]] = None
            elif key in self._several:
                found.update(self._several[key])
        return tuple(found)

    def forget(self, key: Key) -> None:
        """Work the routes out again that `key` concerns."""
        stream, channel = key
        touched = self.routes.values() if channel is None else [self.routes.get(channel, {})]
        for streams in touched:
            if stream is None:
                streams.clear()
            else:
                streams.pop(stream, None)
