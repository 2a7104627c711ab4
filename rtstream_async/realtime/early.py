"""Messages that come before anybody could subscribe to them."""

from __future__ import annotations

from collections import deque

from rtstream_async.models.messages import Message
from rtstream_async.protocol.router import Key, subject_of

__all__ = ["EarlyMessages"]


class EarlyMessages:
    """Keeps what is armed and not subscribed to yet, for the first subscription that wants it.

    A pipeline may push before the call that armed it has returned; so the last messages of
    streams and channels that nobody knows of are kept too, in one buffer for all.

    Attributes:
        dropped: Messages that were nobody's, and are gone.
    """

    def __init__(self, *, maxsize: int) -> None:
        self._maxsize = maxsize
        self._kept: dict[Key, deque[Message]] = {}
        self._strays: deque[Message] = deque()
        self._claimed: set[Key] = set()
        self.dropped = 0

    def keep(self, message: Message) -> None:
        """Take in a message that no subscription wants."""
        key = _key(message)
        if key in self._claimed:
            self.dropped += 1
            return
        buffer = self._kept.get(key, self._strays)
        if len(buffer) >= self._maxsize:
            buffer.popleft()
            self.dropped += 1
        buffer.append(message)

    def arm(self, key: Key, *, is_wanted: bool) -> None:
        """Note that something makes messages of `key` from now on; `is_wanted`: has a reader."""
        if is_wanted:
            self._claimed.add(key)
            return
        self._claimed.discard(key)
        if key in self._kept:
            return
        mine = [m for m in self._strays if _key(m) == key]
        self._kept[key] = deque(mine)
        if mine:
            self._strays = deque(m for m in self._strays if _key(m) != key)

    def claim(self, keys: tuple[Key, ...]) -> list[Message]:
        """Return what was kept for a new subscription to `keys`, oldest first."""
        taken: list[Message] = []
        for key in self._matching(keys):
            self._claimed.add(key)
            taken.extend(self._kept.pop(key))
        return sorted(taken, key=lambda message: message.received_at)

    def _matching(self, keys: tuple[Key, ...]) -> list[Key]:
        found: dict[Key, None] = {}
        for stream, channel in keys:
            if stream is not None and channel is not None:
                if (stream, channel) in self._kept:
                    found[stream, channel] = None
                continue
            for kept in self._kept:
                if stream in (None, kept[0]) and channel in (None, kept[1]):
                    found[kept] = None
        return list(found)


def _key(message: Message) -> Key:
    return subject_of(message), message.channel
