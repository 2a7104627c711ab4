"""Cuts a stream where its picture changes: which frames are looked at, and which shots they make.

A frame is compared with the one before it, both very small: the mean difference of its luma and of
its two chroma planes are added up. That is the idea of content detection: within a shot the sum is
a few units of 255, at a hard cut between two natural pictures some tens, from black to white more
than 200. From the threshold on it is a cut. A change of light such as a flash counts as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import sub
from typing import Any, Generic, TypeVar

import attrs

from rtstream_async.local.domain.windows import Window

__all__ = ["LOOKS", "ChangeWatch", "ShotRules", "Shots", "change", "rules_of"]

F = TypeVar("F")

LOOKS = 40
"""How many frames of a second are compared; of a faster stream, that many."""

_MICROSECOND = 1e-6
_PLANES = 3


@attrs.frozen(kw_only=True)
class ShotRules:
    """What makes a shot."""

    threshold: float  #: `change()` from which on a new shot begins
    frame_count: int  #: frames for each shot, if it has so many
    min_length: float  #: seconds; a change within them begins no shot
    max_length: float  #: seconds; after them, a shot ends without any change

    @property
    def period(self) -> float:
        """Seconds between two frames of a shot that are kept: the shortest shot has enough."""
        return self.min_length / self.frame_count


def rules_of(config: Mapping[str, Any]) -> ShotRules:
    """Return what an index's checked `extraction_config` means."""
    return ShotRules(
        threshold=float(config["threshold"]),
        frame_count=int(config["frame_count"]),
        min_length=float(config["min_length"]),
        max_length=float(config["max_length"]),
    )


def change(before: bytes, after: bytes) -> float:
    """Return how much two small pictures differ, from 0 to 765.

    Args:
        before: Luma and both chroma planes, one after the other, all of one size.
        after: The same, of the same size.
    """
    apart: int = sum(map(abs, map(sub, before, after)))
    return _PLANES * apart / len(before)


@attrs.define
class ChangeWatch:
    """Looks at every frame of a stream, and says which of them are worth more than that look."""

    threshold: float  #: `change()` from which on it is a cut
    period: float  #: seconds after which a frame is wanted all the same
    _before: bytes | None = attrs.field(default=None, init=False, repr=False)
    _due: float = attrs.field(default=-math.inf, init=False)

    def feed(self, time: float, picture: bytes) -> tuple[bool, bool]:
        """Return whether the frame at `time` (Unix seconds) is wanted, and whether it is a cut."""
        before, self._before = self._before, picture
        is_cut = before is not None and change(before, picture) >= self.threshold
        is_wanted = is_cut or time >= self._due - _MICROSECOND
        if is_wanted:
            self._due = time + self.period
        return is_wanted, is_cut


@attrs.define
class Shots(Generic[F]):
    """Collects frames; gives back shots, each once, as they end.

    Shots lie one after the other without a gap, from `start` to where the stream ends. One of
    which no frame came makes no record: nothing was seen, so nothing is said.
    """

    rules: ShotRules
    start: float  #: where the shot begins that is open, Unix seconds
    _frames: list[F] = attrs.field(factory=list[F], init=False)
    _offered: int = attrs.field(default=0, init=False)
    _stride: int = attrs.field(
        default=1, init=False
    )  # of what is offered, every so manieth is kept

    def feed(self, time: float, frame: F, *, is_cut: bool) -> list[Window[F]]:
        """Add the frame that is shown at `time`; return the shots that are over by it.

        A frame from before the open shot is dropped.
        """
        if time < self.start - _MICROSECOND:
            return []
        given = self.advance(time)
        if is_cut and time - self.start >= self.rules.min_length - _MICROSECOND:
            given += self._give(time)
        self._keep(frame)
        return given

    def advance(self, time: float) -> list[Window[F]]:
        """Note that the stream has reached `time`; return the shot that is over by it."""
        longest = self.rules.max_length
        passed = math.floor((time - self.start + _MICROSECOND) / longest)
        if passed < 1:
            return []
        begun = self.start
        given = self._give(begun + longest)
        self.start = round(begun + passed * longest, 6)  # of the others, no frame came
        return given

    def finish(self, time: float) -> list[Window[F]]:
        """Note that the stream ended at `time`; return the last shot, which may be short."""
        given = self.advance(time)
        return given + self._give(max(time, self.start + _MICROSECOND))

    def _keep(self, frame: F) -> None:
        if self._offered % self._stride == 0:
            self._frames.append(frame)
        self._offered += 1
        if len(self._frames) > 2 * self.rules.frame_count:  # a long shot: every other one will do
            self._frames = self._frames[::2]
            self._stride *= 2

    def _give(self, end: float) -> list[Window[F]]:
        start, frames = self.start, _spread(self._frames, self.rules.frame_count)
        self.start = round(end, 6)
        self._frames, self._offered, self._stride = [], 0, 1
        return [Window(start=start, end=self.start, frames=frames)] if frames else []


def _spread(frames: Sequence[F], count: int) -> Sequence[F]:
    """Return `count` of the frames, evenly spread from the first one on; all, if less."""
    if len(frames) <= count:
        return frames
    return [frames[number * len(frames) // count] for number in range(count)]
