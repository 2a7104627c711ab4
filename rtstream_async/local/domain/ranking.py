"""Which documents answer a question, and how well: by what they mean and by the words in them.

Pure: similarities and found words come in as numbers. A score is from 0 to 1 and means the same
for every question: 0 is as near to the question as text about something else entirely, 1 is the
question itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, pstdev
from typing import Any

import attrs

__all__ = [
    "Candidate",
    "Hit",
    "Question",
    "cut",
    "floor_of",
    "meaning_of",
    "ranked",
    "read_question",
    "stitched",
    "weights_of",
]

_WORDS_WEIGHT = 0.2  # measured: more of it pushes good answers out of the first five
_MOST_WORDS = 24  # a question has fewer; a page of text that is pasted in has its meaning
_WORDS_ALONE = 0.5  # what all words prove where the meaning is not known
_FLOOR_DEVIATIONS = 0.5  # measured: of unrelated texts, the best mostly stays below 0.2
_LEAST_SCORE = 0.01  # below it, it is how vectors are rounded that tells documents apart
_EXACT_SCORE = 0.5  # what has the exact parts scores above it, everything else up to it
_ADJACENT = 0.05  # seconds between records of one index that still follow each other

_QUOTED = re.compile(r'["“”„]([^"“”„]*)["“”„]')
_ENDS = ".,;:!?()[]{}<>«»…'`*\"“”„\u2018\u2019"
_LETTER_AND_DIGIT = re.compile(r"(?=.*\d)(?=.*[^\W\d_])")
_LONG_NUMBER = re.compile(r"\W*\d{3,}\W*")
_JOINED = re.compile(r"\w[_/\\@:.#=]+\w|_|^[#@]\w")
_STOP_WORDS = frozenset(
    {
        *("a", "an", "and", "any", "are", "as", "at", "be", "by", "did", "do", "does", "for"),
        *("from", "had", "has", "have", "he", "her", "his", "how", "i", "in", "is", "it", "its"),
        *("me", "my", "of", "on", "or", "our", "she", "some", "that", "the", "their", "them"),
        *("there", "they", "this", "to", "was", "we", "were", "what", "when", "where", "which"),
        *("who", "whose", "why", "will", "with", "you", "your"),
    }
)


@attrs.frozen(kw_only=True)
class Question:
    """What is searched for."""

    text: str  #: what it means is looked for as a whole, without quotation marks
    words: tuple[str, ...]  #: words and phrases to look for one by one
    exact: frozenset[str]  #: those of `words` that an answer should have as they are written


@attrs.frozen(kw_only=True)
class Candidate:
    """A document that may answer."""

    number: int
    meaning: float | None  #: 0 to 1; `None`: not known
    words: float  #: share of the question's words that it has, the rare ones counting more, 0 to 1
    is_exact: bool  #: it has all exact parts of the question, and there are some


@attrs.frozen(kw_only=True)
class Hit:
    """A document that answers."""

    owner: str  #: the index, or the video, that it belongs to
    number: int
    start: float  #: Unix time in seconds; in a video, seconds from its start
    end: float
    text: str
    score: float  #: 0 to 1
    engine: str  #: which engine made the text
    metadata: Mapping[str, Any]


def read_question(text: str) -> Question:
    """Return what a query asks for.

    Exact parts are what is in quotation marks, and what looks like an id, a code or the name of a
    file: letters with digits, three digits or more, or words joined by other characters than a
    hyphen.
    """
    text = "".join(sign if sign.isprintable() else " " for sign in text)
    phrases = [phrase for found in _QUOTED.findall(text) if (phrase := found.strip())]
    rest = _QUOTED.sub(" ", text)
    words = [word for each in rest.split() if (word := each.strip(_ENDS))]
    telling = [word for word in words if word.lower() not in _STOP_WORDS]
    codes = [word for word in telling if _is_code(word)]
    exact = [*phrases, *codes]
    kept = _each_once([*exact, *(telling or words)])[:_MOST_WORDS]
    return Question(
        text=" ".join(_QUOTED.sub(r" \1 ", text).split()) or text.strip(),
        words=kept,
        exact=frozenset(exact).intersection(kept),
    )


def weights_of(found: Sequence[int], total: int) -> list[float]:
    """Return what share each word has in a whole answer: the rarer, the greater; 1 together.

    Args:
        found: For each word, how many documents have it.
        total: How many documents there are.
    """
    rarities = [math.log(1 + (max(total, count) - count + 0.5) / (count + 0.5)) for count in found]
    whole = sum(rarities)
    return [rarity / whole for rarity in rarities]


def floor_of(unrelated: Sequence[float]) -> float:
    """Return the similarity from which on a document has to do with the question.

    How near texts about different things are to each other depends on the engine: with the
    offline one, the cosine of such texts is about 0.75. So it is measured, with texts about
    something else.

    Args:
        unrelated: How similar those texts are to the question.
    """
    return fmean(unrelated) + _FLOOR_DEVIATIONS * pstdev(unrelated)


def meaning_of(similarity: float, floor: float) -> float:
    """Return how much of the way from `floor` to equality a similarity is, 0 to 1."""
    if floor >= 1:
        return 0.0
    return min(1.0, max(0.0, (similarity - floor) / (1 - floor)))


def ranked(candidates: Iterable[Candidate]) -> list[tuple[float, int]]:
    """Return (score, number) of all candidates that score at all, the best first.

    Among equals, the newest comes first: a camera that sees the same again and again says the
    same again and again.
    """
    listed = list(candidates)
    has_exact = any(candidate.is_exact for candidate in listed)
    scored = [(_score(candidate, has_exact=has_exact), candidate.number) for candidate in listed]
    return sorted((item for item in scored if item[0] >= _LEAST_SCORE), reverse=True)


def cut(
    hits: Sequence[Hit], *, score_threshold: float | None, dynamic_score_percentage: float | None
) -> list[Hit]:
    """Return the hits (the best first) that are good enough.

    Args:
        hits: The best ones, as many as are wanted.
        score_threshold: What all must score at least, 0 to 1.
        dynamic_score_percentage: How far below the best one a hit may be, in percent of the
            distance from the best to the worst that `score_threshold` lets through. 100, like
            `None`, keeps all.
    """
    good = [hit for hit in hits if score_threshold is None or hit.score >= score_threshold]
    if not good or dynamic_score_percentage is None:
        return good
    best, worst = good[0].score, good[-1].score
    least = best - (best - worst) * dynamic_score_percentage / 100
    return [hit for hit in good if hit.score >= least or math.isclose(hit.score, least)]


def stitched(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits with those joined that follow each other in one index.

    A joined hit has the texts of all, each once and in order of time, the best score, and the
    rest from the best of them. The best comes first, as before.
    """
    runs: list[list[Hit]] = []
    for hit in sorted(hits, key=lambda hit: (hit.owner, hit.start, hit.end)):
        last = runs[-1] if runs else []
        reach = max((other.end for other in last if other.owner == hit.owner), default=-math.inf)
        if hit.start <= reach + _ADJACENT:
            last.append(hit)
        else:
            runs.append([hit])
    joined = [_join(run) for run in runs]
    return sorted(joined, key=lambda hit: (-hit.score, -hit.number))


def _each_once(words: Iterable[str]) -> tuple[str, ...]:
    spellings: dict[str, str] = {}
    for word in words:
        spellings.setdefault(word.casefold(), word)
    return tuple(spellings.values())


def _is_code(word: str) -> bool:
    return bool(_LETTER_AND_DIGIT.match(word) or _LONG_NUMBER.fullmatch(word)) or bool(
        _JOINED.search(word)
    )


def _score(candidate: Candidate, *, has_exact: bool) -> float:
    if candidate.meaning is None:
        fused = _WORDS_ALONE * candidate.words
    else:
        # Words add to the meaning and never take from it: an answer in other words is as good.
        fused = 1 - (1 - candidate.meaning) * (1 - _WORDS_WEIGHT * candidate.words)
    if not has_exact:
        return fused
    return _EXACT_SCORE + fused / 2 if candidate.is_exact else min(fused, _EXACT_SCORE)


def _join(run: Sequence[Hit]) -> Hit:
    best = max(run, key=lambda hit: (hit.score, hit.number))
    return attrs.evolve(
        best,
        start=min(hit.start for hit in run),
        end=max(hit.end for hit in run),
        text=" ".join(dict.fromkeys(hit.text for hit in run)),
    )
