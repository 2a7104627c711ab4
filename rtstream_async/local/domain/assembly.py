"""How recorded files become one video: where each lies in it, and what has to be encoded again.

A *flow* is a run of files without a gap and without a break of their timestamps. Where one flow
ends and the next begins, what hangs over is cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from rtstream_async.local.domain.pieces import Piece, close_gaps
from rtstream_async.local.domain.playlist import GAP

__all__ = [
    "TICKS",
    "Drift",
    "File",
    "Place",
    "SampleClock",
    "belongs",
    "lay_out",
    "longest",
    "unwrapped",
]

TICKS = 90_000
"""Ticks in a second of the recorded files, and of the video."""

_WRAP = 2**33  # MPEG-TS counts no further


@attrs.frozen(kw_only=True)
class File:
    """One recorded file."""

    path: str
    start: float  #: Unix time of its first picture (of its first sound, without pictures), seconds
    end: float  #: Unix time, seconds
    discontinuity: bool  #: its timestamps do not continue those of the file before


@attrs.frozen(kw_only=True)
class Place:
    """Where a file lies in the video, in ticks."""

    file: File
    at: int  #: where its `start` is
    flow_start: int
    flow_end: int
    begins_flow: bool


def lay_out(files: Sequence[File]) -> tuple[list[Place], list[Piece]]:
    """Return where `files`, in order of time, lie in the video, and the video's pieces."""
    pieces = close_gaps(files)
    places: list[Place] = []
    flow: list[tuple[File, int]] = []
    for file, at in _positions(files, pieces):
        if flow and _breaks(flow[-1][0], file):
            places += _flow(flow)
            flow = []
        flow.append((file, at))
    return places + _flow(flow), pieces


def _positions(files: Sequence[File], pieces: Sequence[Piece]) -> Iterable[tuple[File, int]]:
    number = 0
    for file in files:
        if number + 1 < len(pieces) and file.start == pieces[number + 1].start:
            number += 1
        piece = pieces[number]
        yield file, round((piece.at + file.start - piece.start) * TICKS)


def _breaks(last: File, file: File) -> bool:
    return file.discontinuity or abs(file.start - last.end) > GAP


def _flow(files: Sequence[tuple[File, int]]) -> list[Place]:
    if not files:
        return []
    last, at = files[-1]
    end = at + round((last.end - last.start) * TICKS)
    return [
        Place(file=file, at=at, flow_start=files[0][1], flow_end=end, begins_flow=number == 0)
        for number, (file, at) in enumerate(files)
    ]


def longest(lengths: Iterable[tuple[str | None, float]]) -> str | None:
    """Return the kind that lasts longest in all; `None` when there is none.

    Args:
        lengths: Kinds and for how long each lasts, in order; a kind may come again and again.
    """
    totals: dict[str, float] = {}
    for kind, length in lengths:
        if kind is not None:
            totals[kind] = totals.get(kind, 0.0) + length
    return max(totals, key=lambda kind: totals[kind], default=None)


def unwrapped(ticks: int, *, near: int) -> int:
    """Return the count that `ticks` stands for, after any number of wraps: the one next to `near`.

    MPEG-TS counts 33 bits, 26.5 hours.
    """
    return ticks + round((near - ticks) / _WRAP) * _WRAP


def belongs(place: Place, *, at: int, duration: int) -> bool:
    """Return whether the middle of a piece of sound, in ticks of the video, is in its flow."""
    middle = at + duration / 2
    return place.flow_start <= middle < place.flow_end


@attrs.define
class SampleClock:
    """Counts sound in samples: without a seam as long as the timestamps allow it.

    Timestamps are rounded, to ticks or to milliseconds; pieces of sound that follow each other do
    not overlap or leave holes because of that.
    """

    rate: int  #: samples a second
    tolerance: float = 0.005  #: seconds that a timestamp may be off
    next: int = attrs.field(default=0, init=False)  #: where the sound counted so far ends
    _has_begun: bool = attrs.field(default=False, init=False)

    def place(self, at: int, *, samples: int) -> int:
        """Return the sample at which a piece of sound begins whose timestamp is `at` (ticks)."""
        told = round(at * self.rate / TICKS)
        is_seamless = self._has_begun and abs(told - self.next) <= self.tolerance * self.rate
        start = self.next if is_seamless else told
        self._has_begun = True
        self.next = start + samples
        return start


@attrs.define
class Drift:
    """How far a player gets out of step that plays one piece of sound right after the other."""

    worst: float = attrs.field(default=0.0, init=False)  #: seconds
    first: int | None = attrs.field(default=None, init=False)  #: ticks
    _played: int = attrs.field(default=0, init=False)

    def feed(self, at: int, *, duration: int) -> None:
        """Count a piece of sound, in ticks of the video."""
        if self.first is None:
            self.first = at
        self.worst = max(self.worst, abs(at - self.first - self._played) / TICKS)
        self._played += duration
