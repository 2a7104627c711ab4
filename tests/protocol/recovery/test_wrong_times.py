"""Records whose times are wrong: a clock that was never set must not silence what is of now."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.protocol.ledger import AHEAD, Found, Ledger
from rtstream_async.protocol.recovery import Push, RecoverySettings, Track
from tests.protocol.recovery.world import Said

T0 = 1_700_000_000.0
YEAR = 365 * 86_400.0
LIMIT = 6
CHOSEN = RecoverySettings(overlap=5.0, sweep_delay=4.0)

ENDS = st.one_of(
    st.integers(-40, 10).map(float),
    st.sampled_from([-YEAR, -3000.0, AHEAD - 1, AHEAD + 1, 3000.0, YEAR, 10 * YEAR]),
)
"""Seconds from the service's now."""
PRUNES = st.one_of(st.none(), ENDS)
STEPS = st.lists(
    st.tuples(st.sampled_from(["push", "a", "b"]), ENDS, st.integers(0, 3), PRUNES), max_size=60
)


def ending(at: float, text: str = "a person") -> Said:
    return Said(T0 + at - 1, T0 + at, text)


def found(at: float, source: str = "a", text: str = "a person") -> Found[Said]:
    return Found(source=source, message=ending(at, text))


@given(STEPS)
def test_no_record_of_now_is_taken_for_a_repeat_or_for_forgotten(steps):
    """A record with a wrong time must not cost the memory of the others, or swallow them."""
    ledger = Ledger(bytearray(), tolerance=0.0015, limit=LIMIT, forgotten=T0 - 2 * YEAR)
    ledger.now = T0
    wanted_from = -YEAR  # the greatest time up to which anybody asked to forget
    pushed, given_ = Counter(), Counter()
    stored = {"a": Counter(), "b": Counter()}
    ends: set[float] = set()  # of real records, of which too many may be forgotten
    for kind, at, number, before in steps:
        key, message = (at, number), ending(at, str(number))
        if kind == "push":
            pushed[key] += 1
            given_[key] += ledger.push(message, sources=0)
        else:
            stored[kind][key] = 1
            given_[key] += len(ledger.store([Found(source=kind, message=message)]))
        ends.add(at) if at <= AHEAD else None
        real = {key for key in pushed | stored["a"] | stored["b"] if key[0] <= AHEAD}
        is_known = len(real) < LIMIT and at > wanted_from
        due = max(pushed[key], stored["a"][key] + stored["b"][key])
        assert given_[key] >= (due if is_known else 0)
        if is_known and at <= AHEAD:
            assert given_[key] == due
        if before is not None:
            wanted_from = max(wanted_from, min(before, 0.0))
            ledger.prune(T0 + before)
            assert len(ledger) <= LIMIT
        assert ledger.forgotten <= T0


@given(st.lists(st.sampled_from([-100.0, 0.0, 90.0, YEAR]), max_size=40))
def test_what_is_ahead_is_forgotten_first_and_moves_nothing(ends):
    """A flood of records of next year must not push out those of today."""
    ledger = Ledger(bytearray(), tolerance=0.0015, limit=LIMIT, forgotten=T0 - YEAR)
    ledger.now = T0
    kept = [ending(-2.0, str(number)) for number in range(LIMIT - 1)]
    for message in kept:
        assert ledger.push(message, sources=1)
    for number, at in enumerate(ends):
        if at > AHEAD:
            assert ledger.push(ending(at, f"wrong {number}"), sources=1)
            ledger.prune(T0 - 50)
    assert ledger.forgotten == T0 - YEAR
    assert ledger.store([Found(source="a", message=message) for message in kept]) == []
    assert len(ledger) <= LIMIT


def test_of_a_flood_from_next_year_alone_the_nearest_are_kept():
    """To have forgotten everything for room to spare would repeat everything."""
    ledger = Ledger(bytearray(), tolerance=0.0015, limit=LIMIT, forgotten=T0)
    ledger.now = T0
    for number in range(LIMIT + 1):
        ledger.push(ending(YEAR + number), sources=1)
    ledger.prune(T0)
    assert len(ledger) == LIMIT * 3 // 4
    assert ledger.store([found(YEAR), found(YEAR + LIMIT)]) == [ending(YEAR + LIMIT)]
    none_kept = Ledger(bytearray(), tolerance=0.0015, limit=0, forgotten=T0)
    none_kept.now = T0
    none_kept.push(ending(YEAR), sources=1)
    none_kept.prune(T0)
    assert len(none_kept) == 0


TRACK_STEPS = st.lists(
    st.tuples(st.sampled_from(["push", "miss", "cut", "read"]), ENDS, st.integers(1, 30)),
    max_size=25,
)


@given(TRACK_STEPS, st.sampled_from([0.0, -3600.0, 25.0]))
def test_a_track_finds_what_it_missed_whatever_the_times_of_others(steps, skew):
    """One record of next year, and nothing that is lost after it would ever be looked for."""
    now = T0
    track: Track[Said] = Track(since=now, settings=CHOSEN, skew=skew)
    stored: list[Said] = []
    given_: Counter[str] = Counter()
    wanted: set[str] = set()  # of now, and so promised
    is_lost = False

    def read(*, after_loss: bool) -> None:
        window, _ = track.window(now, skew)
        shown = [Found(source="a", message=one) for one in stored if one.end > window.since]
        fresh = track.merge(shown, window) if after_loss else track.late(shown, window)
        given_.update(one.text for one in fresh)

    for number, (what, at, seconds) in enumerate(steps):
        now += seconds
        if what == "cut":
            is_lost = True
            track.lost(now)
        elif what == "read":
            if is_lost:
                track.begin()
            read(after_loss=is_lost)
            is_lost = False
        else:
            message = Said(now + at - 1, now + at, str(number))
            stored.append(message)
            if what == "push" and not is_lost:
                # Received half a second after it was made.
                verdict = track.push(message, now + 0.5 - skew - message.end)
                given_[message.text] += verdict is Push.DELIVER
            elif is_lost and -5 < at <= 0:
                wanted.add(message.text)
        assert track.last_end <= now + AHEAD + 1
    now += 30
    track.lost(now)
    track.begin()
    read(after_loss=True)
    assert wanted <= set(given_)
    near = {one.text for one in stored if one.end <= now}
    assert all(given_[text] <= 1 for text in near)


def test_a_record_of_next_year_ends_no_counting_and_begins_none():
    """While one counts, each message is looked up: for ever would be long."""
    track: Track[Said] = Track(since=T0, settings=CHOSEN)
    track.lost(T0 + 2)
    track.begin()
    window, _ = track.window(T0 + 3, 0.0)
    assert len(track.merge([found(2.5), found(YEAR)], window)) == 2
    window, _ = track.window(T0 + 8, 0.0)
    assert track.late([], window) == []
    assert track.settle(T0 + 9, 0.0) == 0.0
    assert track.push(ending(2 * YEAR), 9 - 2 * YEAR) is Push.DELIVER
    assert track.push(ending(9), 1.0) is Push.DELIVER
    assert track.push(ending(2.5), 7.5) is Push.DELIVER  # nothing is counted any more
    assert track.last_end == T0 + 9


@pytest.mark.parametrize("skew", [0.0, -7200.0, 7200.0])
def test_a_clock_that_is_wrong_makes_no_record_wrong(skew):
    """Whose own clock is two hours off must not have all records taken for those of next year."""
    track: Track[Said] = Track(since=T0, settings=CHOSEN, skew=skew)
    assert track.push(ending(1), 0.5 - skew) is Push.DELIVER
    assert track.last_end == T0 + 1
