"""REST calls a second, many at a time: those of a `Connection`, and of a bare `httpx.AsyncClient`.

Both ask for the same small object at the same server, with pools of the same size, and read its
JSON; ours gives a typed object with all that a call has: a deadline, retries, errors, the shield
against lost pool slots. Rounds are interleaved; ratios are of their medians.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import httpx

from benchmarks.answering import answering
from rtstream_async import connect

__all__ = ["measure"]

_POOL = 100  # connections, on all sides; what both have by default

Call = Callable[[], Awaitable[object]]


def measure(
    *, calls: int = 400, concurrent: int = 200, rounds: int = 3
) -> Sequence[Mapping[str, object]]:
    """Return calls a second and CPU a call, ours and bare.

    Args:
        calls: Calls of a round.
        concurrent: How many are under way at any time; ten are measured too.
        rounds: How often each side has its turn, one more to warm up left out.
    """
    with answering() as server:
        return [
            {"at a time": many, **row}
            for many in (10, concurrent)
            for row in asyncio.run(_measure(server.url, calls, many, rounds))
        ]


async def _measure(
    url: str, calls: int, concurrent: int, rounds: int
) -> Sequence[Mapping[str, object]]:
    limits = httpx.Limits(max_connections=_POOL, max_keepalive_connections=_POOL)
    headers = {"x-access-token": "k"}
    async with (
        connect("k", base_url=url, proxy=False) as connection,
        httpx.AsyncClient(trust_env=False, headers=headers, timeout=60) as default,
        httpx.AsyncClient(trust_env=False, headers=headers, limits=limits, timeout=60) as kept,
    ):
        turns = asyncio.Semaphore(_POOL)

        async def bare(client: httpx.AsyncClient) -> object:
            response = await client.get(f"{url}/collection/default")
            return json.loads(response.content)["data"]

        async def queued() -> object:
            async with turns:
                return await bare(kept)

        sides: dict[str, Call] = {
            "bare httpx": lambda: bare(default),
            "bare httpx, all kept alive": lambda: bare(kept),
            "bare httpx, all kept alive, queued outside": queued,
            "ours": connection.get_collection,
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for _ in range(rounds + 1):
            for name, call in sides.items():
                taken[name].append(await _round(call, calls, concurrent))
    return _rows({name: values[1:] for name, values in taken.items()}, calls)


async def _round(call: Call, calls: int, concurrent: int) -> tuple[float, float]:
    """Return seconds, and seconds of CPU, for so many calls."""
    left = iter(range(calls))

    async def work() -> None:
        for _ in left:
            await call()

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(concurrent)))
    return time.perf_counter() - wall, time.process_time() - cpu


def _rows(
    taken: Mapping[str, Sequence[tuple[float, float]]], calls: int
) -> Sequence[Mapping[str, object]]:
    medians = {
        name: (statistics.median(w for w, _ in values), statistics.median(c for _, c in values))
        for name, values in taken.items()
    }
    wall, cpu = medians["bare httpx"]
    return [
        {
            "who": name,
            "calls a second": calls / its_wall,
            "CPU a call, us": its_cpu / calls * 1e6,
            "time, to bare": its_wall / wall,
            "CPU, to bare": its_cpu / cpu,
        }
        for name, (its_wall, its_cpu) in medians.items()
    ]
