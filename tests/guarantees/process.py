"""The other process: `server_program.py`, spoken to over its pipes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

__all__ = ["PATIENCE", "Process", "served"]

PATIENCE = 60.0  # seconds until something that should happen counts as not happening
ROOT = Path(__file__).parents[2]


class Process:
    """A server that does what it is told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lock = asyncio.Lock()
        self.url = ""
        self.key = ""

    async def start(self) -> None:
        """Wait until it serves."""
        ready = await self._read()
        self.url, self.key = ready["url"], ready["key"]

    async def ask(self, what: str, **arguments: Any) -> Any:
        """Have it do something; return what came of that."""
        assert self._process.stdin is not None
        async with self._lock, asyncio.timeout(PATIENCE):
            request = json.dumps({"what": what, **arguments})
            self._process.stdin.write(request.encode() + b"\n")
            await self._process.stdin.drain()
            return (await self._read())["result"]

    async def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "the server has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def served() -> AsyncIterator[Process]:
    """Run the server."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.guarantees.server_program"),
        cwd=ROOT,
        limit=2**26,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        server = Process(process)
        async with asyncio.timeout(PATIENCE):
            await server.start()
        yield server
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
