"""The endpoint that makes a video of a recording."""

from __future__ import annotations

from collections.abc import Callable

from rtstream_async.api.caller import Caller
from rtstream_async.models.exports import RTStreamExportResult
from rtstream_async.models.jobs import JobProgress
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import exports

__all__ = ["create"]


async def create(
    caller: Caller,
    stream_id: str,
    *,
    name: str | None = None,
    progress: Callable[[JobProgress], object] | None = None,
    patience: float | None = None,
) -> RTStreamExportResult:
    """Export the stream's latest recording, once it is done; again, it is the same asset."""
    return await caller.call(
        routes.STREAM_EXPORT,
        exports.export,
        body={} if name is None else {"name": name},
        progress=progress,
        patience=patience,
        stream_id=stream_id,
    )
