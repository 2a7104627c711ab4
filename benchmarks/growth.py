"""How the cost of a message grows with subscriptions and with its size, and what memory does.

Beside the do-it-yourself of `reader.py`, in the same run. Draws the charts of `docs/topics/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks import memory
from benchmarks.reader import OURS, OWN_WORK, Source, generator

__all__ = ["draw", "measure"]

CHARTS = Path(__file__).parents[1] / "docs" / "topics"
_SIDES = (OURS, OWN_WORK)
_MOST = 20_000_000  # bytes of a round
_SIZE = 220  # bytes

Row = Mapping[str, Any]


def measure(
    *,
    subscriptions: Sequence[int] = (1, 10, 100, 1_000, 10_000),
    sizes: Sequence[int] = (200, 1_000, 10_000, 100_000),
    count: int = 50_000,
    rounds: int = 3,
) -> Sequence[Row]:
    """Return a row for each point of each chart."""
    with generator() as source:
        rows = [
            _cost(source, "subscriptions", many, many, _SIZE, count, rounds)
            for many in subscriptions
        ]
        for size in sizes:
            number = min(count, _MOST // size)
            rows.append(_cost(source, "message bytes", size, 100, size, number, rounds))
    rows += [
        {
            "of": "KiB a subscription",
            "against": "subscriptions",
            "at": many,
            **{side: round(size / 1024, 3) for side, size in memory.idle(many).items()},
        }
        for many in subscriptions
    ]
    return rows


def _cost(
    source: Source, against: str, at: int, keys: int, size: int, count: int, rounds: int
) -> Row:
    costs = source.costs(keys, 1, count, rounds, size=size, sides=_SIDES)
    rounded = {side: round(cost, 2) for side, cost in costs.items()}
    return {"of": "CPU us a message", "against": against, "at": at, **rounded}


def draw(rows: Sequence[Row], folder: Path = CHARTS) -> Sequence[Path]:
    """Return the files of the charts, made anew: one for each thing that grows against another."""
    kinds = list(dict.fromkeys((row["of"], row["against"]) for row in rows))
    return [_draw(str(of), str(against), _of(rows, of, against), folder) for of, against in kinds]


def _of(rows: Sequence[Row], of: object, against: object) -> Sequence[Row]:
    return [row for row in rows if (row["of"], row["against"]) == (of, against)]


def _draw(of: str, against: str, rows: Sequence[Row], folder: Path) -> Path:
    # Letters as letters, and nothing by chance or of today: the same rows make the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "growth"}):
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.subplots()
        for side in _SIDES:
            axes.plot([row["at"] for row in rows], [row[side] for row in rows], "o-", label=side)
        axes.set(title=f"{of}, by {against}", xlabel=against, ylabel=of, xscale="log")
        axes.set_ylim(bottom=0)
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
        file = folder / f"growth-{of}-by-{against}.svg".lower().replace(" ", "-")
        figure.savefig(file, metadata={"Date": None})
    return file
