"""Printing: one table a benchmark, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

__all__ = ["show"]


def show(title: str, rows: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Print `rows`, which share their keys, under `title`."""
    if as_json:
        print(json.dumps({"benchmark": title, "rows": list(rows)}))
        return
    heads = list(rows[0])
    cells = [[_text(row[head]) for head in heads] for row in rows]
    widths = [max(len(line[i]) for line in [heads, *cells]) for i in range(len(heads))]
    print(f"\n{title}")
    for line in [heads, ["-" * width for width in widths], *cells]:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def _text(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
