"""Whether an observation fits a claim about words, light, movement or colour."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from rtstream_async.local.domain.rules.finding import Finding, fits, fits_not, unsure
from rtstream_async.local.domain.rules.matching import contains_phrase, contains_words, match_words
from rtstream_async.local.domain.rules.observation import Observation
from rtstream_async.local.domain.rules.tree import (
    Light,
    LightKind,
    Moving,
    Outcome,
    OutcomeKind,
    Read,
    Spoken,
    Tint,
    Unknown,
)
from rtstream_async.local.domain.rules.words import NEGATIONS, content, tokens

__all__ = [
    "find_light",
    "find_moving",
    "find_outcome",
    "find_read",
    "find_spoken",
    "find_tint",
    "find_unknown",
]

_NOT_READ = 0.8  # that words that were not read are not there
_NOT_HEARD = 0.85  # that words that were not heard were not said
_MEASURED = 0.9  # that what was measured in the pixels is so
_LITERAL = 0.75  # that what a prompt says is so where just these words stand
_TOLD = 0.7  # that what a text says is so

#: Bounds of the mean brightness, 0-1, as in the texts of the offline engine.
_LIGHTS = {
    LightKind.DARK: (0.0, 0.28),
    LightKind.VERY_DARK: (0.0, 0.10),
    LightKind.OUT: (0.0, 0.12),
    LightKind.BRIGHT: (0.75, 1.0),
    LightKind.TOO_BRIGHT: (0.88, 1.0),
}
_BLANK_CONTRAST = 0.02  # 0-0.5; an empty screen
_FEW_WORDS = 2  # more words than these in the dark stand on a screen, which is lit

_FAILED = re.compile(
    r"(?<!\b0 )(?<!\bno )\b(?:\w*errors?(?! rate)|\w*exception|fail(?:ed|s|ures?|ing)?|fatal|"
    r"denied|rejected|refused|traceback|aborted|crash(?:ed)?|unavailable|invalid|declined|"
    r"timed out|not found)\b",
    re.IGNORECASE,
)
_PASSED = re.compile(
    r"\b(?:passed|success(?:ful(?:ly)?)?|succeeded|completed?|done|finished|ok|approved)\b",
    re.IGNORECASE,
)
_COUNTER = re.compile(r"\berrors\b(?!:)", re.IGNORECASE)  # a figure's name: `Errors 37`
_IN_TEXT = {
    LightKind.DARK: re.compile(r"\b(?:dark(?:ness)?|night|dim(?:ly)?|black picture)\b"),
    LightKind.VERY_DARK: re.compile(r"\b(?:very dark|darkness|pitch)\b"),
    LightKind.OUT: re.compile(r"\b(?:very dark|darkness|lights? (?:is|are|went|go) (?:out|off))\b"),
    LightKind.BRIGHT: re.compile(r"\b(?:bright|brightly|sunny|daylight)\b"),
    LightKind.TOO_BRIGHT: re.compile(r"\b(?:too bright|overexposed)\b"),
}


def find_read(claim: Read, seen: Observation) -> Finding:
    """Return whether words can be read."""
    if seen.spoken is not None:
        return fits_not(_MEASURED, "nothing can be read in what was heard")
    return _told(claim, seen) if seen.is_told_only else _read(claim, seen)


def _told(claim: Read, seen: Observation) -> Finding:
    if contains_phrase(seen.text, claim.text):
        return fits(_TOLD, f"the text has the words “{claim.text}”")
    return unsure(f"the text does not have the words “{claim.text}”", is_open=False)


def _read(claim: Read, seen: Observation) -> Finding:
    lines = seen.lines or ()
    found = match_words(" ".join(lines), claim.text)
    if found is not None:
        return fits(found, f"the words “{claim.text}” can be read")
    said = f"the words “{claim.text}” can't be read"
    if not claim.is_literal:
        return unsure(said, is_open=True)
    if seen.lines is None or not (seen.is_all_read or lines):
        return unsure("the words in the picture were not read", is_open=False)
    return fits_not(_NOT_READ if seen.is_all_read else _NOT_READ / 2, said)


def find_outcome(claim: Outcome, seen: Observation) -> Finding:
    """Return whether a screen, or somebody, tells that something failed, or did not."""
    told = seen.text if seen.is_told_only else seen.spoken
    lines = (seen.lines or ()) if told is None else (told,)
    failed = [line for line in lines if _FAILED.search(_COUNTER.sub(" ", line))]
    passed = [line for line in lines if _PASSED.search(line)]
    wanted = failed if claim.kind is OutcomeKind.FAILURE else [] if failed else passed
    if wanted:
        verb = "can be read" if seen.lines else "is told" if seen.spoken is None else "was said"
        return fits(_LITERAL, f"“{_short(wanted[0])}” {verb}")
    said = f"nothing tells of {claim.kind.value}"
    if failed:
        said = f"{said}, but “{_short(failed[0])}”"
    if seen.is_told_only:
        return unsure(said, is_open=False)
    return fits_not(_NOT_READ, said)


def find_spoken(claim: Spoken, heard: Observation) -> Finding:
    """Return whether words were said."""
    if heard.spoken is None:
        return fits_not(_MEASURED, "nothing can be heard in a picture")
    if claim.text is None:
        if heard.spoken.strip():
            return fits(_MEASURED, f"somebody says “{_short(heard.spoken)}”")
        return fits_not(_NOT_HEARD, "nobody was heard")
    contains = contains_phrase if claim.is_phrase else contains_words
    if contains(heard.spoken, claim.text):
        return fits(_MEASURED, f"the words “{claim.text}” were said")
    said = f"the words “{claim.text}” were not heard"
    return fits_not(_NOT_HEARD, said) if claim.is_literal else unsure(said, is_open=True)


def find_light(claim: Light, seen: Observation) -> Finding:
    """Return whether the picture is so light."""
    if seen.brightness is None:
        return _by_text(_IN_TEXT[claim.kind], seen, f"the picture is {claim.kind.value}")
    low, high = _LIGHTS[claim.kind]
    said = f"the mean brightness is {seen.brightness:.0%}"
    words = len(tokens(" ".join(seen.lines or ())))
    if claim.kind is LightKind.OUT and words > _FEW_WORDS:
        return fits_not(_MEASURED, f"{said}, and there are words on a lit screen")
    if low <= seen.brightness <= high:
        return fits(_MEASURED, f"{said}, which is {claim.kind.value}")
    return fits_not(_MEASURED, f"{said}, which is not {claim.kind.value}")


def find_moving(claim: Moving, seen: Observation) -> Finding:
    """Return whether so much of the picture changes from frame to frame."""
    if seen.change is None:
        return unsure("how much of the picture changes is not known", is_open=seen.is_told_only)
    said = f"{seen.change:.1%} of the picture changes from frame to frame"
    holds = seen.change >= claim.share
    return fits(_MEASURED, said) if holds else fits_not(_MEASURED, said)


def find_tint(claim: Tint, seen: Observation) -> Finding:
    """Return whether the picture is mostly of one colour; black and white only when it is blank."""
    if seen.colors is None:
        return _by_text(re.compile(rf"\b{claim.color}\b"), seen, f"the picture is {claim.color}")
    said = f"the picture is mostly {seen.colors[0]}"
    is_blank = seen.contrast is not None and seen.contrast < _BLANK_CONTRAST
    if seen.colors[0] == claim.color and (is_blank or claim.color not in ("black", "white")):
        return fits(_MEASURED, said)
    return fits_not(_MEASURED, said)


def find_unknown(claim: Unknown, seen: Observation) -> Finding:
    """Return whether just these words stand in what was read, heard or told."""
    wanted = content(claim.text)
    denials = _denials(claim.text)
    for text in _texts(seen):
        if len(wanted) > 1 and contains_words(text, claim.text) and _denials(text) == denials:
            return fits(_LITERAL, f"“{_short(text)}” says so")
    return unsure(f"no rule knows “{claim.text}”", is_open=True)


def _texts(seen: Observation) -> Sequence[str]:
    if seen.spoken is not None:
        return (seen.spoken,)
    if seen.is_told_only:
        return (seen.text,)
    lines = seen.lines or ()
    # A line may be broken where the screen was too narrow.
    return (*lines, *(f"{one} {other}" for one, other in itertools.pairwise(lines)))


def _by_text(pattern: re.Pattern[str], seen: Observation, claim: str) -> Finding:
    if seen.is_told_only and pattern.search(seen.text.lower()):
        return fits(_TOLD, f"the text says that {claim}")
    return unsure(f"whether {claim} is not known", is_open=seen.is_told_only)


def _denials(text: str) -> frozenset[str]:
    return NEGATIONS & frozenset(tokens(text.replace("n't", " not")))


_SHOWN = 80  # characters of a quotation


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN].rsplit(' ', 1)[0]} …"
