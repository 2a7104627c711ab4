"""Where exported videos can be played and fetched: URLs with tokens, for browsers without a key."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

from rtstream_async.local.calls import Call
from rtstream_async.local.domain.pieces import moment_of_end, moment_of_start
from rtstream_async.local.links import page_url
from rtstream_async.local.refusal import not_found
from rtstream_async.local.store.assets import AssetRow, get_asset
from rtstream_async.local.tokens import Grant
from rtstream_async.protocol.codec.times import microseconds

__all__ = [
    "asset_urls",
    "asset_window_url",
    "download_url",
    "find_asset",
    "player_url",
    "timeline_url",
]

_UNNAMEABLE = re.compile(r"[^\w.()-]+")
_LONGEST_NAME = 80


async def find_asset(call: Call, id_: str) -> AssetRow:
    """Return the exported video (or sound) with this id.

    Raises:
        Refusal: There is none.
    """
    row = await call.services.store.run(get_asset, id_)
    if row is None:
        raise not_found("audio" if id_.startswith("a-") else "video", id_)
    return row


def asset_window_url(call: Call, asset: AssetRow, start: float, end: float) -> str | None:
    """Return the manifest that plays from `start` to `end`, in seconds of the video.

    `None` for sound alone: there is nothing to see.
    """
    if not asset.has_picture:
        return None
    grant = Grant(
        kind="clip",
        subject=asset.id,
        start_us=microseconds(moment_of_start(asset.pieces, start)),
        end_us=microseconds(moment_of_end(asset.pieces, end)),
    )
    name = f"{grant.start_us}-{grant.end_us}.m3u8"
    return f"{call.base_url}/manifests/{asset.id}/{name}?{_token(call, grant)}"


def asset_urls(call: Call, asset: AssetRow) -> dict[str, str | None]:
    """Return where the whole video plays: manifest and page; both `None` for sound alone."""
    stream_url = asset_window_url(call, asset, 0.0, asset.duration)
    page = None if stream_url is None else player_url(call, stream_url, title=asset.name)
    return {"stream_url": stream_url, "player_url": page}


def timeline_url(call: Call, timeline_id: str) -> str:
    """Return the manifest that plays the shots of a compiled video."""
    grant = Grant(kind="timeline", subject=timeline_id)
    return f"{call.base_url}/manifests/{timeline_id}/timeline.m3u8?{_token(call, grant)}"


def player_url(call: Call, stream_url: str, *, title: str) -> str:
    """Return the page that plays one of our manifests."""
    return page_url(call.base_url, stream_url, title=title)


def download_url(call: Call, asset: AssetRow) -> str:
    """Return where the MP4 file can be fetched, or played from any moment on."""
    grant = Grant(kind="file", subject=asset.id)
    readable = _UNNAMEABLE.sub("-", asset.name).strip("-.")[:_LONGEST_NAME] or asset.id
    name = f"{readable}.{asset.file.rpartition('.')[2]}"
    return f"{call.base_url}/files/{asset.id}/{quote(name)}?{_token(call, grant)}"


def _token(call: Call, grant: Grant) -> str:
    services = call.services
    token = services.tokens.issue(grant, lifetime=services.settings.clip_lifetime)
    return urlencode({"token": token})
