"""What the local server puts on the wire: models in, dicts out.

Where the sources disagree, this follows the right column of the table of differences in
`docs/reference/compatibility.md`: milliseconds on the socket, seconds over REST.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from rtstream_async.models.messages import (
    AlertMessage,
    AudioMessage,
    CaptureMessage,
    CaptureStream,
    Message,
    SceneMessage,
    TranscriptMessage,
)
from rtstream_async.models.records import CollectionRecord, IndexRecord, Scene, StreamRecord
from rtstream_async.protocol.codec.times import iso, milliseconds

__all__ = [
    "ALERT_SHAPES",
    "AlertShape",
    "alert_frame",
    "alert_webhook",
    "collection",
    "created_at",
    "frame",
    "hello",
    "index",
    "scene",
    "stream",
    "understanding_frame",
]


AlertShape = Literal["full", "reference", "realtime", "bare", "callback"]
"""How an alert looks on the socket; the documents have four ways, and `full` fits them all."""

ALERT_SHAPES: tuple[AlertShape, ...] = ("full", "reference", "realtime", "bare", "callback")

_ALERT_SHAPES: Mapping[AlertShape, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "reference": (("channel", "rtstream_id"), ("event_label", "timestamp", "text")),
    "realtime": (
        ("channel", "rtstream_id", "rtstream_name"),
        ("label", "triggered", "confidence", "start", "end"),
    ),
    "bare": (("event_label", "rtstream_id", "timestamp"), ("text",)),
    "callback": (("channel", "rtstream_id"), ("label", "confidence", "text")),
}


def hello(connection_id: str) -> dict[str, Any]:
    """Return the first frame of a socket."""
    return {"connection_id": connection_id}


def frame(message: Message, **extra: Any) -> dict[str, Any]:
    """Return the socket frame that says `message`, on its channel; `extra` joins its `data`.

    Raises:
        TypeError: There is no frame for such a message.
    """
    match message:
        case SceneMessage() | AudioMessage():
            return _pipeline_frame(message, _spoken(message) | extra)
        case TranscriptMessage():
            said = _spoken(message) | {"is_final": message.is_final}
            return _pipeline_frame(message, said | extra)
        case AlertMessage():
            return _pipeline_frame(message, _alert(message) | extra)
        case CaptureMessage():
            return _capture_frame(message, extra)
        case _:
            raise TypeError(f"no frame says {type(message).__name__}; give the frame itself")


def alert_frame(message: AlertMessage, shape: AlertShape = "full", **extra: Any) -> dict[str, Any]:
    """Return the socket frame of an alert, in one of the shapes that were published.

    Args:
        message: The alert.
        shape: `full` has what all others have; the others are for trying a strict reader:
            `reference` is of the reference, `realtime`, `bare` (without a channel) and `callback`
            are of other documents and programs.
        extra: Joins the `data` of a `full` one.
    """
    whole = _pipeline_frame(message, _alert(message) | extra)
    if shape == "full":
        return whole
    top, inner = _ALERT_SHAPES[shape]
    said = whole["data"] | {key: value for key, value in whole.items() if key != "data"}
    return {key: said[key] for key in top if key in said} | {
        "data": {key: said[key] for key in inner if key in said}
    }


def understanding_frame(
    *,
    rtstream_id: str,
    rtstream_name: str,
    understanding_id: str,
    output: str,
    start: float,
    end: float,
    **said: Any,
) -> dict[str, Any]:
    """Return the socket frame of an understanding; the service's own is not known."""
    return {
        "channel": "understanding",
        "rtstream_id": rtstream_id,
        "rtstream_name": rtstream_name,
        "data": {
            "understanding_id": understanding_id,
            "output": output,
            "start": milliseconds(start),
            "end": milliseconds(end),
            **said,
        },
    }


def alert_webhook(message: AlertMessage) -> dict[str, Any]:
    """Return what is posted of an alert; as recorded, with `event-` before the event's id."""
    return {
        "event_id": f"event-{message.event_id}",
        "label": message.label,
        "confidence": message.confidence,
        "explanation": message.text,
        "timestamp": _iso(message.timestamp),
        "start_time": _iso(message.start),
        "end_time": _iso(message.end),
        "stream_url": message.stream_url,
        "player_url": message.player_url,
    }


