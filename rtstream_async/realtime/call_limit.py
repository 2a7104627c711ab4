"""REST calls a few at a time, in turn."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

__all__ = ["CallLimit"]


class CallLimit:
    """Places for calls; of all that wait for one, who has the earliest turn gets it.

    Who needs several calls keeps its turn for all of them, and so is done before the next. In order
    of arrival, all would be in work until the end, and none done if that never comes.
    """

    def __init__(self, places: int) -> None:
        """Have so many places, at least 1."""
        self._free = places
        self._waiting: list[tuple[bool, int, int, anyio.Event]] = []
        self._turns = itertools.count()

    def turn(self) -> int:
        """Return a turn, after all that were given before."""
        return next(self._turns)

    @asynccontextmanager
    async def place(
        self, turn: int | None = None, *, can_wait: bool = True
    ) -> AsyncGenerator[None]:
        """Hold a place while the block runs.

        Args:
            turn: When it is served; `None`: after all that have a turn by now.
            can_wait: Others may go first; what can't wait goes before all that can.
        """
        await self._take(can_wait, self.turn() if turn is None else turn)
        try:
            yield
        finally:
            self._give_back()

    async def _take(self, can_wait: bool, turn: int) -> None:
        if self._free:
            self._free -= 1
            return
        given = anyio.Event()
        entry = can_wait, turn, self.turn(), given
        heapq.heappush(self._waiting, entry)
        try:
            await given.wait()
        except BaseException:
            if given.is_set():
                self._give_back()
            else:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
            raise

    def _give_back(self) -> None:
        if self._waiting:
            heapq.heappop(self._waiting)[-1].set()
        else:
            self._free += 1
