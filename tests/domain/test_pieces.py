from __future__ import annotations

import itertools

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.pieces import (
    Piece,
    close_gaps,
    length,
    moment_of_end,
    moment_of_start,
)

T0 = 1_700_000_000.0


@attrs.frozen
class File:
    start: float
    end: float


PIECES = close_gaps([File(T0, T0 + 2), File(T0 + 2, T0 + 4), File(T0 + 10, T0 + 13)])


def test_gaps_are_closed_up():
    """A player shows the next picture, and not a minute of nothing."""
    assert [
        Piece(at=0, start=T0, end=T0 + 4),
        Piece(at=4, start=T0 + 10, end=T0 + 13),
    ] == PIECES
    assert length(PIECES) == 7
    assert length([]) == 0


def test_a_moment_of_the_video_was_a_moment_in_time():
    """The search in a video leads to the recording of it."""
    assert moment_of_start(PIECES, 1.5) == T0 + 1.5
    assert moment_of_end(PIECES, 5.5) == T0 + 11.5


def test_where_two_pieces_meet_a_shot_stays_on_its_side():
    """Else it would begin, or end, with two seconds of something else."""
    assert moment_of_start(PIECES, 4) == T0 + 10
    assert moment_of_end(PIECES, 4) == T0 + 4


@pytest.mark.parametrize("seconds", [-5.0, 99.0])
def test_moments_beyond_the_video_are_its_edges(seconds):
    """Lengths are rounded; a shot may end a moment too late."""
    assert T0 <= moment_of_start(PIECES, seconds) <= T0 + 13
    assert T0 <= moment_of_end(PIECES, seconds) <= T0 + 13


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.01, 5)), min_size=1, max_size=20))
def test_a_video_is_as_long_as_what_was_recorded(spans):
    """Nothing is lost between two pieces, and nothing is shown twice."""
    files, now = [], T0
    for gap, duration in spans:
        start = now + (0.0 if gap < 1 else gap)
        files.append(File(start, start + duration))
        now = start + duration
    pieces = close_gaps(files)
    assert length(pieces) == pytest.approx(sum(d for _, d in spans), abs=1e-3)
    for before, after in itertools.pairwise(pieces):
        assert after.at == pytest.approx(before.until, abs=1e-5)
        assert after.start > before.end
