"""Child processes that speak length-prefixed MessagePack over their standard pipes.

Native media and model code runs in children, so that a crash there is an event, not the end
of the server. The parent side is `Child`; the child side is `serve_parent()` (in `parent.py`,
which loads next to nothing).
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from rtstream_async.local.parent import LENGTH, Parent, serve_parent

__all__ = ["Child", "Parent", "serve_parent"]

_PIECE = 8192


class Child:
    """A running child process.

    Iterate it for its messages; the iteration ends when the child closes its output.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._stderr = b""
        self._stderr_reader = asyncio.create_task(self._read_stderr(), name="child-stderr")

    @classmethod
    async def start(cls, module: str, *args: str) -> Child:
        """Start `python -m module args...` and return its parent side."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *args,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit code, negative for a signal, `None` while it runs."""
        return self._process.returncode

    @property
    def stderr_tail(self) -> str:
        """The last lines that the child wrote to standard error."""
        return self._stderr.decode(errors="replace").strip()

    async def send(self, message: Any) -> None:
        """Send one message.

        Raises:
            ConnectionError: The child is gone.
        """
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - created with a pipe
        body = msgspec.msgpack.encode(message)
        stdin.write(LENGTH.pack(len(body)) + body)
        await stdin.drain()

    async def __aiter__(self) -> AsyncIterator[Any]:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - created with a pipe
        while True:
            try:
                (length,) = LENGTH.unpack(await stdout.readexactly(LENGTH.size))
                yield msgspec.msgpack.decode(await stdout.readexactly(length))
            except asyncio.IncompleteReadError:
                return

    def close_input(self) -> None:
        """Ask the child to finish; what it still sends can be read as before."""
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - created with a pipe
        stdin.close()

    async def stop(self, grace: float) -> int:
        """Close the child's input, wait up to `grace` seconds, then kill it. Return its exit code.

        Closing the input is the request to finish; a child that is stuck in native code does not
        hear it. Messages not read yet are thrown away. Cancelling kills the child at once.
        """
        self.close_input()
        drain = asyncio.create_task(self._drain_output(), name="child-drain")
        try:
            with contextlib.suppress(TimeoutError):  # it is killed below
                async with asyncio.timeout(grace):
                    await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()
        code = await self._process.wait()
        await self._stderr_reader
        await drain
        return code

    def kill(self) -> None:
        """End the child at once."""
        if self._process.returncode is None:
            self._process.kill()

    async def _drain_output(self) -> None:
        """Newer Pythons report an exit only when every pipe is read to its end."""
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - created with a pipe
        with contextlib.suppress(RuntimeError):  # somebody else is still iterating
            while await stdout.read(_PIECE):
                continue

    async def _read_stderr(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None  # noqa: S101 - created with a pipe
        # Not by lines: a reader that gives up on a long one would block the child.
        while piece := await stderr.read(_PIECE):
            self._stderr = (self._stderr + piece)[-_PIECE:]
