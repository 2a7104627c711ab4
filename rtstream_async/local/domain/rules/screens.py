"""Claims about what a screen shows: words, errors, how something ended, what is open."""

from __future__ import annotations

import itertools
import re

import attrs

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
from rtstream_async.local.domain.rules.tree import AllOf, Became, Outcome, OutcomeKind, Read, Rule
from rtstream_async.local.domain.rules.vocabulary import noun_of

__all__ = ["read"]


_ON_SCREEN = re.compile(
    rf"\b(?:{BE}|appears?|appeared|appearing|pops? up|popped up|comes? up|shows? up|showed up|"
    r"shown|displayed|displays|visible|written|readable|read|seen|seeing|printed|contains?|"
    rf"says|reads|shows|{WORDS}|on (?:the |a )?(?:screen|display|monitor|terminal|page)|"
    r"on-screen|onscreen|(?:the |a )?(?:screen|display|monitor|terminal|page|window)|"
    rf"in (?:the |a )?(?:picture|frame|image|video)|occurs?|happens?|there|{DET})\b"
)
_APPEARS = re.compile(r"\b(?:appear(?:s|ed|ing)?|pop(?:s|ped)? up|c[oa]mes? up|show(?:s|ed)? up)\b")
_NAMED_WORDS = re.compile(
    rf"(?:{DET} )*{WORDS} (?P<what>.+?) (?P<verb>(?:{BE} |appears?|appeared|pops? up|shows? up|"
    r"comes? up|on (?:the |a )?(?:screen|display|page)).*)"
)
_SCREEN_SAYS = re.compile(rf"{SCREEN} (?:says|reads) (?P<what>.+)")
_SHOWN = (
    _SCREEN_SAYS,
    re.compile(rf"{SCREEN} (?:shows|displays|is showing|is displaying|contains) (?P<what>.+)"),
    re.compile(rf"(?P<what>.+?) (?:{BE} )?(?:shown |displayed |visible )?on {SCREEN}"),
    re.compile(rf"(?P<what>.+?) {BE} (?:shown|displayed|written|readable|read)"),
)
_APP = r"(?:app|application|program|software|browser|tab|window)"
_OPENS = r"(?:opens?|opened|opening|launch(?:es|ed|ing)?|switch(?:es|ed)? to|brings? up|brought up)"
_NAME = rf"(?P<what>(?!{DET} |nothing|something)[^ ]+(?: [^ ]+){{0,2}}?)"
_IN_FRONT = (
    r"(?:opened|open|launched|active|in front|in the foreground|"
    r"(?:comes?|came) to the (?:front|foreground))"
)
# A name has no article, unless it is said to be a program's: `the door is open` is about a door.
_OPENED = (
    re.compile(rf"(?:{SUBJECT} )?(?:has |is )?{_OPENS} (?:the )?{_NAME} {_APP}"),
    re.compile(rf"(?:{SUBJECT} )?(?:has |is )?{_OPENS} {_NAME}"),
    re.compile(rf"(?:the )?{_NAME} {_APP} (?:{BE} )?{_IN_FRONT}"),
    re.compile(rf"{_NAME} (?:{BE} )?{_IN_FRONT}"),
)
_TO_FRONT = re.compile(r"\bc[oa]mes? to the\b")

