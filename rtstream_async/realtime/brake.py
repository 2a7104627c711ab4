"""`overflow="block"`: full queues stop the reader for all, and not for long."""

from __future__ import annotations

import asyncio
from typing import Protocol

from rtstream_async.realtime.inbox import Inbox

__all__ = ["Brake", "Reading"]


class Reading(Protocol):
    """What can be stopped."""

    def pause(self) -> None:
        """Stop reading."""
        ...

    def resume(self) -> None:
        """Read again."""
        ...


class Brake:
    """Stops the reading while at least one inbox holds it, each for `timeout` seconds at most.

    Pings stall while it is stopped, so without the timeout one stuck consumer would cost everybody
    the connection.
    """

    def __init__(self, reading: Reading, *, timeout: float) -> None:
        self._reading = reading
        self._timeout = timeout
        self._holds: dict[Inbox, asyncio.TimerHandle] = {}

    def hold(self, inbox: Inbox) -> None:
        """Stop reading for `inbox`, if it does not yet."""
        if inbox in self._holds:
            return
        if not self._holds:
            self._reading.pause()
        loop = asyncio.get_running_loop()
        self._holds[inbox] = loop.call_later(self._timeout, self._lose_patience, inbox)

    def release(self, inbox: Inbox) -> None:
        """Stop reading no longer for `inbox`, if it does."""
        timer = self._holds.pop(inbox, None)
        if timer is None:
            return
        timer.cancel()
        if not self._holds:
            self._reading.resume()

    def _lose_patience(self, inbox: Inbox) -> None:
        inbox.give_up()
        inbox.wake()
        self.release(inbox)
