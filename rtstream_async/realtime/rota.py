"""Who takes which turn when: thousands of things to be looked at, by a few workers."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Final, Protocol

import anyio
import attrs

__all__ = ["Rota", "Rotating"]

_SPARE: Final = 64  # entries of what was removed that are not worth tidying up


class Rotating(Protocol):
    """Something that is to be looked at again and again."""

    async def turn(self) -> float:
        """Look; return how many seconds until the next time. It may be cancelled."""
        ...


@attrs.define(eq=False)
class _Entry:
    """One of them, and its next turn."""

    what: Rotating
    is_out: bool = False  #: it was removed
    scope: anyio.CancelScope | None = None  #: of the turn that it is having


class Rota:
    """Gives each its turn when it is due, the longest overdue first, a few at once.

    There are no more tasks than that, and none without anything to look at. One of them waits for
    the next turn and the others wait for that one, so that time wakes one task only. What is slow
    keeps one worker busy, and delays nobody while another is free.
    """

    def __init__(self, *, at_once: int, spawn: Callable[..., None], name: str) -> None:
        """Have nobody on it.

        Args:
            at_once: Turns at once.
            spawn: Starts a task: `spawn(work, *args, name=...)`.
            name: Of the tasks.
        """
        self._at_once = at_once
        self._spawn = spawn
        self._name = name
        self._entries: dict[Rotating, _Entry] = {}
        self._due: list[tuple[float, int, _Entry]] = []  # a heap; the number settles a tie
        self._numbers = itertools.count()
        self._workers = 0
        self._watch = asyncio.Lock()  # whose holder waits for the next turn
        self._news: asyncio.Event | None = None  # what that one waits for besides

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, what: Rotating, *, after: float = 0.0) -> None:
        """Give `what` its first turn after so many seconds, and then as often as it asks for.

        It must not be on it.
        """
        entry = self._entries[what] = _Entry(what)
        self._schedule(entry, after)
        if self._workers < self._wanted:
            self._workers += 1
            self._spawn(self._work, name=self._name)

    def remove(self, what: Rotating) -> None:
        """Give `what` no more turns, and cancel the one that it is having."""
        entry = self._entries.pop(what)
        entry.is_out = True
        if entry.scope is not None:
            entry.scope.cancel()
        elif len(self._due) > 2 * len(self._entries) + _SPARE:
            self._due = [one for one in self._due if not one[2].is_out]
            heapq.heapify(self._due)
        if self._workers > self._wanted:
            self._tell()

    @property
    def _wanted(self) -> int:
        return min(self._at_once, len(self._entries))

    def _schedule(self, entry: _Entry, delay: float) -> None:
        item = anyio.current_time() + delay, next(self._numbers), entry
        heapq.heappush(self._due, item)
        if self._due[0] is item:
            self._tell()

    def _tell(self) -> None:
        if self._news is not None:
            self._news.set()

    async def _work(self) -> None:
        try:
            while True:
                async with self._watch:
                    entry = await self._next()
                if entry is None:
                    return
                await self._have_turn(entry)
        finally:
            self._workers -= 1

    async def _next(self) -> _Entry | None:
        """Return whose turn it is, when it is; `None`: there are more workers than are wanted."""
        while self._workers <= self._wanted:
            due = self._due
            while due and due[0][2].is_out:
                heapq.heappop(due)
            wait = due[0][0] - anyio.current_time() if due else None
            if wait is not None and wait <= 0:
                return heapq.heappop(due)[2]
            self._news = asyncio.Event()
            with anyio.move_on_after(wait):
                await self._news.wait()
            self._news = None
        return None

    async def _have_turn(self, entry: _Entry) -> None:
        with anyio.CancelScope() as entry.scope:
            delay = await entry.what.turn()
            if not entry.is_out:
                self._schedule(entry, delay)
        entry.scope = None
