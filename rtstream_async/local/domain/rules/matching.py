"""Words of a prompt in words that were read or heard."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rtstream_async.local.domain.rules.words import content, said_numbers, stem, tokens

__all__ = ["contains_phrase", "contains_words", "match_words"]

_EXACT = 0.95
_SCATTERED = 0.8  # all words were read, not one after the other
_MISREAD = 0.7  # a long word is off by one letter
_LONG = 6  # letters of a word in which one may be misread


def contains_phrase(text: str, phrase: str) -> bool:
    """Return whether the words of a phrase follow one another in a text, whatever their endings."""
    return _run(_stems(text), _stems(phrase))


def contains_words(text: str, words: str) -> bool:
    """Return whether all words that carry a meaning are in a text, whatever their endings."""
    wanted = {stem(word) for word in said_numbers(content(words))} - {""}
    return bool(wanted) and wanted <= set(_stems(text))


def match_words(text: str, phrase: str) -> float | None:
    """Return how sure (0-1) it is that a phrase is among words that were read; `None`: it isn't.

    A reader of pictures loses narrow blanks and takes a letter for another now and then, so what
    has no letters or digits between it is compared without its blanks as well.
    """
    read, wanted = tokens(text), tokens(phrase)
    if not wanted:
        return _EXACT if _squeezed(phrase) and _squeezed(phrase) in _squeezed(text) else None
    if _run(read, wanted):
        return _EXACT
    if len(wanted) > 1 and "".join(wanted) in "".join(read):
        return _EXACT
    if len(wanted) > 1 and set(wanted) <= set(read):
        return _SCATTERED
    if all(any(_nearly(word, other) for other in read) for word in wanted):
        return _MISREAD
    return None


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text.casefold())


def _stems(text: str) -> list[str]:
    return [stem(word) for word in said_numbers(tokens(text))]


def _run(words: Sequence[str], wanted: Sequence[str]) -> bool:
    """Return whether `wanted` stands in `words`, without anything between."""
    length = len(wanted)
    starts = range(len(words) - length + 1) if length else ()
    return any(list(words[at : at + length]) == list(wanted) for at in starts)


def _nearly(word: str, read: str) -> bool:
    """Return whether a word is the same, or a long one off by one letter."""
    if word == read:
        return True
    if min(len(word), len(read)) < _LONG or abs(len(word) - len(read)) > 1:
        return False
    same = next((n for n, (a, b) in enumerate(zip(word, read, strict=False)) if a != b), None)
    at = min(len(word), len(read)) if same is None else same
    tails = (
        (word[at + 1 :], read[at + 1 :]),
        (word[at + 1 :], read[at:]),
        (word[at:], read[at + 1 :]),
    )
    return any(one == other for one, other in tails)
