"""What a message costs where streams are shared out among readers in processes of their own."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from benchmarks.reader import OURS, generator

__all__ = ["measure"]


def measure(
    *,
    processes: Sequence[int] = (1, 2),
    streams: int = 10_000,
    count: int = 50_000,
    rounds: int = 3,
) -> list[dict[str, object]]:
    """Return a row for each number of processes that share the streams.

    Args:
        processes: How many readers, each with a socket and a generator of its own.
        streams: In all.
        count: Messages of a round, in all.
        rounds: How often each reads.
    """
    rows: list[dict[str, object]] = []
    for many in processes:
        spawned = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(many, mp_context=spawned) as pool:
            shares = [(streams // many, count // many, rounds)] * many
            begun = time.perf_counter()
            costs = list(pool.map(_cost, *zip(*shares, strict=True)))
            seconds = time.perf_counter() - begun
        rows.append(
            {
                "readers": many,
                "streams of each": streams // many,
                "CPU us a message": round(statistics.mean(costs), 2),
                "messages a core could read a second": round(1e6 / statistics.mean(costs)),
                "seconds": round(seconds, 1),
            }
        )
    return rows


def _cost(streams: int, count: int, rounds: int) -> float:
    with generator() as source:
        return source.costs(streams, 1, count, rounds, sides=[OURS])[OURS]
