"""How much work a window may cost: rules, and a day of eight cameras in a simulation."""

from __future__ import annotations

import itertools

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtstream_async.local.engines.offline.effort import (
    Purse,
    ReadRecord,
    after_reading,
    frame_to_read,
    frames_to_look_at,
    reading_pixels,
    should_read,
)

FULL = Purse(time=0, seconds=1.0)
EMPTY = Purse(time=0, seconds=0.0)
LAST = ReadRecord(time=100.0, cost=0.3)


def reads(last=LAST, **given_):
    usual = {
        "time": 105.0,
        "change": 0.1,
        "stale": False,
        "unread": False,
        "streams": 1,
        "purse": FULL,
    }
    return should_read(last, **(usual | given_))


def test_what_has_not_changed_is_not_read_again():
    """A still screen must cost nothing."""
    assert not reads(change=0.0, time=1e6)
    assert reads(change=0.0, stale=True)
    assert reads(change=0.0, unread=True)


def test_reading_in_vain_makes_it_rarer():
    """Eight cameras with people and no writing would take half a core for nothing."""
    waits = []
    last = LAST
    for _ in range(8):
        last = after_reading(last, time=last.time, cost=0.2, found_new=False)
        waits.append(next(w for w in range(1, 100) if reads(last, time=last.time + w)))
    assert waits == [5, 10, 20, 40, 60, 60, 60, 60]
    assert after_reading(last, time=1, cost=0.2, found_new=True).in_vain == 0


def test_another_picture_is_read_at_once():
    """After an hour of an empty yard, the first slide must be read."""
    bored = attrs.evolve(LAST, in_vain=9)
    assert not reads(bored, time=110.0, change=0.1)
    assert reads(bored, time=110.0, change=0.6)
    assert reads(bored, time=110.0, change=0.1, stale=True)


def test_with_an_empty_purse_every_stream_still_has_its_share():
    """The stream that is asked last must not starve."""
    assert not reads(time=107.9, streams=8, purse=EMPTY)
    assert reads(time=108.1, streams=8, purse=EMPTY)


def test_a_clock_that_is_set_back_begins_again():
    """A camera whose clock was corrected must not wait a day for its words."""
    assert reads(time=50.0, purse=EMPTY)


def test_the_purse_fills_with_time_and_never_overflows():
    """An idle night must not buy an hour of reading."""
    assert Purse(time=0, seconds=0).at(1).seconds == pytest.approx(0.3)
    assert Purse(time=0, seconds=0).at(1e6).seconds == FULL.at(1e6).seconds < 2
    assert Purse(time=10, seconds=0.5).at(5) == Purse(time=10, seconds=0.5)
    assert Purse(time=0, seconds=0.1).less(1e6).seconds > -2


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0.1, 1.2), min_size=1, max_size=16),
    st.sampled_from([2.0, 5.0, 10.0]),
    st.floats(0, 1),
)
def test_reading_never_takes_more_than_its_part_of_a_core_and_starves_nobody(costs, period, change):
    """Streams that fall behind because somebody else's screen is full of text are worthless."""
    records = [ReadRecord(time=0.0) for _ in costs]
    read_at = [0.0 for _ in costs]
    purse, spent, gap = Purse(time=0.0), 0.0, 0.0
    windows = int(600 / period)
    for window in range(windows):
        for stream, cost in enumerate(costs):
            now = window * period + stream * 0.01
            purse = purse.at(now)
            if should_read(
                records[stream],
                time=now,
                change=change,
                stale=True,
                unread=False,
                streams=len(costs),
                purse=purse,
            ):
                records[stream] = after_reading(
                    records[stream], time=now, cost=cost, found_new=True
                )
                purse, spent = purse.less(cost), spent + cost
                gap, read_at[stream] = max(gap, now - read_at[stream]), now
    # Its part, what was saved up, and one last reading of each: a share is taken when it is due.
    assert spent <= 2 * 0.3 * 600 + 1.5 + sum(costs)
    assert gap <= max(costs) * len(costs) / 0.3 + 2 * period


@given(st.integers(1, 60), st.floats(0, 60), st.floats(0.001, 1), st.integers(1, 64))
def test_the_frames_looked_at_are_spread_and_end_with_the_last(count, period, cost, streams):
    """The last frame is the newest news; the others say what happened before it."""
    chosen = frames_to_look_at(count, period=period, cost=cost, streams=streams)
    assert chosen[-1] == count - 1
    assert list(chosen) == sorted(set(chosen))
    assert chosen[0] >= 0
    assert len(chosen) == 1 or len(chosen) * cost * streams <= 0.5 * period + 1e-9
    gaps = {b - a for a, b in itertools.pairwise(chosen)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_one_stream_is_looked_at_in_every_frame():
    """Sparing is for the many."""
    assert frames_to_look_at(5, period=5.0, cost=0.1, streams=1) == (0, 1, 2, 3, 4)
    assert frames_to_look_at(5, period=5.0, cost=0.1, streams=8) == (1, 3, 4)
    assert frames_to_look_at(5, period=0.0, cost=0.1, streams=8) == (4,)


def test_the_frame_to_read_is_the_last_of_the_new_ones():
    """A title that was there for a second counts; of a slide that stays, the end is sharpest."""
    assert frame_to_read([0.0, 0.0, 0.0]) == 2
    assert frame_to_read([0.1, 0.9, 0.95]) == 2
    assert frame_to_read([0.0, 0.9, 0.1]) == 1
    assert frame_to_read([1.0]) == 0


def test_many_streams_read_their_largest_lines_first():
    """Eight screens that start together must all have said something after one window."""
    assert reading_pixels(1) > reading_pixels(2) > reading_pixels(8) == reading_pixels(64) > 3000
