"""Child processes that speak length-prefixed MessagePack over their standard pipes.

Native media and model code runs in children, so that a crash there is an event, not the end
of the server. The parent side is `Child`; the child side is `serve_parent()`.
"""

from __future__ import annotations

import asyncio
import os
import struct
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, BinaryIO

import msgspec

__all__ = ["Child", "Parent", "serve_parent"]

_LENGTH = struct.Struct("<I")
_STDERR_LINES = 40


class Child:
    """A running child process.

    Iterate it for its messages; the iteration ends when the child closes its output.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._stderr: deque[str] = deque(maxlen=_STDERR_LINES)
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
        return "\n".join(self._stderr)

    async def send(self, message: Any) -> None:
        """Send one message.

        Raises:
            ConnectionError: The child is gone.
        """
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - created with a pipe
        body = msgspec.msgpack.encode(message)
        stdin.write(_LENGTH.pack(len(body)) + body)
        await stdin.drain()

    async def __aiter__(self) -> AsyncIterator[Any]:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - created with a pipe
        while True:
            try:
                (length,) = _LENGTH.unpack(await stdout.readexactly(_LENGTH.size))
                yield msgspec.msgpack.decode(await stdout.readexactly(length))
            except asyncio.IncompleteReadError:
                return

    async def stop(self, grace: float) -> int:
        """Close the child's input, wait up to `grace` seconds, then kill it. Return its exit code.

        Closing the input is the request to finish; a child that is stuck in native code does not
        hear it. Cancelling kills the child at once.
        """
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - created with a pipe
        stdin.close()
        try:
            async with asyncio.timeout(grace):
                await self._process.wait()
        except TimeoutError:
            pass  # killed below
        finally:
            if self._process.returncode is None:
                self._process.kill()
        code = await self._process.wait()
        await self._stderr_reader
        return code

    def kill(self) -> None:
        """End the child at once."""
        if self._process.returncode is None:
            self._process.kill()

    async def _read_stderr(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None  # noqa: S101 - created with a pipe
        while line := await stderr.readline():
            self._stderr.append(line.decode(errors="replace").rstrip())


class Parent:
    """The child's view of its parent: blocking, `send` safe from any thread."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader = reader
        self._writer = writer
        self._lock = threading.Lock()

    def send(self, message: Any) -> None:
        """Send one message; blocks while the parent does not read."""
        body = msgspec.msgpack.encode(message)
        with self._lock:
            self._writer.write(_LENGTH.pack(len(body)) + body)
            self._writer.flush()

    def receive(self) -> Any | None:
        """Return the next message, or `None` when the parent has closed the pipe or is gone."""
        head = self._reader.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack(head)
        body = self._reader.read(length)
        return msgspec.msgpack.decode(body) if len(body) == length else None


def serve_parent() -> Parent:
    """Take over this process's standard input and output as the channel to its parent.

    Whatever native code prints goes to standard error from here on: one stray line on standard
    output would break the framing.
    """
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return Parent(reader, writer)
