"""Import time of the package against that of its dependencies, in fresh interpreters."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence

__all__ = ["ROUNDS", "measure"]

ROUNDS = 15

_CODE = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"
_DEPENDENCIES = "import httpx, anyio, attrs, msgspec"
_PACKAGE = "import rtstream_async"
_CONNECT = "from rtstream_async import connect"  # names load when they are used: this is the whole


def measure(rounds: int = ROUNDS) -> Sequence[Mapping[str, object]]:
    """Return median import times in milliseconds, rounds interleaved, and their ratio."""
    times: dict[str, list[float]] = {_DEPENDENCIES: [], _PACKAGE: [], _CONNECT: []}
    for _ in range(rounds + 1):
        for statement, taken in times.items():
            taken.append(_once(statement))
    medians = {name: statistics.median(taken[1:]) for name, taken in times.items()}
    floor = medians[_DEPENDENCIES]
    return [
        {"statement": name, "median ms": median * 1e3, "ratio": median / floor}
        for name, median in medians.items()
    ]


def _once(statement: str) -> float:
    command = [sys.executable, "-c", _CODE.format(statement)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
