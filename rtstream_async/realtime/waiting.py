"""Tasks that wait for a message, and are woken together.

A future calls its loop for each task that it wakes, and the loop makes an object for each call.
That is a third of what it takes to hand a message to a task that waits. What one read of the socket
brings is handed out in one go, so one call of the loop wakes all that it is for.

A task can await whatever has the parts of a future that a task uses, as `asyncio.isfuture()` says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextvars import Context
from typing import Any, Final

__all__ = ["Waiter", "Waker"]


_NOWHERE: Final = Context()


def _idle(waiter: Waiter) -> None:
    raise RuntimeError(f"{waiter!r} was woken, and nobody waits")


class Waiter:
    """What one task awaits: it goes on when this has been woken. Then another may await it.

    Attributes:
        is_woken: The task is to go on, and may not have done so yet.
    """

    __slots__ = ("_asyncio_future_blocking", "_waker", "context", "go_on", "is_woken")

    context: Context  #: of the task
    go_on: Callable[[Waiter], object]  #: has the task go on, now

    def __init__(self, waker: Waker) -> None:
        self._waker = waker
        self.is_woken = False

    def wake(self) -> None:
        """Have the task go on, soon."""
        self.is_woken = True
        due = self._waker.due
        if not due:
            self._waker.call()
        due.append(self)

    def __await__(self) -> Generator[Waiter]:
        self.is_woken = False
        self._asyncio_future_blocking = True  # awaited, and not just yielded
        # Yields it once, as a generator would; a frame for each would take far more.
        once: Any = iter((self,))
        frameless: Generator[Waiter] = once
        return frameless

    # What a task uses of a future.

    get_loop = staticmethod(asyncio.get_running_loop)

    def done(self) -> bool:
        """Return whether the task is to go on."""
        return self.is_woken

    def add_done_callback(self, go_on: Callable[[Any], object], *, context: Context) -> None:
        """Take how to have the task go on."""
        self.go_on = go_on
        self.context = context

    def cancel(self, msg: object = None) -> bool:
        """Have the task go on; as this returns false, it raises `CancelledError` by itself."""
        del msg
        if not self.is_woken:
            self.wake()
        return False

    result = staticmethod(bool)  # called, and thrown away: a function of ours would take a frame


class Waker:
    """Has tasks go on that are woken at about the same time, in order, by one call of the loop.

    Attributes:
        due: Who goes on with the next call; before the first is added, `call()`.
    """

    def __init__(self) -> None:
        self.due: list[Waiter] = []

    def call(self) -> None:
        """Have the loop call back, soon."""
        asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        due, self.due = self.due, []
        left = iter(due)
        try:
            for waiter in left:
                go_on, context = waiter.go_on, waiter.context
                waiter.go_on, waiter.context = _idle, _NOWHERE  # a spare one keeps no task alive
                context.run(go_on, waiter)
        finally:  # what ends the whole loop, such as a KeyboardInterrupt, comes out of a task too
            for waiter in left:
                waiter.wake()
