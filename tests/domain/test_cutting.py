from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.cutting import (
    Cut,
    CutRules,
    Cutter,
    parse_part_name,
    parse_segment_name,
    part_name,
    segment_end,
    segment_name,
)


def cuts(cutter, packets):
    """Times at which segments begin; packets are (kind, time), K being a key frame."""
    made = []
    for kind, time in packets:
        cut = cutter.feed(is_video=kind in "KP", is_key=kind != "P", time=time)
        if cut is Cut.OPEN:
            made.append(time)
    return made


def frames(seconds, *, gop, fps=10):
    return [
        ("K" if n % round(gop * fps) == 0 else "P", n / fps) for n in range(round(seconds * fps))
    ]


@pytest.mark.parametrize(
    ("gop", "expected"),
    [(0.5, [0, 2, 4]), (2, [0, 2, 4]), (1.5, [0, 3]), (25, [0]), (1.9, [0, 1.9, 3.8, 5.7])],
)
def test_segments_begin_at_key_frames_after_the_target(gop, expected):
    """A segment without a key frame at its start can't be shown."""
    cutter = Cutter(CutRules(), expects_video=True)
    assert cuts(cutter, frames(6, gop=gop)) == expected


def test_nothing_is_kept_before_the_first_key_frame():
    """What can't be decoded would be shown as grey blocks."""
    cutter = Cutter(CutRules(), expects_video=True)
    assert cutter.feed(is_video=True, is_key=False, time=0) is Cut.DROP
    assert cutter.feed(is_video=False, is_key=True, time=0.1) is Cut.DROP
    assert cutter.feed(is_video=True, is_key=True, time=0.2) is Cut.OPEN
    assert cutter.feed(is_video=False, is_key=True, time=0.2) is Cut.KEEP


def test_sound_alone_is_cut_by_time():
    """Every packet of sound can be decoded by itself."""
    cutter = Cutter(CutRules(), expects_video=False)
    assert cuts(cutter, [("A", n / 10) for n in range(60)]) == [0, 2, 4]


def test_sound_is_recorded_while_a_picture_is_announced_and_never_comes():
    """A camera with a dead sensor still has a microphone."""
    cutter = Cutter(CutRules(patience=10), expects_video=True)
    made = cuts(cutter, [("A", float(n)) for n in range(15)])
    assert made == [10, 12, 14]
    assert cutter.feed(is_video=True, is_key=False, time=15) is Cut.DROP
    assert cutter.feed(is_video=True, is_key=True, time=15.1) is Cut.OPEN
    assert cutter.feed(is_video=False, is_key=True, time=30) is Cut.KEEP


@pytest.mark.parametrize(("expects_video", "kind"), [(True, "K"), (False, "A")])
def test_a_break_in_the_flow_begins_a_segment_at_once(expects_video, kind):
    """A player must be told where timestamps or pictures start over."""
    cutter = Cutter(CutRules(), expects_video=expects_video)
    assert cuts(cutter, [(kind, 0.0)]) == [0]
    cutter.interrupt()
    if expects_video:
        assert cutter.feed(is_video=True, is_key=False, time=0.1) is Cut.KEEP
    assert cuts(cutter, [(kind, 0.2), (kind, 0.3)]) == [0.2]


def test_neighbours_touch():
    """A hole of a millisecond would be shown as a discontinuity."""
    assert segment_end(start=10, own_end=11.98, next_start=12.0) == 12.0
    assert segment_end(start=10, own_end=12.03, next_start=12.0) == 12.0
    assert segment_end(start=10, own_end=12.0, next_start=None) == 12.0


def test_a_real_gap_stays_a_gap():
    """Nobody may be shown a minute of a frozen picture as if it had been recorded."""
    assert segment_end(start=10, own_end=12.0, next_start=72.0) == 12.0


def test_a_segment_of_one_packet_has_a_length():
    """An index by time can't hold what lasts no time."""
    assert segment_end(start=10, own_end=10, next_start=None) > 10


@given(st.floats(0, 4e9), st.floats(0.00001, 1e5))
def test_names_carry_the_times_exactly(start, length):
    """What is found on disk after a crash is indexed by its name alone."""
    begin, end = round(start, 6), round(start + length, 6)
    assert parse_segment_name(segment_name(begin, end)) == (begin, end)
    assert parse_part_name(part_name(begin)) == begin


@pytest.mark.parametrize("name", ["1-2.ts.part", "1.ts", "a-b.ts", "1-2.mp4", "x1-2.ts", ""])
def test_strange_names_are_not_segments(name):
    """Whatever else lies in the directory stays out of the recording."""
    assert parse_segment_name(name) is None


@pytest.mark.parametrize("name", ["1-2.ts", "x.ts.part", "1.ts", ""])
def test_strange_names_are_not_unfinished_segments(name):
    """The same for what is adopted after a crash."""
    assert parse_part_name(name) is None


@given(
    st.lists(st.tuples(st.sampled_from("KPAI"), st.floats(0, 5)), max_size=80),
    st.booleans(),
)
def test_no_segment_begins_with_a_picture_that_is_no_key_frame(steps, expects_video):
    """Whatever order packets and breaks come in."""
    cutter = Cutter(CutRules(), expects_video=expects_video)
    time, is_open, starts = 0.0, False, []
    for kind, step in steps:
        time += step
        if kind == "I":
            cutter.interrupt()
            continue
        cut = cutter.feed(is_video=kind in "KP", is_key=kind != "P", time=time)
        assert not (kind == "P" and cut is Cut.OPEN)
        assert is_open or cut is not Cut.KEEP
        assert not (kind == "K" and not is_open and cut is Cut.DROP)
        is_open = is_open or cut is Cut.OPEN
        if cut is Cut.OPEN:
            starts.append(time)
    assert all(a <= b for a, b in itertools.pairwise(starts))
