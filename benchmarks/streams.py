"""Live streams that one local server records and describes at once: lag, CPU, memory.

Every stream is published by a process of its own over RTMP. The numbers are of the server's
processes alone, the publishers left out; the machine's load is theirs as well.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import anyio

import rtstream_async as rts
from rtstream_async.local import LocalServer
from rtstream_async.local.assets import clip_path
from rtstream_async.local.media.publishing import publishing

__all__ = ["measure"]

_TICK = os.sysconf("SC_CLK_TCK")
_PSS = re.compile(r"^Pss: +(\d+) kB$", re.MULTILINE)
_PUBLISHER = b"media.publish"


async def measure(
    *, streams: int, seconds: float, every: float, frames: int, index: bool, file: Path | None
) -> Mapping[str, object]:
    """Return lag (arrival minus end of the window), CPU and memory for `streams` live streams."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(LocalServer())
        conn = await stack.enter_async_context(rts.connect(server.api_key, base_url=server.url))
        coll = await conn.get_collection()
        live = await asyncio.gather(
            *(_publish(coll, stack, number, file or clip_path()) for number in range(streams))
        )
        batch = {"type": "time", "value": every, "frame_count": frames}
        indexes = [await one.index_visuals(batch_config=batch) for one in live] if index else []
        cpu, begun = _tree()[0], time.monotonic()
        lags = await _lags(conn, seconds)
        passed = time.monotonic() - begun
        used, memory = _tree()
        pages = [await index.get_scenes() for index in indexes]
        records = [await one.list_scene_indexes() for one in live]
        given_up = sum(index["dropped_windows"] for found in records for index in found)
        await asyncio.gather(*(one.stop() for one in live))
    expected = streams * (passed // every) if index else 0
    return {
        "streams": streams,
        "described every s": every if index else "-",
        "frames": frames if index else "-",
        "scenes": sum(map(len, pages)),
        "full windows": int(expected),
        "given up": given_up,
        "lag median s": statistics.median(lags) if lags else "-",
        "lag p95 s": _quantile(lags, 0.95) if lags else "-",
        "lag max s": max(lags) if lags else "-",
        "core %": 100 * (used - cpu) / passed,
        "PSS MB": memory / 2**20,
    }


async def _lags(conn: rts.Connection, seconds: float) -> list[float]:
    """Return how late each scene message of the next `seconds` comes."""
    lags: list[float] = []
    with anyio.move_on_after(seconds):
        async for message in conn.events("scene_index"):
            lags.append(message.received_at - message.end)  # noqa: PERF401 - kept when cut off
    return lags


async def _publish(
    coll: rts.Collection, stack: AsyncExitStack, number: int, file: Path
) -> rts.RTStream:
    url = f"rtmp://127.0.0.1:{_free_port()}/live/{number}"
    stream = await coll.connect_rtstream(url=f"{url}?listen=1", name=f"camera {number}")
    await stack.enter_async_context(publishing(file, url, loop=True))
    return stream


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tree() -> tuple[float, int]:
    """CPU seconds and memory of this process and its children, publishers left out.

    Memory is the proportional set size, in bytes: pages that processes share count once.
    """
    cpu, memory = 0.0, 0
    parents = {os.getpid()}
    for entry in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes()
            sizes = (entry / "smaps_rollup").read_text()
        except OSError:
            continue  # it ended while we looked
        pid, parent = int(entry.name), int(fields[1])
        if pid not in parents and (parent not in parents or _PUBLISHER in command):
            continue
        parents.add(pid)
        cpu += (int(fields[11]) + int(fields[12])) / _TICK
        memory += sum(map(int, _PSS.findall(sizes))) * 1024
    return cpu, memory
