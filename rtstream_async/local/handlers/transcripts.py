"""The transcript of a stream: start, stop, read."""

from __future__ import annotations

from typing import Any

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.handlers.ranges import read_moment, read_range
from rtstream_async.local.handlers.streams import find_stream
from rtstream_async.local.handlers.tracks import check_audio
from rtstream_async.local.pipelines.publisher import HEARD
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import StreamRow
from rtstream_async.local.store.transcripts import (
    TranscriptRow,
    UtteranceQuery,
    UtteranceRow,
    get_transcript,
    list_utterances,
)
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import emit

__all__ = ["ENDPOINTS"]

_ACTIONS = ("start", "stop")
_MODES = ("graceful", "force")
_NOT_CONFIGURED = "not_configured"
_STARTED = "the transcript is running"
_REBOUND = "the transcript was running already; it is pushed to this connection from now on"
_RUNS_ALREADY = "the transcript was running already"
_WAITS = "the stream is stopped: the transcript is remembered, and runs when the stream does"
_STOPPED = "the transcript is stopped"
_NEVER = "there is no transcript of this stream"
_SILENCED = "audio indexes of this stream stay silent until it is started again"


async def switch_transcript(call: Call) -> Reply:
    """Start or stop the transcript; answer what it is then."""
    stream = await find_stream(call)
    call.body.only(("action", "engine", "ws_connection_id", "mode"))
    mode = call.body.choice("mode", _MODES, "graceful")
    if call.body.choice("action", _ACTIONS) == "start":
        return await _start(call, stream)
    row = await call.services.pipelines.stop_transcript(stream.id, force=mode == "force")
    if row is None:
        return _reply(None, _NEVER)
    return _reply(row, *((_STOPPED, _SILENCED) if await _is_heard(call, stream) else (_STOPPED,)))


async def list_transcript(call: Call) -> Reply:
    """Answer one page of what was said, in order of time."""
    stream = await find_stream(call)
    call.query.only(("engine", "page", "page_size", "start", "end", "since"))
    page = read_range(call.query)
    query = UtteranceQuery(
        start_us=page.start_us,
        end_us=page.end_us,
        since_us=read_moment(call.query, "since"),
        limit=page.size,
        offset=page.offset,
    )
    rows, count = await call.services.store.run(list_utterances, stream.id, query)
    return Reply(
        data={
            "transcription_records": [_record(row) for row in rows],
            "next_page": page.offset + len(rows) < count,
            "total_count": count,
            "page": page.page,
            "page_size": page.size,
        }
    )


async def show_transcript(call: Call) -> Reply:
    """Answer whether somebody listens, and how that goes."""
    stream = await find_stream(call)
    call.query.only(("engine",))
    row = await call.services.store.run(get_transcript, stream.id)
    waits = row is not None and row.is_wanted and not _runs(call, stream)
    return _reply(row, *((_WAITS,) if waits else ()))


async def _start(call: Call, stream: StreamRow) -> Reply:
    check_audio(stream)
    connection = call.body.text("ws_connection_id")
    row, ran = await call.services.pipelines.start_transcript(
        stream, connection=connection, asked_engine=call.body.text("engine")
    )
    if not _runs(call, stream):
        return _reply(row, _WAITS)
    if not ran:
        return _reply(row, _STARTED)
    return _reply(row, _RUNS_ALREADY if connection is None else _REBOUND)


def _runs(call: Call, stream: StreamRow) -> bool:
    return call.services.director.live(stream.id) is not None


async def _is_heard(call: Call, stream: StreamRow) -> bool:
    """Whether an audio index works on the transcript."""
    rows = await call.services.store.run(statements.list_indexes, stream.id)
    return any(row.extraction_type == HEARD and row.status == "running" for row in rows)


def _reply(row: TranscriptRow | None, *notes: str) -> Reply:
    shown = _transcript(row)
    if not notes:
        return Reply(data=shown)
    note = "; ".join(notes)
    return Reply(data={**shown, "note": note}, message=note)


def _transcript(row: TranscriptRow | None) -> dict[str, Any]:
    if row is None:
        return {
            "status": _NOT_CONFIGURED,
            "engine": None,
            "language": None,
            "created_at": None,
            "updated_at": None,
            "last_error": None,
        }
    return {
        "status": row.status,
        "engine": row.engine,
        "requested_engine": row.asked_engine,
        "language": row.language,
        "created_at": emit.created_at(row.created_us / 1e6),
        "updated_at": emit.created_at(row.updated_us / 1e6),
        "started_at": emit.created_at(row.started_us / 1e6),
        "stopped_at": _moment(row.stopped_us),
        "pushed_since": _moment(row.bound_us),
        "last_error": row.last_error,
        "dropped_seconds": round(row.dropped_seconds, 3),
    }


def _moment(time_us: int | None) -> str | None:
    return None if time_us is None else emit.created_at(time_us / 1e6)


def _record(row: UtteranceRow) -> dict[str, Any]:
    return {
        "start": row.start_us / 1e6,
        "end": row.end_us / 1e6,
        "text": row.text,
        # Both names of the word: the sources have two.
        "word_timestamps": [{**word, "word": word["text"]} for word in row.words],
        "is_final": True,
        "engine": row.engine,
    }


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.TRANSCRIPT_SWITCH, switch_transcript),
    (routes.TRANSCRIPT, list_transcript),
    (routes.TRANSCRIPT_STATUS, show_transcript),
)
