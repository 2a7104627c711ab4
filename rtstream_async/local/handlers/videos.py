"""Exported videos, and sound alone: list, look at, rename, delete, play, compile."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from rtstream_async.local.arguments import Arguments
from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.domain.ids import ENTROPY, short_id
from rtstream_async.local.domain.shots import read_shots
from rtstream_async.local.handlers.asset_replies import audio_data, video_data
from rtstream_async.local.handlers.asset_urls import (
    asset_urls,
    asset_window_url,
    download_url,
    find_asset,
    player_url,
    timeline_url,
)
from rtstream_async.local.handlers.collections import check_collection
from rtstream_async.local.refusal import Refusal, invalid, not_found
from rtstream_async.local.store import assets
from rtstream_async.local.store.assets import AssetRow, TimelineItem
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["ENDPOINTS", "asset_in_path", "find_in_path"]

_MOST = 5000
_MOST_PAGES = 10**6
_MOST_SHOTS = 1000


async def asset_in_path(call: Call) -> AssetRow:
    """Return the video or the sound that the path names; the query says nothing else.

    Raises:
        Refusal: There is none.
    """
    call.query.only(("collection_id",))
    return await find_in_path(call)


async def find_in_path(call: Call) -> AssetRow:
    """Return the video or the sound that the path names, in the collection that the query names.

    Raises:
        Refusal: There is none.
    """
    asset = await find_asset(call, call.ids.get("video_id") or call.ids["audio_id"])
    if "audio_id" in call.ids and asset.has_picture:
        raise not_found("audio", asset.id)
    _check_collection(call, asset, call.query.text("collection_id"))
    return asset


async def list_videos(call: Call) -> Reply:
    """Answer the videos of a collection, newest first."""
    rows = await _list(call, "video")
    return Reply(data={"videos": [video_data(call, row) for row in rows]})


async def list_audios(call: Call) -> Reply:
    """Answer the recordings of sound alone of a collection, newest first."""
    rows = await _list(call, "audio")
    return Reply(data={"audios": [audio_data(call, row) for row in rows]})


async def get_video(call: Call) -> Reply:
    """Answer one video."""
    return Reply(data=video_data(call, await asset_in_path(call)))


async def get_audio(call: Call) -> Reply:
    """Answer one recording of sound alone."""
    return Reply(data=audio_data(call, await asset_in_path(call)))


async def change_video(call: Call) -> Reply:
    """Change a video's name; answer what it is then."""
    row = await asset_in_path(call)
    call.body.only(("name",))
    name = call.body.required_text("name")
    changed = await call.services.store.run(assets.rename_asset, row.id, name)
    if changed is None:
        raise not_found("video", row.id)
    return Reply(data=video_data(call, changed))


async def delete_video(call: Call) -> Reply:
    """Delete a video with its files and all that is known of it."""
    await call.services.exporter.delete(await asset_in_path(call))
    return Reply(message="it is deleted")


async def get_playback(call: Call) -> Reply:
    """Answer where a video, or some parts of it one after the other, can be played."""
    asset = await asset_in_path(call)
    call.body.only(("timeline", "length"))
    _check_picture(asset)
    timeline = call.body.values.get("timeline")
    if timeline is None or timeline == []:
        return Reply(data=asset_urls(call, asset))
    items = _items(asset, timeline, "timeline")
    return await _compiled(call, items, {asset.id: asset}, title=asset.name)


async def compile_shots(call: Call) -> Reply:
    """Answer where shots of several videos can be played, one after the other."""
    known: dict[str, AssetRow] = {}
    items: list[TimelineItem] = []
    for part in call.items:
        part.only(("video_id", "collection_id", "shots"))
        asset = await _find_part(call, part)
        known[asset.id] = asset
        items += _items(asset, part.values.get("shots"), f"{part.prefix}shots")
    if not items:
        raise invalid("body", "is a list without shots; there is nothing to play")
    names = {asset.name for asset in known.values()}
    title = names.pop() if len(names) == 1 else f"{len(items)} shots of {len(known)} videos"
    return await _compiled(call, items, known, title=title)


async def get_audio_url(call: Call) -> Reply:
    """Answer where the sound can be fetched, for a while."""
    asset = await asset_in_path(call)
    return Reply(data={"signed_url": download_url(call, asset)})


async def _list(call: Call, kind: str) -> Sequence[AssetRow]:
    query = call.query
    query.only(("collection_id", "page_index", "count"))
    count = query.integer("count", _MOST, low=1, high=_MOST)
    page = query.integer("page_index", 0, low=0, high=_MOST_PAGES)
    collection = check_collection(call, query.text("collection_id") or "default")
    return await call.services.store.run(
        assets.list_assets, collection, kind, limit=count, offset=page * count
    )


async def _find_part(call: Call, part: Arguments) -> AssetRow:
    asset = await find_asset(call, part.required_text("video_id"))
    _check_collection(call, asset, part.text("collection_id"))
    _check_picture(asset)
    return asset


def _check_collection(call: Call, asset: AssetRow, named: str | None) -> None:
    if named is not None and check_collection(call, named) != asset.collection_id:
        raise Refusal(404, "NOT_FOUND", f"there is no {asset.id!r} in collection {named!r}")


def _check_picture(asset: AssetRow) -> None:
    if not asset.has_picture:
        raise Refusal(
            400,
            "NO_PICTURE",
            f"{asset.id} is sound alone, which is not streamed; fetch it from its download_url",
        )


def _items(asset: AssetRow, value: object, name: str) -> list[TimelineItem]:
    try:
        shots = read_shots(value, length=asset.duration)
    except ValueError as exc:
        raise invalid(name, str(exc)) from None
    return [TimelineItem(asset_id=asset.id, start=start, end=end) for start, end in shots]


async def _compiled(
    call: Call, items: Sequence[TimelineItem], known: dict[str, AssetRow], *, title: str
) -> Reply:
    if len(items) > _MOST_SHOTS:
        raise invalid("shots", f"are {len(items)}; at most {_MOST_SHOTS} are played at once")
    if len(items) == 1:
        shot = items[0]
        stream_url = asset_window_url(call, known[shot.asset_id], shot.start, shot.end)
    else:
        stream_url = await _timeline(call, items)
    page = None if stream_url is None else player_url(call, stream_url, title=title)
    return Reply(data={"stream_url": stream_url, "player_url": page})


async def _timeline(call: Call, items: Sequence[TimelineItem]) -> str:
    id_ = short_id(os.urandom(ENTROPY))
    await call.services.store.run(
        assets.add_timeline,
        id_,
        items,
        now_us=microseconds(time.time()),
        keep_us=microseconds(call.services.settings.clip_lifetime),
    )
    return timeline_url(call, id_)


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.VIDEO_LIST, list_videos),
    (routes.VIDEO, get_video),
    (routes.VIDEO_UPDATE, change_video),
    (routes.VIDEO_DELETE, delete_video),
    (routes.VIDEO_STREAM, get_playback),
    (routes.COMPILE, compile_shots),
    (routes.AUDIO_LIST, list_audios),
    (routes.AUDIO, get_audio),
    (routes.AUDIO_DELETE, delete_video),
    (routes.AUDIO_URL, get_audio_url),
)
