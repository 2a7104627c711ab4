"""What a search in a video asks for: checked before any request, and put in the wire's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.bounds import at_least, filled
from rtstream_async.protocol.searching import search_body

__all__ = [
    "INDEX_TYPES",
    "SEARCH_TYPES",
    "semantic_search_body",
    "video_search_body",
    "video_search_v2_body",
]

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


def video_search_v2_body(
    query: object,
    *,
    top_k: int | None = None,
    mode: str | None = None,
    return_fields: object = None,
    include_clip: bool | None = None,
    session_id: str | None = None,
    config: Mapping[str, Any] | None = None,
    score_threshold: float | None = None,
    filter: object = None,  # noqa: A002 - the reference's name
) -> dict[str, Any]:
    """Return the body of a Search v2; what is `None` is left to the service.

    Raises:
        InvalidArgumentError: An argument can't be used.
    """
    body = {
        **search_body(query, score_threshold=score_threshold),
        "top_k": None if top_k is None else at_least("top_k", top_k, 1),
        "mode": None if mode is None else filled("mode", mode),
        "return_fields": return_fields,
        "include_clip": include_clip,
        "session_id": None if session_id is None else filled("session_id", session_id),
        "config": config,
        "filter": filter,
    }
    return {key: value for key, value in body.items() if value is not None}


def semantic_search_body(
    query: object,
    *,
    index_names: Sequence[str] | str | None = None,
    top_k: int = 10,
    score_threshold: float | None = None,
    filter: object = None,  # noqa: A002 - the reference's name
    return_fields: object = None,
    index_ids: Sequence[str] | str | None = None,
) -> dict[str, Any]:
    """Return the body of a search by meaning alone; what is `None` is left to the service.

    Raises:
        InvalidArgumentError: An argument can't be used.
    """
    body = {
        **search_body(query, score_threshold=score_threshold),
        "index_names": index_names,
        "index_ids": index_ids,
        "top_k": at_least("top_k", top_k, 1),
        "filter": filter,
        "return_fields": return_fields,
    }
    return {key: value for key, value in body.items() if value is not None}