def capture_webhook(message: CaptureMessage, *, end_user_id: str, at: float) -> dict[str, Any]:
    """Return what is posted of a capture session's change at `at` (Unix time, seconds)."""
    moment = datetime.fromtimestamp(at, tz=UTC).replace(tzinfo=None)
    return {
        "version": "2",
        "event": message.event,
        "timestamp": f"{moment.isoformat(timespec='milliseconds')}Z",
        "capture_session_id": message.session_id,
        "end_user_id": end_user_id,
        "status": message.status,
        "data": _capture_frame(message, {})["data"],
    }


def collection(record: CollectionRecord, **extra: Any) -> dict[str, Any]:
    """Return a collection as REST answers it."""
    return {
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "is_public": bool(record.is_public),
        **extra,
    }


def stream(record: StreamRecord, **extra: Any) -> dict[str, Any]:
    """Return a stream as REST answers it."""
    return {
        "id": record.id,
        "name": record.name,
        "status": record.status,
        "sample_rate": record.sample_rate,
        "media_types": list(record.media_types),
        "collection_id": record.collection_id,
        "store": bool(record.store),
        "created_at": None if record.created_at is None else created_at(record.created_at),
        **_given({"channel_id": record.channel_id, "exported_asset_id": record.exported_asset_id}),
        **extra,
    }


def index(record: IndexRecord, **extra: Any) -> dict[str, Any]:
    """Return a scene or audio index as REST answers it; config values are text, as recorded."""
    return {
        "rtstream_index_id": record.rtstream_index_id,
        "rtstream_id": record.rtstream_id,
        "extraction_type": record.extraction_type,
        "extraction_config": {
            key: _as_text(value) for key, value in record.extraction_config.items()
        },
        "prompt": record.prompt,
        "name": record.name,
        "status": record.status,
        **extra,
    }


def scene(record: Scene, **extra: Any) -> dict[str, Any]:
    """Return one record of an index as REST answers it: both names of the text, seconds."""
    return {
        "start": record.start,
        "end": record.end,
        "description": record.text,
        "text": record.text,
        **extra,
    }


def created_at(seconds: float) -> str:
    """Return Unix `seconds` as the service writes them: ISO 8601, microseconds, no zone."""
    moment = datetime.fromtimestamp(seconds, tz=UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds")


def _alert(message: AlertMessage) -> dict[str, Any]:
    # A superset of the four published shapes, so that a reader of any of them understands it.
    return _given(
        {
            "event_id": message.event_id,
            "event_label": message.label,
            "label": message.label,
            "text": message.text,
            "explanation": message.text,
            "triggered": True if message.triggered is None else message.triggered,
            "confidence": message.confidence,
            "timestamp": _moment(message.timestamp),
            "start": _moment(message.start),
            "end": _moment(message.end),
            "stream_url": message.stream_url,
            "player_url": message.player_url,
        }
    )


def _capture_frame(message: CaptureMessage, extra: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "status": message.status,
        "exported_video_id": message.exported_video_id,
        "video_id": message.exported_video_id,
        "stream_url": message.stream_url,
        "player_url": message.player_url,
        "duration": message.duration,
        "error": message.error,
    }
    if message.rtstreams:
        said["rtstreams"] = [_capture_stream(item) for item in message.rtstreams]
    return {
        "channel": "capture_session",
        "event": message.event,
        "capture_session_id": message.session_id,
        "session_id": message.session_id,  # REST's name for it, which some programs read
        "status": message.status,
        "data": _given(said) | dict(extra),
    }


def _pipeline_frame(message: Message, data: Mapping[str, Any]) -> dict[str, Any]:
    name = {} if message.rtstream_name is None else {"rtstream_name": message.rtstream_name}
    return {
        "channel": message.channel,
        "rtstream_id": message.rtstream_id,
        **name,
        "data": dict(data),
    }


def _spoken(message: SceneMessage | AudioMessage | TranscriptMessage) -> dict[str, Any]:
    return {
        "text": message.text,
        "start": milliseconds(message.start),
        "end": milliseconds(message.end),
    }


def _capture_stream(item: CaptureStream) -> dict[str, Any]:
    base = {
        "rtstream_id": item.rtstream_id,
        "name": item.name,
        "media_types": list(item.media_types),
    }
    return base | _given({"channel_id": item.channel_id})


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else iso(seconds)


def _moment(seconds: float | None) -> int | None:
    return None if seconds is None else milliseconds(seconds)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _as_text(value: Any) -> Any:
    # LIVE answers carry {"time": "10", "frame_count": "1"}; booleans and lists were never seen.
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else value
