"""What is playable while a segment is being finished."""

from __future__ import annotations

import attrs
import pytest

from rtstream_async.local.domain.playlist import Segment
from rtstream_async.local.recording import playable, read_segment
from rtstream_async.local.store.rows import SegmentRow

FIRST = Segment(start=100.0, end=101.5, name="100000000.ts")
SECOND = Segment(start=102.0, end=102.1, name="102000000.ts")
STORED = SegmentRow(
    stream_id="rts-1",
    file="100000000-102000000.ts",
    start_us=100_000_000,
    end_us=102_000_000,
    discontinuity=False,
    size=1,
)


@attrs.define
class Stream:
    """A stream that begins its next segment while the store is asked."""

    open_segment: Segment = FIRST


@attrs.define
class Store:
    stream: Stream
    rows: list[SegmentRow]

    async def run(self, *_):
        self.stream.open_segment = SECOND
        return self.rows


@pytest.mark.parametrize("rows", [[], [STORED]], ids=["not stored yet", "stored meanwhile"])
async def test_a_segment_that_is_finished_meanwhile_is_not_left_out(rows):
    """A hole of two seconds in the clip of what somebody was just alerted to."""
    stream = Stream()
    found = await playable(Store(stream, rows), "rts-1", stream, start=100.0, end=103.0)
    assert [segment.start for segment in found] == [100.0]


def test_a_segment_is_read_under_its_final_name_too(tmp_path):
    """The worker renames it before the server hears of it; a player skips what it can't get."""
    (tmp_path / "100000000-102000000.ts").write_bytes(b"finished")
    assert read_segment(tmp_path / "100000000.ts.part") == b"finished"
    (tmp_path / "100000000.ts.part").write_bytes(b"growing")
    assert read_segment(tmp_path / "100000000.ts.part") == b"growing"


@pytest.mark.parametrize("name", ["200000000.ts.part", "200000000-202000000.ts"])
def test_a_segment_that_is_not_there_is_an_error(tmp_path, name):
    """Not another one's pictures."""
    (tmp_path / "100000000-102000000.ts").write_bytes(b"another")
    with pytest.raises(FileNotFoundError):
        read_segment(tmp_path / name)
