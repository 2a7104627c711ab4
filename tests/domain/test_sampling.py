from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.sampling import SampleSchedule


def scheduled(*, origin=100.0, period=2.0, now=None):
    schedule = SampleSchedule()
    schedule.add("k", origin=origin, period=period, now=now)
    return schedule


def test_nobody_asks_nothing_is_due():
    """A stream that nobody looks at must not be decoded."""
    assert SampleSchedule().due is None
    assert SampleSchedule().take(5.0) == {}


def test_the_first_frame_from_each_time_on_is_taken_once():
    """Two pictures of one moment would be paid for twice."""
    schedule = scheduled()
    assert [schedule.take(time) for time in (99.9, 100.1, 100.2, 101.9, 102.0, 102.1)] == [
        {},
        {"k": 100.0},
        {},
        {},
        {"k": 102.0},
        {},
    ]


def test_the_time_just_past_is_answered_at_once():
    """An index started between two times must not wait for the next."""
    schedule = scheduled(now=105.0)
    assert schedule.due == 104.0
    assert schedule.take(105.1) == {"k": 104.0}
    assert schedule.due == 106.0


def test_a_time_in_the_future_is_waited_for():
    """A window that begins in a minute begins in a minute."""
    assert scheduled(now=50.0).due == 100.0


def test_times_without_a_frame_are_served_together():
    """After a gap of a minute nobody wants thirty copies of one frame."""
    schedule = scheduled()
    assert schedule.take(161.0) == {"k": 160.0}
    assert schedule.due == 162.0


def test_keys_do_not_disturb_each_other():
    """Two indexes on one stream have their own rhythm."""
    schedule = scheduled()
    schedule.add("fast", origin=100.5, period=0.5, now=None)
    assert schedule.take(100.5) == {"k": 100.0, "fast": 100.5}
    assert schedule.due == 101.0
    schedule.remove("fast")
    schedule.remove("fast")
    assert schedule.due == 102.0


@pytest.mark.parametrize("period", [0.0, -1.0, math.nan, math.inf])
def test_a_period_must_be_above_zero(period):
    """Else one request would ask for every frame for ever."""
    with pytest.raises(ValueError, match="above zero"):
        scheduled(period=period)


@given(
    st.floats(0, 1e9),
    st.floats(0.01, 100),
    st.one_of(st.none(), st.floats(0, 2e9)),
    st.lists(st.floats(0.01, 50), max_size=40),
)
def test_every_frame_answers_the_latest_time_before_it(origin, period, now, steps):
    """Frames stamped for a time that lies after them would be described too early."""
    schedule = scheduled(origin=origin, period=period, now=now)
    time = origin if now is None else now
    last = -math.inf
    for step in steps:
        time += step
        taken = schedule.take(time)
        for due in taken.values():
            assert last < due <= time + 1e-6
            last = due
        assert schedule.due is not None
        assert schedule.due > time - period
