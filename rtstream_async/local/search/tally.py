"""What the words of a question say of documents: which of them each has, the rare ones first."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from rtstream_async.local.domain.ranking import Question, weights_of
from rtstream_async.local.store.documents import Occurrences

__all__ = ["Tally", "tally"]


@attrs.frozen(kw_only=True, eq=False)
class Tally:
    """What words were found in which documents."""

    exact: frozenset[int]  #: documents that have all exact parts of the question
    numbers: NDArray[np.int64]
    shares: NDArray[np.float64]  #: of a whole answer, 0 to 1

    def best(self, count: int) -> dict[int, float]:
        """Return the `count` documents that have most of the words, by number.

        With each comes the share of the words that it has, 0 to 1. Those with all exact parts come
        before the others, and the newest before what is as good.
        """
        is_exact = np.isin(self.numbers, np.fromiter(self.exact, np.int64, len(self.exact)))
        order = np.lexsort((-self.numbers, -self.shares, ~is_exact))[:count]
        return dict(zip(self.numbers[order].tolist(), self.shares[order].tolist(), strict=True))


def tally(question: Question, occurrences: Occurrences, *, keyword: bool) -> Tally:
    """Return what was found; with `keyword`, all words are exact parts, and needed."""
    lists = [np.array(numbers, np.int64) for numbers in occurrences.numbers]
    everything = np.concatenate(lists) if lists else np.empty(0, np.int64)
    numbers, places = np.unique(everything, return_inverse=True)
    weights = weights_of(occurrences.found, occurrences.total)
    shares = np.bincount(
        places,
        weights=np.repeat(weights, [len(each) for each in lists]),
        minlength=len(numbers),
    ).astype(np.float64)
    must = frozenset(question.words) if keyword else question.exact
    holders = [
        set(found)
        for word, found in zip(question.words, occurrences.numbers, strict=True)
        if word in must
    ]
    exact = frozenset(holders[0].intersection(*holders[1:])) if holders else frozenset[int]()
    if keyword:
        kept = np.isin(numbers, np.fromiter(exact, np.int64, len(exact)))
        numbers, shares = numbers[kept], shares[kept]
    return Tally(exact=exact, numbers=numbers, shares=shares)
