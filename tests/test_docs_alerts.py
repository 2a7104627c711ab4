"""What the page about alerts says in numbers, held against the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import events
from rtstream_async.local.domain.rules.finding import Truth
from rtstream_async.local.domain.rules.likeness import LIKE
from rtstream_async.local.domain.rules.quantities import CROWD, FEW, GROUP, MANY
from rtstream_async.local.domain.rules.reading import read_prompt
from rtstream_async.local.domain.rules.understanding import understand
from rtstream_async.local.domain.webhooks import ATTEMPTS

PAGE = (Path(__file__).parents[1] / "docs" / "topics" / "alerts.md").read_text()


@pytest.mark.parametrize("half", ["dev", "test"])
def test_the_numbers_of_the_rules_are_those_that_are_measured(half: str) -> None:
    """Numbers that nobody measures any more are the first thing that a reader stops to believe."""
    cases = [case for case in events.load() if case.half == half]
    found = events.score(cases, lambda case: events.by_rules(case).truth is Truth.FITS)
    unsure = sum(events.by_rules(case).truth is Truth.UNSURE for case in cases)
    cells = (
        *(half, "rules", len(cases), sum(case.fires for case in cases), unsure),
        *(f"{value:.2f}" for value in (found.precision, found.recall, found.f1)),
    )
    assert f"| {' | '.join(map(str, cells))} |" in PAGE


def test_the_bounds_are_those_of_the_program() -> None:
    """A crowd of five here and of eight there would be a bug report."""
    assert f"one threshold ({LIKE})" in PAGE
    assert f"`a group of people`: {FEW} or more" in PAGE
    assert FEW == GROUP
    assert f"`a crowd`: {CROWD} or more" in PAGE
    assert CROWD == MANY
    assert f"tried {ATTEMPTS} times" in PAGE


def _examples() -> list[str]:
    table = PAGE.partition("| Asked for | In words like |")[2].partition("\n\n")[0]
    return re.findall(r"`([^`]+)`", table)


@pytest.mark.parametrize("prompt", _examples())
def test_an_example_is_understood(prompt: str) -> None:
    """What stands on the page as understood is the first thing that is tried."""
    assert understand(read_prompt(prompt)).not_understood == ()


def test_there_are_examples() -> None:
    """A table that is written in another way would leave nothing to try."""
    assert len(_examples()) > 40
