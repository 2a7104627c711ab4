"""What a subscription that waits for messages takes of memory, and a queue of our users' own.

Traced allocations, not the size of the process: that grows by whole arenas, and would hide a
hundred bytes. The consumer's task is not counted on either side.
"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

from rtstream_async.realtime.hub import Hub
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.supervisor import Supervisor
from rtstream_async.transport.socket import SocketOptions, opener

__all__ = ["measure"]

_CHANNEL = "scene_index"


def measure(*, counts: tuple[int, ...] = (1_000, 10_000)) -> list[dict[str, object]]:
    """Return a row for each number of idle subscriptions: KiB of one, ours and the own work."""
    return [
        {
            "subscriptions": count,
            "ours KiB": round(asyncio.run(_ours(count)) / count / 1024, 3),
            "do-it-yourself KiB": round(asyncio.run(_own_work(count)) / count / 1024, 3),
        }
        for count in counts
    ]


async def _ours(count: int) -> int:
    async def fetch_url() -> str:
        raise RuntimeError("an idle subscription that nobody reads opens no socket")

    supervisor = Supervisor("benchmark")
    hub = Hub(
        fetch_url=fetch_url,
        open_socket=opener(SocketOptions(proxy=None, compression=None)),
        settings=HubSettings(),
        supervisor=supervisor,
    )
    before = _begin()
    kept = [
        hub.subscribe(streams=frozenset([f"rts-{number:06d}"]), channels=frozenset([_CHANNEL]))
        for number in range(count)
    ]
    size = _end(before)
    for subscription in kept:
        await subscription.aclose()
    await hub.aclose()
    await supervisor.aclose()
    return size


async def _own_work(count: int) -> int:
    before = _begin()
    kept = {f"rts-{number:06d}": asyncio.Queue[object]() for number in range(count)}
    size = _end(before)
    kept.clear()
    return size


def _begin() -> int:
    gc.collect()
    tracemalloc.start()
    return tracemalloc.get_traced_memory()[0]


def _end(before: int) -> int:
    gc.collect()
    size = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return size
