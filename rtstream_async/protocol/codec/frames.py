"""WebSocket frames -> messages; tolerant, and never raising.

A well-formed frame of a transcript or an index is decoded into a small typed wire class and
becomes a message at once. Whatever does not fit goes the slow way (`loose.py`), which gives the
same answer for what does. What is no known message even then is an `UnknownMessage` saying why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import attrs
import msgspec

from rtstream_async.models.messages import AudioMessage, Message, SceneMessage, UnknownMessage
from rtstream_async.protocol.codec.drafts import indexed_message, transcript_message
from rtstream_async.protocol.codec.loose import read_loosely

__all__ = ["Greeting", "Refusal", "decode_frame", "oversize_message", "read_greeting"]

_MS = 1e11  # as in `times.py`; here for the unit that the socket is documented to use
_US = 1e14


class _Body(msgspec.Struct, gc=False):
    text: str
    start: float
    end: float
    is_final: bool = True
    index_id: str | None = None
    indexId: str | None = None  # noqa: N815  (the wire's name)
    rtstream_index_id: str | None = None


class _Frame(msgspec.Struct, gc=False):
    channel: str
    rtstream_id: str
    data: _Body
    rtstream_name: str | None = None
    index_id: str | None = None
    indexId: str | None = None  # noqa: N815  (the wire's name)
    rtstream_index_id: str | None = None


_decode: Callable[[bytes], _Frame] = msgspec.json.Decoder(_Frame).decode

_SCENE = (SceneMessage, "scene_index")
_AUDIO = (AudioMessage, "audio_index")
_INDEXED: dict[str, tuple[type[SceneMessage | AudioMessage], str]] = {
    "scene_index": _SCENE,
    "visual_index": _SCENE,
    "audio_index": _AUDIO,
    "spoken_index": _AUDIO,
}


def decode_frame(data: bytes, received_at: float, generation: int) -> Message:
    """Return the message in the frame `data`, whatever is in it.

    Args:
        data: The payload of a text or binary frame.
        received_at: Unix time, seconds, of the local clock.
        generation: Which connection of the link brought it.
    """
    try:
        frame = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_loosely(data, received_at, generation)
    # msgspec does not look into what it skips, and a text frame has to be UTF-8 throughout.
    if not data.isascii() and not _is_utf8(data):
        return read_loosely(data, received_at, generation)
    body = frame.data
    start, end, stream_id = body.start, body.end, frame.rtstream_id
    if not (0 <= start < _MS and 0 <= end < _MS):
        if not (_MS <= start < _US and _MS <= end < _US):
            return read_loosely(data, received_at, generation)
        start /= 1e3
        end /= 1e3
    name = frame.rtstream_name or None
    indexed = _INDEXED.get(frame.channel)
    if indexed is None or not stream_id:
        if frame.channel != "transcript" or not stream_id:
            return read_loosely(data, received_at, generation)
        return transcript_message(
            stream_id, name, received_at, generation, data, start, end, body.text, body.is_final
        )
    index_id = (
        body.index_id
        or body.indexId
        or body.rtstream_index_id
        or frame.index_id
        or frame.indexId
        or frame.rtstream_index_id
        or None
    )
    kind, channel = indexed
    text = body.text
    return indexed_message(
        kind, channel, stream_id, name, received_at, generation, data, start, end, text, index_id
    )


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def oversize_message(size: int, limit: int, received_at: float, generation: int) -> UnknownMessage:
    """Return what stands for a frame of `size` bytes that was not kept."""
    return UnknownMessage(
        channel="",
        received_at=received_at,
        generation=generation,
        reason=f"larger than {limit} bytes ({size})",
    )


@attrs.frozen
class Greeting:
    """The first frame: the connection id that pipelines are to publish to."""

    connection_id: str


@attrs.frozen
class Refusal:
    """The first frame is an error instead."""

    message: str
    status: int | None = None  #: the HTTP status that the frame named


_MAX_MESSAGE = 200  # characters of a foreign text that goes into an error and into logs


def read_greeting(data: bytes) -> Greeting | Refusal | None:
    """Return what the frame `data` says about the connection, or `None`: it is a data frame."""
    try:
        frame = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return _read_greeting(cast("dict[str, Any]", frame)) if isinstance(frame, dict) else None


def _read_greeting(frame: dict[str, Any]) -> Greeting | Refusal | None:
    if frame.get("channel"):
        return None
    if frame.get("success") is False or frame.get("error"):
        return Refusal(_refusal_text(frame), _status(frame))
    for name in ("connection_id", "connectionId"):
        connection_id = frame.get(name)
        if isinstance(connection_id, str) and connection_id:
            return Greeting(connection_id)
    if isinstance(frame.get("message"), str) and "data" not in frame:
        return Refusal(_refusal_text(frame), _status(frame))
    return None


def _refusal_text(frame: dict[str, Any]) -> str:
    error = frame.get("error")
    nested = cast("dict[str, Any]", error).get("message") if isinstance(error, dict) else error
    for text in (frame.get("message"), nested, frame.get("error_code")):
        if isinstance(text, str) and text:
            return text[:_MAX_MESSAGE]
    return "no reason given"


def _status(frame: dict[str, Any]) -> int | None:
    for name in ("status", "status_code", "statusCode", "code"):
        value = frame.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None
