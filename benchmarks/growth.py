"""How the cost of a message grows with subscriptions and with its size, and what memory does.

Beside the do-it-yourself of `reader.py`, in the same run. Draws the charts of `docs/topics/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pygal  # type: ignore[import-untyped]  # it has no types
from pygal.style import LightColorizedStyle  # type: ignore[import-untyped]  # likewise

from benchmarks import memory
from benchmarks.reader import OURS, OWN_WORK, Source, generator

__all__ = ["draw", "measure"]

CHARTS = Path(__file__).parents[1] / "docs" / "topics"
_SIDES = (OURS, OWN_WORK)
_MOST = 20_000_000  # bytes of a round
_SIZE = 220  # bytes

Row = Mapping[str, object]


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
    chart = pygal.Line(
        title=f"{of}, by {against}",
        x_title=against,
        y_title=of,
        style=LightColorizedStyle,
        width=720,
        height=400,
        range=(0, 1.1 * max(float(str(row[side])) for row in rows for side in _SIDES)),
        legend_at_bottom=True,
        js=(),  # a picture: nothing is loaded, nothing runs
        disable_xml_declaration=True,
    )
    chart.x_labels = [f"{row['at']:,}" for row in rows]
    for side in _SIDES:
        chart.add(side, [row[side] for row in rows])
    file = folder / f"growth-{of}-{against}.svg".lower().replace(" ", "-")
    file.write_text(chart.render(is_unicode=True), encoding="utf-8")
    return file
