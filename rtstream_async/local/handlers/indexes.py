"""Scene and audio indexes, and their records."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.domain.ids import ENTROPY, short_id
from rtstream_async.local.handlers.extraction import read_extraction
from rtstream_async.local.handlers.ranges import read_range
from rtstream_async.local.handlers.streams import find_stream
from rtstream_async.local.handlers.tracks import check_audio, check_video
from rtstream_async.local.pipelines.publisher import HEARD
from rtstream_async.local.refusal import invalid, not_found
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import IndexRow, SceneRow, StreamRow
from rtstream_async.local.store.understandings import SCENE_INDEX
from rtstream_async.models.records import IndexRecord, Scene
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import emit
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["ENDPOINTS", "read_page"]

_ACTIONS = ("start", "stop")
_NOTES = {
    "running": None,
    "started": "the stream had no transcript, so one was started, pushed to no connection",
    "not_running": "the stream has no transcript: this index stays silent until one is started",
}


async def create_index(call: Call) -> Reply:
    """Answer the new index, running: its engine is loaded, its first record has begun."""
    stream = await find_stream(call)
    body = call.body
    body.only(
        (
            "extraction_type",
            "extraction_config",
            "prompt",
            "model_name",
            "model_config",
            "name",
            "ws_connection_id",
            "sandbox_id",
            "auto_start_transcript",
        )
    )
    kind, config = read_extraction(body)
    id_ = short_id(os.urandom(ENTROPY))
    what = "Audio" if kind == HEARD else "Scene"
    row = IndexRow(
        id=id_,
        stream_id=stream.id,
        extraction_type=kind,
        extraction_config=config,
        prompt=body.text("prompt"),
        name=body.text("name") or f"{what} index {id_[:6]}",
        model_name=body.text("model_name"),
        model_config=body.mapping("model_config").values,
        ws_connection_id=body.text("ws_connection_id"),
        status="running",
        engine=None,
        last_error=None,
        dropped_windows=0,
        created_us=microseconds(time.time()),
    )
    if kind == HEARD:
        return await _add_audio_index(call, stream, row)
    check_video(stream)
    return Reply(data=_index(call, await call.services.pipelines.add_index(row)))


async def list_indexes(call: Call) -> Reply:
    """Answer all indexes of a stream."""
    stream = await find_stream(call)
    rows = await call.services.store.run(statements.list_indexes, stream.id, SCENE_INDEX)
    return Reply(data={"scene_indexes": [_index(call, row) for row in rows]})


async def get_index(call: Call) -> Reply:
    """Answer one index."""
    return Reply(data=_index(call, await _find_index(call)))


async def change_index(call: Call) -> Reply:
    """Change what an index is asked, from its next record on; answer what it is then."""
    row = await _find_index(call)
    call.body.only(("prompt",))
    if "prompt" not in call.body.values:
        raise invalid("prompt", "is required; null takes it away")
    prompt = call.body.text("prompt")
    return Reply(data=_index(call, await call.services.pipelines.change_prompt(row, prompt)))


async def change_index_status(call: Call) -> Reply:
    """Start or stop an index; answer what it is then."""
    row = await _find_index(call)
    call.body.only(("action",))
    if call.body.choice("action", _ACTIONS) == "start":
        row = await call.services.pipelines.start_index(row)
    else:
        row = await call.services.pipelines.stop_index(row)
    return Reply(data=_index(call, row))


async def list_records(call: Call) -> Reply:
    """Answer one page of records, newest first."""
    row = await _find_index(call)
    call.query.only(("start", "end", "page", "page_size"))
    scenes, more = await read_page(call, row)
    return Reply(
        data={"scene_index_records": [_scene(scene) for scene in scenes], "next_page": more}
    )


async def read_page(call: Call, row: IndexRow) -> tuple[list[SceneRow], bool]:
    """Return the page of records that the query asks for, and whether there is a further one."""
    page = read_range(call.query)
    scenes = await call.services.store.run(
        statements.list_scenes,
        row.id,
        start_us=page.start_us,
        end_us=page.end_us,
        limit=page.size + 1,
        offset=page.offset,
    )
    return scenes[: page.size], len(scenes) > page.size


async def _add_audio_index(call: Call, stream: StreamRow, row: IndexRow) -> Reply:
    check_audio(stream)
    row, transcript = await call.services.pipelines.add_audio_index(
        row, stream, may_start=call.body.flag("auto_start_transcript", default=True)
    )
    note = _NOTES[transcript]
    said = {"transcript": transcript} | ({} if note is None else {"note": note})
    return Reply(data=_index(call, row) | said)


async def _find_index(call: Call) -> IndexRow:
    stream = await find_stream(call)
    id_ = call.ids["index_id"]
    row = await call.services.store.run(statements.get_index, stream.id, id_)
    if row is None or row.family != SCENE_INDEX:
        raise not_found("index", id_)
    return row


def _index(call: Call, row: IndexRow) -> dict[str, Any]:
    record = IndexRecord(
        rtstream_index_id=row.id,
        rtstream_id=row.stream_id,
        extraction_type=row.extraction_type,
        extraction_config=row.extraction_config,
        prompt=row.prompt,
        name=row.name,
        status=row.status,
    )
    extra: Mapping[str, Any] = {
        "model_name": row.model_name,
        "engine": row.engine,
        "last_error": row.last_error,
        "dropped_windows": row.dropped_windows,
        "undelivered_frames": call.services.hub.gone[row.ws_connection_id or ""],
        "created_at": emit.created_at(row.created_us / 1e6),
    }
    return emit.index(record, **extra)


def _scene(row: SceneRow) -> dict[str, Any]:
    record = Scene(start=row.start_us / 1e6, end=row.end_us / 1e6, text=row.text)
    return emit.scene(record, engine=row.engine, metadata=row.metadata)


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.SCENE_INDEX_CREATE, create_index),
    (routes.SCENE_INDEX_LIST, list_indexes),
    (routes.SCENE_INDEX_STATUS, change_index_status),
    (routes.SCENE_INDEX_UPDATE, change_index),
    (routes.SCENE_INDEX_RECORDS, list_records),
    (routes.SCENE_INDEX, get_index),
)
