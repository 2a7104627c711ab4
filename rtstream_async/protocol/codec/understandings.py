"""REST answers about understandings and their indexes -> models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from rtstream_async.errors import ProtocolError
from rtstream_async.models.records import Page
from rtstream_async.models.understandings import (
    StreamIndexRecord,
    UnderstandingRecord,
    UnderstoodRecord,
)
from rtstream_async.protocol.codec.fields import (
    as_list,
    as_object,
    boolean,
    text,
    texts,
    whole,
    words,
)
from rtstream_async.protocol.codec.times import to_seconds
from rtstream_async.protocol.paging import ByNumber

__all__ = ["record_page", "stream_index", "stream_indexes", "understanding", "understandings"]

_SEMANTIC = ("semantic",)


def understanding(
    data: object,
    *,
    rtstream_id: str,
    understanding_id: str | None = None,
    known: Mapping[str, Any] | None = None,
) -> UnderstandingRecord:
    """Return the understanding that an answer describes; without an id, it is the one asked for.

    Args:
        data: The answer.
        rtstream_id: The stream that was asked about.
        understanding_id: The understanding that was asked for.
        known: An earlier answer; what the new one leaves out is as it was.
    """
    fields = {**(known or {}), **as_object(data, "understanding")}
    id_ = text(fields, "understanding_id", "id") or understanding_id
    if not id_:
        raise ProtocolError("the answer has no `understanding_id`: it can't be used")
    return UnderstandingRecord(
        id=id_,
        rtstream_id=text(fields, "rtstream_id") or rtstream_id,
        status=text(fields, "status"),
        store=boolean(fields, "store"),
        segmentation=_mapping(fields.get("segmentation")),
        analyzers=_sequence(fields.get("analyzers")),
        outputs=_mapping(fields.get("outputs")),
        raw=fields,
    )


def understandings(data: object, *, rtstream_id: str) -> list[UnderstandingRecord]:
    """Return all understandings of a stream."""
    if data is None:
        return []
    return as_list(
        as_object(data, "list of understandings"),
        ("understandings",),
        "understandings",
        lambda item: understanding(item, rtstream_id=rtstream_id),
    )


def stream_index(
    data: object,
    *,
    rtstream_id: str,
    index_id: str | None = None,
    known: Mapping[str, Any] | None = None,
) -> StreamIndexRecord:
    """Return the index that an answer describes; without an id, it is the one asked for.

    Args:
        data: The answer.
        rtstream_id: The stream that was asked about.
        index_id: The index that was asked for.
        known: An earlier answer; what the new one leaves out is as it was.
    """
    fields = {**(known or {}), **as_object(data, "index")}
    id_ = text(fields, "index_id", "id") or index_id
    if not id_:
        raise ProtocolError("the answer has no `index_id`: the index can't be used")
    return StreamIndexRecord(
        id=id_,
        rtstream_id=text(fields, "rtstream_id") or rtstream_id,
        name=text(fields, "name"),
        status=text(fields, "status"),
        use_for=texts(fields, "use_for") or _SEMANTIC,
        source_understanding_id=text(fields, "source_understanding_id"),
        output=text(fields, "output"),
        raw=fields,
    )


def stream_indexes(data: object, *, rtstream_id: str) -> list[StreamIndexRecord]:
    """Return all indexes of a stream that are made of understandings."""
    if data is None:
        return []
    return as_list(
        as_object(data, "list of indexes"),
        ("indexes",),
        "indexes",
        lambda item: stream_index(item, rtstream_id=rtstream_id),
    )


def record_page(data: object, *, place: ByNumber) -> tuple[Page[UnderstoodRecord], ByNumber | None]:
    """Return one page of records, and the place of the next."""
    fields = as_object(data, "list of records")
    items = as_list(fields, ("records",), "records", _record)
    spans = [(item.start, item.end) for item in items]
    after = place.after(spans=spans, more=bool(fields.get("next_page")))
    page = Page(
        items=items,
        next_page=after is not None,
        page=place.page,
        page_size=place.page_size,
        total_count=whole(fields, "total_count"),
        label="records",
        raw=fields,
    )
    return page, after


def _record(data: object) -> UnderstoodRecord:
    fields = as_object(data, "record")
    start, end = to_seconds(fields.get("start")), to_seconds(fields.get("end"))
    if start is None or end is None:
        raise ProtocolError(
            f"a record has no usable `start` and `end`: {fields.get('start')!r},"
            f" {fields.get('end')!r}"
        )
    said = _mapping(fields.get("data"))
    return UnderstoodRecord(
        start=start, end=end, text=words(said) or words(fields), data=said, raw=fields
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list) else ()
