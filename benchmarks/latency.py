"""How long a message takes from being sent to its consumer, with and without a stuck one.

A generator in its own process writes the moment of sending into each message. The stuck
consumer wants all streams, never reads, and so loses what its full queue gives up.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from rtstream_async.protocol.rearm import Arm
from rtstream_async.realtime.hub import Hub
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.supervisor import Supervisor
from rtstream_async.transport.socket import SocketOptions, opener

__all__ = ["measure"]

_CHANNEL = "scene_index"
_SETTLE = 0.1  # seconds, until the consumers wait


def measure(
    *, rounds: int = 5, subscriptions: int = 1_000, count: int = 6_000, rate: float = 2_000
) -> list[dict[str, object]]:
    """Return a row without and one with a stuck consumer: medians of interleaved rounds."""
    child = [sys.executable, "-m", "benchmarks.latency_server"]
    found: dict[bool, list[tuple[list[float], int]]] = {False: [], True: []}
    with subprocess.Popen(
        child, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the generator has no pipes")
        url = f"ws://127.0.0.1:{int(process.stdout.readline())}/"
        pipe = process.stdin

        def send() -> None:
            pipe.write(f"{subscriptions} {count} {rate}\n")
            pipe.flush()

        for number in range(rounds):
            for stuck in (False, True) if number % 2 else (True, False):
                found[stuck].append(asyncio.run(_run(url, send, subscriptions, count, stuck=stuck)))
        pipe.close()
    alone = _percentile(found[False], 0.99)
    return [
        {
            "stuck consumers": int(stuck),
            "p50 ms": round(_percentile(runs, 0.5), 3),
            "p99 ms": round(_percentile(runs, 0.99), 3),
            "p99.9 ms": round(_percentile(runs, 0.999), 3),
            "p99 to without": round(_percentile(runs, 0.99) / alone, 2),
            "dropped of the stuck": int(statistics.median(dropped for _, dropped in runs)),
            "subscriptions": subscriptions,
            "messages a second": rate,
            "messages": count,
            "rounds": rounds,
        }
        for stuck, runs in found.items()
    ]


def _percentile(runs: list[tuple[list[float], int]], share: float) -> float:
    return statistics.median(delays[int(len(delays) * share)] for delays, _ in runs) * 1e3


async def _run(
    url: str, send: Callable[[], None], subscriptions: int, count: int, *, stuck: bool
) -> tuple[list[float], int]:
    """Return the sorted delays in seconds, and what the stuck consumer lost."""

    async def fetch_url() -> str:
        return url

    supervisor = Supervisor("benchmark")
    hub = Hub(
        fetch_url=fetch_url,
        open_socket=opener(SocketOptions(proxy=None, compression=None)),
        settings=HubSettings(),
        supervisor=supervisor,
    )
    connection_id = await hub.connection_id()
    delays: list[float] = []
    reached = asyncio.Event()
    streams = [f"rts-{number:06d}" for number in range(subscriptions)]

    async def consume(stream: str) -> None:
        wanted = hub.subscribe(streams=frozenset([stream]), channels=frozenset([_CHANNEL]))
        async for message in wanted:
            delays.append(time.time() - message.start)
            if len(delays) == count:
                reached.set()

    for stream in streams:
        hub.note_armed(
            Arm(rtstream_id=stream, channel=_CHANNEL, source="i", connection_id=connection_id)
        )
    tasks = [asyncio.create_task(consume(stream)) for stream in streams]
    idle = (
        hub.subscribe(streams=frozenset(streams), channels=frozenset([_CHANNEL])) if stuck else None
    )
    try:
        await asyncio.sleep(_SETTLE)
        send()
        async with asyncio.timeout(60):
            await reached.wait()
        return sorted(delays), idle.stats.dropped if idle else 0
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await hub.aclose()
        await supervisor.aclose()
