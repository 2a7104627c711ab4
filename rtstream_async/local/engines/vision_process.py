"""The offline vision engine in a process of its own.

Native model code that crashes, or grows, does so there. The process is started by `warm_up()` or
by the first call, and again by the first call after it has died.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from rtstream_async.local.child import Child
from rtstream_async.local.engines.ports import Description, EngineError, Frame

__all__ = ["VisionProcess"]

_MODULE = "rtstream_async.local.engines.offline"
_NAME = "offline-vision"  # the child's own name for itself; its module would load the models here
_GRACE = 2.0  # seconds for the window that is being looked at when the engine is closed


class VisionProcess:
    """A `VisionEngine` whose models live in a child process.

    Windows are described one after the other, in the order in which they were asked for. When the
    process dies, only the window that it was looking at is lost.

    Args:
        stuck_after: Seconds without an answer after which the process is taken for stuck and
            killed.
    """

    def __init__(self, *, stuck_after: float = 60.0) -> None:
        self._stuck_after = stuck_after
        self._session: _Session | None = None
        # One window at a time: sent early they would fill the pipe, and an answer that is there
        # would wait until the last of them is through. And who is cancelled in line costs nothing.
        self._turn = asyncio.Lock()
        self._closed = False

    @property
    def name(self) -> str:
        """Shown in every record that this engine makes."""
        return _NAME

    @property
    def pid(self) -> int | None:
        """The child's process id, `None` while there is none."""
        session = self._session
        return session.pid if session is not None and session.lost is None else None

    async def warm_up(self) -> None:
        """Load the models; return when the first `describe()` will not wait for that.

        Cancelling ends a process that was being started.

        Raises:
            EngineError: The models can't be loaded.
        """
        async with self._turn:
            await self._ready()

    async def describe(
        self, frames: Sequence[Frame], *, key: str, prompt: str | None
    ) -> Description:
        """Describe the frames of one window of the pipeline `key`.

        The engine can't follow a prompt, and says so in `metadata`. Cancelling is safe: the
        answer is dropped when it comes.

        Raises:
            EngineError: A frame is damaged, or the process died; the next call starts another.
        """
        del prompt  # nothing here understands it
        if not frames:
            raise ValueError("frames is empty; a window has at least one frame")
        window = {"key": key, "frames": [attrs.asdict(frame) for frame in frames]}
        async with self._turn:
            session = await self._ready()
            result = await session.ask(window)
        return Description(text=result["text"], engine=_NAME, metadata=result["metadata"])

    async def aclose(self) -> None:
        """End the process; windows that it has not described by then fail with `EngineError`."""
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
        session = self._session = _Session(await Child.start(_MODULE), self._stuck_after)
        try:
            self._check_open()  # it may have been closed while the process was being started
            await session.ask(None)
        except BaseException:  # cancelled or failed: either way it is of no use to the next
            await session.end("was not ready", grace=0)
            raise
        return session

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError("the vision engine is closed")


class _Session:
    """One life of the child process: one request after the other, until it dies."""

    def __init__(self, child: Child, stuck_after: float) -> None:
        self.lost: str | None = None  #: what happened to the process, once it is gone
        self._child = child
        self._stuck_after = stuck_after
        self._cause: str | None = None  #: why we ended the process, when it was us
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._reader = asyncio.create_task(self._read(), name="vision-answers")

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    async def ask(self, window: Mapping[str, Any] | None) -> Any:
        """Return the child's answer about a window; `None` asks it to warm up."""
        if self.lost is not None:
            raise EngineError(self.lost)
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._stuck_after):
                # A broken pipe: the process is gone; `_read()` finds out how, and fails `answer`.
                with contextlib.suppress(ConnectionError):
                    await self._child.send({"id": number, "window": window})
                message = await answer
        except TimeoutError:
            story = f"answered nothing for {self._stuck_after:g} s and was killed"
            await self.end(story, grace=0)
            raise EngineError(f"the vision process {story}") from None
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
        self.lost = _obituary(self._cause, code, self._child.stderr_tail)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(EngineError(self.lost))


def _obituary(cause: str | None, code: int, last_words: str) -> str:
    """Say how the process ended, for the status of the index that waited for it."""
    if cause is not None:
        return f"the vision process {cause}"
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    words = last_words.splitlines()
    why = f": {words[-1]}" if words else ""
    return f"the vision process {how}{why}; the next window starts another"
