"""Async-first Python SDK for VideoDB RTStream.

Each public name is loaded when it is first used: whoever needs only the REST half, or only the
local server, does not wait for the rest. Type checkers see plain imports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtstream_async.client import (
        Connection,
        connect,
    )
    from rtstream_async.errors import (
        APIError,
        AsyncResponseError,
        AuthenticationError,
        CheckpointError,
        CheckpointInUseError,
        ConflictError,
        ConnectionClosedError,
        HandlerError,
        HandshakeError,
        InvalidArgumentError,
        InvalidRequestError,
        LinkClosedError,
        LinkError,
        LocalServerError,
        NoResultsError,
        NotFoundError,
        OutOfCreditsError,
        PermissionDeniedError,
        ProtocolError,
        RateLimitError,
        RequestTimeoutError,
        RTStreamError,
        SearchError,
        ServerError,
        SlowConsumerError,
        TransportError,
        ValidationError,
        WrongEventLoopError,
    )
    from rtstream_async.models.alerts import (
        Alert,
        Event,
    )
    from rtstream_async.models.announcements import (
        Announcement,
        Dropped,
        Gap,
        GapClosed,
        GapUnrecoverable,
        NotArmed,
        StateChange,
    )
    from rtstream_async.models.base import (
        UNSET,
    )
    from rtstream_async.models.captures import (
        CaptureChannel,
        CaptureExport,
        ClientToken,
    )
    from rtstream_async.models.exports import (
        RTStreamExportResult,
    )
    from rtstream_async.models.health import (
        HealthState,
        StreamHealth,
    )
    from rtstream_async.models.jobs import (
        AsyncResponse,
        JobProgress,
        JobStatus,
    )
    from rtstream_async.models.messages import (
        CHANNELS,
        AlertMessage,
        AudioMessage,
        CaptureMessage,
        CaptureStream,
        Channel,
        Message,
        Origin,
        SceneMessage,
        TranscriptMessage,
        UnknownMessage,
    )
    from rtstream_async.models.records import (
        Page,
        Scene,
    )
    from rtstream_async.models.transcripts import (
        TranscriptSegment,
        TranscriptStatus,
        Word,
    )
    from rtstream_async.models.understandings import (
        UnderstoodRecord,
    )
    from rtstream_async.models.videos import (
        VideoSegment,
    )
    from rtstream_async.protocol.checkpoint import (
        Handled,
        Position,
    )
    from rtstream_async.protocol.overflow import (
        Overflow,
    )
    from rtstream_async.protocol.retry import (
        RetryPolicy,
    )
    from rtstream_async.realtime.checkpoint import (
        Checkpoint,
        MemoryCheckpoint,
        SQLiteCheckpoint,
    )
    from rtstream_async.realtime.consume import (
        Consumed,
        by_stream,
        by_stream_and_channel,
    )
    from rtstream_async.realtime.monitor import (
        Monitor,
    )
    from rtstream_async.realtime.raw import (
        WebSocketConnection,
    )
    from rtstream_async.realtime.settings import (
        HubSettings,
    )
    from rtstream_async.realtime.subscription import (
        Subscription,
        SubscriptionStats,
    )
    from rtstream_async.resources.audio import (
        Audio,
    )
    from rtstream_async.resources.capture_session import (
        CaptureSession,
    )
    from rtstream_async.resources.collection import (
        Collection,
    )
    from rtstream_async.resources.pages import (
        Pages,
    )
    from rtstream_async.resources.rtstream import (
        RTStream,
    )
    from rtstream_async.resources.scene_index import (
        RTStreamSceneIndex,
    )
    from rtstream_async.resources.search import (
        RTStreamSearchResult,
        RTStreamShot,
    )
    from rtstream_async.resources.search_v2 import (
        SearchResponse,
    )
    from rtstream_async.resources.understanding import (
        RTStreamIndex,
        RTStreamUnderstanding,
    )
    from rtstream_async.resources.video import (
        Video,
    )
    from rtstream_async.resources.video_search import (
        SearchResult,
        Shot,
    )
    from rtstream_async.transport.socket import (
        SocketOptions,
    )

__all__ = [
    "CHANNELS",
    "UNSET",
    "APIError",
    "Alert",
    "AlertMessage",
    "Announcement",
    "AsyncResponse",
    "AsyncResponseError",
    "Audio",
    "AudioMessage",
    "AuthenticationError",
    "CaptureChannel",
    "CaptureExport",
    "CaptureMessage",
    "CaptureSession",
    "CaptureStream",
    "Channel",
    "Checkpoint",
    "CheckpointError",
    "CheckpointInUseError",
    "ClientToken",
    "Collection",
    "ConflictError",
    "Connection",
    "ConnectionClosedError",
    "Consumed",
    "Dropped",
    "Event",
    "Gap",
    "GapClosed",
    "GapUnrecoverable",
    "Handled",
    "HandlerError",
    "HandshakeError",
    "HealthState",
    "HubSettings",
    "InvalidArgumentError",
    "InvalidRequestError",
    "JobProgress",
    "JobStatus",
    "LinkClosedError",
    "LinkError",
    "LocalServerError",
    "MemoryCheckpoint",
    "Message",
    "Monitor",
    "NoResultsError",
    "NotArmed",
    "NotFoundError",
    "Origin",
    "OutOfCreditsError",
    "Overflow",
    "Page",
    "Pages",
    "PermissionDeniedError",
    "Position",
    "ProtocolError",
    "RTStream",
    "RTStreamError",
    "RTStreamExportResult",
    "RTStreamIndex",
    "RTStreamSceneIndex",
    "RTStreamSearchResult",
    "RTStreamShot",
    "RTStreamUnderstanding",
    "RateLimitError",
    "RequestTimeoutError",
    "RetryPolicy",
    "SQLiteCheckpoint",
    "Scene",
    "SceneMessage",
    "SearchError",
    "SearchResponse",
    "SearchResult",
    "ServerError",
    "Shot",
    "SlowConsumerError",
    "SocketOptions",
    "StateChange",
    "StreamHealth",
    "Subscription",
    "SubscriptionStats",
    "TranscriptMessage",
    "TranscriptSegment",
    "TranscriptStatus",
    "TransportError",
    "UnderstoodRecord",
    "UnknownMessage",
    "ValidationError",
    "Video",
    "VideoSegment",
    "WebSocketConnection",
    "Word",
    "WrongEventLoopError",
    "by_stream",
    "by_stream_and_channel",
    "connect",
]

__version__ = "0.1.0"
"""As in the package's metadata, which takes a dozen modules to read; a test compares them."""

