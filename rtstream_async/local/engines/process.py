"""An engine's models in a process of their own.

Native model code that crashes, or grows, does so there. The process is started by `warm_up()` or
by the first request, and again by the first request after it has died. The child's side is
`answering.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Mapping
from typing import Any

from rtstream_async.local.child import Child
from rtstream_async.local.engines.ports import EngineError

__all__ = ["EngineProcess"]

_GRACE = 2.0  # seconds for the request that is being answered when the engine is closed


class EngineProcess:
    """Asks a child process one thing after the other, in the order in which they were asked for.

    When the process dies, only the request that it was answering fails.

    Args:
        module: What the child runs: `python -m module`.
        what: Which engine it is, for what is told of it, for example `vision`.
        aftermath: What follows for the user when the process is lost.
        stuck_after: Seconds without an answer after which the process is taken for stuck and
            killed.
    """

    def __init__(
        self,
        module: str,
        what: str,
        *,
        aftermath: str = "the next request starts another",
        stuck_after: float = 60.0,
    ) -> None:
        self._module = module
        self._what = what
        self._aftermath = aftermath
        self._stuck_after = stuck_after
        self._session: _Session | None = None
        # One request at a time: sent early they would fill the pipe, and an answer that is there
        # would wait until the last of them is through. And who is cancelled in line costs nothing.
        self._turn = asyncio.Lock()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The child's process id, `None` while there is none."""
        session = self._session
        return session.pid if session is not None and session.lost is None else None

    async def warm_up(self) -> None:
        """Load the models; return when the first `ask()` will not wait for that.

        Cancelling ends a process that was being started.

        Raises:
            EngineError: The models can't be loaded.
        """
        async with self._turn:
            await self._ready()

    async def ask(self, request: Mapping[str, Any]) -> Any:
        """Return the child's answer to a request of plain values.

        Cancelling is safe: the answer is dropped when it comes.

        Raises:
            EngineError: The engine refused, or the process died; the next call starts another.
        """
        async with self._turn:
            session = await self._ready()
            return await session.ask(request)

    async def aclose(self) -> None:
        """End the process; what it has not answered by then fails with `EngineError`."""
        self._closed = True
        if self._session is not None:
            await self._session.end("was closed", grace=_GRACE)
        async with self._turn:  # whoever was starting a process has ended it by now
            self._session = None

    async def _ready(self) -> _Session:
        """Return a session whose models are loaded; for the one whose turn it is."""
        if self._session is not None and self._session.lost is None and not self._closed:
            return self._session
        self._check_open()
        child = await Child.start(self._module)
        session = self._session = _Session(child, self._what, self._aftermath, self._stuck_after)
        try:
            self._check_open()  # it may have been closed while the process was being started
            await session.ask(None)
        except BaseException:  # cancelled or failed: either way it is of no use to the next
            await session.end("was not ready", grace=0)
            raise
        return session

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError(f"the {self._what} engine is closed")


class _Session:
    """One life of the child process: one request after the other, until it dies."""

    def __init__(self, child: Child, what: str, aftermath: str, stuck_after: float) -> None:
        self.lost: str | None = None  #: what happened to the process, once it is gone
        self._child = child
        self._what = what
        self._aftermath = aftermath
        self._stuck_after = stuck_after
        self._cause: str | None = None  #: why we ended the process, when it was us
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._reader = asyncio.create_task(self._read(), name=f"{what}-answers")

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    async def ask(self, request: Mapping[str, Any] | None) -> Any:
        """Return the child's answer; `None` asks it to warm up."""
        if self.lost is not None:
            raise EngineError(self.lost)
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._stuck_after):
                # A broken pipe: the process is gone; `_read()` finds out how, and fails `answer`.
                with contextlib.suppress(ConnectionError):
                    await self._child.send({"id": number, "request": request})
                message = await answer
        except TimeoutError:
            story = f"answered nothing for {self._stuck_after:g} s and was killed"
            await self.end(story, grace=0)
            raise EngineError(f"the {self._what} process {story}; {self._aftermath}") from None
        finally:
            del self._waiting[number]
            answer.cancel()
        if "error" in message:
            raise EngineError(message["error"])
        return message["result"]

    async def end(self, cause: str, *, grace: float) -> None:
        """End the process: ask it to, wait up to `grace` seconds, then kill it."""
        self._cause = self._cause or cause
        self._child.close_input()
        try:
            # Not `wait_for`: that would cancel the reader, and with it the story of the end.
            await asyncio.wait({self._reader}, timeout=grace)
        finally:
            self._child.kill()
        await self._reader

    async def _read(self) -> None:
        async for message in self._child:
            answer = self._waiting.get(message["id"])  # none: it was cancelled
            if answer is not None and not answer.done():
                answer.set_result(message)
        code = await self._child.stop(_GRACE)
        story = self._cause or f"{_end(code, self._child.stderr_tail)}; {self._aftermath}"
        self.lost = f"the {self._what} process {story}"
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(EngineError(self.lost))


def _end(code: int, last_words: str) -> str:
    """Say how a process ended that we did not end."""
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    words = last_words.splitlines()
    return f"{how}: {words[-1]}" if words else how
