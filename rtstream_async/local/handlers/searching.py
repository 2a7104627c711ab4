"""What all searches have in common: their arguments, and what is said beside the hits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs

from rtstream_async.local.arguments import Arguments
from rtstream_async.local.calls import Call
from rtstream_async.local.domain.conditions import Condition, read_conditions
from rtstream_async.local.domain.ranking import Hit, stitched
from rtstream_async.local.refusal import invalid
from rtstream_async.local.search.search import Found, Note

__all__ = ["ACCEPTED", "Asked", "ask", "read_asked", "score", "warnings"]

ACCEPTED = (
    "query",
    "result_threshold",
    "score_threshold",
    "dynamic_score_percentage",
    "filter",
    "stitch",
    "rerank",
    "rerank_params",
)
"""The arguments that `read_asked()` reads."""

_MOST_LETTERS = 10_000
_MOST_RESULTS = 1000
_NOT_RERANKED = Note("not_reranked", "rerank: the local server has nothing to rerank with")


@attrs.frozen(kw_only=True)
class Asked:
    """One search, as it was asked for."""

    query: str
    limit: int
    score_threshold: float | None
    dynamic_score_percentage: float | None
    where: tuple[Condition, ...]
    stitch: bool
    rerank: bool


def read_asked(
    body: Arguments, *, limit: int, threshold: float | None = None, limit_name: str = ACCEPTED[1]
) -> Asked:
    """Return the arguments of a search, checked.

    Args:
        body: They.
        limit: How many hits, when it is not said.
        threshold: What a hit must score, when it is not said.
        limit_name: How the argument is called that says how many.

    Raises:
        Refusal: One can't be used.
    """
    score_threshold = _within(body, "score_threshold", 1)
    body.mapping("rerank_params")
    return Asked(
        query=_query(body),
        limit=body.integer(limit_name, limit, low=1, high=_MOST_RESULTS),
        score_threshold=threshold if score_threshold is None else score_threshold,
        dynamic_score_percentage=_within(body, "dynamic_score_percentage", 100),
        where=_conditions(body),
        stitch=body.flag("stitch", default=False),
        rerank=body.flag("rerank", default=False),
    )


async def ask(call: Call, asked: Asked, owners: Collection[str], *, keyword: bool = False) -> Found:
    """Return what the search finds in the indexes or videos `owners`."""
    found = await call.services.search.find(
        asked.query,
        owners=owners,
        limit=asked.limit,
        score_threshold=asked.score_threshold,
        dynamic_score_percentage=asked.dynamic_score_percentage,
        where=asked.where,
        keyword=keyword,
    )
    if asked.rerank:
        found = attrs.evolve(found, notes=(*found.notes, _NOT_RERANKED))
    if asked.stitch:
        found = attrs.evolve(found, hits=tuple(stitched(found.hits)))
    return found


def warnings(notes: tuple[Note, ...]) -> list[Mapping[str, Any]]:
    """Return notes as the official SDK shows them to its user."""
    return [{"code": note.code, "message": note.message} for note in notes]


def score(hit: Hit) -> float:
    """Return a hit's score as it is told."""
    return round(hit.score, 4)


def _query(body: Arguments) -> str:
    query = body.required_text("query")
    if len(query) > _MOST_LETTERS:
        raise invalid(
            "query", f"has {len(query)} characters; {_MOST_LETTERS} are possible, and ten words do"
        )
    return query


def _within(body: Arguments, name: str, high: float) -> float | None:
    number = body.number(name)
    if number is not None and not 0 <= number <= high:
        raise invalid(name, f"{number:g} is not a number from 0 to {high:g}")
    return number


def _conditions(body: Arguments) -> tuple[Condition, ...]:
    try:
        return read_conditions(body.values.get("filter"))
    except ValueError as exc:
        raise invalid("filter", str(exc)) from None
