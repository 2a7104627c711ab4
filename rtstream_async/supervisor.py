"""One task that owns a task group, so that opening and closing may happen in different tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
from anyio.abc import TaskGroup

from rtstream_async.errors import ConnectionClosedError, WrongEventLoopError

__all__ = ["Supervisor"]


class Supervisor:
    """Owns background tasks from `start()` to `aclose()`, whichever tasks call these.

    A task group must be left by the task that entered it; users open and close connections
    wherever they like. So one task enters, waits, and leaves. A background task that raises ends
    the others, and `aclose()` raises what it raised.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._group: TaskGroup | None = None
        self._entered = asyncio.Event()
        self._stop = asyncio.Event()
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether `aclose()` was called, or a background task has ended everything."""
        return self._closed or (self._task is not None and self._task.done())

    def check(self) -> None:
        """Check that work may start here and now.

        Raises:
            WrongEventLoopError: Called in another event loop than the first call.
            ConnectionClosedError: Already closed.
        """
        self.check_loop()
        self._loop = asyncio.get_running_loop()
        if self.is_closed:
            raise ConnectionClosedError

    def check_loop(self) -> None:
        """Check that this is the event loop that all runs in, once any does.

        Raises:
            WrongEventLoopError: It is another one.
        """
        if self._loop not in (None, asyncio.get_running_loop()):
            raise WrongEventLoopError

    async def start(self) -> None:
        """Start the owner task, unless it runs. Cancelling leaves it running for `aclose()`."""
        self.check()
        if self._task is None:
            self._task = asyncio.create_task(self._own(), name=self._name)
        await self._entered.wait()

    def start_soon(
        self, work: Callable[..., Coroutine[Any, Any, Any]], *args: Any, name: str
    ) -> None:
        """Run `work(*args)` in the background until it ends or `aclose()` cancels it.

        Raises:
            ConnectionClosedError: Not started, or closed.
        """
        self.check()
        if self._group is None:
            raise ConnectionClosedError
        self._group.start_soon(work, *args, name=name)

    async def aclose(self) -> None:
        """Cancel all background tasks and wait for them; a second call waits too.

        Raises:
            WrongEventLoopError: Called in another event loop than the first call.
            ExceptionGroup: What a background task raised.
        """
        self.check_loop()
        self._closed = True
        if self._task is None:
            return
        self._stop.set()
        await asyncio.shield(self._task)

    async def _own(self) -> None:
        async with anyio.create_task_group() as group:
            self._group = group
            self._entered.set()
            await self._stop.wait()
            group.cancel_scope.cancel()
