"""The order of the documents that may answer a question, by what was found of both kinds."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rtstream_async.local.domain.ranking import (
    Candidate,
    Question,
    floor_of,
    meaning_of,
    ranked,
)
from rtstream_async.local.search.library import Aim
from rtstream_async.local.search.shelf import Shelf
from rtstream_async.local.search.tally import tally
from rtstream_async.local.search.vectors import read
from rtstream_async.local.store.documents import Occurrences

__all__ = ["Ordered", "order"]

Ordered = tuple[list[tuple[float, int]], bool]
"""(score, number) of documents, the best first; and whether there may be more."""


def order(
    question: Question,
    occurrences: Occurrences,
    near: tuple[Shelf, Aim] | None,
    *,
    owners: Collection[str],
    count: int,
    keyword: bool,
) -> Ordered:
    """Return the best documents. Takes some ten milliseconds of a processor: call it in a thread.

    Args:
        question: What is looked for.
        occurrences: Where its words are.
        near: The vectors, and what the question means, where that is known.
        owners: Whose documents are looked at.
        count: How many of each kind are looked at.
        keyword: Whether a document must have all words.

    Raises:
        EngineError: What the engine gave are no vectors, or they are of several sizes.
    """
    words = tally(question, occurrences, keyword=keyword)
    shares = words.best(count)
    meanings: Mapping[int, float] = {}
    if near is not None:
        meanings = _meanings(*near, owners, count, also=shares)
    candidates = [
        Candidate(
            number=number,
            meaning=meanings.get(number),
            words=shares.get(number, 0.0),
            is_exact=number in words.exact,
        )
        for number in meanings.keys() | shares.keys()
    ]
    return ranked(candidates), len(candidates) >= count


def _meanings(
    shelf: Shelf, aim: Aim, owners: Collection[str], count: int, *, also: Collection[int]
) -> Mapping[int, float]:
    vector = read(aim.vector)
    floor = floor_of([float(read(other) @ vector) for other in aim.unrelated])
    similar = shelf.look(vector, owners=owners, count=count, also=also)
    return {number: meaning_of(cosine, floor) for number, cosine in similar.items()}
