"""From an event prompt to the rule that it asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import attrs

from rtstream_async.local.domain.rules.clause import DET, WORDS, Clause, Reader
from rtstream_async.local.domain.rules.pictures import empty, light, moving, tint
from rtstream_async.local.domain.rules.quantities import marked
from rtstream_async.local.domain.rules.screens import read
from rtstream_async.local.domain.rules.speech import spoken
from rtstream_async.local.domain.rules.things import Part, all_of, scan
from rtstream_async.local.domain.rules.tree import (
    AllOf,
    AnyOf,
    NotSo,
    Read,
    Rule,
    Spoken,
    Thing,
    Unknown,
    leaves,
)
from rtstream_async.local.domain.rules.vocabulary import COLORS, is_known
from rtstream_async.local.domain.rules.words import Plain, plain

__all__ = ["Reading", "read_prompt"]


@attrs.frozen
class Reading:
    """How a prompt was understood."""

    prompt: str
    rule: Rule

    @property
    def not_understood(self) -> tuple[str, ...]:
        """The parts of the prompt that no rule knows of."""
        return tuple(leaf.text for leaf in leaves(self.rule) if isinstance(leaf, Unknown))


def read_prompt(prompt: str) -> Reading:
    """Return what an event prompt in English asks for; any text has a reading.

    One of more than 500 characters is a story, and not understood: the work grows faster than the
    text does.
    """
    if len(prompt) > _LONGEST:
        return Reading(prompt, Unknown(text=" ".join(prompt.split())))
    prepared = plain(prompt, is_known=is_known)
    text = _COLORS.sub(r"\1|", _LEAD_IN.sub("", marked(prepared.text)))
    if " or " in text and " and " not in text:
        text = text.replace(" , ", " or ")  # `a dog, a cat or a bird`
    part = _read(text, prepared, 0, None)
    return Reading(prompt, part.rule or Unknown(text=" ".join(prompt.split())))


_LONGEST = 500  # characters
_LEAD_IN = re.compile(
    r"^(?:please )?(?:(?:(?:alert|notify|tell|warn|inform) (?:me|us)|let (?:me|us) know|"
    r"(?:raise|send|trigger|fire) an? (?:alert|alarm)|trigger|detects?|check|watch(?: out)? for|"
    r"look(?: out)? for)(?: (?:when(?:ever)?|if|once|that|whether|about|as soon as))?|"
    r"when(?:ever)?|if|as soon as) "
)

# Colours of one thing, which are no two clauses: `red or blue`.
_COLORS = re.compile(rf"\b({'|'.join(COLORS)}) (?:or|and) (?=(?:{'|'.join(COLORS)})\b)")

# In the order in which a clause is offered to them.
_READERS: tuple[Reader, ...] = (spoken, light, tint, moving, empty, read)

_Combine = Callable[[tuple[Rule, ...]], Rule]

# Where a text is cut, the weakest tie first: `a cat or a dog, but no person and no car`.
_TIES: tuple[tuple[re.Pattern[str], _Combine], ...] = (
    (re.compile(r" (?:, )?(?:but|while|whereas|yet|although) | ; "), AllOf),
    (re.compile(r" (?:, )?or "), AnyOf),
    (re.compile(r" (?:, )?(?:and|as well as|together with|plus) | , | (?=nor )"), AllOf),
)
_NAMED = re.compile(rf"(?:{DET} )?{WORDS} (?P<what>\S+)")
_EITHER = re.compile(r"\b(?:either|both) ")


def _read(text: str, prompt: Plain, level: int, before: Thing | None) -> Part:
    if level == len(_TIES):
        return _read_clause(text, prompt, before)
    tie, combine = _TIES[level]
    parts: list[Part] = []
    for piece in _pieces(tie, text):
        part = _again(piece, prompt, parts) or _read(piece, prompt, level + 1, before)
        before = part.thing or before
        parts.append(part)
    return _joined(parts, combine)


def _pieces(tie: re.Pattern[str], text: str) -> list[str]:
    """Cut a text at its ties, but not between two colours of one thing."""
    pieces: list[str] = []
    for piece in tie.split(_EITHER.sub("", text)):
        bare = piece.strip(" ,")
        if bare:
            pieces.append(bare)
    return pieces


def _again(piece: str, prompt: Plain, parts: Sequence[Part]) -> Part | None:
    """Read words alone after words that are to be said or read: `says "yes" or "no"`."""
    last = next((rule for part in parts[-1:] for rule in _leaves(part)), None)
    if not isinstance(last, Spoken | Read):
        return None
    named = _NAMED.fullmatch(piece)
    literal = prompt.literal(piece if named is None else named["what"])
    if literal is None and named is None:
        return None
    text = literal or (piece if named is None else named["what"])
    return Part(Spoken(text=text) if isinstance(last, Spoken) else Read(text=text))


def _leaves(part: Part) -> list[Rule]:
    return [] if part.rule is None else list(leaves(part.rule))[-1:]


def _read_clause(text: str, prompt: Plain, before: Thing | None) -> Part:
    clause = Clause(text, prompt)
    for reader in _READERS:
        understood = reader(clause)
        if understood is None:
            continue
        rest = scan(understood.rest, before=before)
        rules = [understood.rule, *([] if rest.rule is None else [rest.rule])]
        return Part(all_of(rules), rest.thing)
    return scan(_with_words(text, prompt), before=before)


def _with_words(text: str, prompt: Plain) -> str:
    return " ".join((prompt.literal(word) or word).lower() for word in text.split())


def _joined(parts: list[Part], combine: _Combine) -> Part:
    """Return one part for clauses that are tied together."""
    if len(parts) == 1:
        return parts[0]
    parts = _with_edges(parts)
    rules: list[Rule] = []
    for number, part in enumerate(parts):
        if part.rule is None:
            continue
        previous = rules[-1] if rules else None
        if isinstance(previous, NotSo) and part.is_bare and part.is_open:
            # `no car or truck` is: neither.
            rules[-1] = NotSo(AnyOf((previous.part, part.rule)))
        elif combine is AllOf and number and (both := _sum(previous, part)) is not None:
            rules[-1] = both
        else:
            rules.append(part.rule)
    thing = next((part.thing for part in reversed(parts) if part.thing is not None), None)
    rule = all_of(rules) if combine is AllOf or len(rules) < 2 else combine(tuple(rules))  # noqa: PLR2004 - a tie has two ends
    return Part(
        rule, thing, all(part.is_bare for part in parts), parts[:1] == [] or parts[0].is_open
    )


def _with_edges(parts: Sequence[Part]) -> list[Part]:
    """Give things that stand before a verb their share of it: `a dog or a cat appears`."""
    edge = parts[-1].edge if parts else None
    if edge is None:
        return list(parts)
    return [
        attrs.evolve(part, rule=edge(part.rule), is_bare=False, edge=edge)
        if part.is_bare and part.rule is not None
        else part
        for part in parts
    ]


def _sum(one: Rule | None, other: Part) -> Thing | None:
    """Return one thing for two of a kind: a man and a woman are two people."""
    if not (isinstance(one, Thing) and isinstance(other.rule, Thing) and other.is_bare):
        return None
    two = other.rule
    if one.labels != two.labels or one.colors or two.colors or one.noun == two.noun:
        return None
    high = None if one.high is None or two.high is None else one.high + two.high
    unverified = (*one.unverified, *two.unverified)
    return Thing(
        noun="person" if one.is_people else one.noun,
        plural="people" if one.is_people else one.plural,
        labels=one.labels,
        low=one.low + two.low,
        high=high,
        unverified=unverified,
    )
