"""Understandings of a stream, and the indexes made of what they put out."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.domain.ids import ENTROPY, index_id, understanding_id
from rtstream_async.local.domain.segmentation import Analysis, AnalysisError, read_analysis
from rtstream_async.local.handlers.extraction import check_rate
from rtstream_async.local.handlers.indexes import read_page
from rtstream_async.local.handlers.streams import find_stream
from rtstream_async.local.handlers.tracks import check_video
from rtstream_async.local.refusal import conflict, invalid, not_found
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import IndexRow, SceneRow
from rtstream_async.local.store.understandings import INDEX, UNDERSTANDING
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["ENDPOINTS"]

_ACTIONS = ("start", "stop")
_SEMANTIC = ("semantic",)
_STATUS_WORDS = {"error": "failed"}


async def create_understanding(call: Call) -> Reply:
    """Answer the new understanding, running: its engine is loaded."""
    stream = await find_stream(call)
    body = call.body
    body.only(("segmentation", "analyzers", "store", "ws_connection_id"))
    segmentation = body.mapping("segmentation").values
    analyzers = body.items("analyzers")
    analysis = _analysis(segmentation, analyzers)
    check_rate("analyzers[0].sampling.frame_count", analysis.frame_count, analysis.window)
    check_video(stream)
    now = time.time()
    row = IndexRow(
        id=understanding_id(now, os.urandom(ENTROPY)),
        stream_id=stream.id,
        extraction_type="time",
        extraction_config={"time": analysis.window, "frame_count": analysis.frame_count},
        prompt=analysis.prompt,
        name=analysis.output,
        model_name=analysis.model,
        model_config=analysis.config,
        ws_connection_id=body.text("ws_connection_id"),
        status="running",
        engine=None,
        last_error=None,
        dropped_windows=0,
        created_us=microseconds(now),
        family=UNDERSTANDING,
        definition={
            "segmentation": segmentation or {"type": "time", "window": f"{analysis.window:g}s"},
            "analyzers": list(analyzers) or [{"type": "vlm", "name": analysis.output}],
            "store": body.flag("store", default=True),
            "output": analysis.output,
        },
    )
    return Reply(data=_understanding(await call.services.pipelines.add_index(row)))


async def list_understandings(call: Call) -> Reply:
    """Answer all understandings of a stream."""
    rows = await _rows(call, UNDERSTANDING)
    return Reply(data={"understandings": [_understanding(row) for row in rows]})


async def get_understanding(call: Call) -> Reply:
    """Answer one understanding."""
    return Reply(data=_understanding(await _find(call, "understanding_id", UNDERSTANDING)))


async def change_understanding_status(call: Call) -> Reply:
    """Start or stop an understanding; answer what it is then."""
    row = await _find(call, "understanding_id", UNDERSTANDING)
    call.body.only(("action",))
    is_start = call.body.choice("action", _ACTIONS) == "start"
    pipelines = call.services.pipelines
    row = await (pipelines.start_index(row) if is_start else pipelines.stop_index(row))
    return Reply(data=_understanding(row))


async def list_understood(call: Call) -> Reply:
    """Answer one page of what was understood, newest first."""
    row = await _find(call, "understanding_id", UNDERSTANDING)
    call.query.only(("start", "end", "output", "page", "page_size"))
    output = call.query.text("output") or row.definition["output"]
    if output != row.definition["output"]:
        raise invalid("output", f"{output!r} is none", allowed=(row.definition["output"],))
    if not row.definition["store"]:
        raise conflict(f"understanding {row.id} was made with store=false: it keeps no records")
    return await _records(call, row)


async def create_index(call: Call) -> Reply:
    """Answer the new index, which copies from now on what the understanding puts out."""
    stream = await find_stream(call)
    call.body.only(("source", "name", "use_for"))
    source = await _source(call, stream.id)
    use_for = call.body.items("use_for") or list(_SEMANTIC)
    if any(use not in _SEMANTIC for use in use_for):
        raise invalid("use_for", f"{use_for!r} is not possible", allowed=_SEMANTIC)
    now = time.time()
    row = attrs.evolve(
        source,
        id=index_id(now, os.urandom(ENTROPY)),
        name=call.body.text("name") or source.name,
        ws_connection_id=None,
        status="running",
        last_error=None,
        dropped_windows=0,
        created_us=microseconds(now),
        family=INDEX,
        source_id=source.id,
        definition={"output": source.definition["output"], "use_for": list(use_for)},
    )
    await call.services.store.run(statements.add_index, row)
    return Reply(data=_index(row))


async def list_indexes(call: Call) -> Reply:
    """Answer all indexes of a stream that are made of understandings."""
    return Reply(data={"indexes": [_index(row) for row in await _rows(call, INDEX)]})


async def get_index(call: Call) -> Reply:
    """Answer one index that is made of an understanding."""
    return Reply(data=_index(await _find(call, "index_id", INDEX)))


async def change_index_status(call: Call) -> Reply:
    """Start or stop the copying; answer what the index is then."""
    row = await _find(call, "index_id", INDEX)
    call.body.only(("action",))
    status = "running" if call.body.choice("action", _ACTIONS) == "start" else "stopped"
    changed = await call.services.store.run(
        statements.change_index, row.stream_id, row.id, {"status": status}
    )
    return Reply(data=_index(changed or row))


async def list_index_records(call: Call) -> Reply:
    """Answer one page of an index's records, newest first."""
    row = await _find(call, "index_id", INDEX)
    call.query.only(("start", "end", "page", "page_size"))
    return await _records(call, row)


