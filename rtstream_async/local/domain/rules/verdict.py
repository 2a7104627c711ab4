"""Whether an observation fits a rule: fits, does not, can't tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from rtstream_async.local.domain.rules.claims import (
    find_light,
    find_moving,
    find_outcome,
    find_read,
    find_spoken,
    find_tint,
    find_unknown,
)
from rtstream_async.local.domain.rules.counting import find_thing
from rtstream_async.local.domain.rules.finding import (
    Finding,
    Truth,
    all_hold,
    any_holds,
    denied,
    fits_not,
)
from rtstream_async.local.domain.rules.observation import Observation
from rtstream_async.local.domain.rules.tree import (
    AllOf,
    AnyOf,
    Became,
    Ceased,
    Light,
    Moving,
    NotSo,
    Outcome,
    Read,
    Rule,
    Spoken,
    Thing,
    Tint,
    Unknown,
)

__all__ = ["judge"]

_FINDERS: dict[type, Callable[[Any, Observation], Finding]] = {
    Light: find_light,
    Moving: find_moving,
    Outcome: find_outcome,
    Read: find_read,
    Spoken: find_spoken,
    Thing: find_thing,
    Tint: find_tint,
    Unknown: find_unknown,
}


def judge(rule: Rule, now: Observation, before: Observation | None) -> Finding:
    """Return whether `now` fits a rule.

    Args:
        rule: What is asked for.
        now: The observation.
        before: The one before it of the same index, for what comes and goes; `None` when there is
            none: what is there then counts as new, and nothing has gone.
    """
    match rule:
        case AllOf(parts):
            return all_hold([judge(part, now, before) for part in parts])
        case AnyOf(parts):
            return any_holds([judge(part, now, before) for part in parts])
        case NotSo(part):
            return denied(judge(part, now, before))
        case Became(part):
            return _became(part, now, before)
        case Ceased(part):
            return _ceased(part, now, before)
        case _:
            return _FINDERS[type(rule)](rule, now)


def _became(part: Rule, now: Observation, before: Observation | None) -> Finding:
    present = judge(part, now, before)
    if before is None or present.truth is not Truth.FITS:
        return present
    past = judge(part, before, None)
    if past.truth is Truth.FITS:
        return fits_not(past.confidence, f"{present.explanation}, as in the record before")
    new = attrs.evolve(present, explanation=f"{present.explanation}, not so in the record before")
    return all_hold([new, denied(past)])


def _ceased(part: Rule, now: Observation, before: Observation | None) -> Finding:
    present = judge(part, now, before)
    if before is None:
        return fits_not(present.confidence, f"{present.explanation}; there is no record before")
    past = judge(part, before, None)
    if past.truth is Truth.FITS_NOT:
        return fits_not(past.confidence, f"{past.explanation}, in the record before as well")
    gone = denied(present)
    told = f"{gone.explanation}; in the record before, {past.explanation}"
    return all_hold([attrs.evolve(gone, explanation=told), attrs.evolve(past, explanation=told)])
