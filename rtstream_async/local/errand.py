"""Work that is done in a task of its own, for a caller who may go away."""

from __future__ import annotations

import asyncio
from typing import Final, Generic, TypeVar

import anyio

__all__ = ["Errand"]

T = TypeVar("T")

_ABANDONED_AFTER: Final = 2.0  # seconds that the work goes on after its caller went away


class Errand(Generic[T]):
    """What the caller and the task share: the caller awaits `outcome`, the task enters `scope`."""

    def __init__(self, *, timeout: float) -> None:
        """Begin; the scope ends a little later than `timeout` seconds from now.

        So what takes too long is told to the caller by his own deadline, and the work, which may
        be in a place where it must not be cancelled, mostly ends by itself.
        """
        self.outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.scope = anyio.CancelScope(deadline=anyio.current_time() + timeout + _ABANDONED_AFTER)
        self.outcome.add_done_callback(self._on_done)

    def succeed(self, result: T) -> None:
        """Give the caller a result, if he is still there and has none."""
        if not self.outcome.done():
            self.outcome.set_result(result)

    def fail(self, error: Exception) -> None:
        """Give the caller an error, if he is still there and has no result."""
        if not self.outcome.done():
            self.outcome.set_exception(error)

    def _on_done(self, outcome: asyncio.Future[T]) -> None:
        if not outcome.cancelled():
            outcome.exception()  # seen, even when the caller has gone in the meantime
            return
        soon = anyio.current_time() + _ABANDONED_AFTER
        self.scope.deadline = min(self.scope.deadline, soon)
