"""How much of what was said was heard: the word error rate."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["words_of", "wrong_words"]

_WORD = re.compile(r"[a-z0-9']+")


def words_of(text: str) -> list[str]:
    """Return the words of `text`, without case and punctuation."""
    return _WORD.findall(text.lower())


def wrong_words(said: Sequence[str], heard: Sequence[str]) -> int:
    """Return how many words must be put in, left out or replaced to make one from the other.

    Over the number of words that were said, this is the word error rate.
    """
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, start=1):
        before, row[0] = row[0], number
        for place, other in enumerate(heard, start=1):
            cheapest = min(row[place] + 1, row[place - 1] + 1, before + (word != other))
            before, row[place] = row[place], cheapest
    return row[-1]
