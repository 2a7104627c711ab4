"""How many of something a prompt asks for."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from rtstream_async.local.domain.rules.words import number_of

__all__ = ["CROWD", "FEW", "GROUP", "MANY", "Quantity", "marked", "quantity"]

FEW = 3
"""`a few` and `several` are so many or more."""
GROUP = 3
"""`a group` is so many or more."""
MANY = 5
"""`many` are so many or more."""
CROWD = 5
"""`a crowd` is so many people or more."""

_TOLERANCE = 5  # a plain number may be off by one for every so many: as well as can be counted

_NUMBER = (
    r"(?:\d{1,6}|a dozen|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    r"thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|"
    r"hundred)"
)


@attrs.frozen
class Quantity:
    """At least `low`, at most `high`; any number when `high` is `None`."""

    low: int
    high: int | None

    def __str__(self) -> str:
        if self.high is None:
            return f"at least {self.low}"
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


def marked(text: str) -> str:
    """Return a plain text with its words for quantities as marks, which `quantity()` reads."""
    for pattern, mark in _PATTERNS:
        text = pattern.sub(mark, text)
    return text


def quantity(token: str) -> Quantity | None:
    """Return what a mark, or a plain number, asks for; `None` for any other word."""
    found = _MARK.fullmatch(token)
    if found is not None:
        low, high = found.groups()
        return Quantity(int(low or 0), int(high) if high else None)
    number = number_of(token)
    if number is None:
        return None
    tolerance = number // _TOLERANCE
    return Quantity(number - tolerance, number + tolerance)


_MARK = re.compile(r"#(\d*)-(\d*)")


def _value(text: str) -> int:
    number = number_of(text.removeprefix("a "))
    assert number is not None  # noqa: S101 - the patterns find nothing else
    return number


def _at_least(more: int) -> Callable[[re.Match[str]], str]:
    return lambda found: f"#{_value(found[1]) + more}-"


def _at_most(more: int) -> Callable[[re.Match[str]], str]:
    return lambda found: f"#-{max(0, _value(found[1]) + more)}"


def _at_least_of(found: re.Match[str]) -> str:
    return f"#{_value(found[1])}- {found[2]}"


def _at_most_of(found: re.Match[str]) -> str:
    return f"#-{_value(found[1])} {found[2]}"


def _between(found: re.Match[str]) -> str:
    low, high = sorted((_value(found[1]), _value(found[2])))
    return f"#{low}-{high}"


def _exactly(found: re.Match[str]) -> str:
    return f"#{_value(found[1])}-{_value(found[1])}"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("N", f"({_NUMBER})"))


# The first that fits takes the words: the longer ones stand before those that begin like them.
_PATTERNS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\bnot (?:even )?(?:an?|one|any)(?: single)?\b|\bno single\b"), "no"),
    (_compiled(r"\b(?:not|no) (?:more|greater) than N\b"), _at_most(0)),
    (_compiled(r"\b(?:not|no) (?:fewer|less) than N\b"), _at_least(0)),
    (_compiled(r"\b(?:at least|minimum of|a minimum of|minimum) N\b"), _at_least(0)),
    (_compiled(r"\bN (?:or more|or above|and more|at least|\+)(?= |$)"), _at_least(0)),
    (_compiled(r"\bN ([a-z]+) (?:or more|and more)\b"), _at_least_of),
    (_compiled(r"\bN ([a-z]+) (?:or fewer|or less)\b"), _at_most_of),
    (_compiled(r"\b(?:at most|up to|maximum of|a maximum of|maximum) N\b"), _at_most(0)),
    (_compiled(r"\bN (?:or fewer|or less|at most)\b"), _at_most(0)),
    (_compiled(r"\b(?:more|greater) than N\b"), _at_least(1)),
    (_compiled(r"\b(?:over|above|exceeding|exceeds) N\b"), _at_least(1)),
    (_compiled(r"\b(?:fewer|less) than N\b"), _at_most(-1)),
    (_compiled(r"\b(?:under|below) N\b"), _at_most(-1)),
    (_compiled(r"\bbetween N and N\b"), _between),
    (_compiled(r"\bN (?:to|or) N\b"), _between),
    (_compiled(r"\b(?:exactly|precisely|just|only) N\b"), _exactly),
    (re.compile(r"\b(?:only )?(?:a|one) single\b|\bsingle\b|\b(?:only|just) an?\b"), "#1-1"),
    (re.compile(r"\b(?:a )?(?:couple|pair) of\b"), "#2-2"),
    (re.compile(r"\bdozens of\b"), "#24-"),
    (re.compile(r"\ba dozen(?: of)?\b"), "dozen"),
    (re.compile(r"\b(?:several|a few|quite a few)(?: of)?\b"), f"#{FEW}-"),
    (re.compile(r"\bmultiple\b"), "#2-"),
    (re.compile(r"\b(?:many|numerous|lots of|a lot of|plenty of|too many)\b"), f"#{MANY}-"),
    (re.compile(r"\b(?:an? )?(?:crowds?|mass|masses) of\b"), f"#{CROWD}-"),
    (re.compile(r"\b(?:an? )?groups? of\b"), f"#{GROUP}-"),
    (re.compile(r"\ban? number of\b"), f"#{FEW}-"),
    (re.compile(r"\b(?:the )?(?:number|count) of (?=[a-z])"), ""),
)
