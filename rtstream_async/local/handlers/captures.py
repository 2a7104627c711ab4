"""Capture sessions: make, list, look at; and tokens for those who capture."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.domain.captures import CaptureState, export_status
from rtstream_async.local.domain.ids import ENTROPY, capture_id
from rtstream_async.local.handlers.collections import check_collection
from rtstream_async.local.outbound import OutboundError
from rtstream_async.local.refusal import invalid, not_found
from rtstream_async.local.store import captures as stored
from rtstream_async.local.store.captures import CaptureChannelRow, CaptureRow, CaptureView
from rtstream_async.local.tokens import CLIENT, CLIENT_PREFIX, Grant
from rtstream_async.protocol import routes
from rtstream_async.protocol.channels import category_of
from rtstream_async.protocol.codec import emit
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["ENDPOINTS", "capture_data", "channel_data", "checked_callback"]

_STATES = tuple(state.value for state in CaptureState)
_PAGE = 100
_MAX_PAGE = 1000
_DAY = 86_400  # seconds
_LONGEST = 30 * _DAY


async def create_capture(call: Call) -> Reply:
    """Answer the new session."""
    body = call.body
    body.only(("end_user_id", "callback_url", "ws_connection_id", "metadata"))
    now = time.time()
    row = CaptureRow(
        id=capture_id(now, os.urandom(ENTROPY)),
        collection_id=check_collection(call, call.ids["collection_id"]),
        end_user_id=body.required_text("end_user_id"),
        status=CaptureState.CREATED.value,
        callback_url=checked_callback(call),
        ws_connection_id=body.text("ws_connection_id"),
        metadata=body.mapping("metadata").values,
        channels=(),
        created_us=microseconds(now),
    )
    await call.services.captures.create(row)
    return Reply(data=capture_data(call, CaptureView(row=row, streams={})))


async def list_captures(call: Call) -> Reply:
    """Answer one page of sessions, newest first."""
    query = call.query
    query.only(("status", "end_user_id", "limit", "cursor"))
    status = query.text("status")
    page = stored.CaptureQuery(
        collection_id=check_collection(call, call.ids["collection_id"]),
        status=None if status is None else query.choice("status", _STATES),
        end_user_id=query.text("end_user_id"),
        before=query.text("cursor"),
        limit=query.integer("limit", _PAGE, low=1, high=_MAX_PAGE),
    )
    views, following = await call.services.store.run(stored.list_captures, page)
    return Reply(
        data={"sessions": [capture_data(call, view) for view in views], "next_page": following}
    )


async def get_capture(call: Call) -> Reply:
    """Answer one session."""
    collection, id_ = check_collection(call, call.ids["collection_id"]), call.ids["session_id"]
    view = await call.services.store.run(stored.view_capture, collection, id_)
    if view is None:
        raise not_found("capture session", id_)
    return Reply(data=capture_data(call, view))


async def issue_token(call: Call) -> Reply:
    """Answer a token that stands in for the key, for the machine of an end user."""
    call.body.only(("expires_in", "user_id"))
    lifetime = call.body.integer("expires_in", _DAY, low=1, high=_LONGEST)
    grant = Grant(kind=CLIENT, subject=call.body.text("user_id") or "")
    token = call.services.tokens.issue(grant, lifetime=lifetime)
    return Reply(
        data={
            "token": f"{CLIENT_PREFIX}{token}",
            "expires_at": int(time.time()) + lifetime,
            "expires_in": lifetime,
        }
    )


def checked_callback(call: Call) -> str | None:
    """Return the `callback_url` that is asked for, if it may be called.

    Raises:
        Refusal: It may not.
    """
    url = call.body.text("callback_url")
    if url is not None:
        try:
            call.services.outbound.check(url)
        except OutboundError as exc:
            raise invalid("callback_url", str(exc)) from None
    return url


def capture_data(call: Call, view: CaptureView) -> dict[str, Any]:
    """Return a session as REST answers it."""
    row = view.row
    return {
        # No `id` beside it: the official SDK can't take both.
        "session_id": row.id,
        "collection_id": row.collection_id,
        "end_user_id": row.end_user_id,
        "status": row.status,
        "callback_url": row.callback_url,
        "ws_connection_id": row.ws_connection_id,
        "metadata": row.metadata,
        "created_at": emit.created_at(row.created_us / 1e6),
        "channels": [channel_data(channel) for channel in row.channels],
        "primary_video_channel_id": _primary(row.channels),
        "export_status": export_status(
            row.state,
            is_stored=any(channel.store for channel in row.channels),
            is_exporting=call.services.capture_exporter.is_exporting(row.id),
        ),
        "exported_video_id": row.exported_video_id,
        "error": row.error,
        "rtstreams": [
            {
                "rtstream_id": stream.id,
                # The official SDK compares it with what is asked for: `mic`, `screen`.
                "channel_id": category_of(channel.channel_id) or channel.channel_id,
                "name": channel.channel_id,
                "status": stream.status,
                "media_types": list(stream.media_types),
                "collection_id": stream.collection_id,
            }
            for channel, stream in view.channels_with_streams()
        ],
    }


def channel_data(channel: CaptureChannelRow) -> dict[str, Any]:
    """Return a channel as REST answers it."""
    return {
        "channel_id": channel.channel_id,
        "name": channel.name,
        "type": channel.type,
        "store": channel.store,
        "is_primary": channel.is_primary,
    }


def _primary(channels: Sequence[CaptureChannelRow]) -> str | None:
    return next((channel.channel_id for channel in channels if channel.is_primary), None)


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.CAPTURE_CREATE, create_capture),
    (routes.CAPTURE_LIST, list_captures),
    (routes.CAPTURE, get_capture),
    (routes.CAPTURE_TOKEN, issue_token),
)