_HOMES = {
    "rtstream_async.client": ("Connection", "connect"),
    "rtstream_async.errors": (
        "APIError",
        "AsyncResponseError",
        "AuthenticationError",
        "CheckpointError",
        "CheckpointInUseError",
        "ConflictError",
        "ConnectionClosedError",
        "HandlerError",
        "HandshakeError",
        "InvalidArgumentError",
        "InvalidRequestError",
        "LinkClosedError",
        "LinkError",
        "LocalServerError",
        "NoResultsError",
        "NotFoundError",
        "OutOfCreditsError",
        "PermissionDeniedError",
        "ProtocolError",
        "RTStreamError",
        "RateLimitError",
        "RequestTimeoutError",
        "SearchError",
        "ServerError",
        "SlowConsumerError",
        "TransportError",
        "ValidationError",
        "WrongEventLoopError",
    ),
    "rtstream_async.models.alerts": ("Alert", "Event"),
    "rtstream_async.models.announcements": (
        "Announcement",
        "Dropped",
        "Gap",
        "GapClosed",
        "GapUnrecoverable",
        "NotArmed",
        "StateChange",
    ),
    "rtstream_async.models.base": ("UNSET",),
    "rtstream_async.models.captures": (
        "CaptureChannel",
        "CaptureExport",
        "ClientToken",
    ),
    "rtstream_async.models.exports": ("RTStreamExportResult",),
    "rtstream_async.models.health": ("HealthState", "StreamHealth"),
    "rtstream_async.models.jobs": ("AsyncResponse", "JobProgress", "JobStatus"),
    "rtstream_async.models.messages": (
        "AlertMessage",
        "AudioMessage",
        "CHANNELS",
        "CaptureMessage",
        "CaptureStream",
        "Channel",
        "Message",
        "Origin",
        "SceneMessage",
        "TranscriptMessage",
        "UnknownMessage",
    ),
    "rtstream_async.models.records": ("Page", "Scene"),
    "rtstream_async.models.transcripts": ("TranscriptSegment", "TranscriptStatus", "Word"),
    "rtstream_async.models.understandings": ("UnderstoodRecord",),
    "rtstream_async.models.videos": ("VideoSegment",),
    "rtstream_async.protocol.checkpoint": ("Handled", "Position"),
    "rtstream_async.protocol.overflow": ("Overflow",),
    "rtstream_async.protocol.retry": ("RetryPolicy",),
    "rtstream_async.realtime.checkpoint": ("Checkpoint", "MemoryCheckpoint", "SQLiteCheckpoint"),
    "rtstream_async.realtime.consume": ("Consumed", "by_stream", "by_stream_and_channel"),
    "rtstream_async.realtime.monitor": ("Monitor",),
    "rtstream_async.realtime.raw": ("WebSocketConnection",),
    "rtstream_async.realtime.settings": ("HubSettings",),
    "rtstream_async.realtime.subscription": ("Subscription", "SubscriptionStats"),
    "rtstream_async.resources.audio": ("Audio",),
    "rtstream_async.resources.capture_session": ("CaptureSession",),
    "rtstream_async.resources.collection": ("Collection",),
    "rtstream_async.resources.pages": ("Pages",),
    "rtstream_async.resources.rtstream": ("RTStream",),
    "rtstream_async.resources.scene_index": ("RTStreamSceneIndex",),
    "rtstream_async.resources.search": ("RTStreamSearchResult", "RTStreamShot"),
    "rtstream_async.resources.understanding": ("RTStreamIndex", "RTStreamUnderstanding"),
    "rtstream_async.resources.video": ("Video",),
    "rtstream_async.resources.search_v2": ("SearchResponse",),
    "rtstream_async.resources.video_search": ("SearchResult", "Shot"),
    "rtstream_async.transport.socket": ("SocketOptions",),
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(home), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
