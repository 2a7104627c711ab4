"""Recordings made once and used by many tests, and the processes that work on them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx

from rtstream_async.local import LocalServer
from tests.local.harness import PATIENCE, Api, api_of, until

__all__ = ["Recorded", "child_running", "fetched", "find_child", "record", "serving"]


@attrs.frozen
class Recorded:
    """A stopped server's data, with one recorded stream in it."""

    data: Path
    stream: str
    seconds: float

    def copy(self, target: Path) -> Recorded:
        """Return the same again, to be changed at will."""
        shutil.copytree(self.data, target)
        return attrs.evolve(self, data=target)


async def record(data: Path, clip: Path, **body: Any) -> Recorded:
    """Record a clip to its end."""
    async with LocalServer(data, media_root=clip.parent) as server, api_of(server) as api:
        stream = await api.connect(clip.name, **{"store": True, **body})
        seen = await until(lambda: api.stream(stream), lambda seen: seen["status"] == "stopped")
    return Recorded(data, stream, seen["recorded_seconds"])


@asynccontextmanager
async def serving(
    recorded: Recorded, target: Path | None = None, **options: Any
) -> AsyncIterator[tuple[LocalServer, Api]]:
    """Serve a copy of a recording."""
    mine = recorded if target is None else recorded.copy(target)
    patience = options.pop("job_patience", None)
    async with LocalServer(mine.data, **options) as server, api_of(server) as api:
        if patience is not None:
            settings: Any = server._up._settings
            object.__setattr__(settings, "job_patience", patience)
        yield server, api


async def fetched(url: str, target: Path) -> Path:
    """Fetch a file, as a browser would: without the key."""
    async with httpx.AsyncClient() as http:
        answer = await http.get(url)
    assert answer.status_code == 200
    await asyncio.to_thread(target.write_bytes, answer.content)
    return target


async def child_running(module: str, parent: int) -> int:
    """Return the id of the process that runs `module` for `parent`, as soon as there is one."""
    async with asyncio.timeout(PATIENCE):
        # Nobody announces a process.
        while (child := find_child(module, parent)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    return child


def find_child(module: str, parent: int) -> int | None:
    """Return the id of the process that runs `module` for `parent`, if there is one."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _is_child(folder, module, parent):
            return int(folder.name)
    return None


def _is_child(folder: Path, module: str, parent: int) -> bool:
    try:
        words = (folder / "cmdline").read_bytes().split(b"\0")
        status = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:  # it ended while we looked
        return False
    return module.encode() in words and int(status[1]) == parent and status[0] != "Z"
