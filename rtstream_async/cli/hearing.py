"""How much of what was said was heard: the word error rate."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["words_of", "wrong_words"]

_WORD = re.compile(r"[a-z0-9']+|%")
_LOW = "zero one two three four five six seven eight nine ten eleven twelve"
_TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_ONES = (*_LOW.split(" "), *_TEENS.split(" "))
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def words_of(text: str) -> list[str]:
    """Return the words of `text`, without case and punctuation.

    Numbers below a hundred are spelled out, and so is the percent sign: an engine that hears
    "thirty seven" and writes 37 has heard it well.
    """
    return [spoken for word in _WORD.findall(text.lower()) for spoken in _spoken(word)]


def _spoken(word: str) -> list[str]:
    if word == "%":
        return ["percent"]
    if not word.isdecimal() or len(word) > 2:  # noqa: PLR2004 - digits
        return [word]
    number = int(word)
    if number < len(_ONES):
        return [_ONES[number]]
    tens, ones = divmod(number, 10)
    return [_TENS[tens - 2], *([_ONES[ones]] if ones else [])]


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
