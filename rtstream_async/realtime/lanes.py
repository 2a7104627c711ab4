"""Work in lanes: in order within a key, side by side between keys, bounded in number."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

__all__ = ["Lanes"]

J = TypeVar("J")


class Lanes(Generic[J]):
    """A lane for each key that has work, and a task for each lane.

    A lane that waits, for another attempt, takes nothing from the others but its place in the
    look-ahead.
    """

    def __init__(
        self,
        work: Callable[[J], Awaitable[None]],
        *,
        on_failure: Callable[[Exception], None],
        group: TaskGroup,
        lookahead: int,
    ) -> None:
        """Have no lanes yet.

        Args:
            work: Does one job.
            on_failure: Told what it raises; nothing more happens in that lane.
            group: Where the lanes' tasks live.
            lookahead: Jobs that are put in and not done, at most.
        """
        self._work = work
        self._on_failure = on_failure
        self._group = group
        self._room = anyio.Semaphore(lookahead)
        self._lanes: dict[Hashable, deque[J]] = {}

    async def put(self, key: Hashable, job: J) -> None:
        """Put `job` at the end of the lane of `key`, once there is room."""
        await self._room.acquire()
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = deque((job,))
            self._group.start_soon(self._run, key, lane, name="rtstream-async lane")
        else:
            lane.append(job)

    async def _run(self, key: Hashable, lane: deque[J]) -> None:
        while lane:
            try:
                await self._work(lane[0])
            except Exception as exc:  # noqa: BLE001 - not swallowed: it ends everything
                self._on_failure(exc)
                return
            lane.popleft()
            self._room.release()
        del self._lanes[key]
