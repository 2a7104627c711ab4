"""Import time of the package against that of its dependencies, in fresh interpreters."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence

__all__ = ["ROUNDS", "measure"]

ROUNDS = 15

_CODE = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
_DEPENDENCIES = "httpx, anyio, attrs, msgspec"


def measure(rounds: int = ROUNDS) -> Sequence[Mapping[str, object]]:
    """Return median import times in milliseconds, rounds interleaved, and their ratio."""
    times: dict[str, list[float]] = {_DEPENDENCIES: [], "rtstream_async": []}
    for _ in range(rounds + 1):
        for modules, taken in times.items():
            taken.append(_once(modules))
    medians = {name: statistics.median(taken[1:]) for name, taken in times.items()}
    floor = medians[_DEPENDENCIES]
    return [
        {"import": name, "median ms": median * 1e3, "ratio": median / floor}
        for name, median in medians.items()
    ]


def _once(modules: str) -> float:
    command = [sys.executable, "-c", _CODE.format(modules)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
