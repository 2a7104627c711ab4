"""Cuts a stream's sampled frames into windows, one description each.

The grid begins at `origin`; window `n` covers [origin + n * value, origin + (n + 1) * value) and
gets up to `frame_count` frames, evenly spread. A window is given as soon as it has them all, so
that an engine can look at them while the stream goes on to its end; or when the stream has passed
its end. One without a frame makes no record: nothing was seen, so nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Generic, TypeVar

import attrs

__all__ = ["Grid", "Window", "Windows"]

F = TypeVar("F")

_MICROSECOND = 1e-6


@attrs.frozen(kw_only=True)
class Grid:
    """Where windows lie; all in seconds."""

    origin: float  #: Unix time of the first window's start
    value: float  #: length of a window
    frame_count: int  #: frames for each window

    @property
    def period(self) -> float:
        """The distance between two frames that are asked for."""
        return self.value / self.frame_count

    def number(self, time: float) -> int:
        """Return which window `time` is in; a rounding error below an edge counts as the edge."""
        return math.floor((time - self.origin + _MICROSECOND) / self.value)

    def start(self, number: int) -> float:
        """Return where window `number` starts, and the one before it ends."""
        return round(self.origin + number * self.value, 6)


@attrs.frozen(kw_only=True)
class Window(Generic[F]):
    """A window and its frames; no more of them will come."""

    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds; earlier than the grid says when the stream ended inside
    frames: Sequence[F]  #: at least one, in order of time


@attrs.define
class Windows(Generic[F]):
    """Collects frames; gives back windows, each once, as they are full or over."""

    grid: Grid
    _number: int = attrs.field(default=0, init=False)  # of the first window that was not given
    _frames: list[F] = attrs.field(factory=list[F], init=False)

    def feed(self, due: float, frame: F) -> list[Window[F]]:
        """Add the frame that answers the sampling time `due`; return the windows done by it.

        A frame for a window that was given already is dropped.
        """
        number = self.grid.number(due)
        if number < self._number:
            return []
        given = self.advance(self.grid.start(number))
        self._number = number
        self._frames.append(frame)
        if len(self._frames) >= self.grid.frame_count:
            given += self._give(number + 1, self.grid.start(number + 1))
        return given

    def advance(self, time: float) -> list[Window[F]]:
        """Note that the stream has reached `time`; return the window that is over by it."""
        number = self.grid.number(time)
        if number <= self._number:
            return []
        return self._give(number, self.grid.start(self._number + 1))

    def finish(self, time: float) -> list[Window[F]]:
        """Note that the stream ended at `time`; return the last, partial window."""
        end = min(time, self.grid.start(self._number + 1))
        start = self.grid.start(self._number)
        return self._give(self._number + 1, max(end, start + _MICROSECOND))

    def _give(self, next_number: int, end: float) -> list[Window[F]]:
        start, frames = self.grid.start(self._number), self._frames
        self._number, self._frames = next_number, []
        return [Window(start=start, end=round(end, 6), frames=frames)] if frames else []
