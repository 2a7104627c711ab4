"""Streams: connect, list, look at, change, start, stop."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import attrs

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.domain.ids import ENTROPY, stream_id
from rtstream_async.local.handlers.collections import check_collection
from rtstream_async.local.pipelines.live import LiveStream
from rtstream_async.local.recording import with_open
from rtstream_async.local.refusal import conflict, not_found
from rtstream_async.local.sources import redacted
from rtstream_async.local.store import statements
from rtstream_async.local.store.captures import channels_of
from rtstream_async.local.store.rows import StreamRow
from rtstream_async.models.records import StreamRecord
from rtstream_async.protocol import routes
from rtstream_async.protocol.channels import category_of
from rtstream_async.protocol.codec import emit
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["ENDPOINTS", "find_stream"]

_MEDIA_TYPES = ("video", "audio")
_SAMPLE_RATE = 30
_MAX_SAMPLE_RATE = 240
_MAX_PAGE = 1000
_MAX_OFFSET = 10**9
_ACTIONS = ("start", "stop")


async def find_stream(call: Call) -> StreamRow:
    """Return the stream that the path names.

    Raises:
        Refusal: There is none.
    """
    id_ = call.ids["stream_id"]
    row = await call.services.store.run(statements.get_stream, id_)
    if row is None:
        raise not_found("stream", id_)
    return row


async def connect_stream(call: Call) -> Reply:
    """Answer the new stream, connected."""
    body = call.body
    body.only(
        (
            "url",
            "name",
            "collection_id",
            "media_types",
            "sample_rate",
            "store",
            "enable_transcript",
            "ws_connection_id",
        )
    )
    now = time.time()
    url = body.required_text("url")
    id_ = stream_id(now, os.urandom(ENTROPY))
    row = StreamRow(
        id=id_,
        collection_id=check_collection(call, body.text("collection_id") or "default"),
        name=body.text("name") or f"Stream {id_[-6:]}",
        url=url,
        status="connecting",
        wanted=False,
        sample_rate=body.integer("sample_rate", _SAMPLE_RATE, low=1, high=_MAX_SAMPLE_RATE),
        media_types=body.subset("media_types", _MEDIA_TYPES, ("video",)),
        store=body.flag("store", default=False),
        enable_transcript=body.flag("enable_transcript", default=True),
        ws_connection_id=body.text("ws_connection_id"),
        created_us=microseconds(now),
        ingested={},
        last_error=None,
        reconnects=0,
        evicted_segments=0,
    )
    row = await call.services.director.connect(row)
    return Reply(data=await _stream(call, row), status=201)


async def list_streams(call: Call) -> Reply:
    """Answer one page of streams."""
    query = call.query
    query.only(("limit", "offset", "status", "name", "ordering", "collection_id"))
    collection = query.text("collection_id")
    page = statements.StreamQuery(
        collection_id=None if collection is None else check_collection(call, collection),
        status=query.text("status"),
        name=query.text("name"),
        ordering=query.choice("ordering", (*statements.ORDERINGS, ""), "") or "-created_at",
        limit=query.integer("limit", 10, low=0, high=_MAX_PAGE),
        offset=query.integer("offset", 0, low=0, high=_MAX_OFFSET),
    )
    rows, count = await call.services.store.run(statements.list_streams, page)
    following, before = page.offset + page.limit, page.offset - page.limit
    return Reply(
        data={
            "results": await _streams(call, rows),
            "count": count,
            "next": _link(call, following) if following < count and page.limit else None,
            "previous": _link(call, max(0, before)) if page.offset else None,
        }
    )


async def get_stream(call: Call) -> Reply:
    """Answer one stream."""
    return Reply(data=await _stream(call, await find_stream(call)))


async def change_stream(call: Call) -> Reply:
    """Change a stream's name or sample rate; answer what it is then."""
    row = await find_stream(call)
    call.body.only(("name", "sample_rate"))
    changes = {
        "name": call.body.text("name") or row.name,
        "sample_rate": call.body.integer(
            "sample_rate", row.sample_rate, low=1, high=_MAX_SAMPLE_RATE
        ),
    }
    changed = await call.services.store.run(statements.change_stream, row.id, changes)
    if changed is None:
        raise not_found("stream", row.id)
    return Reply(data=await _stream(call, changed))


async def change_stream_status(call: Call) -> Reply:
    """Start or stop a stream; answer what it is then."""
    row = await find_stream(call)
    call.body.only(("action",))
    action = call.body.choice("action", _ACTIONS)
    services = call.services
    if action == "stop":
        row = await services.director.stop(row)
    elif services.settings.strict_start and services.director.live(row.id) is not None:
        raise conflict(f"stream {row.id} is already active")
    else:
        row = await services.director.start(row)
    return Reply(data=await _stream(call, row))


async def _stream(call: Call, row: StreamRow) -> dict[str, Any]:
    (shown,) = await _streams(call, [row])
    return shown


async def _streams(call: Call, rows: Sequence[StreamRow]) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    stored = await call.services.store.run(statements.recorded_of, ids)
    channels = await call.services.store.run(channels_of, ids)
    director = call.services.director
    return [
        _shown(row, director.live(row.id), stored[row.id], channels.get(row.id)) for row in rows
    ]


def _shown(
    row: StreamRow,
    live: LiveStream | None,
    stored: tuple[int | None, int | None, int],
    channel: str | None,
) -> dict[str, Any]:
    record = StreamRecord(
        id=row.id,
        name=row.name,
        status=row.status,
        collection_id=row.collection_id,
        sample_rate=row.sample_rate,
        media_types=row.media_types,
        store=row.store,
        created_at=row.created_us / 1e6,
        channel_id=None if channel is None else category_of(channel) or channel,
        exported_asset_id=row.exported_asset_id,
    )
    return emit.stream(
        record,
        source=redacted(row.url),
        ingested=row.ingested,
        last_error=row.last_error,
        reconnects=row.reconnects,
        **attrs.asdict(with_open(stored, live)),
        evicted_segments=row.evicted_segments,
        **({} if live is None else live.details()),
    )


def _link(call: Call, offset: int) -> str:
    asked = {name: value for name, value in call.query.values.items() if name != "offset"}
    return f"/rtstream/?{urlencode({'limit': 10, **asked, 'offset': offset})}"


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.STREAM_CREATE, connect_stream),
    (routes.STREAM_LIST, list_streams),
    (routes.STREAM, get_stream),
    (routes.STREAM_UPDATE, change_stream),
    (routes.STREAM_STATUS, change_stream_status),
)
