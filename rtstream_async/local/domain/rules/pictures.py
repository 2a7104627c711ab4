"""Claims about the picture as a whole: light, movement, colour, and that nobody is there."""

from __future__ import annotations

import re

from rtstream_async.local.domain.rules.clause import BE, Clause, Understood, affirmed
from rtstream_async.local.domain.rules.tree import (
    Became,
    Ceased,
    Light,
    LightKind,
    Moving,
    NotSo,
    Rule,
    Thing,
    Tint,
)
from rtstream_async.local.domain.rules.vocabulary import COLORS, PERSON

__all__ = ["CHANGES", "CHANGES_ALL", "MOVES", "empty", "light", "moving", "tint"]

MOVES = 0.003
"""The share (0-1) of the picture that differs from frame to frame when something moves."""
CHANGES = 0.02
"""The same when the picture, or what a screen shows, changes."""
CHANGES_ALL = 0.7
"""The same when it changes completely."""

_PICTURE = (
    r"(?:(?:the|a|my|this|whole|entire|computer) )*"
    r"(?:picture|image|screen|display|scene|room|camera|frame|video|footage|view|street|area|place|"
    r"office|house|monitor|feed|tv|it|everything)"
)
_TURNS = r"(?:goes|go|gets?|turns?|becomes?|went|got|turned|became|going|getting|is getting)"
_VERY = r"(?:very|too|completely|totally|almost|pitch|extremely|so)"


def _lit(pattern: str, rule: Rule) -> tuple[re.Pattern[str], Rule]:
    return re.compile(pattern), rule


_OUT = Became(Light(kind=LightKind.OUT))
_LIGHTS = (
    _lit(r"(?:the |all |all the )?lights? (?:\w+ )?(?:\w+ )?(?:out|off)(?: .*)?", _OUT),
    _lit(r"(?:\w+ )?(?:turns?|switch(?:es)?) (?:off|out) (?:the |all |all the )?lights?", _OUT),
    _lit(r"(?:\w+ )?(?:turns?|switch(?:es)?) (?:the )?lights? (?:off|out)", _OUT),
    _lit(rf"{_PICTURE} {_TURNS} (?:{_VERY} )?(?:dark|black)", _OUT),
    _lit(r"(?:a |the )?(?:blackout|power (?:cut|outage|failure))", _OUT),
    _lit(
        r"(?:the |all |all the )?lights? (?:\w+ )?(?:\w+ )?(?:back )?on(?: again)?",
        Ceased(Light(kind=LightKind.DARK)),
    ),
    _lit(rf"{_PICTURE} {_TURNS} (?:{_VERY} )?(?:light|bright)", Ceased(Light(kind=LightKind.DARK))),
    _lit(
        rf"(?:{_PICTURE} )?(?:{BE} )?(?:very|too|completely|totally|pitch) (?:dark|black)"
        rf"(?: {_PICTURE})?(?: to see(?: .*)?)?",
        Light(kind=LightKind.VERY_DARK),
    ),
    _lit(
        rf"(?:a |the )?(?:{_PICTURE} )?(?:{BE} )?(?:dark(?:ness)?|dim|dimly lit|night)"
        rf"(?: {_PICTURE}| in {_PICTURE}| outside)?",
        Light(kind=LightKind.DARK),
    ),
    _lit(
        rf"(?:{_PICTURE} )?(?:{BE} )?(?:(?:too|very) bright|overexposed|over-exposed|blown out|"
        rf"dazzling|glare)(?: {_PICTURE})?",
        Light(kind=LightKind.TOO_BRIGHT),
    ),
    _lit(
        rf"(?:a |the )?(?:{_PICTURE} )?(?:{BE} )?(?:bright|brightly lit|light|daylight)"
        rf"(?: {_PICTURE}| outside)?",
        Light(kind=LightKind.BRIGHT),
    ),
)

