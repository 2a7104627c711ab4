"""Rules in words: for what a prompt was understood as, and for what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

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

__all__ = ["asked_for", "counted", "in_words", "listed"]


def listed(names: Sequence[str], last: str = "and") -> str:
    """Return names as a list in words."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def counted(count: int, thing: Thing) -> str:
    """Return so many of a thing: `6 people`."""
    return f"{count} {thing.noun if count == 1 else thing.plural}"


def asked_for(thing: Thing) -> str | None:
    """Return how many were asked for, `None` when any will do."""
    amount = _amount(thing)
    if amount is None:
        return None
    number = thing.high if thing.low == thing.high else None
    return f"{amount} {'was' if number == 1 else 'were'} asked for"


def in_words(rule: Rule) -> str:
    """Return what a rule asks for, in words."""
    return _WORDS[type(rule)](rule)


def _all_of(rule: AllOf) -> str:
    return " and ".join(_in_brackets(part, AnyOf) for part in rule.parts)


def _any_of(rule: AnyOf) -> str:
    return " or ".join(_in_brackets(part, AllOf) for part in rule.parts)


def _not_so(rule: NotSo) -> str:
    return f"not: {_in_brackets(rule.part, AllOf, AnyOf)}"


def _became(rule: Became) -> str:
    return f"now, and not in the record before: {_in_brackets(rule.part, AllOf, AnyOf)}"


def _ceased(rule: Ceased) -> str:
    return f"in the record before, and not now: {_in_brackets(rule.part, AllOf, AnyOf)}"


def _spoken(rule: Spoken) -> str:
    return "somebody speaks" if rule.text is None else f"the words “{rule.text}” are said"


def _read(rule: Read) -> str:
    return f"the words “{rule.text}” can be read"


def _outcome(rule: Outcome) -> str:
    return f"the screen tells of {rule.kind.value}"


def _light(rule: Light) -> str:
    return f"the picture is {rule.kind.value}"


def _moving(rule: Moving) -> str:
    return f"at least {rule.share:.1%} of the picture changes from frame to frame"


def _tint(rule: Tint) -> str:
    return f"the picture is mostly {rule.color}"


def _unknown(rule: Unknown) -> str:
    return f"“{rule.text}” (not understood)"


def _in_brackets(rule: Rule, *kinds: type[AllOf | AnyOf]) -> str:
    words = in_words(rule)
    return f"({words})" if isinstance(rule, kinds) else words


def _thing(thing: Thing) -> str:
    amount = _amount(thing) or "at least 1"
    noun = thing.noun if amount in ("at least 1", "exactly 1") else thing.plural
    colors = f" in {listed(sorted(thing.colors), 'or')}" if thing.colors else ""
    notes = f" ({listed(thing.unverified)} not checked)" if thing.unverified else ""
    return f"{amount} {noun}{colors}{notes}"


def _amount(thing: Thing) -> str | None:
    low, high = thing.low, thing.high
    if high is None:
        return None if low == 1 else f"at least {low}"
    if low == high:
        return f"exactly {low}"
    return f"at most {high}" if low == 0 else f"{low} to {high}"


_WORDS: dict[type, Callable[[Any], str]] = {
    AllOf: _all_of,
    AnyOf: _any_of,
    Became: _became,
    Ceased: _ceased,
    Light: _light,
    Moving: _moving,
    NotSo: _not_so,
    Outcome: _outcome,
    Read: _read,
    Spoken: _spoken,
    Thing: _thing,
    Tint: _tint,
    Unknown: _unknown,
}
