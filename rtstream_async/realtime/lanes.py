"""Work in lanes: in order within a key, side by side between keys, bounded in number."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

__all__ = ["Lanes"]

J = TypeVar("J")


class _Lane(deque[J]):
    """The jobs of one key, the one in work first."""

    __slots__ = ("key",)

    def __init__(self, key: Hashable) -> None:
        super().__init__()
        self.key = key


class Lanes(Generic[J]):
    """A lane for each key that has work, and a few tasks that take the lanes in turn.

    A lane that rests, before another attempt, takes nothing from the others but its place in the
    look-ahead.
    """

    def __init__(
        self,
        work: Callable[[J], Awaitable[float | None]],
        *,
        on_failure: Callable[[Exception], None],
        group: TaskGroup,
        concurrency: int,
        lookahead: int,
    ) -> None:
        """Have no lanes yet.

        Args:
            work: Does one job; returns `None` when it is done, and else the seconds until it is
                to be called again with the same job.
            on_failure: Told what it raises; nothing more happens in that lane.
            group: Where the tasks live.
            concurrency: Jobs that are worked on at the same time, at most.
            lookahead: Jobs that are put in and not done, at most.
        """
        self._work = work
        self._on_failure = on_failure
        self._group = group
        self._concurrency = concurrency
        self._lookahead = lookahead
        self._lanes: dict[Hashable, _Lane[J]] = {}
        self._ready: deque[_Lane[J]] = deque()
        self._jobs = 0
        self._workers = 0
        self._has_room = asyncio.Event()

    async def put(self, key: Hashable, job: J) -> None:
        """Put `job` at the end of the lane of `key`, once there is room."""
        while self._jobs >= self._lookahead:
            self._has_room.clear()
            await self._has_room.wait()
        self._jobs += 1
        lane = self._lanes.get(key)
        if lane is not None:
            lane.append(job)
            return
        lane = self._lanes[key] = _Lane(key)
        lane.append(job)
        self._go(lane)

    def _go(self, lane: _Lane[J]) -> None:
        self._ready.append(lane)
        if self._workers < self._concurrency:
            self._workers += 1
            self._group.start_soon(self._run, name="rtstream-async consumer")

    async def _run(self) -> None:
        try:
            while self._ready:
                await self._step(self._ready.popleft())
        except Exception as exc:  # noqa: BLE001 - not swallowed: it ends everything
            self._on_failure(exc)
        finally:
            self._workers -= 1

    async def _step(self, lane: _Lane[J]) -> None:
        seconds = await self._work(lane[0])
        if seconds is not None:
            self._group.start_soon(self._rest, lane, seconds, name="rtstream-async attempt")
            return
        lane.popleft()
        self._jobs -= 1
        self._has_room.set()
        if lane:
            self._ready.append(lane)
        else:
            del self._lanes[lane.key]

    async def _rest(self, lane: _Lane[J], seconds: float) -> None:
        await anyio.sleep(seconds)
        self._go(lane)
