"""Endpoints that search in streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtstream_async.api.caller import Caller
from rtstream_async.models.search import ShotsRecord
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import search

__all__ = ["collection_streams", "stream"]


async def stream(
    caller: Caller, stream_id: str, *, wanted: Mapping[str, Any], stream_name: str | None = None
) -> ShotsRecord:
    """Return what is found in one stream, the best first; `wanted` is the body of the search."""
    return await caller.call(
        routes.STREAM_SEARCH,
        lambda data: search.shots(data, rtstream_id=stream_id, rtstream_name=stream_name),
        body=wanted,
        stream_id=stream_id,
    )


async def collection_streams(
    caller: Caller, collection_id: str, *, wanted: Mapping[str, Any]
) -> ShotsRecord:
    """Return what is found in all streams of a collection, the best first."""
    return await caller.call(
        routes.STREAMS_SEARCH, search.shots, body=wanted, collection_id=collection_id
    )
