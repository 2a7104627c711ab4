"""REST answers to exports -> models."""

from __future__ import annotations

from rtstream_async.errors import ProtocolError
from rtstream_async.models.exports import RTStreamExportResult
from rtstream_async.protocol.codec.fields import as_object, real, text

__all__ = ["export"]


def export(data: object) -> RTStreamExportResult:
    """Return what a recording was exported to."""
    fields = as_object(data, "exported asset")
    id_ = text(fields, "video_id", "audio_id", "asset_id", "id")
    if not id_:
        raise ProtocolError("the answer has no `video_id`: the exported asset can't be used")
    return RTStreamExportResult(
        video_id=id_,
        stream_url=text(fields, "stream_url"),
        player_url=text(fields, "player_url"),
        name=text(fields, "name"),
        duration=real(fields, "duration", "length"),
        raw=fields,
    )
