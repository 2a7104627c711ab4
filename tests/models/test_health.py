"""How a stream is said to be."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.models.health import (
    ChannelState,
    HealthState,
    channel_state,
    stream_state,
)

YES_NO = (True, False)
STATES = st.lists(st.sampled_from(get_args(ChannelState)), max_size=5)


@pytest.mark.parametrize(
    ("is_armed", "is_up", "is_missing", "state"),
    [
        (True, True, False, "live"),
        (True, True, True, "recovering"),
        (True, False, False, "down"),
        (True, False, True, "down"),
        (False, True, False, "not_armed"),
        (False, False, False, "not_armed"),
    ],
)
def test_a_channel_that_is_pushed_is_as_its_link(is_armed, is_up, is_missing, state):
    """An operator must see what is deaf, and what only waits to be made whole."""
    found = channel_state(is_armed=is_armed, is_polled=False, is_up=is_up, is_missing=is_missing)
    assert found == state


@pytest.mark.parametrize(("is_armed", "is_up", "is_missing"), [*product(YES_NO, repeat=3)])
def test_a_channel_that_is_polled_does_not_depend_on_the_link(is_armed, is_up, is_missing):
    """REST goes on while the socket is lost."""
    found = channel_state(is_armed=is_armed, is_polled=True, is_up=is_up, is_missing=is_missing)
    assert found == "polled"


@given(STATES, st.booleans())
def test_a_stream_is_as_the_channel_that_needs_care_most(channels, is_heard):
    """One deaf channel must not hide behind one that is well."""
    order = get_args(HealthState)
    state = stream_state(channels, is_heard=is_heard)
    assert state in order
    if state == "silent":
        assert not is_heard
        state = "live"
    assert all(order.index(state) <= order.index(channel) for channel in channels)
    assert state in (channels or ["not_armed"])


def test_a_stream_of_which_nothing_has_come_is_silent():
    """A camera that never said a word is not a camera that is well."""
    assert stream_state(["not_armed", "live"], is_heard=False) == "silent"
    assert stream_state(["not_armed", "live"], is_heard=True) == "live"
    assert stream_state(["polled"], is_heard=False) == "polled"
