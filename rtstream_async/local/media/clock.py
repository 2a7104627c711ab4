"""The worker's common clock: every packet and frame inside it counts these ticks."""

from __future__ import annotations

from fractions import Fraction

import attrs

__all__ = ["TICK", "TICKS", "StreamClock"]

TICKS = 90_000
"""Ticks in a second: MPEG-TS's own."""

TICK = Fraction(1, TICKS)


@attrs.frozen
class StreamClock:
    """Ticks since `base` (Unix seconds)."""

    base: float

    def ticks(self, time: float) -> int:
        """Return `time` (Unix seconds) in ticks."""
        return round((time - self.base) * TICKS)

    def time(self, ticks: int) -> float:
        """Return ticks as Unix seconds, to the microsecond that file names keep."""
        return round(self.base + ticks / TICKS, 6)
