"""Answers about capture sessions -> records. See `replies.py` for what is tolerated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import attrs

from rtstream_async.errors import ProtocolError
from rtstream_async.models.captures import (
    CaptureChannel,
    CaptureExport,
    CaptureRecord,
    ClientToken,
)
from rtstream_async.models.records import Page, StreamRecord
from rtstream_async.protocol.codec.fields import as_list, as_object, boolean, real, text
from rtstream_async.protocol.codec.replies import stream
from rtstream_async.protocol.codec.times import to_seconds
from rtstream_async.protocol.paging import ByCursor

__all__ = ["client_token", "export", "session", "session_page"]

T = TypeVar("T")


def session(data: object, *, collection_id: str, session_id: str | None = None) -> CaptureRecord:
    """Return the capture session that an answer describes.

    Args:
        data: The answer; the session may be in a `data` of its own inside (row 34).
        collection_id: Where it was asked for.
        session_id: What was asked for, where the answer does not name it.
    """
    fields = as_object(data, "capture session")
    inner = fields.get("data")
    if isinstance(inner, dict):
        fields = cast("dict[str, Any]", inner)
    id_ = text(fields, "session_id", "capture_session_id", "id") or session_id
    if not id_:
        raise ProtocolError("the answer has no `session_id`: the capture session can't be used")
    home = text(fields, "collection_id") or collection_id
    metadata = fields.get("metadata")
    return CaptureRecord(
        id=id_,
        collection_id=home,
        end_user_id=text(fields, "end_user_id"),
        client_id=text(fields, "client_id"),
        status=text(fields, "status"),
        callback_url=text(fields, "callback_url"),
        ws_connection_id=text(fields, "ws_connection_id"),
        metadata=cast("dict[str, Any]", metadata) if isinstance(metadata, dict) else {},
        created_at=to_seconds(fields.get("created_at")),
        channels=tuple(_listed(fields, "channels", _channel)),
        primary_video_channel_id=text(fields, "primary_video_channel_id"),
        export_status=text(fields, "export_status"),
        exported_video_id=text(fields, "exported_video_id", "video_id"),
        rtstreams=tuple(_listed(fields, "rtstreams", lambda item: _stream(item, home))),
        raw=fields,
    )


def session_page(
    data: object, *, place: ByCursor, collection_id: str
) -> tuple[Page[CaptureRecord], ByCursor | None]:
    """Return one page of capture sessions, and the place of the next."""
    fields = as_object(data, "list of capture sessions")
    items = as_list(
        fields,
        ("sessions",),
        "capture sessions",
        lambda item: session(item, collection_id=collection_id),
    )
    cursor = text(fields, "next_page", "cursor") or None
    after = place.after(count=len(items), cursor=cursor)
    page = Page(
        items=items,
        next_page=after is not None,
        page=place.number,
        page_size=place.limit or len(items),
        cursor=None if after is None else after.cursor,
        label="sessions",
        raw=fields,
    )
    return page, after


def export(data: object, *, session_id: str) -> CaptureExport:
    """Return how far the export of a session is, as an answer tells it."""
    fields = as_object(data, "export of a capture session")
    return CaptureExport(
        session_id=text(fields, "session_id", "capture_session_id") or session_id,
        video_channel_id=text(fields, "video_channel_id"),
        export_status=text(fields, "export_status", "status"),
        video_id=text(fields, "video_id", "exported_video_id"),
        stream_url=text(fields, "stream_url"),
        player_url=text(fields, "player_url"),
        name=text(fields, "name"),
        duration=real(fields, "duration"),
        error=text(fields, "error"),
        raw=fields,
    )


def client_token(data: object) -> ClientToken:
    """Return the token that an answer issues, with its end."""
    fields = as_object(data, "client token")
    token = text(fields, "token")
    if not token:
        raise ProtocolError("the answer has no `token`")
    return ClientToken(
        token,
        expires_at=to_seconds(fields.get("expires_at")),
        expires_in=real(fields, "expires_in"),
    )


def _listed(fields: dict[str, Any], key: str, read: Callable[[object], T]) -> list[T]:
    # A session that has just been made may leave them out.
    return as_list({key: fields.get(key)}, (key,), key, read)


def _channel(data: object) -> CaptureChannel:
    fields = as_object(data, "channel")
    id_ = text(fields, "channel_id", "id")
    if not id_:
        raise ProtocolError("a channel of the capture session has no `channel_id`")
    return CaptureChannel(
        id=id_,
        name=text(fields, "name", "channel_name"),
        type=text(fields, "type"),
        store=boolean(fields, "store") or False,
        is_primary=boolean(fields, "is_primary") or False,
        rtsp_url=text(fields, "rtsp_url"),
        rtmp_url=text(fields, "rtmp_url"),
        raw=fields,
    )


def _stream(data: object, collection_id: str) -> StreamRecord:
    fields = as_object(data, "stream")
    record = stream(fields, stream_id=text(fields, "stream_id"))
    return attrs.evolve(
        record,
        # `rtstream_id` is the stream's here, whatever an `id` beside it may mean.
        id=text(fields, "rtstream_id") or record.id,
        collection_id=record.collection_id or collection_id,
    )
