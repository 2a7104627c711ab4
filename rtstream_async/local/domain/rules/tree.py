"""What a prompt asks for, as a tree of claims about one observation."""

from __future__ import annotations

import enum
from collections.abc import Iterator

import attrs

from rtstream_async.local.domain.rules.vocabulary import PERSON

__all__ = [
    "AllOf",
    "AnyOf",
    "Became",
    "Ceased",
    "Light",
    "LightKind",
    "Moving",
    "NotSo",
    "Outcome",
    "OutcomeKind",
    "Read",
    "Rule",
    "Spoken",
    "Thing",
    "Tint",
    "Unknown",
    "is_denial",
    "leaves",
    "parts_of",
]


class LightKind(enum.Enum):
    """How light a picture is."""

    DARK = "dark"
    VERY_DARK = "very dark"
    OUT = "without light"
    BRIGHT = "bright"
    TOO_BRIGHT = "too bright"


class OutcomeKind(enum.Enum):
    """How something ended, by what a screen tells of it."""

    FAILURE = "a failure"
    SUCCESS = "a success"


@attrs.frozen(kw_only=True)
class Thing:
    """So many of some kinds of things are in the picture."""

    noun: str  #: as it was asked for, singular
    plural: str
    labels: frozenset[str]  #: what the detector calls them
    low: int = 1  #: at least so many
    high: int | None = None  #: at most so many; `None`: any number
    colors: frozenset[str] = (
        frozenset()
    )  #: any of these, worn by people or of the thing; empty: any
    unverified: tuple[str, ...] = ()  #: what was asked for as well and is taken for granted

    @property
    def is_people(self) -> bool:
        """Whether it is about people."""
        return self.labels == frozenset({PERSON})


@attrs.frozen(kw_only=True)
class Read:
    """Words can be read in the picture."""

    text: str
    is_literal: bool = True  #: named as words: where they can't be read, they are not there


@attrs.frozen(kw_only=True)
class Outcome:
    """A screen tells that something failed, or that nothing did."""

    kind: OutcomeKind


@attrs.frozen(kw_only=True)
class Spoken:
    """Words are said; any words when there is no text."""

    text: str | None
    is_phrase: bool = True  #: the words follow one another
    is_literal: bool = True  #: named as words: where they were not heard, they were not said


@attrs.frozen(kw_only=True)
class Light:
    """The picture is so light."""

    kind: LightKind


@attrs.frozen(kw_only=True)
class Moving:
    """At least this share (0-1) of the picture changes from frame to frame."""

    share: float


@attrs.frozen(kw_only=True)
class Tint:
    """The picture is mostly of one colour."""

    color: str


@attrs.frozen(kw_only=True)
class Unknown:
    """Something that no rule knows of, in the words of the prompt."""

    text: str


@attrs.frozen
class NotSo:
    """The part is not so."""

    part: Rule


@attrs.frozen
class AllOf:
    """All parts are so."""

    parts: tuple[Rule, ...]


@attrs.frozen
class AnyOf:
    """At least one part is so."""

    parts: tuple[Rule, ...]


@attrs.frozen
class Became:
    """The part is so now, and was not in the observation before."""

    part: Rule


@attrs.frozen
class Ceased:
    """The part was so in the observation before, and is not now."""

    part: Rule


Rule = (
    Thing
    | Read
    | Outcome
    | Spoken
    | Light
    | Moving
    | Tint
    | Unknown
    | NotSo
    | AllOf
    | AnyOf
    | Became
    | Ceased
)


def parts_of(rule: Rule) -> Iterator[Rule]:
    """Yield a rule and all that it is made of, from left to right."""
    yield rule
    match rule:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from parts_of(part)
        case NotSo(part) | Became(part) | Ceased(part):
            yield from parts_of(part)
        case _:
            pass  # a claim, which has no parts


def is_denial(rule: Rule) -> bool:
    """Whether a rule denies something, which the likeness of texts can't tell."""
    return any(isinstance(part, NotSo) for part in parts_of(rule))


def leaves(rule: Rule) -> Iterator[Rule]:
    """Yield the claims that a rule is made of, from left to right."""
    ties = (AllOf, AnyOf, Became, Ceased, NotSo)
    return (part for part in parts_of(rule) if not isinstance(part, ties))
