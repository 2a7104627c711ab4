"""Ids, the life of a stream, and what of a recording has to go."""

from __future__ import annotations

import uuid

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rtstream_async.local.domain.ids import (
    ENTROPY,
    asset_id,
    bare_id,
    capture_id,
    collection_id,
    connection_id,
    index_id,
    job_id,
    short_id,
    stream_id,
    understanding_id,
)
from rtstream_async.local.domain.lifecycle import (
    TRANSITIONS,
    Lifecycle,
    Signal,
    StreamState,
)
from rtstream_async.local.domain.retention import beyond_quota, outdated
from rtstream_async.local.store.rows import SegmentRow

entropies = st.binary(min_size=ENTROPY, max_size=ENTROPY)


@given(st.floats(0, 4e9), entropies)
def test_stream_and_collection_ids_hold_a_uuid_of_version_7(now: float, entropy: bytes) -> None:
    """Clients that parse the service's ids must be able to parse ours."""
    for made, prefix in (
        (stream_id(now, entropy), "rts-"),
        (collection_id(now, entropy), "c-"),
        (asset_id(bare_id(now, entropy), has_picture=True), "m-"),
        (asset_id(bare_id(now, entropy), has_picture=False), "a-"),
        (capture_id(now, entropy), "cap-"),
    ):
        assert made.startswith(prefix)
        value = uuid.UUID(made.removeprefix(prefix))
        assert (value.version, value.variant) == (7, uuid.RFC_4122)


@given(st.floats(0, 4e9), st.floats(0.002, 1e6), entropies, entropies)
def test_later_ids_sort_after_earlier_ones(
    now: float, later: float, first: bytes, second: bytes
) -> None:
    """Lists by id are lists by time."""
    assert stream_id(now, first) < stream_id(now + later, second)


@given(entropies)
def test_short_ids_are_sixteen_hexadecimal_digits(entropy: bytes) -> None:
    """That is their form at the service."""
    assert len(short_id(entropy)) == 16
    assert bytes.fromhex(short_id(entropy))
    assert connection_id(entropy).startswith("conn-")


@given(st.lists(st.sampled_from(Signal)))
def test_a_rejected_signal_changes_nothing(signals: list[Signal]) -> None:
    """A late event of an old ingest must not revive a stream that was stopped."""
    life = Lifecycle()
    for signal in signals:
        before = life.state
        try:
            after = life.feed(signal)
        except RuntimeError:
            assert life.state is before
            assert (before, signal) not in TRANSITIONS
        else:
            assert after is TRANSITIONS[before, signal]


@pytest.mark.parametrize("state", StreamState)
def test_every_state_but_stopped_can_be_stopped(state: StreamState) -> None:
    """A stream that can't be stopped records for ever."""
    assert ((state, Signal.STOP) in TRANSITIONS) == (state is not StreamState.STOPPED)


@pytest.mark.parametrize("state", StreamState)
def test_an_active_stream_can_lose_its_source_and_give_up(state: StreamState) -> None:
    """Whatever a source does must show in the status."""
    active = Lifecycle(state).is_active
    assert ((state, Signal.LOST) in TRANSITIONS) == active
    assert ((state, Signal.GAVE_UP) in TRANSITIONS) == active
    assert ((state, Signal.START) in TRANSITIONS) == (not active)


def segment(number: int, size: int = 10) -> SegmentRow:
    return SegmentRow(
        stream_id="rts-1",
        file=f"{number}.ts",
        start_us=number * 2_000_000,
        end_us=(number + 1) * 2_000_000,
        size=size,
        discontinuity=False,
    )


@given(st.integers(0, 50), st.integers(1, 60))
def test_a_rolling_recording_keeps_exactly_its_last_seconds(count: int, keep: int) -> None:
    """Keeping less breaks clips, keeping more fills the disk."""
    segments = [segment(number) for number in range(count)]
    going = outdated(segments, keep_us=keep * 1_000_000)
    kept = [item for item in segments if item not in going]
    assert segments[: len(going)] == going
    if kept:
        last = kept[-1].end_us
        assert kept == segments[len(going) :]
        assert all(item.end_us > last - keep * 1_000_000 for item in kept)


@given(st.lists(st.integers(1, 100), max_size=30), st.integers(-10, 500))
def test_the_quota_takes_the_oldest_and_no_more_than_it_needs(
    sizes: list[int], excess: int
) -> None:
    """One segment too many is somebody's recording."""
    segments = [segment(number, size) for number, size in enumerate(sizes)]
    going = beyond_quota(segments, excess=excess)
    assert segments[: len(going)] == going
    freed = sum(item.size for item in going)
    assert freed >= min(excess, sum(sizes))
    if going:
        assert freed - going[-1].size < excess


@given(st.binary(min_size=ENTROPY, max_size=ENTROPY))
def test_work_that_is_answered_later_has_an_id_that_can_not_be_guessed(entropy: bytes) -> None:
    """The answer has links to what was recorded."""
    assert job_id(entropy) == f"job-{entropy.hex()}"


def test_ids_of_understandings_and_their_indexes_sort_by_time() -> None:
    """Lists are read in the order in which things were made."""
    ids = [make(float(n), bytes(10)) for make in (understanding_id, index_id) for n in (1, 2)]
    assert [id_[:4] for id_ in ids] == ["und-", "und-", "idx-", "idx-"]
    assert ids[0] < ids[1]
    assert ids[2] < ids[3]
