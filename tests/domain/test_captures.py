"""The life of a capture session."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.captures import (
    TRANSITIONS,
    Attendance,
    CaptureLife,
    CaptureSignal,
    CaptureState,
    export_status,
    way_to,
)

S, G = CaptureState, CaptureSignal


@given(st.lists(st.sampled_from(CaptureSignal)))
def test_a_signal_that_can_not_come_changes_nothing(signals):
    """A program that stops twice must not bring a session back to life."""
    life = CaptureLife()
    for signal in signals:
        before = life.state
        if (before, signal) in TRANSITIONS:
            assert life.feed(signal) is life.state is TRANSITIONS[before, signal]
            continue
        with pytest.raises(RuntimeError, match=f"{signal.name} while {before.name}"):
            life.feed(signal)
        assert life.state is before


@given(st.sampled_from(CaptureState), st.sampled_from(CaptureState))
def test_a_way_leads_where_it_says(state, target):
    """A scripted session must go through the states that a real one does."""
    way = way_to(target, state)
    if way is None:
        return
    life = CaptureLife(state)
    for signal in way:
        life.feed(signal)
    assert life.state is target


@pytest.mark.parametrize(
    ("state", "target", "way"),
    [
        (S.CREATED, S.ACTIVE, [G.START, G.FLOWING]),
        (S.CREATED, S.EXPORTED, [G.START, G.STOP, G.STOPPED, G.EXPORTED]),
        (S.ACTIVE, S.EXPORTED, [G.STOP, G.STOPPED, G.EXPORTED]),
        (S.ACTIVE, S.ACTIVE, []),
        (S.ACTIVE, S.FAILED, [G.FAIL]),
        (S.STOPPED, S.ACTIVE, None),
        (S.FAILED, S.STOPPED, None),
        (S.EXPORTED, S.FAILED, None),
    ],
)
def test_the_way_is_the_shortest(state, target, way):
    """No state twice, and none after the end."""
    assert way_to(target, state) == way


@pytest.mark.parametrize(
    ("state", "is_stored", "status"),
    [
        (S.ACTIVE, False, None),
        (S.ACTIVE, True, "pending"),
        (S.STOPPED, True, "pending"),
        (S.FAILED, True, "failed"),
        (S.FAILED, False, None),
        (S.EXPORTED, False, "exported"),
    ],
)
def test_what_is_stored_is_to_be_exported(state, is_stored, status):
    """Programs poll this word, since the frame of the export does not always come."""
    assert export_status(state, is_stored=is_stored) == status


def seen_by(present, *, active_from=None, **given):
    """Look once a second: `present` has who publishes then; return the first signals, and when."""
    attendance = Attendance(**{"channels": 2, "timeout": 10.0, "settle": 3.0, "seen": 0.0} | given)
    is_active = active_from is not None
    found = []
    for now, count in enumerate(present):
        signal = attendance.see(count, float(now), is_active=is_active)
        if signal is not None:
            found.append((now, signal))
            is_active = True
            if signal is not G.FLOWING:
                break
    return found


@pytest.mark.parametrize(
    ("present", "found"),
    [
        ([0, 1, 2, 2], [(2, G.FLOWING)]),  # all are there
        ([0, 1, 1, 1, 1], [(4, G.FLOWING)]),  # the first has waited enough
        ([0, 1, 0, 0, 0], [(4, G.FLOWING)]),  # it has come, and gone already
        ([0] * 12, [(10, G.FAIL)]),
        ([2, *[0] * 12], [(0, G.FLOWING), (10, G.STOP)]),
        ([2, 0, 0, 1, *[0] * 12], [(0, G.FLOWING), (13, G.STOP)]),
        ([2, *[1] * 20], [(0, G.FLOWING)]),  # one is enough to go on
    ],
)
def test_a_session_lives_as_long_as_somebody_publishes(present, found):
    """One without anybody must end; one with anybody must not."""
    assert seen_by(present) == found


def test_a_session_that_comes_back_waits_for_its_publishers_anew():
    """A server that was down for an hour must not hold that against them."""
    assert seen_by([0] * 12, active_from=0) == [(10, G.STOP)]
