"""Capture sessions, from the side of the program that captures; and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs
import msgspec

from rtstream_async.local.arguments import Arguments
from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.handlers.asset_urls import asset_urls
from rtstream_async.local.handlers.captures import capture_data, channel_data, checked_callback
from rtstream_async.local.handlers.collections import check_collection
from rtstream_async.local.refusal import invalid, not_found
from rtstream_async.local.store import captures as stored
from rtstream_async.local.store.captures import CaptureChannelRow, CaptureRow
from rtstream_async.protocol import routes

__all__ = ["ENDPOINTS"]

_TYPES: Final = ("audio", "video")
_MOST_CHANNELS: Final = 16
_LONGEST_ID: Final = 200
_OF_CHANNEL: Final = ("channel_id", "channel_name", "name", "type", "store", "is_primary")


async def start_capture(call: Call) -> Reply:
    """Answer a session that listens for publishers, and where they are to push."""
    body = call.body
    body.only(("session_id", "channels", "ws_connection_id", "callback_url"))
    id_ = body.required_text("session_id")
    channels = _channels(body)
    changes = {
        "ws_connection_id": body.text("ws_connection_id"),
        "callback_url": checked_callback(call),
    }
    given = {name: value for name, value in changes.items() if value is not None}
    row = await call.services.capturing.start(id_, channels, **given)
    return Reply(data=await _run(call, row))


async def get_run(call: Call) -> Reply:
    """Answer a session of any collection, with where to push."""
    return Reply(data=await _run(call, await call.services.captures.find(call.ids["session_id"])))


async def stop_capture(call: Call) -> Reply:
    """Stop a session; answer it when its recordings are closed."""
    call.body.only(())
    row = await call.services.capturing.stop(call.ids["session_id"], base_url=call.base_url)
    return Reply(data=await _run(call, row))


async def export_capture(call: Call) -> Reply:
    """Answer how far the export of a session is; it begins when it had not."""
    body = call.body
    body.only(("video_channel_id", "connection_id", "ws_connection_id"))
    collection, id_ = check_collection(call, call.ids["collection_id"]), call.ids["session_id"]
    view = await call.services.store.run(stored.view_capture, collection, id_)
    if view is None:
        raise not_found("capture session", id_)
    made = await call.services.capture_exporter.export(
        view.row,
        body.text("video_channel_id"),
        connection_id=body.text("connection_id") or body.text("ws_connection_id"),
        base_url=call.base_url,
    )
    data: dict[str, Any] = {
        "session_id": id_,
        "video_channel_id": made.channel_id,
        "export_status": made.status,
    }
    if made.error is not None:
        data["error"] = made.error
    if made.asset is not None:
        data |= {
            "video_id": made.asset.id,
            "name": made.asset.name,
            "duration": made.asset.duration,
            **asset_urls(call, made.asset),
        }
    return Reply(data=data)


async def _run(call: Call, row: CaptureRow) -> dict[str, Any]:
    view = await call.services.store.run(stored.with_streams, row)
    channels = [
        {
            **channel_data(channel),
            "rtstream_id": channel.rtstream_id,
            "rtsp_url": channel.rtsp_url,
            "rtmp_url": channel.rtmp_url,
        }
        for channel in row.channels
    ]
    return {**capture_data(call, view), "channels": channels}


def _channels(body: Arguments) -> Sequence[CaptureChannelRow]:
    items = body.items("channels")
    if not items:
        raise invalid("channels", "must name what is captured: one channel or more")
    if len(items) > _MOST_CHANNELS:
        raise invalid("channels", f"has more than {_MOST_CHANNELS} channels")
    channels = [_channel(item, f"channels[{n}]") for n, item in enumerate(items)]
    ids = [channel.channel_id for channel in channels]
    for id_ in ids:
        if ids.count(id_) > 1:
            raise invalid("channels", f"names {id_!r} twice")
    return _with_primary(channels)


def _channel(item: Any, place: str) -> CaptureChannelRow:
    if not isinstance(item, dict):
        raise invalid(place, "must be an object")
    fields = Arguments(msgspec.convert(item, dict[str, Any]), f"{place}.")
    fields.only(_OF_CHANNEL)
    id_ = fields.required_text("channel_id")
    if len(id_) > _LONGEST_ID:
        raise invalid(f"{place}.channel_id", f"is longer than {_LONGEST_ID} characters")
    return CaptureChannelRow(
        channel_id=id_,
        name=fields.text("channel_name") or fields.text("name") or id_,
        type=fields.choice("type", _TYPES, "audio"),
        store=fields.flag("store", default=True),
        is_primary=fields.flag("is_primary", default=False),
    )


def _with_primary(channels: Sequence[CaptureChannelRow]) -> Sequence[CaptureChannelRow]:
    """The channels, one of those with a picture being the primary one."""
    chosen = [channel for channel in channels if channel.is_primary]
    if len(chosen) > 1 or any(channel.type != "video" for channel in chosen):
        raise invalid("channels", "only one channel can be primary, and it must be of type video")
    pictures = [channel for channel in channels if channel.type == "video"]
    primary = next(iter([*chosen, *pictures]), None)
    return [attrs.evolve(channel, is_primary=channel is primary) for channel in channels]


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.CAPTURE_EXPORT, export_capture),
    (routes.CAPTURE_START, start_capture),
    (routes.CAPTURE_STOP, stop_capture),
    (routes.CAPTURE_RUN, get_run),
)
