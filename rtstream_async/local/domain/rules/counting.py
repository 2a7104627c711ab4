"""Whether so many things were seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rtstream_async.local.domain.rules.finding import Finding, fits, fits_not, unsure
from rtstream_async.local.domain.rules.observation import Observation
from rtstream_async.local.domain.rules.reading import read_prompt
from rtstream_async.local.domain.rules.tree import AllOf, Became, NotSo, Rule, Thing
from rtstream_async.local.domain.rules.wording import asked_for, counted, listed

__all__ = ["find_thing"]

_USUAL_SCORE = 0.6  # of a kind that the engine gave no score for
_MISSED_ONE = 0.8  # that a person who was not found is not there
_MISSED = 0.7  # the same, of the kinds that the detector knows less well
_TOLD = 0.7  # that what a text says, or leaves no doubt of, is so
_TAKEN_FOR_GRANTED = 0.85  # for each part of a claim that can't be checked
_LONGEST_TEXT = 2000  # characters that are looked through for things
_COLOR = 0.9  # that a colour, where it could be told at all, is right


def find_thing(thing: Thing, seen: Observation) -> Finding:
    """Return whether so many of some things were seen."""
    if seen.spoken is not None:
        return unsure("what can be heard tells nothing of a picture", is_open=_is_plain(thing))
    if seen.objects is None:
        return _in_text(thing, seen)
    count = sum(seen.objects.get(label, 0) for label in thing.labels)
    if thing.colors:
        return _in_color(thing, seen, count)
    return _judged(thing, count, _said(thing, count), _sure(thing, seen, count))


def _is_plain(thing: Thing) -> bool:
    """Whether a claim says nothing that likeness is blind for: numbers, and colours."""
    return thing.low == 1 and thing.high is None and not thing.colors


def _judged(thing: Thing, count: int, said: str, sure: float) -> Finding:
    asked = asked_for(thing)
    if _holds(thing, count):
        told = said if asked is None else f"{said}; {asked}"
        return fits(sure * _TAKEN_FOR_GRANTED ** len(thing.unverified), _noted(told, thing))
    return fits_not(sure, said if asked is None else f"{said}; {asked}")


def _holds(thing: Thing, count: int) -> bool:
    return count >= thing.low and (thing.high is None or count <= thing.high)


def _sure(thing: Thing, seen: Observation, count: int) -> float:
    """Return how sure a count is about a claim: by the score, and by its distance to the bound."""
    if count == 0:
        return _MISSED_ONE if thing.is_people else _MISSED
    score = max((seen.scores.get(label, 0.0) for label in thing.labels), default=0.0)
    score = score or _USUAL_SCORE
    if thing.low <= 1 and thing.high is None:
        return score
    bounds = [thing.low - 0.5, *([] if thing.high is None else [thing.high + 0.5])]
    margin: float = min(abs(count - bound) for bound in bounds)
    return score * (1 - float(0.5 ** (margin + 1.5)))


def _said(thing: Thing, count: int) -> str:
    if count == 0:
        return f"no {thing.noun} was found in the picture"
    return f"{counted(count, thing)} {'is' if count == 1 else 'are'} in the picture"


def _noted(said: str, thing: Thing) -> str:
    notes = [note for note in thing.unverified if note != "the place"]
    return f"{said} ({listed(notes)} can't be told)" if notes else said


def _in_color(thing: Thing, seen: Observation, count: int) -> Finding:
    colors = listed(sorted(thing.colors), "or")
    if count < thing.low:
        return fits_not(_sure(thing, seen, count), _said(thing, count))
    if not thing.is_people:
        return unsure(f"{_said(thing, count)}, whether {colors} can't be told", is_open=False)
    worn = sum(seen.worn.get(color, 0) for color in thing.colors)
    known = sum(seen.worn.values())
    said = f"{worn} of {counted(count, thing)} {'wears' if worn == 1 else 'wear'} {colors}"
    sure = _COLOR * _sure(thing, seen, worn)
    if _holds(thing, worn) and (thing.high is None or known >= count):
        return _judged(thing, worn, said, sure)
    if worn + count - known < thing.low or (thing.high is not None and worn > thing.high):
        return fits_not(sure, said)
    return unsure(f"{said}, what {count - known} wear can't be told", is_open=False)


def _in_text(thing: Thing, seen: Observation) -> Finding:
    """Look for a thing in what a text says of a picture, by the rules that prompts are read by."""
    if not seen.is_told_only:
        return unsure("nobody has looked for things in the picture", is_open=False)
    named = list(_named(seen.text))
    there = [one for is_there, one in named if is_there and one.labels & thing.labels]
    absent = [one for is_there, one in named if not is_there and one.labels & thing.labels]
    if thing.colors:
        there = [one for one in there if one.colors & thing.colors]
    if not there:
        said = f"the text says that there is no {thing.noun}"
        if absent and not thing.colors:
            return _judged(thing, 0, said, _TOLD)
        return unsure(f"the text names no {thing.noun}", is_open=_is_plain(thing))
    count = sum(one.low for one in there)
    said = f"the text names {counted(count, thing)}"
    is_exact = all(one.high is not None for one in there)
    if (thing.high is None and count >= thing.low) or is_exact:
        return _judged(thing, count, said, _TOLD)
    return unsure(f"{said}, how many can't be told", is_open=False)


def _named(text: str) -> Iterator[tuple[bool, Thing]]:
    """Yield the things that a text names, and whether it says that they are there."""
    for sentence in _sentences(text[:_LONGEST_TEXT]):
        yield from _things(read_prompt(sentence).rule, is_there=True)


def _sentences(text: str) -> Sequence[str]:
    return [part for part in text.replace(";", ".").split(".") if part.strip()]


def _things(rule: Rule, *, is_there: bool) -> Iterator[tuple[bool, Thing]]:
    match rule:
        case Thing():
            yield is_there, rule
        case AllOf(parts):
            for part in parts:
                yield from _things(part, is_there=is_there)
        case NotSo(part):
            yield from _things(part, is_there=not is_there)
        case Became(part):  # `a man enters the shop`: he is there
            yield from _things(part, is_there=is_there)
        case _:
            return  # what has gone, or may be: its things are neither here nor not here
