"""What an ingest tells, as a stream's rows keep it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from rtstream_async.local.media.events import AudioTrack, Opened, SegmentClosed, VideoTrack
from rtstream_async.local.store.rows import SegmentRow
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["ingested_of", "segment_of"]


def segment_of(stream_id: str, event: SegmentClosed) -> SegmentRow:
    """Return the row of a finished segment."""
    return SegmentRow(
        stream_id=stream_id,
        file=Path(event.path).name,
        start_us=microseconds(event.start),
        end_us=microseconds(event.end),
        size=event.size,
        discontinuity=event.discontinuity,
    )


def ingested_of(event: Opened) -> Mapping[str, Any]:
    """Return what a stream shows of its source."""
    return {
        "format": event.format,
        "live": event.live,
        "transcoded": event.transcoded,
        "note": event.note,
        "video": None if event.video is None else _video(event.video),
        "audio": None if event.audio is None else _audio(event.audio),
    }


def _video(track: VideoTrack) -> Mapping[str, Any]:
    return attrs.asdict(track)


def _audio(track: AudioTrack) -> Mapping[str, Any]:
    return attrs.asdict(track)
