from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.assembly import (
    TICKS,
    Drift,
    File,
    SampleClock,
    belongs,
    lay_out,
    longest,
    unwrapped,
)

T0 = 1_700_000_000.0
WRAP = 2**33


def file(start, end, *, discontinuity=False):
    return File(path=f"{start}", start=T0 + start, end=T0 + end, discontinuity=discontinuity)


def test_files_that_follow_each_other_are_one_flow():
    """What hangs over from one into the next belongs where it is."""
    places, pieces = lay_out([file(0, 2, discontinuity=True), file(2, 4), file(4, 5)])
    assert [place.at for place in places] == [0, 2 * TICKS, 4 * TICKS]
    assert {(place.flow_start, place.flow_end) for place in places} == {(0, 5 * TICKS)}
    assert [place.begins_flow for place in places] == [True, False, False]
    assert len(pieces) == 1


def test_a_break_of_timestamps_begins_a_flow_but_no_piece():
    """Nothing is missing there; only the clock is another one."""
    places, pieces = lay_out([file(0, 2), file(2, 4, discontinuity=True)])
    assert [(place.flow_start, place.flow_end) for place in places] == [
        (0, 2 * TICKS),
        (2 * TICKS, 4 * TICKS),
    ]
    assert len(pieces) == 1


def test_a_gap_begins_a_flow_and_a_piece():
    """The video goes on at once, and remembers."""
    places, pieces = lay_out([file(0, 2), file(60, 62), file(62, 63)])
    assert [place.at for place in places] == [0, 2 * TICKS, 4 * TICKS]
    assert [place.begins_flow for place in places] == [True, True, False]
    assert [piece.at for piece in pieces] == [0, 2]


def test_no_files_make_no_video():
    """The caller says so in words."""
    assert lay_out([]) == ([], [])


def test_the_kind_that_lasts_longest_counts_all_its_parts():
    """What is in the majority is copied, wherever it stands."""
    assert longest([("a", 2), ("b", 3), (None, 50), ("a", 2)]) == "a"
    assert longest([(None, 5)]) is None
    assert longest([]) is None


@given(st.integers(-10, 10), st.integers(0, WRAP), st.integers(-TICKS * 3600, TICKS * 3600))
def test_a_count_that_wrapped_is_next_to_the_one_before(wraps, ticks, step):
    """MPEG-TS begins again every 26.5 hours, in the middle of a picture if need be."""
    near = ticks + wraps * WRAP
    assert unwrapped((near + step) % WRAP, near=near) == near + step


def test_sound_belongs_where_its_middle_is():
    """At a seam, each piece of sound is played once."""
    (place,), _ = lay_out([file(0, 2)])
    assert belongs(place, at=-900, duration=1920)
    assert not belongs(place, at=-1000, duration=1920)
    assert belongs(place, at=2 * TICKS - 1000, duration=1920)
    assert not belongs(place, at=2 * TICKS - 900, duration=1920)


def test_rounded_timestamps_leave_no_seams():
    """44,100 samples a second do not divide into ticks, and RTMP counts milliseconds."""
    clock = SampleClock(44_100)
    begins = []
    for number in range(2000):
        milliseconds = round(number * 1024 / 44.1)
        begins.append(clock.place(milliseconds * TICKS // 1000, samples=1024))
    assert begins == [number * 1024 for number in range(2000)]
    assert clock.next == 2000 * 1024


def test_a_hole_in_the_sound_stays_one():
    """To close it up would put all that follows out of step."""
    clock = SampleClock(48_000)
    assert clock.place(0, samples=1024) == 0
    assert clock.place(TICKS, samples=1024) == 48_000
    assert clock.place(TICKS + 1920, samples=1024) == 48_000 + 1024


def test_the_first_sound_is_where_its_timestamp_says():
    """A microphone that is switched on late is heard late."""
    assert SampleClock(48_000).place(90, samples=10) == 48


def test_drift_is_how_far_a_simple_player_gets_out_of_step():
    """Players play sound without a break, whatever its timestamps say."""
    drift = Drift()
    for number in range(100):
        drift.feed(500 + number * 1920, duration=1920)
    assert (drift.first, drift.worst) == (500, 0)
    drift.feed(500 + 100 * 1920 + TICKS, duration=1920)
    assert drift.worst == pytest.approx(1)
