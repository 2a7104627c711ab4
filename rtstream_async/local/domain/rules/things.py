"""Claims about things in the picture: how many, worn colours, coming and going."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from rtstream_async.local.domain.rules.pictures import MOVES
from rtstream_async.local.domain.rules.quantities import CROWD, Quantity, quantity
from rtstream_async.local.domain.rules.tree import (
    AllOf,
    Became,
    Ceased,
    Moving,
    NotSo,
    Rule,
    Thing,
    Unknown,
)
from rtstream_async.local.domain.rules.verbs import (
    ENTERS,
    LEAVES,
    MISSING,
    MOTION,
    NOBODY,
    NONE,
    NOT,
    RELATIONS,
    WORN,
    WORN_BY_EACH,
)
from rtstream_async.local.domain.rules.vocabulary import (
    COLORS,
    EVERYBODY,
    FILLERS,
    PERSON,
    PLACES,
    PREPOSITIONS,
    Noun,
    noun_of,
)

__all__ = ["Part", "all_of", "scan"]

_ANY = Quantity(1, None)
_PLACE = "the place"


@attrs.frozen
class Part:
    """What was understood of a clause."""

    rule: Rule | None  #: `None`: it asks for nothing
    thing: Thing | None = None  #: the last one named, which a later clause may speak of
    is_bare: bool = False  #: it names things and does nothing with them
    is_open: bool = False  #: it begins with a thing, and no word before it says how many
    edge: type[Became | Ceased] | None = None


@attrs.define
class _Scan:
    """The state of one pass over a clause."""

    before: Thing | None
    found: list[Rule] = attrs.field(factory=list[Rule])
    strange: list[str] = attrs.field(factory=list[str])  #: words that nothing is known of
    quantity: Quantity | None = None
    colors: frozenset[str] = frozenset()
    is_none: bool = False  #: `no` waits for what there is none of
    denied_from: int | None = None  #: what was found from there on is denied
    edge: type[Became | Ceased] | None = None
    verb: str = ""  #: the one that `edge` is from
    is_missing: bool = False
    relation: str | None = None
    is_bare: bool = True
    is_open: bool = False

    @property
    def last(self) -> Thing | None:
        """The last thing found."""
        return next((rule for rule in reversed(self.found) if isinstance(rule, Thing)), None)

    def change_last(self, thing: Thing) -> None:
        """Put `thing` in the place of the last one."""
        at = max(n for n, rule in enumerate(self.found) if isinstance(rule, Thing))
        self.found[at] = thing


def scan(text: str, *, before: Thing | None = None) -> Part:
    """Return what a clause of marked, plain text says of things.

    Args:
        text: The clause.
        before: The last thing that an earlier clause named.
    """
    state = _Scan(before=before)
    rest, first = text, True
    while rest:
        taken = _take(state, rest, first=first)
        rest = rest[taken:].lstrip()
        first = False
    return _part(state)


def all_of(rules: Sequence[Rule]) -> Rule | None:
    """Return the rule that all of `rules` hold; `None` when there are none."""
    if not rules:
        return None
    parts = [
        part for rule in rules for part in (rule.parts if isinstance(rule, AllOf) else (rule,))
    ]
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _take(state: _Scan, rest: str, *, first: bool) -> int:
    """Take the first words of the rest; return how many letters."""
    for pattern, act in _PHRASES:
        found = pattern.match(rest)
        if found is not None and act(state, found):
            return found.end()
    words = rest.split(" ", 2)
    for count in (2, 1):
        noun = noun_of(" ".join(words[:count])) if len(words) >= count else None
        if noun is not None:
            _take_noun(state, noun, is_open=first)
            return len(" ".join(words[:count]))
    _take_word(state, words[0])
    return len(words[0])


def _wear(state: _Scan, found: re.Match[str]) -> bool:
    colors = frozenset(COLORS[name] for name in found["color"].split("|"))
    person = state.last
    if person is not None and person.is_people and not person.colors:
        if state.denied_from == len(state.found):  # `a person not wearing red` is there, at least
            state.found.append(attrs.evolve(person, colors=colors))
        else:
            state.change_last(attrs.evolve(person, colors=colors))
        return True
    if person is None and state.before is not None and state.before.is_people:
        state.found.append(attrs.evolve(state.before, low=1, high=None, colors=colors))
        return True
    if person is None and found[0].startswith(("wear", "dressed")):  # somebody must
        somebody = Thing(noun="person", plural="people", labels=frozenset({PERSON}), colors=colors)
        state.found.append(somebody)
        return True
    return False


def _of_them(state: _Scan, _: re.Match[str]) -> bool:
    return state.before is not None


def _side(state: _Scan, found: re.Match[str]) -> bool:
    state.strange += found[0].split()
    state.is_bare = False
    return True


def _enter(state: _Scan, found: re.Match[str]) -> bool:
    state.edge, state.verb, state.is_bare = Became, found[0], False
    return True


def _leave(state: _Scan, found: re.Match[str]) -> bool:
    state.edge, state.verb, state.is_bare = Ceased, found[0], False
    return True


_PHRASES = (
    *((pattern, _wear) for pattern in WORN),
    (WORN_BY_EACH, _of_them),
    (re.compile(r"(?:on|to|at|in|from) the (?:left|right)(?: side)?(?= |$)"), _side),
    (LEAVES, _leave),
    (ENTERS, _enter),
)


def _take_noun(state: _Scan, noun: Noun, *, is_open: bool) -> None:
    asked = state.quantity or (Quantity(CROWD, None) if noun.is_crowd else _ANY)
    none_of = state.is_none or asked.high == 0
    unverified = [noun.unverified, state.relation and f"who is {state.relation}"]
    thing: Rule = Thing(
        noun=noun.singular,
        plural=noun.plural,
        labels=noun.labels,
        low=1 if none_of else asked.low,
        high=None if none_of else asked.high,
        colors=state.colors,
        unverified=tuple(word for word in unverified if word),
    )
    if none_of:
        # `no smiling people`: what is said of them is part of what there is none of.
        strange = _strange(state)
        thing = NotSo(thing if strange is None else AllOf((strange, thing)))
    if state.edge is not None and state.last is not None:
        # `leaves a bag` and `enters a car`: who did it has neither come nor gone.
        state.strange.append(state.verb)
        state.edge = None
    state.found.append(thing)
    state.is_open = state.is_open or is_open
    state.quantity, state.colors, state.relation = None, frozenset(), None
    state.is_none = False


def _take_word(state: _Scan, word: str) -> None:
    asked = quantity(word)
    if asked is not None:
        state.quantity = asked
    elif word in NONE:
        state.is_none = True
    elif word in NOT:
        state.denied_from = len(state.found)
    elif word in NOBODY:
        state.found.append(NotSo(NOBODY[word]))
    elif word.partition("|")[0] in COLORS:
        state.colors = frozenset(COLORS[name] for name in word.split("|"))
    else:
        _take_verb(state, word)


def _take_verb(state: _Scan, word: str) -> None:
    thing = state.last
    if word in MISSING:
        state.is_missing = True
    elif word in EVERYBODY:
        state.found.append(Thing(noun=word, plural="people", labels=frozenset({PERSON})))
    elif word == "alone" and thing is not None:
        state.change_last(attrs.evolve(thing, low=1, high=1))
    elif word in RELATIONS and thing is not None:
        state.relation = word
        state.is_bare = False
    elif word in MOTION and thing is not None:
        state.found.append(Moving(share=MOVES))
        state.is_bare = False
    elif word in PLACES and state.found and not state.strange:
        if thing is not None and _PLACE not in thing.unverified:
            state.change_last(attrs.evolve(thing, unverified=(*thing.unverified, _PLACE)))
    elif state.strange or (word not in FILLERS and word not in PREPOSITIONS):
        state.strange.append(word)
        state.is_bare = False


def _strange(state: _Scan) -> Rule | None:
    """Return the claim that the strange words make, and forget them."""
    words, state.strange = state.strange, []
    while words and words[-1] in FILLERS:
        words.pop()
    if not words:
        return None
    return Unknown(text=" ".join(words))


def _part(state: _Scan) -> Part:
    _finish_quantity(state)
    thing = state.last
    _finish_colors(state)
    strange = _strange(state)
    if strange is not None:
        state.found.append(NotSo(strange) if state.is_none else strange)
    elif state.is_none and state.found:
        state.found = [NotSo(rule) for rule in state.found]
    rules = _denied(state)
    if state.edge is Ceased or all(getattr(rule, "noun", "") not in EVERYBODY for rule in rules):
        rule = all_of(rules)
    else:  # `everybody wears black`: what all of them do can't be counted
        rule = all_of([Unknown(text="everybody"), *rules])
    if rule is not None and state.is_missing:
        rule = NotSo(rule)
    if rule is not None and state.edge is not None:
        rule = state.edge(rule)
    return Part(rule, thing, state.is_bare and bool(rules), state.is_open, state.edge)


def _finish_quantity(state: _Scan) -> None:
    """Give a number that no thing came for to the thing before: `people: more than five`."""
    thing, asked = state.last, state.quantity
    if asked is not None and thing is not None:
        state.change_last(attrs.evolve(thing, low=asked.low, high=asked.high))
    elif asked is not None:
        state.strange.append(str(asked))
        state.is_bare = False


def _finish_colors(state: _Scan) -> None:
    """Count a colour that no thing came for as strange: `it is red`."""
    if state.colors:
        state.strange += sorted(state.colors)
        state.is_bare = False


def _denied(state: _Scan) -> list[Rule]:
    if state.denied_from is None:
        return state.found
    at = state.denied_from if state.denied_from < len(state.found) else 0
    denied = all_of(state.found[at:])
    return state.found[:at] + ([] if denied is None else [NotSo(denied)])
