"""How a prompt was understood, told to the one who wrote it."""

from __future__ import annotations

from typing import Literal

import attrs

from rtstream_async.local.domain.rules.reading import Reading
from rtstream_async.local.domain.rules.tree import (
    Light,
    Moving,
    Read,
    Rule,
    Spoken,
    Thing,
    Tint,
    is_denial,
    leaves,
)
from rtstream_async.local.domain.rules.wording import in_words

__all__ = ["Understanding", "understand"]

Means = Literal["rules", "similarity", "judge"]

_SEEN = (Light, Moving, Read, Thing, Tint)


@attrs.frozen
class Understanding:
    """What a prompt was understood as."""

    rule: Rule
    not_understood: tuple[str, ...]  #: the parts that no rule knows of
    decided_by: Means
    """`rules` where all was understood; else what it takes besides: `similarity`, or, for what
    likeness is blind for, a `judge`. A language model that can judge comes before similarity."""

    @property
    def words(self) -> str:
        """What the prompt asks for, in our words."""
        return in_words(self.rule)

    @property
    def note(self) -> str:
        """What the one who wrote the prompt should know."""
        words = f"Understood as: {self.words}."
        if self.decided_by == "rules":
            return words
        if self.decided_by == "similarity":
            return (
                f"{words} What is not understood is decided by a language model, when the server"
                " has one that judges, else by the likeness of the record's text to the prompt."
            )
        return (
            f"{words} Something is denied, which the likeness of texts can't tell: what is not"
            " understood takes a language model that judges."
        )

    def out_of_reach(self, *, is_heard: bool) -> str | None:
        """Return why an index can't tell what is asked for; `None` when it can.

        Args:
            is_heard: Whether the index listens; else it looks.
        """
        claims = list(leaves(self.rule))
        if not is_heard and claims and all(isinstance(claim, Spoken) for claim in claims):
            return "This index looks at pictures: nothing that is said comes to it."
        if is_heard and claims and all(isinstance(claim, _SEEN) for claim in claims):
            return "This index listens: nothing that can be seen comes to it."
        return None


def understand(reading: Reading) -> Understanding:
    """Return what a prompt was understood as."""
    unknown = reading.not_understood
    means: Means = "rules"
    if unknown:
        means = "judge" if is_denial(reading.rule) else "similarity"
    return Understanding(reading.rule, unknown, means)
