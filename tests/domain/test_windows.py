"""Windows: every frame in the window it belongs to, every window closed once."""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
from hypothesis import given

from rtstream_async.local.domain.windows import Grid, Window, Windows

ORIGIN = 1_700_000_000.25

grids = st.builds(
    Grid,
    origin=st.just(ORIGIN),
    value=st.sampled_from([0.5, 1.0, 2.0, 3.7, 10.0]),
    frame_count=st.integers(1, 8),
)
steps = st.lists(st.tuples(st.sampled_from(["frame", "time"]), st.integers(0, 40)), max_size=60)


def play(grid: Grid, moves: list[tuple[str, int]]) -> tuple[list[Window[int]], list[int]]:
    """Feed frames and times that only go up; return the windows and the frames in their order."""
    windows: Windows[int] = Windows(grid)
    closed: list[Window[int]] = []
    fed: list[int] = []
    step = 0
    for kind, forward in moves:
        step += forward if kind == "time" else max(1, forward)
        due = grid.origin + step * grid.period
        if kind == "frame":
            fed.append(step)
            closed += windows.feed(due, step)
        else:
            closed += windows.advance(due)
    closed += windows.finish(grid.origin + (step + 1) * grid.period)
    return closed, fed


@given(grids, steps)
def test_every_frame_is_in_the_one_window_that_it_belongs_to(
    grid: Grid, moves: list[tuple[str, int]]
) -> None:
    """A frame in the wrong window is described with the wrong time; clips then show another."""
    closed, fed = play(grid, moves)
    assert [frame for window in closed for frame in window.frames] == fed
    for window in closed:
        for frame in window.frames:
            due = grid.origin + frame * grid.period
            assert window.start - 1e-5 <= due
            assert frame // grid.frame_count == grid.number(window.start)


@given(grids, steps)
def test_windows_follow_each_other_and_are_never_empty(
    grid: Grid, moves: list[tuple[str, int]]
) -> None:
    """An empty window would become an invented record."""
    closed, _ = play(grid, moves)
    for window in closed:
        assert 1 <= len(window.frames) <= grid.frame_count
        assert window.start < window.end <= window.start + grid.value + 1e-5
    for before, after in itertools.pairwise(closed):
        assert before.end <= after.start + 1e-6


def make(value: float = 2.0, frames: int = 4) -> Windows[str]:
    return Windows(Grid(origin=ORIGIN, value=value, frame_count=frames))


def test_a_window_is_given_with_its_last_frame() -> None:
    """An engine that waits for the end of the window is late by what it takes to look."""
    windows = make()
    for number in range(3):
        assert windows.feed(ORIGIN + number / 2, f"f{number}") == []
    assert windows.feed(ORIGIN + 1.5, "f3") == [
        Window(start=ORIGIN, end=ORIGIN + 2, frames=["f0", "f1", "f2", "f3"])
    ]
    assert windows.advance(ORIGIN + 2.0) == []
    assert windows.finish(ORIGIN + 3.0) == []


def test_a_window_that_lacks_a_frame_is_given_when_it_is_over() -> None:
    """A frame that was lost on the way must not take the others with it."""
    windows = make()
    for number in range(3):
        assert windows.feed(ORIGIN + number / 2, f"f{number}") == []
    assert windows.advance(ORIGIN + 1.999) == []
    assert windows.advance(ORIGIN + 2.0) == [
        Window(start=ORIGIN, end=ORIGIN + 2, frames=["f0", "f1", "f2"])
    ]
    assert windows.advance(ORIGIN + 2.0) == []


def test_the_first_frame_of_the_next_window_closes_the_one_before() -> None:
    """Waiting for the next progress would delay every message."""
    windows = make()
    windows.feed(ORIGIN, "a")
    assert windows.feed(ORIGIN + 2, "b") == [Window(start=ORIGIN, end=ORIGIN + 2, frames=["a"])]


def test_a_stream_that_ends_inside_a_window_gets_its_last_words() -> None:
    """The seconds before a camera is switched off are those that somebody asks about."""
    windows = make()
    windows.feed(ORIGIN, "a")
    assert windows.finish(ORIGIN + 0.75) == [Window(start=ORIGIN, end=ORIGIN + 0.75, frames=["a"])]
    assert windows.finish(ORIGIN + 0.75) == []


def test_a_stream_that_ends_before_its_window_began_still_has_an_end_after_the_start() -> None:
    """A record that ends before it starts breaks every reader."""
    windows = make()
    windows.feed(ORIGIN, "a")
    (window,) = windows.finish(ORIGIN - 5)
    assert window.end > window.start


def test_a_frame_for_a_closed_window_is_dropped() -> None:
    """It would make a second record for a time that was told already."""
    windows = make()
    windows.feed(ORIGIN + 4, "c")
    assert windows.feed(ORIGIN + 1, "late") == []
    assert windows.finish(ORIGIN + 6) == [Window(start=ORIGIN + 4, end=ORIGIN + 6, frames=["c"])]


def test_no_window_gets_more_frames_than_asked_for() -> None:
    """A sampler that repeats itself must not make an engine pay for it."""
    windows = make(frames=1)
    (window,) = windows.feed(ORIGIN, "a")
    assert window.frames == ["a"]
    assert windows.feed(ORIGIN + 1, "b") == []
    assert windows.finish(ORIGIN + 2) == []


def test_a_rounding_error_below_an_edge_counts_as_the_edge() -> None:
    """Sampling times travel as floats; an epsilon must not move a frame into another window."""
    grid = Grid(origin=ORIGIN, value=0.1, frame_count=1)
    assert [grid.number(grid.start(number)) for number in range(1000)] == list(range(1000))
