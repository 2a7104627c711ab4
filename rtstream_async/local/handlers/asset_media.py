"""What a browser or a player fetches of exported videos: manifests, segments, the MP4 file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import anyio.to_thread
from starlette.responses import FileResponse

from rtstream_async.local.asset_files import asset_folder
from rtstream_async.local.domain.playlist import Segment, Shot, join_shots
from rtstream_async.local.refusal import Refusal, not_found
from rtstream_async.local.services import Services
from rtstream_async.local.store import assets
from rtstream_async.local.store.assets import AssetSegmentRow, Window
from rtstream_async.local.tokens import Grant

__all__ = ["asset_file", "asset_manifest", "asset_segment_path", "is_asset"]

_MEDIA = {".mp4": "video/mp4", ".m4a": "audio/mp4"}
_PREFIXES = ("m-", "a-")


def is_asset(subject: str) -> bool:
    """Return whether `subject` is the id of an exported video, and not of a stream."""
    return subject.startswith(_PREFIXES)


async def asset_manifest(services: Services, grant: Grant, token: str) -> str:
    """Return the manifest of one window of a video, or of the shots of a compiled one."""
    query = urlencode({"token": token})
    shots = [await _shot(services, window, query) for window in await _windows(services, grant)]
    text = join_shots(shots)
    if text is None:
        raise Refusal(404, "NOT_RECORDED", "what this URL played is not kept any more")
    return text


async def asset_segment_path(services: Services, grant: Grant, asset_id: str, name: str) -> Path:
    """Return where a video's segment is; only what the store knows, and the token opens."""
    row = await services.store.run(assets.get_asset_segment, asset_id, name)
    if row is None or not _opens(await _windows(services, grant), row):
        raise not_found("segment", name)
    return asset_folder(services.settings.assets_dir, asset_id) / row.file


async def asset_file(services: Services, asset_id: str, headers: dict[str, str]) -> FileResponse:
    """Return the answer that is a video's file, or the part of it that was asked for."""
    row = await services.store.run(assets.get_asset, asset_id)
    if row is None:
        raise not_found("video", asset_id)
    path = asset_folder(services.settings.assets_dir, row.id) / row.file
    try:
        stat = await anyio.to_thread.run_sync(path.stat)
    except FileNotFoundError:
        raise not_found("file of video", asset_id) from None
    return FileResponse(path, media_type=_MEDIA[path.suffix], headers=headers, stat_result=stat)


async def _windows(services: Services, grant: Grant) -> Sequence[Window]:
    """Return what a token opens."""
    if grant.kind == "clip":
        start_us, end_us = grant.start_us, grant.end_us
        return [Window(asset_id=grant.subject, start_us=start_us, end_us=end_us)]
    windows = await services.store.run(assets.timeline_windows, grant.subject)
    if windows is None:
        raise not_found("compiled video", grant.subject)
    return windows


async def _shot(services: Services, window: Window, query: str) -> Shot:
    rows = await services.store.run(
        assets.list_asset_segments, window.asset_id, window.start_us, window.end_us
    )
    return Shot(
        segments=[_segment(row) for row in rows],
        start=window.start_us / 1e6,
        uri=lambda segment: f"/segments/{window.asset_id}/{segment.name}?{query}",
    )


def _segment(row: AssetSegmentRow) -> Segment:
    return Segment(
        start=row.start_us / 1e6,
        end=row.end_us / 1e6,
        name=row.file,
        size=row.size,
        discontinuity=row.discontinuity,
    )


def _opens(windows: Sequence[Window], row: AssetSegmentRow) -> bool:
    return any(
        window.asset_id == row.asset_id
        and row.start_us < window.end_us
        and row.end_us > window.start_us
        for window in windows
    )
