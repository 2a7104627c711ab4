"""The shots of which a compiled video is made: stretches of a video, in seconds from its start."""

from __future__ import annotations

import math
from typing import Any

import msgspec

__all__ = ["SLACK", "read_shots"]

SLACK = 0.5
"""Seconds that a shot may go beyond its video's end: lengths travel rounded, as text."""

_TOUCHING = 0.001  # seconds


def read_shots(value: object, *, length: float) -> list[tuple[float, float]]:
    """Return the shots that `value`, `[[start, end], ...]` as it came, asks for.

    A shot that begins where the one before ends is part of that one: it plays on without a seam.

    Args:
        value: JSON.
        length: How long the video is, seconds.

    Raises:
        ValueError: It is no such list, or a shot can't be played; the text says which, and why.
    """
    try:
        items = msgspec.convert(value, list[Any])
    except msgspec.ValidationError:
        items = []
    if not items:
        raise ValueError("must be a list of [start, end], in seconds, that is not empty")
    shots: list[tuple[float, float]] = []
    for number, item in enumerate(items):
        start, end = _shot(number, item, length)
        if shots and abs(start - shots[-1][1]) <= _TOUCHING:
            shots[-1] = (shots[-1][0], end)
        else:
            shots.append((start, end))
    return shots


def _shot(number: int, item: object, length: float) -> tuple[float, float]:
    match item:
        case [(int() | float()) as start, (int() | float()) as end] if _are_numbers(start, end):
            pass
        case _:
            raise ValueError(f"shot {number} must be [start, end] in seconds, not {item!r}"[:200])
    if start < 0:
        raise ValueError(f"shot {number} starts at {start:g} s; a video starts at 0")
    if start >= end:
        raise ValueError(f"shot {number} must start before it ends, not at {start:g} s of {end:g}")
    if start >= length or end > length + SLACK:
        raise ValueError(
            f"shot {number} is from {start:g} to {end:g} s; the video is {length:.3f} s long"
        )
    return float(start), min(float(end), length)


def _are_numbers(*values: float) -> bool:
    return all(not isinstance(value, bool) and math.isfinite(value) for value in values)
