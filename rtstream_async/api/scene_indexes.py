"""Endpoints of scene and audio indexes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtstream_async.api.caller import Caller
from rtstream_async.api.streams import Action
from rtstream_async.models.records import IndexRecord, Page, Scene
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import replies
from rtstream_async.protocol.paging import ByNumber

__all__ = ["create", "get", "list_all", "scene_page", "set_status", "update"]


async def create(
    caller: Caller,
    stream_id: str,
    *,
    extraction_type: str,
    extraction_config: Mapping[str, Any] | None = None,
    prompt: str | None = None,
    model_name: str | None = None,
    model_config: Mapping[str, Any] | None = None,
    name: str | None = None,
    ws_connection_id: str | None = None,
    sandbox_id: str | None = None,
) -> IndexRecord:
    """Create an index, which runs at once, and return it; what is `None` is left out."""
    body = {
        "extraction_type": extraction_type,
        "extraction_config": extraction_config,
        "prompt": prompt,
        "model_name": model_name,
        "model_config": model_config,
        "name": name,
        "ws_connection_id": ws_connection_id,
        "sandbox_id": sandbox_id,
    }
    return await caller.call(
        routes.SCENE_INDEX_CREATE,
        lambda data: replies.index(data, rtstream_id=stream_id),
        body={key: value for key, value in body.items() if value is not None},
        stream_id=stream_id,
    )


async def list_all(caller: Caller, stream_id: str) -> list[IndexRecord]:
    """Return all indexes of the stream."""
    return await caller.call(
        routes.SCENE_INDEX_LIST,
        lambda data: replies.indexes(data, rtstream_id=stream_id),
        stream_id=stream_id,
    )


async def get(caller: Caller, stream_id: str, index_id: str) -> IndexRecord:
    """Return the index as it is now."""
    return await caller.call(
        routes.SCENE_INDEX,
        lambda data: replies.index(data, rtstream_id=stream_id, index_id=index_id),
        stream_id=stream_id,
        index_id=index_id,
    )


async def scene_page(
    caller: Caller, stream_id: str, index_id: str, place: ByNumber
) -> tuple[Page[Scene], ByNumber | None]:
    """Return one page of scenes, newest first, and the place of the next page."""
    return await caller.call(
        routes.SCENE_INDEX_RECORDS,
        lambda data: replies.scene_page(data, place=place),
        query=place.query(),
        stream_id=stream_id,
        index_id=index_id,
    )


async def update(caller: Caller, stream_id: str, index_id: str, *, prompt: str) -> None:
    """Change what the index is asked to tell from now on."""
    await caller.call(
        routes.SCENE_INDEX_UPDATE,
        _ignored,
        body={"prompt": prompt},
        stream_id=stream_id,
        index_id=index_id,
    )


async def set_status(caller: Caller, stream_id: str, index_id: str, action: Action) -> None:
    """Start or stop the index."""
    await caller.call(
        routes.SCENE_INDEX_STATUS,
        _ignored,
        body={"action": action},
        stream_id=stream_id,
        index_id=index_id,
    )


def _ignored(_: object) -> None:
    """The answer to a change has nothing in it but a message."""
