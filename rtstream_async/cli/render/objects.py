"""Values as JSON objects: what `--json` prints, one a line. Times are Unix seconds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import singledispatch
from typing import Any, cast

import attrs
import msgspec

from rtstream_async.cli.events import Happening, Note, StreamState, StreamView
from rtstream_async.models.announcements import Announcement
from rtstream_async.models.messages import Message, UnknownMessage
from rtstream_async.models.records import Scene, StreamRecord

__all__ = ["as_line", "as_object", "record_object", "scene_object", "stream_object"]


_STREAM_FIELDS = tuple(field.name for field in attrs.fields(StreamRecord) if field.name != "raw")


@singledispatch
def as_object(value: Happening) -> dict[str, Any]:
    """Return what `value` says; `type` names what it is.

    Raises:
        TypeError: It is none of the things that are told.
    """
    raise TypeError(f"no JSON for a {type(value).__name__}")


@as_object.register
def _message(value: Message) -> dict[str, Any]:
    said = _fields(value, without={"source", "output"})
    details = _data(value)
    return {"type": "message", **said, **({"data": details} if details else {})}


@as_object.register
def _unknown(value: UnknownMessage) -> dict[str, Any]:
    return {"type": "message", **_fields(value, without={"source"}), "raw": value.raw}


@as_object.register
def _announcement(value: Announcement) -> dict[str, Any]:
    return {"type": "announcement", "kind": _snake(type(value).__name__), **_fields(value)}


@as_object.register
def _state(value: StreamState) -> dict[str, Any]:
    return {"type": "stream", **_fields(value)}


@as_object.register
def _note(value: Note) -> dict[str, Any]:
    return {"type": "note", **_fields(value)}


def stream_object(stream: StreamView) -> dict[str, Any]:
    """Return a stream as `rtstream streams --json` prints it."""
    said = {name: stream[name] for name in _STREAM_FIELDS}
    return said | {"details": _rest(stream.raw, _STREAM_FIELDS)}


def scene_object(scene: Scene) -> dict[str, Any]:
    """Return a scene as `rtstream scenes --json` prints it."""
    said = _fields(scene, without={"raw"})
    return said | {"details": _rest(scene.raw, {*said, "description"})}


def record_object(record: Any) -> dict[str, Any]:
    """Return any other record or handle: its fields by name, and the rest in `details`."""
    names = [name for name in record.keys() if name != "raw"]  # noqa: SIM118 - no dict
    said = {name: record[name] for name in names}
    return said | {"details": _rest(record.raw, names)}


def as_line(value: Mapping[str, Any]) -> str:
    """Return one JSON object on one line; what JSON can't say is written as text."""
    return msgspec.json.encode(value, enc_hook=str).decode()


def _fields(value: Any, *, without: frozenset[str] | set[str] = frozenset()) -> dict[str, Any]:
    return attrs.asdict(value, filter=lambda field, _: field.name not in without)


def _data(message: Message) -> dict[str, Any]:
    inner = message.get("data")
    if not isinstance(inner, Mapping):
        return {}
    return _rest(cast("Mapping[str, Any]", inner), {"text", "start", "end"})


def _rest(raw: Mapping[str, Any], known: Any) -> dict[str, Any]:
    return {key: item for key, item in raw.items() if key not in known}


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
