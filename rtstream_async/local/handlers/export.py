"""Exporting the latest recording of a stream."""

from __future__ import annotations

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.handlers.asset_replies import exported
from rtstream_async.local.handlers.jobs import answer_of
from rtstream_async.local.handlers.streams import find_stream
from rtstream_async.local.store.assets import AssetRow
from rtstream_async.protocol import routes

__all__ = ["ENDPOINTS"]


async def export_stream(call: Call) -> Reply:
    """Answer the video of the latest recording, or that it is being made."""
    stream = await find_stream(call)
    call.body.only(("name",))
    made = await call.services.exporter.export(stream, name=call.body.text("name"))
    if isinstance(made, AssetRow):
        return await exported(call, made, {})
    return await answer_of(call, made)


ENDPOINTS: tuple[Endpoint, ...] = ((routes.STREAM_EXPORT, export_stream),)
