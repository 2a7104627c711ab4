"""How well event prompts are detected: rules and similarity apart, and as a server decides.

The set is real: what the offline engines observed of clips (`event_observations.py`), and prompts
labelled by what the clips show. The prompts were written before the rules; what was tuned, was
tuned on the half `dev`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from rtstream_async.local.domain.rules.finding import Finding, Truth
from rtstream_async.local.domain.rules.likeness import BACKGROUND, LIKE, likeness
from rtstream_async.local.domain.rules.observation import Observation, observe
from rtstream_async.local.domain.rules.reading import read_prompt
from rtstream_async.local.domain.rules.tree import is_denial
from rtstream_async.local.domain.rules.verdict import judge
from rtstream_async.local.engines.defaults import embedding

__all__ = ["CASES", "OBSERVATIONS", "Case", "Score", "by_rules", "load", "measure", "score"]

_FOLDER = Path(__file__).with_name("data") / "events"
CASES = _FOLDER / "cases.json"
OBSERVATIONS = _FOLDER / "observations.json"


@attrs.frozen(kw_only=True, eq=False)
class Case:
    """One prompt about one observation, and whether it should fire."""

    half: str
    clip: str
    number: int
    prompt: str
    fires: bool
    text: str = attrs.field(repr=False)
    now: Observation = attrs.field(repr=False)
    before: Observation | None = attrs.field(repr=False)


@attrs.frozen
class Score:
    """How often a way was right."""

    hits: int
    false_alarms: int
    misses: int

    @property
    def precision(self) -> float:
        """The share of its alarms that should be."""
        return self.hits / max(1, self.hits + self.false_alarms)

    @property
    def recall(self) -> float:
        """The share of what should fire that did."""
        return self.hits / max(1, self.hits + self.misses)

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.hits / max(1, 2 * self.hits + self.false_alarms + self.misses)


def load() -> list[Case]:
    """Return all labelled cases."""
    observed = json.loads(OBSERVATIONS.read_text())
    return [_case(row, observed[row["clip"]]) for row in json.loads(CASES.read_text())]


def by_rules(case: Case) -> Finding:
    """Return what the rules say of a case."""
    return judge(read_prompt(case.prompt).rule, case.now, case.before)


def score(cases: Sequence[Case], fires: Callable[[Case], bool]) -> Score:
    """Return how often `fires` is right about `cases`."""
    outcomes = [(fires(case), case.fires) for case in cases]
    return Score(
        hits=outcomes.count((True, True)),
        false_alarms=outcomes.count((True, False)),
        misses=outcomes.count((False, True)),
    )


def measure() -> list[Mapping[str, object]]:
    """Return precision, recall and F1 of each way, for each half of the set."""
    cases = load()
    likes = asyncio.run(_likes(cases))
    dev = [case for case in cases if case.half == "dev"]
    threshold = max(
        {round(likes[case], 2) for case in dev},
        key=lambda at: score(dev, lambda case: likes[case] >= at).f1,
    )

    def decided(case: Case) -> bool:
        found = by_rules(case)
        if found.truth is not Truth.UNSURE:
            return found.truth is Truth.FITS
        is_comparable = found.is_open and not is_denial(read_prompt(case.prompt).rule)
        return is_comparable and likes[case] >= LIKE

    ways: Mapping[str, Callable[[Case], bool]] = {
        "rules": lambda case: by_rules(case).truth is Truth.FITS,
        f"similarity from {threshold:.2f}": lambda case: likes[case] >= threshold,
        f"rules, then similarity from {LIKE:.1f}": decided,
    }
    return [
        _row(way, half, [case for case in cases if case.half == half], fires)
        for half in ("dev", "test")
        for way, fires in ways.items()
    ]


def _row(
    way: str, half: str, cases: Sequence[Case], fires: Callable[[Case], bool]
) -> Mapping[str, object]:
    found = score(cases, fires)
    unsure = sum(by_rules(case).truth is Truth.UNSURE for case in cases)
    return {
        "half": half,
        "way": way,
        "prompts": len(cases),
        "should fire": sum(case.fires for case in cases),
        "left open": unsure if way == "rules" else 0,
        "precision": found.precision,
        "recall": found.recall,
        "F1": found.f1,
        "false alarms": found.false_alarms,
        "misses": found.misses,
    }


async def _likes(cases: Sequence[Case]) -> dict[Case, float]:
    engine = embedding()
    await engine.warm_up()
    try:
        background = await engine.embed(BACKGROUND, kind="passage")
        prompts = await engine.embed([case.prompt for case in cases], kind="query")
        texts = await engine.embed([case.text for case in cases], kind="passage")
    finally:
        await engine.aclose()
    return {
        case: likeness(prompt, text, background)
        for case, prompt, text in zip(cases, prompts, texts, strict=True)
    }


def _case(row: Mapping[str, Any], observed: Sequence[Mapping[str, Any]]) -> Case:
    number = row["number"]
    return Case(
        **row,
        text=observed[number]["text"],
        now=_observation(observed[number]),
        before=_observation(observed[number - 1]) if number else None,
    )


def _observation(record: Mapping[str, Any]) -> Observation:
    facts = record["metadata"]
    return observe(record["text"], facts, is_heard="spoken" in facts)
