"""What can be played of a stream: its stored segments and the one being written."""

from __future__ import annotations

from pathlib import Path

import attrs

from rtstream_async.local.domain.playlist import Segment
from rtstream_async.local.pipelines.live import LiveStream
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import SegmentRow
from rtstream_async.local.store.worker import Worker
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["Recorded", "playable", "read_segment", "with_open"]

_PART = ".ts.part"


@attrs.frozen(kw_only=True)
class Recorded:
    """How much of a stream is recorded."""

    recorded_seconds: float  #: gaps not counted
    recorded_from: float | None  #: Unix time, seconds
    recorded_to: float | None  #: Unix time, seconds


def with_open(stored: tuple[int | None, int | None, int], live: LiveStream | None) -> Recorded:
    """Return what is recorded: the stored segments (us), and the one being written."""
    first_us, last_us, total_us = stored
    first = None if first_us is None else first_us / 1e6
    last = None if last_us is None else last_us / 1e6
    opened = None if live is None else live.open_segment
    if opened is None or (last is not None and opened.end <= last):
        return Recorded(recorded_seconds=total_us / 1e6, recorded_from=first, recorded_to=last)
    return Recorded(
        recorded_seconds=round(total_us / 1e6 + opened.end - opened.start, 6),
        recorded_from=opened.start if first is None else first,
        recorded_to=opened.end,
    )


async def playable(
    store: Worker, stream_id: str, live: LiveStream | None, *, start: float, end: float
) -> list[Segment]:
    """Return the segments that hold some of [start, end), Unix seconds, in order of time."""
    # Before the query: what is finished meanwhile is then in both, and not in neither.
    opened = None if live is None else live.open_segment
    rows = await store.run(
        statements.list_segments, stream_id, microseconds(start), microseconds(end)
    )
    segments = [_segment(row) for row in rows]
    if opened is None or not (opened.start < end and opened.end > start):
        return segments
    # It may have been finished, and stored, since its progress was told.
    if any(segment.start == opened.start for segment in segments):
        return segments
    return [*segments, opened]


def read_segment(path: Path) -> bytes:
    """Return a segment's bytes; one being written may have got its final name in the meantime.

    The worker renames it before the server hears of it.

    Raises:
        FileNotFoundError: It is there under neither name.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        finished = path.parent.glob(f"{path.name.removesuffix(_PART)}-*.ts")
        if not path.name.endswith(_PART) or (final := next(finished, None)) is None:
            raise
        return final.read_bytes()


def _segment(row: SegmentRow) -> Segment:
    return Segment(
        start=row.start_us / 1e6,
        end=row.end_us / 1e6,
        name=row.file,
        size=row.size,
        discontinuity=row.discontinuity,
    )
