"""The labelled questions of `data/search.json`, and how good answers to them are."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

__all__ = ["Labelled", "Question", "at_five", "labelled"]

_DATA = Path(__file__).with_name("data") / "search.json"
_LOOKED_AT = 5


@attrs.frozen
class Question:
    """A query, and the names of the scenes that answer it."""

    query: str
    relevant: frozenset[str]


@attrs.frozen(kw_only=True)
class Labelled:
    """What is searched in, and for."""

    scenes: Mapping[str, str]  #: name -> text
    paraphrased: Sequence[Question]  #: in other words than the texts
    exact: Sequence[Question]  #: codes and phrases, as they are written
    unanswerable: Sequence[str]


def labelled() -> Labelled:
    """Return the labelled set."""
    read = json.loads(_DATA.read_text())
    questions = {
        kind: [Question(each["query"], frozenset(each["relevant"])) for each in read[kind]]
        for kind in ("queries", "exact")
    }
    return Labelled(
        scenes=read["scenes"],
        paraphrased=questions["queries"],
        exact=questions["exact"],
        unanswerable=read["unanswerable"],
    )


def at_five(questions: Sequence[Question], found: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return recall@5, hit@1 and the mean reciprocal rank of what was found, the best first."""
    recalls, firsts, ranks = list[float](), list[float](), list[float]()
    for question, names in zip(questions, found, strict=True):
        top = question.relevant.intersection(names[:_LOOKED_AT])
        recalls.append(len(top) / min(_LOOKED_AT, len(question.relevant)))
        firsts.append(float(bool(names) and names[0] in question.relevant))
        places = (place for place, name in enumerate(names, 1) if name in question.relevant)
        ranks.append(1 / next(places, float("inf")))
    return {
        "recall@5": statistics.fmean(recalls),
        "hit@1": statistics.fmean(firsts),
        "MRR": statistics.fmean(ranks),
    }
