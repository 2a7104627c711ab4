"""How much work a window may cost: rules, and a day of eight cameras in a simulation."""

from __future__ import annotations

import itertools

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from rtstream_async.local.engines.offline.effort import (
    ReadRecord,
    Turns,
    after_reading,
    frame_to_read,
    frames_to_look_at,
    reading_pixels,
    wants_reading,
)

LAST = ReadRecord(time=100.0, cost=0.3)


def wants(last=LAST, **given_):
    usual = {"time": 105.0, "change": 0.1, "stale": False, "unread": False}
    return wants_reading(last, **(usual | given_))


def test_what_has_not_changed_is_not_read_again():
    """A still screen must cost nothing."""
    assert not wants(change=0.0, time=1e6)
    assert wants(change=0.0, stale=True)
    assert wants(change=0.0, unread=True)


def test_reading_in_vain_makes_it_rarer():
    """Eight cameras with people and no writing would take half a core for nothing."""
    waits = []
    last = LAST
    for _ in range(8):
        last = after_reading(last, time=last.time, cost=0.2, found_new=False)
        waits.append(next(w for w in range(1, 100) if wants(last, time=last.time + w)))
    assert waits == [5, 10, 20, 40, 60, 60, 60, 60]
    assert after_reading(last, time=1, cost=0.2, found_new=True).in_vain == 0


def test_another_picture_is_read_at_once():
    """After an hour of an empty yard, the first slide must be read."""
    bored = attrs.evolve(LAST, in_vain=9)
    assert not wants(bored, time=110.0, change=0.1)
    assert wants(bored, time=110.0, change=0.6)
    assert wants(bored, time=110.0, change=0.1, stale=True)


def test_a_clock_that_is_set_back_begins_again():
    """A camera whose clock was corrected must not wait a day for its words."""
    assert wants(attrs.evolve(LAST, in_vain=9), time=50.0)


def ask(turns, key, time, *, streams=100, last=None):
    return turns.ask(key, last or ReadRecord(time=time), time=time, streams=streams)


def test_the_purse_is_for_all_and_fills_with_time():
    """An idle night must not buy an hour of reading, nor a full one a debt for the day."""
    turns = Turns()
    assert ask(turns, "a", 0)
    turns.spend(1e6)
    assert not ask(turns, "a", 4.9)
    assert ask(turns, "a", 5.1)
    turns.spend(0.5)
    assert ask(turns, "a", 1e6)
    turns.spend(1.4)
    assert ask(turns, "b", 1e6)
    turns.spend(0.2)
    assert not ask(turns, "c", 1e6)


def test_who_was_turned_away_comes_first():
    """The first camera of the list must not be the only one that is read."""
    turns = Turns()
    assert ask(turns, "a", 0)
    turns.spend(1.6)
    assert [ask(turns, "a", 0), ask(turns, "b", 1)] == [False, False]
    assert [ask(turns, key, 5) for key in "cba"] == [False, False, True]
    turns.leave("b")
    assert ask(turns, "c", 5)


def test_who_does_not_come_back_loses_the_place():
    """A stream that ended must not hold up the others."""
    turns = Turns()
    assert ask(turns, "a", 0)
    turns.spend(1.6)
    assert not ask(turns, "gone", 0)
    assert not ask(turns, "a", 5)
    assert ask(turns, "a", 11)


def test_with_an_empty_purse_every_stream_still_has_its_share():
    """Streams with long windows lose their place each time, and must be read all the same."""
    turns = Turns()
    turns.spend(10)
    assert not ask(turns, "a", 107.9, last=LAST, streams=8)
    assert ask(turns, "a", 108.1, last=LAST, streams=8)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0.1, 1.2), min_size=1, max_size=16),
    st.sampled_from([2.0, 5.0, 10.0]),
    st.floats(0, 1),
)
def test_reading_never_takes_more_than_its_part_of_a_core_and_starves_nobody(costs, period, change):
    """Streams that fall behind because somebody else's screen is full of text are worthless."""
    records = [ReadRecord(time=0.0) for _ in costs]
    turns, spent, gap = Turns(), 0.0, 0.0
    for window in range(int(600 / period)):
        for stream, cost in enumerate(costs):
            now = window * period + stream * 0.01
            last = records[stream]
            if not wants_reading(last, time=now, change=change, stale=True, unread=False):
                continue
            if turns.ask(str(stream), last, time=now, streams=len(costs)):
                gap = max(gap, now - last.time)
                records[stream] = after_reading(last, time=now, cost=cost, found_new=True)
                turns.spend(cost)
                spent += cost
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
    assert len(chosen) == 1 or len(chosen) * cost * streams <= 0.4 * period + 1e-9
    gaps = {b - a for a, b in itertools.pairwise(chosen)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_one_stream_is_looked_at_in_every_frame():
    """Sparing is for the many."""
    assert frames_to_look_at(5, period=5.0, cost=0.1, streams=1) == (0, 1, 2, 3, 4)
    assert frames_to_look_at(5, period=5.0, cost=0.1, streams=8) == (2, 4)
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
