"""Where a recording is cut into segments, and what its files are called."""

from __future__ import annotations

import enum
import re

import attrs

__all__ = [
    "Cut",
    "CutRules",
    "Cutter",
    "parse_part_name",
    "parse_segment_name",
    "part_name",
    "segment_end",
    "segment_name",
]

_MICROSECOND = 1_000_000
_SEGMENT = re.compile(r"(\d+)-(\d+)\.ts")
_PART = re.compile(r"(\d+)\.ts\.part")
_NEARLY = 0.9
_JOIN = 0.5  # seconds between two segments that are still one flow of frames


class Cut(enum.Enum):
    """What to do with a packet."""

    DROP = enum.auto()  #: nothing can be decoded from here
    OPEN = enum.auto()  #: a new segment begins with it
    KEEP = enum.auto()  #: it belongs to the open segment


@attrs.frozen(kw_only=True)
class CutRules:
    """How long a segment is, in seconds."""

    target: float = 2.0  #: a segment ends at the first key frame after this
    patience: float = 10.0  #: sound is recorded alone when no picture came for this long


@attrs.define
class Cutter:
    """Decides, packet by packet, where segments begin.

    Video is only ever cut at a key frame, so a segment is as long as its group of pictures.
    Sound without pictures is cut by time.
    """

    rules: CutRules
    expects_video: bool
    _first: float | None = attrs.field(default=None, init=False)
    _start: float | None = attrs.field(default=None, init=False)
    _pictures: bool = attrs.field(default=False, init=False)
    _fresh: bool = attrs.field(default=False, init=False)

    def interrupt(self) -> None:
        """The flow broke: begin a new segment as soon as one can begin."""
        self._fresh = True

    def feed(self, *, is_video: bool, is_key: bool, time: float) -> Cut:
        """Decide about the packet shown at `time` (Unix seconds)."""
        if self._first is None:
            self._first = time
        opens = self._opens_video(time) if is_video and is_key else False
        if not is_video:
            opens = self._opens_audio(time)
        if opens:
            self._start, self._pictures, self._fresh = time, is_video, False
            return Cut.OPEN
        if self._start is None or (is_video and not self._pictures):
            return Cut.DROP
        return Cut.KEEP

    def _opens_video(self, time: float) -> bool:
        if self._start is None or self._fresh or not self._pictures:
            return True
        # Key frames do not come to the millisecond.
        return time - self._start >= self.rules.target * _NEARLY

    def _opens_audio(self, time: float) -> bool:
        if self._pictures:
            return False
        if self._start is not None:
            return self._fresh or time - self._start >= self.rules.target
        if not self.expects_video:
            return True
        return self._first is not None and time - self._first >= self.rules.patience


def segment_end(*, start: float, own_end: float, next_start: float | None) -> float:
    """Return where a segment ends, so that neighbours touch and never overlap."""
    end = max(own_end, start + 1 / _MICROSECOND)
    if next_start is None:
        return round(end, 6)
    return round(next_start if next_start - end < _JOIN else end, 6)


def part_name(start: float) -> str:
    """Return the file name of a segment that is still written; `start` in Unix seconds."""
    return f"{round(start * _MICROSECOND)}.ts.part"


def segment_name(start: float, end: float) -> str:
    """Return the file name of a finished segment, Unix seconds in, microseconds in the name."""
    return f"{round(start * _MICROSECOND)}-{round(end * _MICROSECOND)}.ts"


def parse_segment_name(name: str) -> tuple[float, float] | None:
    """Return (start, end) in Unix seconds from the name of a finished segment, else `None`."""
    match = _SEGMENT.fullmatch(name)
    return match and (int(match[1]) / _MICROSECOND, int(match[2]) / _MICROSECOND)


def parse_part_name(name: str) -> float | None:
    """Return the start in Unix seconds from the name of an unfinished segment, else `None`."""
    match = _PART.fullmatch(name)
    return match and int(match[1]) / _MICROSECOND
