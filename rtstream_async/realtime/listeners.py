"""Who is told that something was pushed, and reads it elsewhere."""

from __future__ import annotations

from typing import Protocol
from weakref import WeakSet

from rtstream_async.models.messages import Message
from rtstream_async.protocol.router import Key

__all__ = ["Listener", "Listeners"]


class Listener(Protocol):
    """Wants to know when a message of its stream and channel is pushed."""

    def ring(self, message: Message) -> None:
        """Take note; never waits, never raises."""
        ...


class Listeners:
    """The listeners, by stream and channel, each for as long as somebody else holds it.

    They are no readers: what comes early is kept for those, and nothing is polled for a listener.

    Attributes:
        by_key: All of them; looked at for every message.
    """

    def __init__(self) -> None:
        self.by_key: dict[Key, WeakSet[Listener]] = {}

    def add(self, key: Key, listener: Listener) -> None:
        """Ring at `listener` for each message of `key` from now on."""
        for other in [other for other, those in self.by_key.items() if not those]:
            del self.by_key[other]
        self.by_key.setdefault(key, WeakSet()).add(listener)

    def ring(self, key: Key, message: Message) -> None:
        """Tell those of `key` that `message` was pushed."""
        for listener in tuple(self.by_key.get(key, ())):
            listener.ring(message)
