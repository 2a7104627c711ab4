"""Claims about what is said."""

from __future__ import annotations

import re

from rtstream_async.local.domain.rules.clause import (
    BE,
    DET,
    SCREEN,
    SUBJECT,
    WORDS,
    Clause,
    Understood,
    affirmed,
)
from rtstream_async.local.domain.rules.tree import NotSo, Rule, Spoken

__all__ = ["spoken"]

_LONGEST_SAYING = 3  # words that `says` may be followed by to be taken for the words themselves

_THE_SAYING = (
    r"(?:says?|said|saying|shouts?|shouting|yells?|announces?|utters?|states?|asks?|asking)"
)
_MENTION = r"(?:mentions?|mentioned|mentioning|names?)"
_TALKS = (
    r"(?:talks?|talked|talking|speaks?|spoke|speaking|chatting|discuss(?:es|ed|ing)?|"
    r"complains?|complaining|conversation|discussion)"
)
_SPEECH: tuple[tuple[re.Pattern[str], bool], ...] = (
    (re.compile(rf"(?:.* )?{_MENTION} (?P<what>.+)"), True),
    (re.compile(rf"(?:(?:.* )?{SUBJECT} )?(?:{BE} )?{_THE_SAYING} (?P<what>.+)"), True),
    (re.compile(rf"(?:{SUBJECT} )?(?:{BE} )?(?:hears?|heard) (?P<what>.+)"), True),
    (
        re.compile(
            rf"(?P<what>.+?) (?:{BE} )+(?:being )?"
            r"(?:said|mentioned|spoken|heard|uttered|named|talked about)"
        ),
        True,
    ),
    (
        re.compile(rf"(?:.* )?{_TALKS} (?:about|of|on|over) (?P<what>.+)"),
        False,
    ),
    (re.compile(r"(?:.* )?(?:discuss(?:es|ed|ing)?) (?P<what>.+)"), False),
    (re.compile(rf"(?P<what>.+?) (?:{BE} )+(?:being )?(?:discussed|addressed)"), False),
)
_TALKING = re.compile(
    rf"(?:{SUBJECT} )?(?:{BE} )?(?:speaks?|talks?|speaking|talking|speech|voices?|says anything"
    rf"|{DET} voice|a conversation)(?: (?:{BE} )?(?:heard|detected))?"
)
_SILENCE = re.compile(rf"(?:it )?(?:{BE} |falls )?(?:there )?(?:{BE} )?(?:silence|silent|quiet)")


def spoken(clause: Clause) -> Understood | None:
    """Read what is to be said."""
    if re.match(rf"{SCREEN} (?:says|reads|shows)\b", clause.text):
        return None
    negated, text = affirmed(clause.text)
    if _TALKING.fullmatch(text):
        rule: Rule = Spoken(text=None)
        return Understood(rule).denied(negated)
    if _SILENCE.fullmatch(text):
        rule = Spoken(text=None)
        return Understood(rule if negated else NotSo(rule))
    for pattern, is_literal in _SPEECH:
        found = pattern.fullmatch(text)
        if found is not None:
            said = _saying(clause, found["what"], is_literal)
            return Understood(said).denied(negated)
    return None


def _saying(clause: Clause, what: str, is_literal: bool) -> Spoken:
    bare = re.sub(rf"^(?:that |{DET} )*(?:{WORDS} )?(?:that )?", "", what)
    # What is left of `that something is down` is about what is said, and not the words.
    reported = re.match(r"that\b", what) is not None
    text = clause.words(re.sub(r"^(?:something|someone|somebody) (?:is|are|was) ", "", bare))
    quoted = any(clause.prompt.literal(word) is not None for word in what.split())
    named = re.match(rf"(?:{DET} )?{WORDS}\b", what) is not None
    short = len(text.split()) <= _LONGEST_SAYING
    return Spoken(
        text=text,
        is_phrase=quoted,
        is_literal=quoted or named or (is_literal and short and not reported),
    )
