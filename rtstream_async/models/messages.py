"""Messages: what one WebSocket frame said.

Times are Unix seconds; the frame as it came, in its own units, is in `raw`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, cast

import attrs
import msgspec

from rtstream_async.models.base import Keyed, moment

__all__ = [
    "CHANNELS",
    "AlertMessage",
    "AudioMessage",
    "CaptureMessage",
    "CaptureStream",
    "Channel",
    "Message",
    "Origin",
    "SceneMessage",
    "TranscriptMessage",
    "UnknownMessage",
]

Channel = Literal["transcript", "scene_index", "audio_index", "alert", "capture_session"]
"""The channels that the service is known to use, each under its one name in this package."""

CHANNELS: tuple[Channel, ...] = (
    "transcript",
    "scene_index",
    "audio_index",
    "alert",
    "capture_session",
)

Origin = Literal["push", "backfill", "poll", "replay"]
"""How a message came: pushed on the socket, fetched after a gap, polled, or read from history."""


@attrs.frozen(kw_only=True)
class Message:
    """What every message has. `message[key]` reads the raw frame, in the wire's units."""

    channel: str
    """`transcript`, `scene_index`, `audio_index`, `alert`, `capture_session`, or the wire's own."""
    rtstream_id: str | None = None
    rtstream_name: str | None = None
    received_at: float = 0.0  #: Unix time, seconds, of the local clock
    origin: Origin = "push"
    generation: int = 0  #: which connection of the link brought it, counted from 1; 0: none
    source: bytes | Mapping[str, Any] = attrs.field(default=b"", repr=False)
    """The frame's bytes as they came; of what was read over REST, the frame it would have been."""

    @property
    def raw(self) -> Any:
        """The frame as it came: decoded JSON, or text, or bytes if it is not JSON.

        Of what was read over REST: the frame as it would have come, with the whole record in
        `data`, and its times in milliseconds.
        """
        if not isinstance(self.source, bytes):
            return self.source
        try:
            return msgspec.json.decode(self.source)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _text_or_bytes(self.source)

    def __getitem__(self, key: str) -> Any:
        raw = self.raw
        if isinstance(raw, Mapping):
            return cast("Mapping[str, Any]", raw)[key]
        raise KeyError(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return what the raw frame has under `key`, or `default`."""
        try:
            return self[key]
        except KeyError:
            return default


@attrs.frozen(kw_only=True)
class _Timed(Message):
    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds
    text: str = ""

    @property
    def start_time(self) -> datetime:
        """`start` as an aware `datetime` in UTC."""
        return moment(self.start)

    @property
    def end_time(self) -> datetime:
        """`end` as an aware `datetime` in UTC."""
        return moment(self.end)


@attrs.frozen(kw_only=True)
class TranscriptMessage(_Timed):
    """A piece of speech. A partial one (`is_final` false) is replaced by a later message."""

    is_final: bool = True


@attrs.frozen(kw_only=True)
class _Indexed(_Timed):
    index_id: str | None = None  #: only if the frame named it; no documented frame does
    output: Any = None
    """The text decoded as the `output_type` given to the index; `None` without one."""
    output_error: str | None = None  #: why `text` could not be decoded as `output_type`


@attrs.frozen(kw_only=True)
class SceneMessage(_Indexed):
    """What a visual index saw in one window."""


@attrs.frozen(kw_only=True)
class AudioMessage(_Indexed):
    """What an audio index made of one batch of speech."""


@attrs.frozen(kw_only=True)
class AlertMessage(Message):
    """An event was detected."""

    label: str = ""
    event_id: str | None = None  #: without the `event-` prefix that webhooks put before it
    text: str = ""  #: what was detected, or why
    confidence: float | None = None  #: 0 to 1
    triggered: bool | None = None
    timestamp: float | None = None  #: Unix time, seconds
    start: float | None = None  #: Unix time, seconds
    end: float | None = None  #: Unix time, seconds
    stream_url: str | None = None
    player_url: str | None = None


@attrs.frozen(kw_only=True)
class CaptureStream(Keyed):
    """One stream of a capture session; `item["rtstream_id"]` works too."""

    rtstream_id: str
    name: str = ""
    media_types: tuple[str, ...] = ()
    channel_id: str | None = None


@attrs.frozen(kw_only=True)
class CaptureMessage(Message):
    """A capture session changed its state."""

    event: str = ""  #: for example `capture_session.active`
    session_id: str | None = None
    status: str = ""
    rtstreams: tuple[CaptureStream, ...] = ()  #: the first 1,000; all are in `raw`
    exported_video_id: str | None = None
    stream_url: str | None = None
    player_url: str | None = None
    duration: float | None = None  #: seconds
    error: str | None = None


@attrs.frozen(kw_only=True)
class UnknownMessage(Message):
    """A frame that is none of the above; nothing of it is lost: see `raw`."""

    reason: str = ""  #: why it is not one of the known messages


def _text_or_bytes(source: bytes) -> str | bytes:
    try:
        return source.decode()
    except UnicodeDecodeError:
        return source
