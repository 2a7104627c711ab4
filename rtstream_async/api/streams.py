"""Endpoints of streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from rtstream_async.api.caller import Caller
from rtstream_async.models.records import Page, Playback, StreamRecord
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import replies
from rtstream_async.protocol.paging import ByOffset

__all__ = ["Action", "create", "get", "list_page", "playback", "set_status", "update"]

Action = Literal["start", "stop"]


async def create(
    caller: Caller,
    *,
    collection_id: str,
    url: str,
    name: str,
    media_types: Sequence[str],
    sample_rate: int | None = None,
    store: bool | None = None,
    enable_transcript: bool | None = None,
    ws_connection_id: str | None = None,
) -> StreamRecord:
    """Connect a stream and return it; what is `None` is left to the service."""
    optional = {
        "sample_rate": sample_rate,
        "store": store,
        "enable_transcript": enable_transcript,
        "ws_connection_id": ws_connection_id,
    }
    return await caller.call(
        routes.STREAM_CREATE,
        replies.stream,
        body={
            "collection_id": collection_id,
            "url": url,
            "name": name,
            "media_types": list(media_types),
            **{key: value for key, value in optional.items() if value is not None},
        },
    )


async def get(caller: Caller, stream_id: str) -> StreamRecord:
    """Return the stream as it is now."""
    return await caller.call(
        routes.STREAM,
        lambda data: replies.stream(data, stream_id=stream_id),
        stream_id=stream_id,
    )


async def list_page(
    caller: Caller,
    place: ByOffset,
    *,
    status: str | None = None,
    name: str | None = None,
    ordering: str | None = None,
) -> tuple[Page[StreamRecord], ByOffset | None]:
    """Return one page of all streams of the account, and the place of the next page."""
    return await caller.call(
        routes.STREAM_LIST,
        lambda data: replies.stream_page(data, place=place),
        query={**place.query(), "status": status, "name": name, "ordering": ordering},
    )


async def update(
    caller: Caller, stream_id: str, *, name: str | None = None, sample_rate: int | None = None
) -> None:
    """Change the stream; what is `None` stays as it is."""
    changes = {"name": name, "sample_rate": sample_rate}
    await caller.call(
        routes.STREAM_UPDATE,
        _ignored,
        body={key: value for key, value in changes.items() if value is not None},
        stream_id=stream_id,
    )


async def set_status(caller: Caller, stream_id: str, action: Action) -> None:
    """Start or stop the stream."""
    await caller.call(routes.STREAM_STATUS, _ignored, body={"action": action}, stream_id=stream_id)


async def playback(
    caller: Caller, stream_id: str, *, start: float, end: float, player: Mapping[str, str]
) -> Playback:
    """Return where the window from `start` to `end`, in Unix seconds, can be played."""
    return await caller.call(
        routes.STREAM_PLAYBACK,
        replies.playback,
        query={"start": start, "end": end, **player},
        stream_id=stream_id,
    )


def _ignored(_: object) -> None:
    """The answer to a change has nothing in it that a look would not tell better."""
