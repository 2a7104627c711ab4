"""REST answers to searches in streams -> models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rtstream_async.errors import ProtocolError
from rtstream_async.models.search import ShotRecord, ShotsRecord
from rtstream_async.protocol.codec.fields import as_list, as_object, real, text, words
from rtstream_async.protocol.codec.times import to_seconds

__all__ = ["shot", "shots"]


def shots(
    data: object, *, rtstream_id: str | None = None, rtstream_name: str | None = None
) -> ShotsRecord:
    """Return what a search found, in the service's order.

    Args:
        data: The answer's `data`.
        rtstream_id: The stream that was searched; hits in a collection say theirs.
        rtstream_name: Its name.
    """
    fields = as_object(data, "search results")
    found = as_list(
        fields,
        ("results", "shots"),
        "search results",
        lambda item: shot(item, rtstream_id=rtstream_id, rtstream_name=rtstream_name),
    )
    said = fields.get("warnings")
    warnings = tuple(cast("list[object]", said)) if isinstance(said, list) else ()
    return ShotsRecord(shots=tuple(found), warnings=warnings, raw=fields)


def shot(
    data: object, *, rtstream_id: str | None = None, rtstream_name: str | None = None
) -> ShotRecord:
    """Return one hit.

    Raises:
        ProtocolError: It does not say where it is: no times, or no stream.
    """
    fields = as_object(data, "search result")
    start, end = to_seconds(fields.get("start")), to_seconds(fields.get("end"))
    if start is None or end is None:
        raise ProtocolError(
            f"a search result has no usable `start` and `end`: {fields.get('start')!r},"
            f" {fields.get('end')!r}"
        )
    stream = rtstream_id or text(fields, "rtstream_id", "id")
    if not stream:
        raise ProtocolError("a search result has no `rtstream_id`: it can't be played")
    return ShotRecord(
        rtstream_id=stream,
        rtstream_name=text(fields, "rtstream_name") or rtstream_name,
        start=start,
        end=end,
        text=words(fields),
        search_score=real(fields, "score", "search_score"),
        scene_index_id=text(fields, "scene_index_id", "rtstream_index_id", "index_id"),
        scene_index_name=text(fields, "scene_index_name", "index_name"),
        metadata=_metadata(fields.get("metadata")),
        raw=fields,
    )


def _metadata(value: object) -> Mapping[str, Any] | None:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None