_RUN = (
    r"(?:tests?|builds?|jobs?|deploy|deploys|deployments?|pipelines?|checks?|logins?|log-in|sign-in|"
    r"payments?|compilation|uploads?|downloads?|commands?|backups?|transactions?|installation|"
    r"updates?|export|import|request|connection|authentication|everything|it)"
)
_FAILED = (
    r"(?:failed|fails?|failing|failure|crashed|crashes|rejected|denied|refused|aborted|broken)"
)
_PASSED = r"(?:passed|pass|passes|succeeded|succeeds?|successful(?:ly)?|completed?|finished)"
_HAS = r"(?:(?:has|have|had|is|are|was|were|been|being|just|all) )*"
_ENDINGS: dict[OutcomeKind, tuple[re.Pattern[str], ...]] = {
    OutcomeKind.FAILURE: (
        re.compile(rf"\b(?:{DET} )?(?:\w+ )?{_RUN} {_HAS}{_FAILED}\b"),
        re.compile(rf"\b(?:{DET} )?{_FAILED} {_RUN}\b"),
    ),
    OutcomeKind.SUCCESS: (
        re.compile(rf"\b(?:(?:all|{DET}) )*(?:\w+ )?{_RUN} {_HAS}{_PASSED}\b"),
        re.compile(rf"\b(?:{DET} )?(?:successful|passing|passed) {_RUN}\b"),
        re.compile(rf"\b(?:{DET} )?success message\b"),
    ),
}
_ERROR = re.compile(
    rf"\b(?:{DET} )?(?:error|exception|failure|crash|stack trace|traceback)s?"
    r"(?: (?:messages?|dialogs?|popups?|box|screens?|pages?|windows?|texts?|codes?|logs?))?\b"
)


def read(clause: Clause) -> Understood | None:
    """Read which words are to be on the screen."""
    negated, text = affirmed(clause.text)
    for reader in (_ending, _error, _quoted, _named_words, _shown, _opened):
        understood = reader(attrs.evolve(clause, text=text))
        if understood is not None:
            return understood.denied(negated)
    return None


def _ending(clause: Clause) -> Understood | None:
    for kind, patterns in _ENDINGS.items():
        for pattern in patterns:
            found = pattern.search(clause.text)
            if found is not None:
                rest = _ON_SCREEN.sub(" ", clause.without(found))
                return Understood(Outcome(kind=kind), rest.strip())
    return None


def _error(clause: Clause) -> Understood | None:
    found = _ERROR.search(clause.text)
    if found is None:
        return None
    rule = Outcome(kind=OutcomeKind.FAILURE)
    rest = clause.without(found)
    return _perhaps_new(rule, rest)


def _quoted(clause: Clause) -> Understood | None:
    literals = [word for word in clause.text.split() if clause.prompt.literal(word) is not None]
    if not literals:
        return None
    parts = tuple(Read(text=clause.words(word)) for word in literals)
    rest = " ".join(word for word in clause.text.split() if word not in literals)
    return _perhaps_new(parts[0] if len(parts) == 1 else AllOf(parts), rest)


def _perhaps_new(rule: Rule, rest: str) -> Understood:
    """Return a claim about words, new ones when they are to appear; the rest without its verbs."""
    is_new = _APPEARS.search(rest) is not None
    return Understood(Became(rule) if is_new else rule, _ON_SCREEN.sub(" ", rest).strip())


def _named_words(clause: Clause) -> Understood | None:
    found = _NAMED_WORDS.fullmatch(clause.text)
    if found is None:
        return None
    return _perhaps_new(Read(text=found["what"]), found["verb"])


def _shown(clause: Clause) -> Understood | None:
    for pattern in _SHOWN:
        found = pattern.fullmatch(clause.text)
        if found is not None and _names_words(found["what"]):
            what = re.sub(rf"^(?:{DET} )+", "", found["what"])
            return Understood(Read(text=what, is_literal=found.re is _SCREEN_SAYS))
    return None


def _opened(clause: Clause) -> Understood | None:
    for pattern in _OPENED:
        found = pattern.fullmatch(clause.text)
        if found is not None and _names_words(found["what"]):
            what = clause.words(found["what"])
            is_new = _TO_FRONT.search(clause.text) is not None
            return Understood(Became(Read(text=what)) if is_new else Read(text=what))
    return None


def _names_words(text: str) -> bool:
    """Return whether a text may stand on a screen: it names no thing that can be seen."""
    words = re.sub(rf"^(?:{DET} )+", "", text).split()
    pairs = [" ".join(pair) for pair in itertools.pairwise(words)]
    return "nothing" not in words and not any(noun_of(name) for name in (*words, *pairs))
