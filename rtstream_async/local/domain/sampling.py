"""Which frames of a stream are asked for, and when."""

from __future__ import annotations

import math

import attrs

__all__ = ["SampleSchedule"]


@attrs.define
class _Series:
    origin: float
    period: float
    due: float


@attrs.define
class SampleSchedule:
    """The sampling times of every key: for each `origin + k * period`, the first frame from there.

    All times are Unix seconds.
    """

    _series: dict[str, _Series] = attrs.field(factory=dict[str, _Series], init=False)

    @property
    def due(self) -> float | None:
        """The earliest time for which some key still wants a frame; `None` without keys."""
        return min((series.due for series in self._series.values()), default=None)

    def add(self, key: str, *, origin: float, period: float, now: float | None) -> None:
        """Begin, or begin anew, with `key`.

        The time just past (before `now`, the stream's present, if it has begun) is still wanted,
        so that the first frame does not wait a whole period.

        Raises:
            ValueError: `period` is not above zero.
        """
        if not (period > 0 and math.isfinite(period) and math.isfinite(origin)):
            raise ValueError(f"a sampling period must be above zero, not {period!r}")
        steps = 0 if now is None else max(0, math.floor((now - origin) / period))
        self._series[key] = _Series(origin, period, origin + steps * period)

    def remove(self, key: str) -> None:
        """Forget `key`; an unknown one is no error."""
        self._series.pop(key, None)

    def take(self, time: float) -> dict[str, float]:
        """Return the keys that want the frame shown at `time`, each with the time it was due.

        Times that passed without a frame are served by this one, together.
        """
        taken: dict[str, float] = {}
        for key, series in self._series.items():
            if time < series.due:
                continue
            last = (
                series.origin + math.floor((time - series.origin) / series.period) * series.period
            )
            taken[key] = max(last, series.due)
            series.due = taken[key] + series.period
        return taken
