"""Shots end where the picture changes, and cover the stream without a gap."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.shot_cutting import (
    ChangeWatch,
    ShotRules,
    Shots,
    change,
    rules_of,
)

BLACK, WHITE = bytes([16, 128, 128]), bytes([235, 128, 128])
RED = bytes([16, 90, 240])
START = 1_700_000_000.0


def rules(**changes):
    config = {"threshold": 20, "frame_count": 2, "min_length": 1, "max_length": 4}
    return rules_of(config | changes)


def test_settings_are_read_as_they_are_stored():
    """A restart of the server must not cut otherwise."""
    assert rules() == ShotRules(threshold=20.0, frame_count=2, min_length=1.0, max_length=4.0)
    assert rules().period == 0.5


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [(BLACK, BLACK, 0), (BLACK, WHITE, 219), (WHITE, BLACK, 219), (BLACK, RED, 150)],
)
def test_a_change_is_one_of_light_or_of_colour(before, after, difference):
    """A cut between two pictures that are equally bright is a cut."""
    assert change(before, after) == difference


def test_a_frame_is_wanted_for_its_change_or_its_time():
    """Frames that are nearly alike, forty a second, would drown the engine."""
    watch = ChangeWatch(threshold=20, period=0.5)
    pictures = [(0.0, BLACK), (0.1, BLACK), (0.2, WHITE), (0.3, WHITE), (0.69, WHITE), (0.7, WHITE)]
    assert [watch.feed(START + time, picture) for time, picture in pictures] == [
        (True, False),  # the first one: there is nothing that it could differ from
        (False, False),
        (True, True),
        (False, False),
        (False, False),
        (True, False),
    ]


def test_a_shot_ends_with_a_cut():
    """What is described together must belong together."""
    shots = Shots(rules(), START)
    assert shots.feed(START, "a", is_cut=False) == []
    (shot,) = shots.feed(START + 1.5, "b", is_cut=True)
    assert (shot.start, shot.end, shot.frames) == (START, START + 1.5, ["a"])
    (last,) = shots.finish(START + 1.8)
    assert (last.start, last.end, last.frames) == (START + 1.5, START + 1.8, ["b"])


def test_a_change_within_the_shortest_shot_begins_none():
    """A flash, or a noisy line, would make a record of each frame."""
    shots = Shots(rules(), START)
    assert shots.feed(START, "a", is_cut=False) == []
    assert shots.feed(START + 0.9, "b", is_cut=True) == []
    (shot,) = shots.feed(START + 1, "c", is_cut=True)
    assert (shot.end, shot.frames) == (START + 1, ["a", "b"])


def test_a_still_scene_ends_at_some_time():
    """Who watches an empty road wants to hear that it is empty, before tomorrow."""
    shots = Shots(rules(), START)
    assert shots.feed(START, "a", is_cut=False) == []
    assert shots.advance(START + 3.9) == []
    (shot,) = shots.advance(START + 4)
    assert (shot.start, shot.end) == (START, START + 4)


def test_an_hour_without_frames_makes_no_records_of_nothing():
    """The source was gone: nothing was seen, so nothing is said."""
    shots = Shots(rules(), START)
    shots.feed(START, "a", is_cut=False)
    (shot,) = shots.feed(START + 3601, "b", is_cut=False)
    assert (shot.start, shot.end) == (START, START + 4)
    assert shots.start == START + 3600
    assert shots.advance(START + 3605) != []
    assert shots.finish(START + 3606) == []


def test_a_frame_that_comes_too_late_is_dropped():
    """It would be told of in a shot that it is not of."""
    shots = Shots(rules(), START)
    assert shots.feed(START - 1, "early", is_cut=True) == []
    assert shots.finish(START + 1) == []


def test_a_long_shot_is_told_by_frames_from_all_of_it():
    """Not by its first second only; nor by a thousand frames, which would fill the memory."""
    shots = Shots(rules(max_length=100), START)
    for number in range(100):
        assert shots.feed(START + number / 2, number, is_cut=False) == []
        assert len(shots._frames) <= 4
    (shot,) = shots.finish(START + 50)
    first, second = shot.frames
    assert first == 0
    assert 30 <= second <= 70


@st.composite
def streams(draw):
    """Frames of a stream, in order of time, some of them cuts; times in seconds."""
    steps = draw(st.lists(st.floats(0.01, 3, allow_nan=False), max_size=40))
    frames, time = [], START
    for step in steps:
        time += step
        frames.append((time, draw(st.booleans())))
    shortest = draw(st.floats(0.1, 2))
    longest = shortest * draw(st.floats(1, 5))
    count = draw(st.integers(1, 5))
    return frames, rules(min_length=shortest, max_length=longest, frame_count=count)


@given(streams())
def test_every_moment_of_a_stream_lies_in_one_shot(stream):
    """A moment in none was not seen, one in two is told twice; a bound is a promise."""
    frames, asked = stream
    shots, made = Shots(asked, START), []
    for time, is_cut in frames:
        made += shots.advance(time - 0.005)
        made += shots.feed(time, time, is_cut=is_cut)
    end = frames[-1][0] + 0.5 if frames else START + 1
    made += shots.finish(end)
    for shot in made:
        assert 1 <= len(shot.frames) <= asked.frame_count
        assert all(shot.start - 1e-5 <= time <= shot.end + 1e-5 for time in shot.frames)
        assert shot.end - shot.start <= asked.max_length + 1e-5
    for shot in made[:-1]:
        assert shot.end - shot.start >= asked.min_length - 1e-5
    for before, after in pairwise(made):
        between = [time for time, _ in frames if before.end + 1e-5 < time < after.start - 1e-5]
        assert before.end <= after.start
        assert not between
    for time, _ in frames:
        holders = [shot for shot in made if shot.start - 1e-5 < time < shot.end - 1e-5]
        assert len(holders) <= 1
        assert any(shot.start - 1e-5 <= time <= shot.end + 1e-5 for shot in made)
    assert shots.start == pytest.approx(end, abs=1e-4)
