from __future__ import annotations

import math

import pytest

from rtstream_async.local.domain.shots import SLACK, read_shots


def test_shots_are_taken_as_they_are_asked_for():
    """Also backwards, and also twice: it is the user's film."""
    assert read_shots([[5, 6.5], [0, 1], [0, 1]], length=10) == [(5, 6.5), (0, 1), (0, 1)]


def test_shots_that_touch_are_one():
    """Two neighbours of a search result must play on without a seam."""
    assert read_shots([[0, 1], [1.0004, 2], [3, 4]], length=10) == [(0, 2), (3, 4)]


def test_a_shot_to_the_rounded_end_is_cut_at_the_end():
    """Lengths travel as rounded text."""
    assert read_shots([[9, 10 + SLACK]], length=10) == [(9, 10)]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "list of"),
        ([], "not empty"),
        ("0-5", "list of"),
        ([[1]], "shot 0 must be"),
        ([[0, 1], [1, 2, 3]], "shot 1 must be"),
        ([["0", "1"]], "shot 0 must be"),
        ([[False, 1]], "shot 0 must be"),
        ([[0, math.inf]], "shot 0 must be"),
        ([[math.nan, 1]], "shot 0 must be"),
        ([[-0.1, 1]], "starts at 0"),
        ([[2, 2]], "before it ends"),
        ([[3, 2]], "before it ends"),
        ([[10, 10.2]], "10.000 s long"),
        ([[9, 10.6]], "10.000 s long"),
    ],
)
def test_what_can_not_be_played_is_refused(value, problem):
    """The message names the shot, so that one of a thousand is found."""
    with pytest.raises(ValueError, match=problem):
        read_shots(value, length=10)
