"""What a search in a video asks for: checked before any request, and put in the wire's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.searching import search_body

__all__ = ["INDEX_TYPES", "SEARCH_TYPES", "video_search_body"]

SEARCH_TYPES: Final = ("semantic", "keyword")
INDEX_TYPES: Final = ("spoken_word", "scene")

# Rows 207, 210, 212 of the recorded requests: each kind of search sends its own fields, null
# included, and only the semantic one has thresholds of its own.
_FIELDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "semantic": {
        "score_threshold": 0.2,
        "result_threshold": 5,
        "dynamic_score_percentage": None,
    },
    "keyword": {"score_threshold": None, "result_threshold": None},
}


def video_search_body(
    query: object,
    *,
    search_type: str = "semantic",
    index_type: str = "spoken_word",
    result_threshold: int | None = None,
    score_threshold: float | None = None,
    dynamic_score_percentage: float | None = None,
    filter: Sequence[Mapping[str, Any]] | None = None,  # noqa: A002 - the reference's name
    scene_index_id: str | None = None,
) -> dict[str, Any]:
    """Return the body of a search in one video, with the official SDK's thresholds as defaults.

    Raises:
        InvalidArgumentError: An argument can't be used.
    """
    if search_type not in SEARCH_TYPES:
        raise InvalidArgumentError("search_type", f"can't be {search_type!r}", allowed=SEARCH_TYPES)
    if index_type not in INDEX_TYPES:
        raise InvalidArgumentError("index_type", f"can't be {index_type!r}", allowed=INDEX_TYPES)
    asked = search_body(
        query,
        index_id=scene_index_id,
        result_threshold=result_threshold,
        score_threshold=score_threshold,
        dynamic_score_percentage=dynamic_score_percentage,
        filter=filter,
    )
    return {
        "search_type": search_type,
        "index_type": index_type,
        "filter": [],
        **_FIELDS[search_type],
        **asked,
    }
