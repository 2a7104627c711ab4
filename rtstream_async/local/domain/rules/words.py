"""English text as plain lower-case words, quotations apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import attrs

__all__ = [
    "NEGATIONS",
    "Plain",
    "content",
    "number_of",
    "plain",
    "said_numbers",
    "singular",
    "stem",
    "tokens",
]

NEGATIONS = frozenset(
    {"no", "not", "never", "nobody", "none", "nothing", "neither", "nor", "without", "zero"}
)

_QUOTED = re.compile(
    r"\"([^\"]+)\"|\u201c([^\u201d]+)\u201d|\u00ab([^\u00bb]+)\u00bb"
    r"|(?<!\w)['\u2018\u201a]([^'\u2018\u2019]+)['\u2019\u2018](?!\w)"
)
_WORD = re.compile(r"[^\W_]+(?:[.:'/-][^\W_]+)*%?|[,;+]")
_SHOUTED = re.compile(r"\b(?:[A-Z][A-Z0-9]{2,}|[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+)+)\b")
_CONTRACTED = {"can't": "can not", "cannot": "can not", "won't": "will not"}
_SIGNS = {
    ">=": "at least",
    "\u2265": "at least",
    "<=": "at most",
    "\u2264": "at most",
    ">": "more than",
    "<": "fewer than",
}
_SIGN = re.compile(r">=|<=|[<>\u2264\u2265]")
_NOBODY = re.compile(r"\bno one\b|\bno-one\b")
_IRREGULAR = {
    "buses": "bus",
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "kitties": "kitty",
    "knives": "knife",
    "men": "man",
    "mice": "mouse",
    "people": "person",
    "persons": "person",
    "policemen": "policeman",
    "puppies": "puppy",
    "skis": "skis",
    "women": "woman",
}
_ES = ("ches", "shes", "xes", "sses", "zes")

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBERS = {
    **{word: value for value, word in enumerate(_SMALL)},
    **{word: 10 * value for value, word in enumerate(_TENS, start=2)},
    "dozen": 12,
    "hundred": 100,
}
_LARGEST = 999_999

_SUFFIXES = ("ingly", "ings", "ing", "edly", "ed", "es", "s", "e")
_SHORTEST_STEM = 3  # letters
_STOP_TEXT = """
    a about an and any are as at be been being but by can could did do does for from had has have
    he her hers him his i in into is it its me my of off on onto or our she so some somebody someone
    something that the their them then there these they this those to us was we were what when which
    while who will with would you your
"""
_STOP_WORDS = frozenset(_STOP_TEXT.split())


@attrs.frozen
class Plain:
    """A text in lower case, one blank between words, each quotation as `q0`, `q1`, ..."""

    text: str
    literals: tuple[str, ...]

    def literal(self, token: str) -> str | None:
        """Return the words behind a token `q0`, or `None` when it is no such token."""
        number = token.removeprefix("q")
        if number == token or not number.isdecimal():
            return None
        return self.literals[int(number)] if int(number) < len(self.literals) else None


def plain(text: str, *, is_known: Callable[[str], bool] = lambda _: False) -> Plain:
    """Return a text as plain words; what is quoted is literal.

    So is what is SHOUTED or written LikeThis, in a text that is not shouted as a whole, unless it
    `is_known` (in lower case) for a word of the language: `alert me when a DOG appears`.
    """
    literals: list[str] = []

    def keep(found: str) -> str:
        literals.append(" ".join(found.split()))
        return f" q{len(literals) - 1} "

    free = _QUOTED.sub(lambda match: keep(next(filter(None, match.groups()))), text)
    if not free.isupper():
        free = _SHOUTED.sub(
            lambda match: match[0] if is_known(match[0].lower()) else keep(match[0]), free
        )
    free = _SIGN.sub(lambda match: f" {_SIGNS[match[0]]} ", free)
    lowered = _NOBODY.sub("nobody", free.lower().replace("\u2019", "'"))
    return Plain(" ".join(_expanded(_WORD.findall(lowered))), tuple(literals))


def tokens(text: str) -> list[str]:
    """Return the words of a text in lower case, as they are compared."""
    return [word.strip("'") for word in re.findall(r"[^\W_]+(?:'[^\W_]+)?", text.casefold())]


def content(text: str) -> list[str]:
    """Return the stems of the words that carry a text's meaning."""
    return [stem(word) for word in tokens(text) if word not in _STOP_WORDS]


def singular(word: str) -> str:
    """Return the singular of a noun, as far as English is regular."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > len("ties"):
        return f"{word[:-3]}y"
    if word.endswith(_ES):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def stem(word: str) -> str:
    """Cut an English ending off, roughly: only like with like is compared."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM:
            return word.removesuffix(suffix)
    return word


def number_of(word: str) -> int | None:
    """Return the number that a word or digits stand for."""
    if word.isdecimal() and word.isascii():
        return min(int(word[:7]), _LARGEST)
    return _NUMBERS.get(word)


def said_numbers(words: Iterable[str]) -> list[str]:
    """Return words with numbers below a hundred as digits: `ninety`, `two` is `92`."""
    found: list[str] = []
    open_tens = False
    for word in words:
        value = _NUMBERS.get(word)
        if value is None or word in ("dozen", "hundred"):
            found.append(word)
            open_tens = False
        elif open_tens and 0 < value < 10:  # noqa: PLR2004 - the ones
            found[-1] = str(int(found[-1]) + value)
            open_tens = False
        else:
            found.append(str(value))
            open_tens = word in _TENS
    return found


def _expanded(words: Sequence[str]) -> Iterable[str]:
    for word in words:
        if word in _CONTRACTED:
            yield from _CONTRACTED[word].split()
        elif word.endswith("n't"):
            yield from (word.removesuffix("n't"), "not")
        elif "'" in word:
            head, _, tail = word.partition("'")
            yield from (head, "is") if tail == "s" and head in _IS_AFTER else (head,)
        else:
            yield word


_IS_AFTER = frozenset({"there", "that", "it", "who", "here", "somebody", "someone", "nobody"})
