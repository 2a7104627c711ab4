"""What a search asks for: checked before any request, and put in the wire's words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.bounds import at_least, filled

__all__ = ["search_body"]

_ANY = (-math.inf, math.inf)
_PERCENT = (0.0, 100.0)


def search_body(
    query: object,
    *,
    index_id: str | None = None,
    result_threshold: int | None = None,
    score_threshold: float | None = None,
    dynamic_score_percentage: float | None = None,
    filter: Sequence[Mapping[str, Any]] | None = None,  # noqa: A002 - the reference's name
) -> dict[str, Any]:
    """Return the body of a search in streams; what is `None` is left to the service.

    Raises:
        InvalidArgumentError: An argument can't be used.
    """
    body = {
        "query": filled("query", query),
        "scene_index_id": None if index_id is None else filled("index_id", index_id),
        "result_threshold": (
            None if result_threshold is None else at_least("result_threshold", result_threshold, 1)
        ),
        "score_threshold": _number("score_threshold", score_threshold, within=_ANY),
        "dynamic_score_percentage": _number(
            "dynamic_score_percentage", dynamic_score_percentage, within=_PERCENT
        ),
        "filter": None if filter is None else _filter(filter),
    }
    return {key: value for key, value in body.items() if value is not None}


def _number(argument: str, value: object, *, within: tuple[float, float]) -> float | None:
    if value is None:
        return None
    least, most = within
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and math.isfinite(number := cast("float", value)) and least <= number <= most:
        return number
    bounds = f" from {least:g} to {most:g}" if math.isfinite(most) else ""
    raise InvalidArgumentError(argument, f"must be a number{bounds}, not {value!r}")


def _filter(value: object) -> list[Mapping[str, Any]]:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    items = list(cast("Sequence[object]", value)) if is_list else None
    if items is None or not all(isinstance(item, Mapping) for item in items):
        raise InvalidArgumentError("filter", f"must be a list of dicts, not {value!r}")
    return cast("list[Mapping[str, Any]]", items)
