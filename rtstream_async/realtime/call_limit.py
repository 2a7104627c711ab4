"""REST calls a few at a time, the most urgent first."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

__all__ = ["FIRST", "HISTORY", "SECOND", "CallLimit"]

FIRST, HISTORY, SECOND = range(3)
"""How urgent: what is lost for good if it waits, what can be had later, and another look at it."""


class CallLimit:
    """Places for calls; of all that wait for one, the most urgent gets it.

    In order of arrival, many that need several calls each would all be done at the end, and none of
    them if that never comes.
    """

    def __init__(self, places: int) -> None:
        """Have so many places, at least 1."""
        self._free = places
        self._waiting: list[tuple[tuple[float, ...], int, anyio.Event]] = []
        self._arrivals = itertools.count()

    @asynccontextmanager
    async def place(self, *urgency: float) -> AsyncGenerator[None]:
        """Hold a place while the block runs.

        Args:
            urgency: The least goes first, compared number by number; of equals, who came first.
        """
        await self._take(urgency)
        try:
            yield
        finally:
            self._give_back()

    async def _take(self, urgency: tuple[float, ...]) -> None:
        if self._free:
            self._free -= 1
            return
        entry = (urgency, next(self._arrivals), anyio.Event())
        heapq.heappush(self._waiting, entry)
        try:
            await entry[2].wait()
        except BaseException:
            if entry[2].is_set():
                self._give_back()
            else:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
            raise

    def _give_back(self) -> None:
        if self._waiting:
            heapq.heappop(self._waiting)[2].set()
        else:
            self._free += 1
