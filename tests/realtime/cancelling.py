"""Cancels at every await: drives a coroutine, and has its task cancelled at the one that is meant.

Turns of the loop, which `test_cancel.py` counts, hit some awaits often and others never.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from typing import Any

__all__ = ["GUARD", "Cancelled", "Countdown", "every_await", "nothing_left"]

GUARD = 30.0  # seconds until something that should happen counts as not happening
MOST = 2000  # awaits: more than anything here has


class Cancelled(Exception):  # noqa: N818 - it is no error
    """The work was cancelled where that was meant."""


class Countdown:
    """Counts awaits, over several pieces of work, down to the one at which something is done."""

    def __init__(self, number: int) -> None:
        self._left = number

    @property
    def is_spent(self) -> bool:
        """Whether that await was reached."""
        return self._left <= 0

    async def cancel(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what `work` returns, in a task that is cancelled at that await.

        Raises:
            Cancelled: It was.
        """
        task = asyncio.create_task(
            self.drive(work, lambda: task.cancel()),  # noqa: PLW0108 - there is no task yet
            name="cancelled",
        )
        async with asyncio.timeout(GUARD):
            await asyncio.wait([task])
        if task.cancelled():
            assert self.is_spent
            raise Cancelled
        return task.result()

    async def drive(self, work: Coroutine[Any, Any, Any], act: Callable[[], object]) -> Any:
        """Return what `work` returns; `act()` is called while it is at that await."""
        return await _Driven(work, self, act)

    def is_now(self) -> bool:
        """Count one await; return whether it is the one."""
        self._left -= 1
        return self._left == 0


class _Driven:
    def __init__(
        self, work: Coroutine[Any, Any, Any], countdown: Countdown, act: Callable[[], object]
    ) -> None:
        self._work = work
        self._countdown = countdown
        self._act = act

    def __await__(self) -> Generator[Any, Any, Any]:
        work = self._work
        answer: Any = None
        error: BaseException | None = None
        while True:
            try:
                waited_for = work.send(answer) if error is None else work.throw(error)
            except StopIteration as stop:
                return stop.value
            if self._countdown.is_now():
                # Not from within the step: the task must be seen to wait for this very future.
                asyncio.get_running_loop().call_soon(self._act)
            answer, error = None, None
            try:
                answer = yield waited_for
            except BaseException as exc:  # noqa: BLE001 - handed on to where it belongs
                error = exc


async def every_await(once: Callable[[Countdown], Awaitable[object]]) -> int:
    """Do everything once for each await that there is; return how many there are."""
    for number in range(1, MOST):
        countdown = Countdown(number)
        await once(countdown)
        if not countdown.is_spent:
            return number - 1
    raise AssertionError(f"there are more than {MOST} awaits")


@asynccontextmanager
async def nothing_left(server: Any) -> AsyncIterator[None]:
    """See to it that afterwards no task of ours runs, and no socket is open."""
    before = asyncio.all_tasks()
    yield
    async with asyncio.timeout(GUARD):
        while server.control.sockets():  # noqa: ASYNC110 - there is nothing that tells
            await asyncio.sleep(0.001)  # the server sees it a moment later
    after = asyncio.all_tasks() - before
    left = [task for task in after if "rtstream-" in task.get_name()]
    assert not left, left
