"""Rows as values; times in Unix microseconds."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, TypeVar

import attrs
import msgspec

__all__ = [
    "IndexRow",
    "SceneRow",
    "SegmentRow",
    "StreamRow",
    "column_names",
    "from_row",
    "json_column",
    "to_row",
]

R = TypeVar("R", bound=attrs.AttrsInstance)


def json_column() -> Any:
    """Return the field of a column that holds JSON text."""
    return attrs.field(metadata={"json": True})


@attrs.frozen(kw_only=True)
class StreamRow:
    """One stream."""

    id: str
    collection_id: str
    name: str
    url: str = attrs.field(repr=False)  #: as given; may carry the source's password
    status: str
    wanted: bool  #: to be running; what a restart goes by
    sample_rate: int
    media_types: tuple[str, ...] = json_column()
    store: bool
    enable_transcript: bool
    ws_connection_id: str | None
    created_us: int
    ingested: Mapping[str, Any] = json_column()  #: what comes from the source: codecs, sizes, note
    last_error: str | None
    reconnects: int
    evicted_segments: int  #: files that retention or the quota has deleted
    recording_from_us: int = 0  #: begin of the latest recording, which is what `export` takes
    earlier_recording_us: int = 0  #: begin of the one before, in case nothing comes of the latest
    evicted_to_us: int = 0  #: up to where the recordings were deleted to save space
    exported_asset_id: str | None = None


@attrs.frozen(kw_only=True)
class SegmentRow:
    """One recorded file."""

    stream_id: str
    file: str
    start_us: int
    end_us: int
    size: int  #: bytes
    discontinuity: bool


@attrs.frozen(kw_only=True)
class IndexRow:
    """One index."""

    id: str
    stream_id: str
    extraction_type: str
    extraction_config: Mapping[str, Any] = json_column()
    prompt: str | None
    name: str
    model_name: str | None
    model_config: Mapping[str, Any] = json_column()
    ws_connection_id: str | None
    status: str
    engine: str | None
    last_error: str | None
    dropped_windows: int  #: windows given up because the engine could not follow
    created_us: int
    family: str = "scene_index"  #: or `understanding`, or `index`: made of an understanding
    source_id: str | None = None  #: of an `index`: the understanding
    definition: Mapping[str, Any] = attrs.field(factory=dict[str, Any], metadata={"json": True})
    """What an understanding, or an index of one, was asked to be."""


@attrs.frozen(kw_only=True)
class SceneRow:
    """One record of an index."""

    index_id: str
    start_us: int
    end_us: int
    text: str
    engine: str
    metadata: Mapping[str, Any] = json_column()


def column_names(kind: type[attrs.AttrsInstance]) -> tuple[str, ...]:
    """Return the columns of a kind of row."""
    return tuple(field.name for field in attrs.fields(kind))


def to_row(value: attrs.AttrsInstance) -> dict[str, Any]:
    """Return a row value as SQLite takes it."""
    return {
        field.name: _to_column(getattr(value, field.name), field.metadata.get("json", False))
        for field in attrs.fields(type(value))
    }


def from_row(kind: type[R], row: sqlite3.Row) -> R:
    """Return a row of the database as a value."""
    read: dict[str, Any] = {
        field.name: (
            msgspec.json.decode(row[field.name])
            if field.metadata.get("json", False)
            else row[field.name]
        )
        for field in attrs.fields(kind)
    }
    return msgspec.convert(read, kind, strict=False)


def _to_column(value: Any, as_json: bool) -> Any:
    return msgspec.json.encode(value).decode() if as_json else value
