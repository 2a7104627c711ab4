"""Search in what is said in exported videos: the older endpoints, and Search v2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rtstream_async.local.arguments import Arguments
from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.domain.ranking import Hit
from rtstream_async.local.handlers.asset_urls import asset_window_url, find_asset
from rtstream_async.local.handlers.collections import check_collection
from rtstream_async.local.handlers.searching import (
    ACCEPTED,
    Asked,
    ask,
    read_asked,
    score,
    warnings,
)
from rtstream_async.local.refusal import Refusal, invalid, not_found
from rtstream_async.local.search.search import Found, Note
from rtstream_async.local.store.assets import AssetRow
from rtstream_async.local.store.documents import list_videos
from rtstream_async.protocol import routes

__all__ = ["ENDPOINTS"]

_DONE = "done"
_THRESHOLD = 0.2  # what the official SDK sends with the older search
_LIMIT = 5
_LIMIT_V2 = 10
_SEARCH_TYPES = ("semantic", "keyword", "scene", "llm")  # the last two: by meaning
_LLM_UNUSED = Note("llm_unused", "search_type: 'llm' searches by meaning here, as 'semantic' does")
_INDEX_TYPES = ("spoken_word", "scene")
_ORDERS = ("score", "start")
_ARGUMENTS = (
    *ACCEPTED,
    "search_type",
    "index_type",
    "scene_index_id",
    "sort_docs_on",
    "algorithm",
)
_ARGUMENTS_V2 = (
    "query",
    "top_k",
    "score_threshold",
    "mode",
    "return_fields",
    "include_clip",
    "session_id",
    "config",
)
_ARGUMENTS_SEMANTIC = (
    "query",
    "index_names",
    "index_ids",
    "top_k",
    "score_threshold",
    "filter",
    "return_fields",
)
_ONE_MODE = "default"
_ONE_INDEX = "spoken_words"  # what the service's documents call the index of speech


async def search_video(call: Call) -> Reply:
    """Answer what is found in one video; finding nothing is refused, as the service does."""
    video = await find_asset(call, call.ids["video_id"])
    if video.spoken.status != _DONE:
        raise _not_indexed(video)
    return await _search(call, [video])


async def search_videos(call: Call) -> Reply:
    """Answer what is found in all videos of a collection, likewise."""
    collection = check_collection(call, call.ids["collection_id"])
    return await _search(call, await call.services.store.run(list_videos, collection))


async def search_video_v2(call: Call) -> Reply:
    """Answer what is found in one video, which may be nothing."""
    video = await find_asset(call, call.ids["video_id"])
    is_indexed = video.spoken.status == _DONE
    notes = () if is_indexed else (Note("not_indexed", _not_indexed(video).message),)
    return await _search_v2(call, [video] if is_indexed else [], notes)


async def search_videos_v2(call: Call) -> Reply:
    """Answer what is found in all videos of a collection, which may be nothing."""
    collection = check_collection(call, call.ids["collection_id"])
    return await _search_v2(call, await call.services.store.run(list_videos, collection), ())


async def search_meaning(call: Call) -> Reply:
    """Answer what is nearest in one video, which may be nothing."""
    video = await find_asset(call, call.ids["video_id"])
    is_indexed = video.spoken.status == _DONE
    notes = () if is_indexed else (Note("not_indexed", _not_indexed(video).message),)
    return await _search_meaning(call, [video] if is_indexed else [], notes)


async def search_meanings(call: Call) -> Reply:
    """Answer what is nearest in all videos of a collection, which may be nothing."""
    collection = check_collection(call, call.ids["collection_id"])
    videos = await call.services.store.run(list_videos, collection)
    return await _search_meaning(call, videos, ())


async def _search(call: Call, videos: Sequence[AssetRow]) -> Reply:
    body = call.body
    body.only(_ARGUMENTS)
    asked = read_asked(body, limit=_LIMIT, threshold=_THRESHOLD)
    kind = body.choice("search_type", _SEARCH_TYPES, _SEARCH_TYPES[0])
    body.text("algorithm")
    by_start = body.choice("sort_docs_on", _ORDERS, _ORDERS[0]) == "start"
    _check_spoken(body)
    _check_unfiltered(asked)
    found = await ask(call, asked, [video.id for video in videos], keyword=kind == "keyword")
    if not found.hits:
        raise Refusal(400, "NO_RESULTS", "No results found")
    notes = (_LLM_UNUSED, *found.notes) if kind == "llm" else found.notes
    data = {
        "results": _results(call, videos, found, by_start=by_start),
        "degraded": found.degraded,
        "warnings": warnings(notes),
    }
    return Reply(data=data)


async def _search_v2(call: Call, videos: Sequence[AssetRow], notes: Sequence[Note]) -> Reply:
    body = call.body
    body.only(_ARGUMENTS_V2)
    asked = read_asked(body, limit=_LIMIT_V2, threshold=_THRESHOLD, limit_name="top_k")
    body.flag("include_clip", default=True)
    body.items("return_fields")
    said = [*notes, *_unused(body)]
    found = await ask(call, asked, [video.id for video in videos])
    return Reply(
        data={
            "response_type": "shots",
            "results": _results(call, videos, found, by_start=False),
            "session_id": body.text("session_id"),
            "degraded": found.degraded,
            "warnings": warnings((*said, *found.notes)),
        }
    )


async def _search_meaning(call: Call, videos: Sequence[AssetRow], notes: Sequence[Note]) -> Reply:
    body = call.body
    body.only(_ARGUMENTS_SEMANTIC)
    asked = read_asked(body, limit=_LIMIT_V2, limit_name="top_k")
    _check_unfiltered(asked)
    for name in (*_names(body, "index_names"), *_names(body, "index_ids")):
        if name != _ONE_INDEX:
            raise not_found("index", name)
    found = await ask(call, asked, [video.id for video in videos])
    return Reply(
        data={
            "results": _results(call, videos, found, by_start=False),
            "degraded": found.degraded,
            "warnings": warnings((*notes, *found.notes)),
        }
    )


def _names(body: Arguments, name: str) -> list[str]:
    """Return names, of which one alone needs no list."""
    one = body.values.get(name)
    return [one] if isinstance(one, str) else body.items(name)


def _check_unfiltered(asked: Asked) -> None:
    if asked.where:
        raise invalid("filter", "what is said in a video has no metadata; leave it out")


def _unused(body: Arguments) -> list[Note]:
    """Say which options of Search v2 do nothing here."""
    mode = body.text("mode") or _ONE_MODE
    notes: list[Note] = []
    if mode != _ONE_MODE:
        notes.append(Note("mode_unused", f"mode: there is only {_ONE_MODE!r} here, not {mode!r}"))
    if body.mapping("config").values:
        notes.append(Note("config_unused", "config: the local server has nothing to configure"))
    return notes


def _check_spoken(body: Arguments) -> None:
    if body.choice("index_type", _INDEX_TYPES, _INDEX_TYPES[0]) == "scene":
        raise Refusal(
            400,
            "NOT_OFFERED",
            "index_type: a video has no scene index here; search the stream that it was made of",
        )
    if body.text("scene_index_id") is not None:
        raise invalid("scene_index_id", "only index_type 'scene' has one")


def _not_indexed(video: AssetRow) -> Refusal:
    why = f" ({video.spoken.error})" if video.spoken.error else ""
    return Refusal(
        400,
        "NOT_INDEXED",
        f"it is not known what is said in {video.id}{why}; call index_spoken_words() first",
    )


def _results(
    call: Call, videos: Sequence[AssetRow], found: Found, *, by_start: bool
) -> list[Mapping[str, Any]]:
    """Return the hits video by video, the video with the best one first."""
    by_id = {video.id: video for video in videos}
    grouped: dict[str, list[Hit]] = {}
    for hit in found.hits:
        grouped.setdefault(hit.owner, []).append(hit)
    return [
        {
            "video_id": id_,
            "collection_id": by_id[id_].collection_id,
            "title": by_id[id_].name,
            "length": str(round(by_id[id_].duration, 3)),  # text in every recorded answer
            "docs": [
                _doc(call, by_id[id_], hit)
                for hit in sorted(hits, key=lambda hit: (0 if by_start else -hit.score, hit.start))
            ],
        }
        for id_, hits in grouped.items()
    ]


def _doc(call: Call, video: AssetRow, hit: Hit) -> Mapping[str, Any]:
    return {
        "start": hit.start,
        "end": hit.end,
        "text": hit.text,
        "score": score(hit),
        "engine": hit.engine,
        "stream_link": asset_window_url(call, video, hit.start, hit.end),
    }


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.VIDEO_SEMANTIC_SEARCH, search_meaning),
    (routes.VIDEOS_SEMANTIC_SEARCH, search_meanings),
    (routes.VIDEO_SEARCH_V2, search_video_v2),
    (routes.VIDEO_SEARCH, search_video),
    (routes.VIDEOS_SEARCH_V2, search_videos_v2),
    (routes.VIDEOS_SEARCH, search_videos),
)
