"""The life of a capture session."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.captures import (
    TRANSITIONS,
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
