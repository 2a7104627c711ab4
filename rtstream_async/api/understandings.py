"""Endpoints of understandings and of the indexes made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rtstream_async.api.caller import Caller
from rtstream_async.api.streams import Action
from rtstream_async.models.records import Page
from rtstream_async.models.understandings import (
    StreamIndexRecord,
    UnderstandingRecord,
    UnderstoodRecord,
)
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import understandings
from rtstream_async.protocol.paging import ByNumber

__all__ = [
    "create",
    "create_index",
    "get",
    "get_index",
    "index_record_page",
    "list_all",
    "list_indexes",
    "record_page",
    "set_index_status",
    "set_status",
]


async def create(
    caller: Caller,
    stream_id: str,
    *,
    segmentation: Mapping[str, Any],
    analyzers: Sequence[Mapping[str, Any]],
    store: bool,
    ws_connection_id: str | None = None,
) -> UnderstandingRecord:
    """Create an understanding, which runs at once, and return it."""
    target = {"ws_connection_id": ws_connection_id} if ws_connection_id else {}
    return await caller.call(
        routes.UNDERSTANDING_CREATE,
        lambda data: understandings.understanding(data, rtstream_id=stream_id),
        body={
            "segmentation": dict(segmentation),
            "analyzers": [dict(analyzer) for analyzer in analyzers],
            "store": store,
            **target,
        },
        stream_id=stream_id,
    )


async def get(
    caller: Caller,
    stream_id: str,
    understanding_id: str,
    *,
    known: Mapping[str, Any] | None = None,
) -> UnderstandingRecord:
    """Return the understanding as it is now; `known` is an earlier answer about it."""
    return await caller.call(
        routes.UNDERSTANDING,
        lambda data: understandings.understanding(
            data, rtstream_id=stream_id, understanding_id=understanding_id, known=known
        ),
        stream_id=stream_id,
        understanding_id=understanding_id,
    )


async def list_all(caller: Caller, stream_id: str) -> list[UnderstandingRecord]:
    """Return all understandings of the stream."""
    return await caller.call(
        routes.UNDERSTANDING_LIST,
        lambda data: understandings.understandings(data, rtstream_id=stream_id),
        stream_id=stream_id,
    )


async def set_status(caller: Caller, stream_id: str, understanding_id: str, action: Action) -> None:
    """Start or stop the understanding."""
    await caller.call(
        routes.UNDERSTANDING_STATUS,
        _ignored,
        body={"action": action},
        stream_id=stream_id,
        understanding_id=understanding_id,
    )


async def record_page(
    caller: Caller, stream_id: str, understanding_id: str, place: ByNumber, *, output: str
) -> tuple[Page[UnderstoodRecord], ByNumber | None]:
    """Return one page of what was understood, and the place of the next page."""
    return await caller.call(
        routes.UNDERSTANDING_RECORDS,
        lambda data: understandings.record_page(data, place=place),
        query={**place.query(), "output": output},
        stream_id=stream_id,
        understanding_id=understanding_id,
    )


async def create_index(
    caller: Caller,
    stream_id: str,
    *,
    source: Mapping[str, Any],
    name: str | None = None,
    use_for: Sequence[str] | None = None,
) -> StreamIndexRecord:
    """Create an index of an output, which runs at once, and return it."""
    body = {"source": source, "name": name, "use_for": None if use_for is None else list(use_for)}
    return await caller.call(
        routes.STREAM_INDEX_CREATE,
        lambda data: understandings.stream_index(data, rtstream_id=stream_id),
        body={key: value for key, value in body.items() if value is not None},
        stream_id=stream_id,
    )


async def get_index(
    caller: Caller, stream_id: str, index_id: str, *, known: Mapping[str, Any] | None = None
) -> StreamIndexRecord:
    """Return the index as it is now; `known` is an earlier answer about it."""
    return await caller.call(
        routes.STREAM_INDEX,
        lambda data: understandings.stream_index(
            data, rtstream_id=stream_id, index_id=index_id, known=known
        ),
        stream_id=stream_id,
        index_id=index_id,
    )


async def list_indexes(caller: Caller, stream_id: str) -> list[StreamIndexRecord]:
    """Return all indexes of the stream that are made of understandings."""
    return await caller.call(
        routes.STREAM_INDEX_LIST,
        lambda data: understandings.stream_indexes(data, rtstream_id=stream_id),
        stream_id=stream_id,
    )


async def set_index_status(caller: Caller, stream_id: str, index_id: str, action: Action) -> None:
    """Start or stop the index."""
    await caller.call(
        routes.STREAM_INDEX_STATUS,
        _ignored,
        body={"action": action},
        stream_id=stream_id,
        index_id=index_id,
    )


async def index_record_page(
    caller: Caller, stream_id: str, index_id: str, place: ByNumber
) -> tuple[Page[UnderstoodRecord], ByNumber | None]:
    """Return one page of the index's records, and the place of the next page."""
    return await caller.call(
        routes.STREAM_INDEX_RECORDS,
        lambda data: understandings.record_page(data, place=place),
        query=place.query(),
        stream_id=stream_id,
        index_id=index_id,
    )


def _ignored(_: object) -> None:
    """The answer to a change of status has nothing in it but a message."""
