"""The slow way to read a frame: plain JSON, every spelling, every shape; never raising.

The names come from the service's documents, which disagree with each other, and from programs that
are known to work with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import attrs
import msgspec

from rtstream_async.models.messages import (
    AlertMessage,
    AudioMessage,
    CaptureMessage,
    CaptureStream,
    Message,
    SceneMessage,
    TranscriptMessage,
    UnknownMessage,
)
from rtstream_async.protocol.codec.times import to_seconds

__all__ = ["canonical_channel", "read_loosely"]

_OTHER_NAMES = {"visual_index": "scene_index", "spoken_index": "audio_index"}
_CAPTURE = "capture_session"
_STREAM_ID = ("rtstream_id", "rtstreamId", "stream_id")
_INDEX_ID = ("index_id", "indexId", "rtstream_index_id")


def canonical_channel(name: str) -> str:
    """Return the one name that this package has for the channel that the wire calls `name`."""
    return _OTHER_NAMES.get(name, name)


def read_loosely(source: bytes, received_at: float, generation: int) -> Message:
    """Return the message in `source`, whatever it is."""
    try:
        return _read_json(source, received_at, generation)
    except RecursionError:  # of the decoder, or of what looks at what was just not too deep for it
        reason = "nested too deeply"
    return _unknown(reason, source, received_at, generation)


def _read_json(source: bytes, received_at: float, generation: int) -> Message:
    try:
        decoded = msgspec.json.decode(source.decode())
    except UnicodeDecodeError:
        reason = "not UTF-8"
    except msgspec.DecodeError:
        reason = "not JSON" if source.strip() else "empty"
    else:
        frame = _as_object(decoded)
        if frame is not None:
            return _read(_Fields.of(frame), source, received_at, generation)
        reason = f"JSON, but {_KINDS.get(decoded.__class__, 'null')} instead of an object"
    return _unknown(reason, source, received_at, generation)


def _unknown(reason: str, source: bytes, received_at: float, generation: int) -> UnknownMessage:
    return UnknownMessage(
        channel="", received_at=received_at, generation=generation, source=source, reason=reason
    )


_KINDS: dict[object, str] = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
}


@attrs.frozen
class _Fields:
    """A frame's fields; `data` inside it comes before the frame itself."""

    body: Mapping[str, Any]
    top: Mapping[str, Any]

    @classmethod
    def of(cls, frame: Mapping[str, Any]) -> _Fields:
        return cls(_as_object(frame.get("data")) or {}, frame)

    def first(self, *names: str) -> Any:
        for level in (self.body, self.top):
            for name in names:
                value = level.get(name)
                if value is not None:
                    return value
        return None

    def time(self, *names: str) -> float | None:
        for level in (self.body, self.top):
            for name in names:
                seconds = to_seconds(level.get(name))
                if seconds is not None:
                    return seconds
        return None

    def text(self, *names: str) -> str:
        value = self.first(*names)
        if value is None:
            return ""
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()

    def optional_text(self, *names: str) -> str | None:
        return self.text(*names) or None

    def id(self, *names: str) -> str | None:
        return _first_id(self.body, *names) or _first_id(self.top, *names)

    def number(self, name: str) -> float | None:
        return _as_number(self.first(name))

    def claim(self, name: str) -> bool | None:
        value = self.first(name)
        if isinstance(value, str):
            return _CLAIMS.get(value.strip().lower())
        return bool(value) if isinstance(value, int | float) else None


_CLAIMS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _read(fields: _Fields, source: bytes, received_at: float, generation: int) -> Message:
    channel = _channel(fields)
    envelope: dict[str, Any] = {
        "channel": channel,
        "rtstream_id": _stream_id(fields),
        # Of the envelope alone, as the channel: one inside `data` is the name of something else.
        "rtstream_name": _first_id(fields.top, "rtstream_name"),
        "received_at": received_at,
        "generation": generation,
        "source": source,
    }
    read = _READERS.get(channel)
    if read is not None:
        return read(envelope, fields)
    return UnknownMessage(reason="unknown channel" if channel else "no channel", **envelope)


def _channel(fields: _Fields) -> str:
    # From the frame alone: a `type` inside `data` is the type of something else.
    for name in ("channel", "type", "event_type", "event"):
        value = fields.top.get(name)
        if not isinstance(value, str) or not value:
            continue
        if value.startswith(f"{_CAPTURE}."):
            return _CAPTURE
        if name != "event":
            return canonical_channel(value)
    # The one documented alert without a channel has its label beside its data.
    return "alert" if isinstance(fields.top.get("event_label"), str) else ""