_SOMETHING = r"(?:something|anything|some thing|objects?|an object|things?|things)"
_MOVED = r"(?:moves?|moving|moved|happens?|happening|is going on)"
_STILL = NotSo(Moving(share=MOVES))
_MOTIONS = (
    _lit(rf"{_SOMETHING} (?:{BE} )?{_MOVED}(?: in {_PICTURE})?", Moving(share=MOVES)),
    _lit(
        rf"(?:any |some |a )?(?:motion|movement|activity)s?(?: (?:{BE} )?(?:detected|seen|visible|"
        r"there|occurs))?(?: (?:in|at|on|near|for|by|behind|outside|inside|around) .*)?",
        Moving(share=MOVES),
    ),
    _lit(rf"nothing (?:{BE} )?{_MOVED}(?: in {_PICTURE})?", _STILL),
    _lit(rf"nothing (?:{BE} )?(?:changes?|changing|changed)(?: .*)?", NotSo(Moving(share=MOVES))),
    _lit(
        rf"{_PICTURE} (?:{BE} |stays |remains )?(?:still|static|frozen|freezes|motionless|"
        r"unchanged|stuck)",
        _STILL,
    ),
    _lit(
        rf"{_PICTURE} (?:{BE} )?(?:changes?|changing|changed) (?:completely|entirely|totally)",
        Moving(share=CHANGES_ALL),
    ),
    _lit(r"(?:a |the )?(?:scene|camera) (?:cut|change)", Moving(share=CHANGES_ALL)),
    _lit(
        rf"(?:{_PICTURE}|something) (?:{BE} )?(?:changes?|changing|changed|updates?|updated)",
        Moving(share=CHANGES),
    ),
)

_COLOR = rf"(?P<color>{'|'.join(COLORS)})"
_TINTS = (
    re.compile(rf"{_PICTURE} (?:{BE} |{_TURNS} )+(?:{_VERY} |all |mostly )?{_COLOR}"),
    re.compile(rf"(?:an? |the )?{_COLOR} (?:screen|picture|image|display|frame)(?: {BE} \w+)?"),
)
_PLACE = (
    r"(?:(?:the|a|my|this|whole|entire) )*(?:room|street|area|place|office|house|scene|road|shop|"
    r"store|hall|hallway|parking lot|parking|lobby|kitchen|corridor|garage|building|yard|garden)"
)
_EMPTY = re.compile(
    rf"\b(?:{_PLACE} {BE} (?:not )?(?:now )?(?:empty|deserted|vacant|unoccupied)|"
    rf"(?:an? |the )?(?:empty|deserted|vacant) {_PLACE})"
)


def light(clause: Clause) -> Understood | None:
    """Read how light the picture is to be."""
    negated, text = affirmed(clause.text)
    for pattern, rule in _LIGHTS:
        if pattern.fullmatch(text):
            return Understood(rule).denied(negated)
    return None


def moving(clause: Clause) -> Understood | None:
    """Read whether the picture is to change."""
    negated, text = affirmed(clause.text)
    for pattern, rule in _MOTIONS:
        if pattern.fullmatch(text):
            return Understood(rule).denied(negated)
    return None


def tint(clause: Clause) -> Understood | None:
    """Read which colour the whole picture is to have."""
    negated, text = affirmed(clause.text)
    for pattern in _TINTS:
        found = pattern.fullmatch(text)
        if found is None:
            continue
        rule: Rule = Tint(color=COLORS[found["color"]])
        if re.search(r"\b(?:turn|go|become)", text):
            rule = Became(rule)
        return Understood(rule).denied(negated)
    return None


def empty(clause: Clause) -> Understood | None:
    """Read that nobody is to be there."""
    found = _EMPTY.search(clause.text)
    if found is None:
        return None
    somebody = Thing(noun="person", plural="people", labels=frozenset({PERSON}))
    is_not_so = re.search(r"\bnot\b", clause.text) is not None
    rest = " ".join(re.sub(r"\bnot\b", " ", clause.without(found)).split())
    return Understood(somebody if is_not_so else NotSo(somebody), rest)
