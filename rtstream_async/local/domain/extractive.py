"""Chooses the sentences that say most of what a text says: LexRank, biased to a question.

A sentence counts by how much it has in common with the others, weighed by how much those count
(Erkan and Radev, "LexRank", 2004), and by the words that it shares with the question. Nothing is
worded anew, so nothing is said that was not said.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["choose", "sentences", "words"]

_Vector = Mapping[str, float]

_END = re.compile(
    r"(?<=[.!?\u2026])[\"'\u201d\u2019\u00bb)\]]*\s+|(?<=[\u3002\uff01\uff1f])\s*|\n+"
)  # the escapes: an ellipsis, closing quotes, and the ends of sentences in Chinese and Japanese
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:mr|mrs|ms|dr|prof|st|no|vs|e\.g|i\.e|[a-z])\.$", re.IGNORECASE
)
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+(?:['\u2019][^\W_]+)*")
_SUFFIXES = ("ingly", "edly", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s", "e", "y")
_SHORTEST_STEM = 3  # letters
_STEPS = 30  # of the power iteration; the order stands after ten
_JUMP = 0.15  # share of a sentence's weight that comes from the question, or evenly
_JUMP_ASKED = 0.6  # with a question that some sentence answers
_ALIKE = 0.6  # cosine from which a sentence says what another said
_MOST = 5  # sentences

_STOP_TEXT = """
    a about after all also am an and any are as at be because been before being but by can could did
    do does doing don't for from had has have having he her here hers him his how i i'm if in into
    is it it's its just like me my no nor not of off oh okay on once only or other our out over own
    please say said says she should so some such tell than that that's the their them then there
    these they this those through to too uh um under until up us very was we well were what when
    where which while who whom why will with would yeah yes you your
"""
_STOP_WORDS = frozenset(_STOP_TEXT.split())


def sentences(pieces: Iterable[str]) -> list[str]:
    """Return the sentences of pieces of speech, in their order, each as it stands there."""
    found: list[str] = []
    for piece in pieces:
        begin = 0
        for match in _END.finditer(piece):
            if _ABBREVIATION.search(piece[begin : match.start()]):
                continue
            found.append(piece[begin : match.end()].strip())
            begin = match.end()
        found.append(piece[begin:].strip())
    return [sentence for sentence in found if _WORD.search(sentence)]


def words(text: str) -> list[str]:
    """Return the stems of the words of a text that carry its meaning."""
    found = (match.casefold().replace("\u2019", "'") for match in _WORD.findall(text))
    return [_stem(word) for word in found if word not in _STOP_WORDS]


def choose(pieces: Sequence[str], *, question: str | None = None) -> list[int]:
    """Return the indexes of a few of `pieces` that say most, in their order.

    Args:
        pieces: Sentences, in the order in which they were said.
        question: What is wanted; sentences that share words with it count more.
    """
    if not pieces:
        return []
    vectors = _vectors([words(piece) for piece in pieces])
    weights = _weights(vectors, _shares(vectors, words(question or "")))
    most = _how_many(len(pieces))
    chosen: list[int] = []
    for index in sorted(range(len(pieces)), key=lambda index: (-weights[index], index)):
        if len(chosen) == most:
            break
        if all(_dot(vectors[index], vectors[other]) < _ALIKE for other in chosen):
            chosen.append(index)
    return sorted(chosen)


def _how_many(count: int) -> int:
    return min(count, max(1, min(_MOST, round(math.sqrt(count)))))


def _stem(word: str) -> str:
    """Cut an English ending off, roughly: only like with like is compared."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM:
            word = word.removesuffix(suffix)
            break
    twice = len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "lsz"
    return word[:-1] if twice else word  # running -> runn -> run


def _vectors(texts: Sequence[Sequence[str]]) -> list[_Vector]:
    """Return for each text its words by how often it has them and how few others do; length 1."""
    spread = Counter(word for text in texts for word in set(text))
    rarity = {word: 1 + math.log(len(texts) / count) for word, count in spread.items()}
    return [
        _normalised({word: n * rarity[word] for word, n in Counter(text).items()}) for text in texts
    ]


def _normalised(vector: _Vector) -> _Vector:
    length = math.sqrt(sum(value * value for value in vector.values()))
    return {word: value / length for word, value in vector.items()} if length else {}


def _shares(vectors: Sequence[_Vector], asked: Sequence[str]) -> list[float]:
    """Return for each sentence its share of what the sentences have in common with a question."""
    wanted = set(asked)
    fits = [sum(value for word, value in vector.items() if word in wanted) for vector in vectors]
    total = sum(fits)
    return [fit / total for fit in fits] if total else []


def _weights(vectors: Sequence[_Vector], shares: Sequence[float]) -> list[float]:
    """Return the weight of each sentence.

    A step of the walk from sentence to sentence is a product with the matrix of their cosines. That
    matrix is the vectors' product with themselves, so it need not be made: a step costs as much as
    there are words, and not the square of it.
    """
    count = len(vectors)
    jump = _JUMP_ASKED if shares else _JUMP
    base = shares or [1 / count] * count
    everything = _sum(vectors, [1.0] * count)
    ties = [_dot(vector, everything) for vector in vectors]
    weights = [1 / count] * count
    for _ in range(_STEPS):
        given = [weight / tie if tie else 0.0 for weight, tie in zip(weights, ties, strict=True)]
        all_given = _sum(vectors, given)
        weights = [
            jump * own + (1 - jump) * _dot(vector, all_given)
            for vector, own in zip(vectors, base, strict=True)
        ]
    return weights


def _sum(vectors: Sequence[_Vector], factors: Sequence[float]) -> _Vector:
    total: dict[str, float] = {}
    for vector, factor in zip(vectors, factors, strict=True):
        for word, value in vector.items():
            total[word] = total.get(word, 0.0) + factor * value
    return total


def _dot(one: _Vector, other: _Vector) -> float:
    if len(one) > len(other):
        one, other = other, one
    return sum(value * other.get(word, 0.0) for word, value in one.items())
