"""One clause of a prompt, and what the readers of clauses share."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from rtstream_async.local.domain.rules.tree import NotSo, Rule
from rtstream_async.local.domain.rules.words import Plain

__all__ = ["BE", "DET", "SCREEN", "SUBJECT", "WORDS", "Clause", "Reader", "Understood", "affirmed"]

BE = r"(?:is|are|was|were|be|being|been|gets?|has been|have been|can be)"
DET = r"(?:the|an?|this|that|any|some|its?)"
SUBJECT = (
    r"(?:someone|somebody|anyone|anybody|a person|people|persons|person|the speaker|a speaker|"
    r"speaker|they|he|she|a man|a woman|man|woman|a participant|user|the user|a user|nobody)"
)
SCREEN = (
    r"(?:(?:the|a|this|my)? ?(?:computer |phone |tv )?"
    r"(?:screen|display|monitor|terminal|console|page|window|sign|banner|dialog|app|slide|log))"
)
WORDS = r"(?:words?|texts?|phrase|message|title|label|caption|headline|number|name|string|button)"

_NOT = re.compile(
    r"\b(?:(?:do|does|did) not|no longer|not any|not|no|never|nobody|without(?: any)?)\b"
)
_THERE_IS = re.compile(r"^(?:there (?:is|are|was) )")


@attrs.frozen
class Clause:
    """A clause of plain text (see `words.plain()`), and the prompt that it is from."""

    text: str
    prompt: Plain

    def words(self, text: str) -> str:
        """Return plain text with its quotations in their place."""
        return " ".join(self.prompt.literal(word) or word for word in text.split())

    def without(self, found: re.Match[str]) -> str:
        """Return what is left of the text without what a pattern has found in it."""
        return " ".join(f"{self.text[: found.start()]} {self.text[found.end() :]}".split())


@attrs.frozen
class Understood:
    """What was understood of a clause."""

    rule: Rule
    rest: str = ""  #: what is left over

    def denied(self, is_denied: bool) -> Understood:
        """Return the same, or its opposite."""
        return attrs.evolve(self, rule=NotSo(self.rule)) if is_denied else self


Reader = Callable[[Clause], Understood | None]
"""Takes a clause and gives what it has understood of it, or `None`."""


def affirmed(text: str) -> tuple[bool, str]:
    """Return whether a clause is denied, and what it denies or says."""
    denials = len(_NOT.findall(text))
    bare = " ".join(_NOT.sub(" ", text).split()) if denials % 2 else text
    return bool(denials % 2), _THERE_IS.sub("", bare)
