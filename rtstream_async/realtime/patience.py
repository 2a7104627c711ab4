"""Waiting for full queues to be read, without waiting for those that nobody reads."""

from __future__ import annotations

import anyio

from rtstream_async.realtime.inbox import Inbox

__all__ = ["Patience"]

_LOOK = 0.02  # seconds between two looks
_STUCK = 0.5  # seconds without anything taken: nobody reads it


class Patience:
    """How long one delivery waits for its readers, all of them together."""

    def __init__(self, *, total: float) -> None:
        """Wait for `total` seconds at most."""
        self._left = total
        self._stuck: set[Inbox] = set()

    async def await_room(self, inbox: Inbox) -> None:
        """Wait until `inbox` is not full, or is found stuck, or the patience is at its end."""
        taken, idle = inbox.delivered, 0.0
        while inbox.depth >= inbox.maxsize and self._left > 0 and inbox not in self._stuck:
            await anyio.sleep(_LOOK)
            self._left -= _LOOK
            idle = idle + _LOOK if inbox.delivered == taken else 0.0
            taken = inbox.delivered
            if idle >= _STUCK:
                self._stuck.add(inbox)
