"""Endpoints of transcripts."""

from __future__ import annotations

from typing import Literal

from rtstream_async.api.caller import Caller
from rtstream_async.models.records import Page
from rtstream_async.models.transcripts import TranscriptSegment, TranscriptStatus
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import transcripts
from rtstream_async.protocol.paging import ByNumber

__all__ = ["StopMode", "get_status", "segment_page", "start", "stop"]

StopMode = Literal["graceful", "force"]


async def start(
    caller: Caller,
    stream_id: str,
    *,
    engine: str | None = None,
    ws_connection_id: str | None = None,
) -> TranscriptStatus:
    """Start the transcript, and return what became of it."""
    body = {"action": "start", "engine": engine, "ws_connection_id": ws_connection_id}
    return await _switch(caller, stream_id, body)


async def stop(
    caller: Caller, stream_id: str, *, engine: str | None = None, mode: StopMode | None = None
) -> TranscriptStatus:
    """Stop the transcript, and return what became of it."""
    return await _switch(caller, stream_id, {"action": "stop", "engine": engine, "mode": mode})


async def get_status(
    caller: Caller, stream_id: str, *, engine: str | None = None
) -> TranscriptStatus:
    """Return whether the stream is being transcribed."""
    return await caller.call(
        routes.TRANSCRIPT_STATUS,
        transcripts.status,
        query={"engine": engine},
        stream_id=stream_id,
    )


async def segment_page(
    caller: Caller, stream_id: str, place: ByNumber, *, engine: str | None = None
) -> tuple[Page[TranscriptSegment], ByNumber | None]:
    """Return one page of what was said, and the place of the next page."""
    return await caller.call(
        routes.TRANSCRIPT,
        lambda data: transcripts.segment_page(data, place=place),
        query={**place.query(), "engine": engine},
        stream_id=stream_id,
    )


async def _switch(caller: Caller, stream_id: str, body: dict[str, str | None]) -> TranscriptStatus:
    return await caller.call(
        routes.TRANSCRIPT_SWITCH,
        transcripts.status,
        body={key: value for key, value in body.items() if value},
        stream_id=stream_id,
    )
