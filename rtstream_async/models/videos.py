"""What the service says of exported videos and recordings of sound.

Times inside a video are seconds from its start. What the service sent beyond the fields is in
`raw`, unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from rtstream_async.models.base import Keyed, raw_field

__all__ = [
    "AudioRecord",
    "VideoAnswerRecord",
    "VideoRecord",
    "VideoSearchRecord",
    "VideoSegment",
    "VideoShotRecord",
    "VideoTranscript",
]


@attrs.frozen(kw_only=True)
class VideoRecord(Keyed):
    """A video, such as the export of a stream."""

    id: str
    collection_id: str | None = None
    name: str | None = None
    description: str | None = None
    length: float = 0.0  #: seconds
    stream_url: str | None = None  #: HLS manifest
    player_url: str | None = None  #: a page that plays it
    thumbnail_url: str | None = None
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class AudioRecord(Keyed):
    """A recording of sound alone, such as the export of a stream that had no picture."""

    id: str
    collection_id: str | None = None
    name: str | None = None
    length: float = 0.0  #: seconds
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class VideoSegment(Keyed):
    """A piece of what is said in a video: a word, a sentence, or a stretch of time."""

    start: float  #: seconds from the start of the video
    end: float  #: seconds from the start of the video
    text: str
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class VideoTranscript(Keyed):
    """What is said in a video."""

    segments: tuple[VideoSegment, ...]
    text: str  #: all of it
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class VideoShotRecord(Keyed):
    """A part of a video that answers a query."""

    video_id: str
    collection_id: str | None = None
    video_title: str | None = None
    video_length: float | None = None  #: seconds
    start: float  #: seconds from the start of the video
    end: float  #: seconds from the start of the video
    text: str = ""
    search_score: float | None = None  #: the higher, the better
    scene_index_id: str | None = None
    scene_index_name: str | None = None
    metadata: Mapping[str, Any] | None = None
    stream_url: str | None = None  #: HLS manifest of the shot, if it came with the answer
    player_url: str | None = None
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class VideoSearchRecord(Keyed):
    """What a search in a video found, the best first."""

    shots: tuple[VideoShotRecord, ...] = ()
    warnings: tuple[Any, ...] = ()  #: what the service wants to be known, in its own words
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class VideoAnswerRecord(Keyed):
    """What Search v2 answers: shots, or what else was asked for."""

    response_type: str  #: `shots`, `deepsearch`, `aggregate`, or a word to come
    found: VideoSearchRecord | None = None  #: `None`: the results are no shots
    results: Any = None  #: the results as they came
    session_id: str | None = None  #: to go on with the same question
    waiting_for: str = "none"  #: what the service wants to be told before it goes on
    clarification: Any = None  #: what it asks
    trace: Any = None  #: how it came to its answer
    warnings: tuple[Any, ...] = ()
    raw: Mapping[str, Any] = raw_field()