def _analysis(segmentation: Mapping[str, Any], analyzers: Sequence[Any]) -> Analysis:
    try:
        return read_analysis(segmentation, analyzers)
    except AnalysisError as exc:
        raise invalid(exc.argument, exc.problem) from None


async def _source(call: Call, stream_id: str) -> IndexRow:
    """Return the understanding that `source` describes: one of its `outputs`, handed back."""
    source = call.body.mapping("source")
    # The official Node SDK renames what it was answered, and hands that back.
    node_id = source.text("understandingId")
    id_ = node_id or source.required_text("understanding_id")
    row = await call.services.store.run(statements.get_index, stream_id, id_)
    if row is None or row.family != UNDERSTANDING:
        raise not_found("understanding", id_)
    output = source.text("output") or row.definition["output"]
    if output != row.definition["output"]:
        raise invalid("source.output", f"{output!r} is none", allowed=(row.definition["output"],))
    if not row.definition["store"]:
        raise conflict(f"understanding {row.id} was made with store=false: it can't be indexed")
    return row


async def _rows(call: Call, family: str) -> list[IndexRow]:
    stream = await find_stream(call)
    return await call.services.store.run(statements.list_indexes, stream.id, family)


async def _find(call: Call, name: str, family: str) -> IndexRow:
    stream = await find_stream(call)
    row = await call.services.store.run(statements.get_index, stream.id, call.ids[name])
    if row is None or row.family != family:
        raise not_found(family, call.ids[name])
    return row


async def _records(call: Call, row: IndexRow) -> Reply:
    scenes, more = await read_page(call, row)
    return Reply(data={"records": [_record(scene) for scene in scenes], "next_page": more})


def _understanding(row: IndexRow) -> dict[str, Any]:
    output = row.definition["output"]
    descriptor = {"type": "understanding", "understanding_id": row.id, "output": output}
    return {
        "understanding_id": row.id,
        "id": row.id,
        "rtstream_id": row.stream_id,
        "status": _STATUS_WORDS.get(row.status, row.status),
        "store": row.definition["store"],
        "segmentation": row.definition["segmentation"],
        "analyzers": row.definition["analyzers"],
        "outputs": {output: descriptor},
        "engine": row.engine,
        "last_error": row.last_error,
        "dropped_windows": row.dropped_windows,
    }


def _index(row: IndexRow) -> dict[str, Any]:
    return {
        "index_id": row.id,
        "id": row.id,
        "rtstream_id": row.stream_id,
        "name": row.name,
        "status": _STATUS_WORDS.get(row.status, row.status),
        "use_for": row.definition["use_for"],
        "source_understanding_id": row.source_id,
        "output": row.definition["output"],
    }


def _record(scene: SceneRow) -> dict[str, Any]:
    return {
        "start": scene.start_us / 1e6,
        "end": scene.end_us / 1e6,
        "data": {"text": scene.text, **scene.metadata},
        "text": scene.text,
        "engine": scene.engine,
    }


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.UNDERSTANDING_CREATE, create_understanding),
    (routes.UNDERSTANDING_LIST, list_understandings),
    (routes.UNDERSTANDING, get_understanding),
    (routes.UNDERSTANDING_STATUS, change_understanding_status),
    (routes.UNDERSTANDING_RECORDS, list_understood),
    (routes.STREAM_INDEX_CREATE, create_index),
    (routes.STREAM_INDEX_LIST, list_indexes),
    (routes.STREAM_INDEX, get_index),
    (routes.STREAM_INDEX_STATUS, change_index_status),
    (routes.STREAM_INDEX_RECORDS, list_index_records),
)
