"""Search in the records of streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.domain.ranking import Hit
from rtstream_async.local.handlers.collections import check_collection
from rtstream_async.local.handlers.searching import ACCEPTED, ask, read_asked, score, warnings
from rtstream_async.local.handlers.streams import find_stream
from rtstream_async.local.pipelines.publisher import HEARD
from rtstream_async.local.refusal import not_found
from rtstream_async.local.store.documents import SourceRow, list_sources
from rtstream_async.protocol import routes

__all__ = ["ENDPOINTS"]

_LIMIT = 10
_DONE = "Operation successful"
_INDEX_TYPES = ("scene", "spoken_word")


async def search_stream(call: Call) -> Reply:
    """Answer what is found in the indexes of one stream."""
    stream = await find_stream(call)
    sources = await call.services.store.run(list_sources, stream_id=stream.id)
    return await _search(call, sources)


async def search_collection(call: Call) -> Reply:
    """Answer what is found in the indexes of all streams of a collection."""
    collection = check_collection(call, call.ids["collection_id"])
    sources = await call.services.store.run(list_sources, collection_id=collection)
    return await _search(call, sources)


async def _search(call: Call, sources: Sequence[SourceRow]) -> Reply:
    call.body.only((*ACCEPTED, "scene_index_id", "index_type"))
    asked = read_asked(call.body, limit=_LIMIT)
    by_id = {source.index_id: source for source in sources if _is_of_type(call, source)}
    index_id = call.body.text("scene_index_id")
    if index_id is not None:
        if index_id not in by_id:
            raise not_found("index", index_id)
        by_id = {index_id: by_id[index_id]}
    found = await ask(call, asked, by_id.keys())
    results = [_result(hit, by_id[hit.owner]) for hit in found.hits if hit.owner in by_id]
    notes = "; ".join(note.message for note in found.notes)
    return Reply(
        data={
            "results": results,
            "degraded": found.degraded,
            "warnings": warnings(found.notes),
        },
        message=notes or _DONE,
    )


def _is_of_type(call: Call, source: SourceRow) -> bool:
    """Whether an index is of the `index_type` that is asked for; only the Node SDK sends one."""
    asked = call.body.choice("index_type", (*_INDEX_TYPES, ""), "")
    return not asked or (asked == "spoken_word") is (source.extraction_type == HEARD)


def _result(hit: Hit, source: SourceRow) -> Mapping[str, Any]:
    return {
        "rtstream_id": source.stream_id,
        "rtstream_name": source.stream_name,
        "scene_index_id": source.index_id,
        "scene_index_name": source.index_name,
        "start": hit.start,
        "end": hit.end,
        "text": hit.text,
        "score": score(hit),
        "engine": hit.engine,
        "metadata": hit.metadata,
    }


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.STREAMS_SEARCH, search_collection),
    (routes.STREAM_SEARCH, search_stream),
)
