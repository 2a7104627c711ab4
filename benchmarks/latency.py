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
from collections.abc import Callable, Sequence

from benchmarks.hubs import CHANNEL, opened, streams
from rtstream_async.protocol.overflow import Overflow
from rtstream_async.realtime.hub import Hub

__all__ = ["measure"]

_SETTLE = 0.1  # seconds, until the consumers wait

Run = tuple[list[float], int]


def measure(
    *,
    rounds: int = 5,
    subscriptions: int = 1_000,
    count: int = 6_000,
    rate: float = 2_000,
    policies: Sequence[Overflow] = ("drop_oldest", "latest", "error"),
) -> list[dict[str, object]]:
    """Return a row without a stuck consumer, and one for each policy of one: medians of rounds."""
    child = [sys.executable, "-m", "benchmarks.latency_server"]
    found: dict[Overflow | None, list[Run]] = {stuck: [] for stuck in (None, *policies)}
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
            for stuck in list(found)[:: 1 if number % 2 else -1]:
                found[stuck].append(asyncio.run(_run(url, send, subscriptions, count, stuck=stuck)))
        pipe.close()
    alone = _percentile(found[None], 0.99)
    return [
        {
            "stuck consumer": stuck or "none",
            "p50 ms": round(_percentile(runs, 0.5), 3),
            "p99 ms": round(_percentile(runs, 0.99), 3),
            "p99.9 ms": round(_percentile(runs, 0.999), 3),
            "p99 to without": round(_percentile(runs, 0.99) / alone, 2),
            "it lost": int(statistics.median(dropped for _, dropped in runs)),
            "subscriptions": subscriptions,
            "messages a second": rate,
            "messages": count,
            "rounds": rounds,
        }
        for stuck, runs in found.items()
    ]


def _percentile(runs: list[Run], share: float) -> float:
    return statistics.median(delays[int(len(delays) * share)] for delays, _ in runs) * 1e3


async def _run(
    url: str, send: Callable[[], None], subscriptions: int, count: int, *, stuck: Overflow | None
) -> Run:
    """Return the sorted delays in seconds, and what the stuck consumer lost."""
    delays: list[float] = []
    reached = asyncio.Event()
    channels = frozenset([CHANNEL])
    names = streams(subscriptions)

    async def consume(hub: Hub, stream: str) -> None:
        async for message in hub.subscribe(streams=frozenset([stream]), channels=channels):
            delays.append(time.time() - message.start)
            if len(delays) == count:
                reached.set()

    async with opened(url, names) as hub:
        tasks = [asyncio.create_task(consume(hub, name)) for name in names]
        idle = (
            hub.subscribe(streams=frozenset(names), channels=channels, overflow=stuck)
            if stuck
            else None
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
