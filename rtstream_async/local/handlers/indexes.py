"""Scene indexes and their records."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from rtstream_async.local.arguments import Arguments
from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.domain.ids import ENTROPY, short_id
from rtstream_async.local.handlers.streams import find_stream
from rtstream_async.local.refusal import Refusal, invalid, not_found
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import IndexRow, SceneRow, StreamRow
from rtstream_async.local.store.understandings import SCENE_INDEX
from rtstream_async.models.records import IndexRecord, Scene
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import emit
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["ENDPOINTS", "check_rate", "check_video", "read_page"]

_TIME = ("time", "time_based")
_NOT_YET = {
    "transcript": "audio indexes are not offered by this version of the local server",
    "shot": "shot detection is not offered by the local server; use 'time'",
    "shot_based": "shot detection is not offered by the local server; use 'time'",
}
_DEFAULT_TIME = 10.0
_DEFAULT_FRAMES = 5
_MAX_TIME = 3600.0
_MAX_FRAMES = 60
_MAX_RATE = 30.0  # frames a second; no engine sees more in them
_MAX_PAGE_SIZE = 1000
_MAX_PAGE = 10**6
_ACTIONS = ("start", "stop")


async def create_index(call: Call) -> Reply:
    """Answer the new index, running: its engine is loaded, its first window has begun."""
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
    _check_type(body)
    config = _time_config(body.mapping("extraction_config"))
    check_video(stream)
    id_ = short_id(os.urandom(ENTROPY))
    row = IndexRow(
        id=id_,
        stream_id=stream.id,
        extraction_type="time",
        extraction_config=config,
        prompt=body.text("prompt"),
        name=body.text("name") or f"Scene index {id_[:6]}",
        model_name=body.text("model_name"),
        model_config=body.mapping("model_config").values,
        ws_connection_id=body.text("ws_connection_id"),
        status="running",
        engine=None,
        last_error=None,
        dropped_windows=0,
        created_us=microseconds(time.time()),
    )
    return Reply(data=_index(call, await call.services.director.add_index(row)))


async def list_indexes(call: Call) -> Reply:
    """Answer all indexes of a stream."""
    stream = await find_stream(call)
    rows = await call.services.store.run(statements.list_indexes, stream.id, SCENE_INDEX)
    return Reply(data={"scene_indexes": [_index(call, row) for row in rows]})


async def get_index(call: Call) -> Reply:
    """Answer one index."""
    return Reply(data=_index(call, await _find_index(call)))


async def change_index_status(call: Call) -> Reply:
    """Start or stop an index; answer what it is then."""
    row = await _find_index(call)
    call.body.only(("action",))
    if call.body.choice("action", _ACTIONS) == "start":
        row = await call.services.director.start_index(row)
    else:
        row = await call.services.director.stop_index(row)
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
    page = call.query.integer("page", 1, low=1, high=_MAX_PAGE)
    size = call.query.integer("page_size", 100, low=1, high=_MAX_PAGE_SIZE)
    start, end = call.query.number("start"), call.query.number("end")
    if start is not None and end is not None and start > end:
        raise invalid("start", f"{start:f} is after end {end:f}")
    scenes = await call.services.store.run(
        statements.list_scenes,
        row.id,
        start_us=_microseconds("start", start),
        end_us=_microseconds("end", end),
        limit=size + 1,
        offset=(page - 1) * size,
    )
    return scenes[:size], len(scenes) > size


async def _find_index(call: Call) -> IndexRow:
    stream = await find_stream(call)
    id_ = call.ids["index_id"]
    row = await call.services.store.run(statements.get_index, stream.id, id_)
    if row is None or row.family != SCENE_INDEX:
        raise not_found("index", id_)
    return row


def _check_type(body: Arguments) -> None:
    kind = body.choice("extraction_type", (*_TIME, *_NOT_YET), "time")
    if kind in _NOT_YET:
        raise Refusal(400, "NOT_OFFERED", f"extraction_type: {_NOT_YET[kind]}")


def _time_config(config: Arguments) -> dict[str, float]:
    config.only(("time", "frame_count"))
    value = config.positive("time", _DEFAULT_TIME, high=_MAX_TIME)
    frames = config.integer("frame_count", _DEFAULT_FRAMES, low=1, high=_MAX_FRAMES)
    check_rate(f"{config.prefix}frame_count", frames, value)
    return {"time": value, "frame_count": frames}


def check_rate(argument: str, frames: int, seconds: float) -> None:
    """Refuse more frames of a window than an engine could see anything new in.

    Raises:
        Refusal: They are too many, or the window is too long.
    """
    if seconds > _MAX_TIME or frames > _MAX_FRAMES:
        problem = f"at most {_MAX_FRAMES} frames of at most {_MAX_TIME:g} s are possible"
        raise invalid(argument, problem)
    if frames / seconds > _MAX_RATE:
        problem = f"{frames} in {seconds:g} s is more than {_MAX_RATE:g} frames a second"
        raise invalid(argument, problem)


def check_video(stream: StreamRow) -> None:
    """Refuse to look at a stream without a picture.

    Raises:
        Refusal: It has none, or nobody is to look at it.
    """
    if "video" not in stream.media_types:
        raise invalid("rtstream_id", "this stream was connected without 'video' in media_types")
    if stream.ingested and stream.ingested.get("video") is None:
        raise invalid("rtstream_id", "the source of this stream has no picture, only sound")


def _microseconds(name: str, seconds: float | None) -> int | None:
    if seconds is None:
        return None
    if not 0 <= seconds < 1e11:  # noqa: PLR2004 - from there on it is no time in seconds
        raise invalid(name, f"{seconds:g} is no Unix time in seconds")
    return microseconds(seconds)


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
    (routes.SCENE_INDEX_RECORDS, list_records),
    (routes.SCENE_INDEX, get_index),
)
