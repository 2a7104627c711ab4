"""Endpoints of capture sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rtstream_async.api.caller import Caller
from rtstream_async.models.captures import CaptureExport, CaptureRecord, ClientToken
from rtstream_async.models.records import Page
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import captures
from rtstream_async.protocol.paging import ByCursor

__all__ = ["create", "export", "get", "get_run", "issue_token", "list_page", "start", "stop"]


async def create(
    caller: Caller,
    collection_id: str,
    *,
    end_user_id: str,
    callback_url: str | None = None,
    ws_connection_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> CaptureRecord:
    """Create a capture session and return it; what is empty is left out."""
    optional = {
        "callback_url": callback_url,
        "ws_connection_id": ws_connection_id,
        "metadata": metadata,
    }
    return await caller.call(
        routes.CAPTURE_CREATE,
        lambda data: captures.session(data, collection_id=collection_id),
        body={
            "end_user_id": end_user_id,
            **{key: value for key, value in optional.items() if value},
        },
        collection_id=collection_id,
    )


async def get(caller: Caller, collection_id: str, session_id: str) -> CaptureRecord:
    """Return the capture session as it is now."""
    return await caller.call(
        routes.CAPTURE,
        lambda data: captures.session(data, collection_id=collection_id, session_id=session_id),
        collection_id=collection_id,
        session_id=session_id,
    )


async def list_page(
    caller: Caller,
    collection_id: str,
    place: ByCursor,
    *,
    status: str | None = None,
    end_user_id: str | None = None,
) -> tuple[Page[CaptureRecord], ByCursor | None]:
    """Return one page of the collection's capture sessions, and the place of the next."""
    return await caller.call(
        routes.CAPTURE_LIST,
        lambda data: captures.session_page(data, place=place, collection_id=collection_id),
        query={"status": status or None, "end_user_id": end_user_id or None, **place.query()},
        collection_id=collection_id,
    )


async def export(
    caller: Caller,
    collection_id: str,
    session_id: str,
    *,
    video_channel_id: str | None = None,
    connection_id: str | None = None,
) -> CaptureExport:
    """Export the session, or ask how far that is; what is empty is left out."""
    # The one call whose socket is not named `ws_connection_id`.
    optional = {"video_channel_id": video_channel_id, "connection_id": connection_id}
    return await caller.call(
        routes.CAPTURE_EXPORT,
        lambda data: captures.export(data, session_id=session_id),
        body={key: value for key, value in optional.items() if value},
        collection_id=collection_id,
        session_id=session_id,
    )


async def start(
    caller: Caller,
    session_id: str,
    channels: Sequence[Mapping[str, Any]],
    *,
    collection_id: str,
) -> CaptureRecord:
    """Start the session, and return it with where each channel is to be pushed."""
    return await caller.call(
        routes.CAPTURE_START,
        lambda data: captures.session(data, collection_id=collection_id, session_id=session_id),
        body={"session_id": session_id, "channels": list(channels)},
    )


async def get_run(caller: Caller, session_id: str, *, collection_id: str) -> CaptureRecord:
    """Return the session as its capturing program sees it: with where to push."""
    return await caller.call(
        routes.CAPTURE_RUN,
        lambda data: captures.session(data, collection_id=collection_id, session_id=session_id),
        session_id=session_id,
    )


async def stop(caller: Caller, session_id: str) -> None:
    """Stop the session."""
    await caller.call(routes.CAPTURE_STOP, lambda _: None, body={}, session_id=session_id)


async def issue_token(caller: Caller, *, expires_in: int) -> ClientToken:
    """Return a new token for the machine of an end user, good for `expires_in` seconds."""
    return await caller.call(
        routes.CAPTURE_TOKEN, captures.client_token, body={"expires_in": expires_in}
    )