def _stream_id(fields: _Fields) -> str | None:
    named = _first_id(fields.top, *_STREAM_ID) or _first_id(fields.body, *_STREAM_ID)
    if named is not None:
        return named
    bare = fields.top.get("id")
    return bare if isinstance(bare, str) and bare.startswith("rts-") else None


def _timed(
    kind: Callable[..., Message], **more: Callable[[_Fields], Any]
) -> Callable[[dict[str, Any], _Fields], Message]:
    def read(envelope: dict[str, Any], fields: _Fields) -> Message:
        start = fields.time("start", "start_time", "timestamp")
        end = fields.time("end", "end_time")
        if start is None and end is None:
            return UnknownMessage(reason="no time", **envelope)
        return kind(
            start=end if start is None else start,
            end=start if end is None else end,
            text=fields.text("text", "description"),
            **{name: value(fields) for name, value in more.items()},
            **envelope,
        )

    return read


def _is_final(fields: _Fields) -> bool:
    return fields.claim("is_final") is not False


def _index_id(fields: _Fields) -> str | None:
    return fields.id(*_INDEX_ID)


def _alert(envelope: dict[str, Any], fields: _Fields) -> Message:
    event_id = fields.id("event_id", "eventId")
    return AlertMessage(
        label=fields.text("label", "event_label"),
        event_id=event_id.removeprefix("event-") if event_id else None,
        text=fields.text("text", "explanation"),
        confidence=fields.number("confidence"),
        triggered=fields.claim("triggered"),
        timestamp=fields.time("timestamp"),
        start=fields.time("start", "start_time"),
        end=fields.time("end", "end_time"),
        stream_url=fields.optional_text("stream_url"),
        player_url=fields.optional_text("player_url"),
        **envelope,
    )


def _capture(envelope: dict[str, Any], fields: _Fields) -> Message:
    event = _first_id(fields.top, "event", "type", "event_type") or ""
    status = fields.id("status", "state") or event.removeprefix(f"{_CAPTURE}.")
    streams = fields.first("rtstreams", "streams", "channels", "rt_streams")
    return CaptureMessage(
        event=event,
        session_id=fields.id("capture_session_id", "session_id"),
        status=status,
        rtstreams=_capture_streams(streams),
        exported_video_id=fields.id("exported_video_id", "video_id"),
        stream_url=fields.optional_text("stream_url"),
        player_url=fields.optional_text("player_url"),
        duration=fields.number("duration"),
        error=_error_text(fields.first("error")),
        **envelope,
    )


_MOST_STREAMS = 1000  # of a session; to read a frame full of them would stop all others for seconds


def _capture_streams(value: object) -> tuple[CaptureStream, ...]:
    if not isinstance(value, list):
        return ()
    streams: list[CaptureStream] = []
    for item in cast("list[object]", value)[:_MOST_STREAMS]:
        fields = _Fields({}, _as_object(item) or {})
        rtstream_id = fields.id("rtstream_id", "id", "stream_id")
        if rtstream_id is not None:
            streams.append(
                CaptureStream(
                    rtstream_id=rtstream_id,
                    name=fields.text("name", "channel_id"),
                    media_types=_texts(fields.first("media_types", "type")),
                    channel_id=fields.optional_text("channel_id"),
                )
            )
    return tuple(streams)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        return tuple(item for item in cast("list[object]", value) if isinstance(item, str))
    return ()


def _error_text(value: object) -> str | None:
    match value:
        case None:
            return None
        case str():
            return value
        case {"message": str(message)}:
            return message
        case _:
            return msgspec.json.encode(value).decode()


def _first_id(level: Mapping[str, Any], *names: str) -> str | None:
    found = (_as_id(level.get(name)) for name in names)
    return next((id_ for id_ in found if id_ is not None), None)


def _as_object(value: object) -> dict[str, Any] | None:
    # JSON's keys are text, which `isinstance` alone does not tell.
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _as_id(value: object) -> str | None:
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _as_number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None  # in text, NaN and infinity are numbers


_READERS: dict[str, Callable[[dict[str, Any], _Fields], Message]] = {
    "transcript": _timed(TranscriptMessage, is_final=_is_final),
    "scene_index": _timed(SceneMessage, index_id=_index_id),
    "audio_index": _timed(AudioMessage, index_id=_index_id),
    "alert": _alert,
    _CAPTURE: _capture,
}
