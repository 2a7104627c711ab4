"""Exported videos: their rows, what is said in them, and the recordings that they are made of."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import attrs
import msgspec

from rtstream_async.local.domain.pieces import Piece, moment_of_end, moment_of_start
from rtstream_async.local.store.rows import SegmentRow, StreamRow, from_row, json_column
from rtstream_async.local.store.statements import get_stream, recorded
from rtstream_async.local.store.writing import insert, update
from rtstream_async.protocol.codec.times import microseconds

__all__ = [
    "AssetRow",
    "AssetSegmentRow",
    "AssetUtteranceRow",
    "Recording",
    "Spoken",
    "TimelineItem",
    "Window",
    "add_asset",
    "add_timeline",
    "asset_ids",
    "asset_of_recording",
    "assets_in",
    "begin_recording",
    "delete_asset",
    "forget_asset_segments",
    "get_asset",
    "get_asset_segment",
    "latest_recording",
    "list_asset_segments",
    "list_asset_utterances",
    "list_assets",
    "rename_asset",
    "replace_asset_utterances",
    "timeline_windows",
]

VIDEO, AUDIO = "video", "audio"


@attrs.frozen(kw_only=True)
class Spoken:
    """What is known of the words of a video."""

    status: str = "none"  #: `none`, `done` or `failed`; while it is redone, as it was before
    engine: str | None = None
    language: str | None = None
    segmentation_type: str = "sentence"
    utterances: int = 0
    error: str | None = None
    updated_us: int = 0


@attrs.frozen(kw_only=True)
class AssetRow:
    """One exported video, or sound alone."""

    id: str
    collection_id: str
    stream_id: str  #: where it was recorded; that stream may be gone
    recording_us: int  #: begin of that recording, as the stream names it
    name: str
    kind: str  #: `video` or `audio`
    file: str  #: name of the MP4 file
    size: int  #: bytes of that file
    duration: float  #: seconds
    has_sound: bool
    is_whole: bool  #: nothing of the recording had been deleted before
    start_us: int  #: Unix time of its first moment
    end_us: int
    pieces: tuple[Piece, ...] = json_column()  #: which of its seconds was when
    spoken: Spoken = attrs.field(metadata={"json": True})
    created_us: int
    sounds: tuple[str, ...] = json_column()  #: streams whose sound was mixed into it

    @property
    def has_picture(self) -> bool:
        """Whether it is a video."""
        return self.kind == VIDEO


@attrs.frozen(kw_only=True)
class AssetSegmentRow:
    """One file of a video's HLS stream: a recorded segment, kept for it."""

    asset_id: str
    file: str
    start_us: int
    end_us: int
    size: int  #: bytes
    discontinuity: bool


@attrs.frozen(kw_only=True)
class AssetUtteranceRow:
    """Something said in a video; seconds from its start."""

    asset_id: str
    start: float
    end: float
    text: str
    words: tuple[tuple[float, float, str], ...] = json_column()  #: empty: not told by the engine
    is_estimated: bool  #: the engine did not tell when exactly it begins and ends
    engine: str


@attrs.frozen(kw_only=True)
class TimelineItem:
    """One shot of a compiled video."""

    asset_id: str
    start: float  #: seconds from the video's start
    end: float


@attrs.frozen(kw_only=True)
class Window:
    """A stretch of a video, by the time at which it was recorded."""

    asset_id: str
    start_us: int
    end_us: int


@attrs.frozen(kw_only=True)
class Recording:
    """The latest recording of a stream."""

    start_us: int  #: as the stream names it: at or before the first of its segments
    segments: Sequence[SegmentRow]
    is_whole: bool  #: nothing of it was deleted


def latest_recording(db: sqlite3.Connection, stream: StreamRow) -> Recording | None:
    """Return the latest recording of which something was recorded, or `None`."""
    stream = get_stream(db, stream.id) or stream
    latest, earlier = stream.recording_from_us, stream.earlier_recording_us
    for start_us, end_us in ((latest, None), (earlier, latest)):
        # What was recorded before ends where this begins.
        rows = db.execute(
            "SELECT * FROM segments WHERE stream_id = :id AND end_us > :start"
            " AND (:end IS NULL OR end_us <= :end) ORDER BY start_us, file",
            {"id": stream.id, "start": start_us, "end": end_us},
        )
        segments = [from_row(SegmentRow, row) for row in rows]
        was_evicted = stream.evicted_to_us > start_us
        if segments or was_evicted:
            return Recording(start_us=start_us, segments=segments, is_whole=not was_evicted)
    return None


def begin_recording(db: sqlite3.Connection, stream_id: str) -> int:
    """Note that a stream is started by its user: what comes now is a recording of its own.

    Returns:
        Up to where (Unix microseconds) something is recorded already; 0 when nothing is.
    """
    _, last_us, _ = recorded(db, stream_id)
    # Of a recording of which nothing came, there is nothing to export: the one before stays.
    db.execute(
        "UPDATE streams SET earlier_recording_us = recording_from_us,"
        " recording_from_us = max(:last, evicted_to_us)"
        " WHERE id = :id AND max(:last, evicted_to_us) > recording_from_us",
        {"id": stream_id, "last": last_us or 0},
    )
    return last_us or 0


def add_asset(db: sqlite3.Connection, row: AssetRow, segments: Iterable[AssetSegmentRow]) -> None:
    """Keep a new video, and note it on its stream."""
    insert(db, "assets", row)
    for segment in segments:
        insert(db, "asset_segments", segment)
    db.execute("UPDATE streams SET exported_asset_id = ? WHERE id = ?", (row.id, row.stream_id))


def get_asset(db: sqlite3.Connection, id_: str) -> AssetRow | None:
    """Return a video, or `None`."""
    row = db.execute("SELECT * FROM assets WHERE id = ?", (id_,)).fetchone()
    return None if row is None else from_row(AssetRow, row)


def asset_of_recording(
    db: sqlite3.Connection,
    stream_id: str,
    recording: Recording | None,
    sounds: Sequence[str] = (),
) -> AssetRow | None:
    """Return the video that was made of all of a recording, with these sounds in it, or `None`.

    When nothing is left of any recording, that is the last one that was made.
    """
    segments = () if recording is None else recording.segments
    row = db.execute(
        "SELECT * FROM assets WHERE stream_id = :id AND end_us >= :end AND sounds = :sounds"
        " AND (:start IS NULL OR recording_us = :start) ORDER BY created_us DESC LIMIT 1",
        {
            "id": stream_id,
            "sounds": msgspec.json.encode(list(sounds)).decode(),
            "start": None if recording is None else recording.start_us,
            "end": max((segment.end_us for segment in segments), default=0),
        },
    ).fetchone()
    return None if row is None else from_row(AssetRow, row)


def list_assets(
    db: sqlite3.Connection, collection_id: str, kind: str, *, limit: int, offset: int
) -> list[AssetRow]:
    """Return one page of a collection's videos (or sounds), newest first."""
    rows = db.execute(
        "SELECT * FROM assets WHERE collection_id = ? AND kind = ?"
        " ORDER BY created_us DESC, id DESC LIMIT ? OFFSET ?",
        (collection_id, kind, limit, offset),
    )
    return [from_row(AssetRow, row) for row in rows]


def asset_ids(db: sqlite3.Connection) -> list[str]:
    """Return the ids of all videos and sounds."""
    return [str(row["id"]) for row in db.execute("SELECT id FROM assets ORDER BY created_us")]


def assets_in(db: sqlite3.Connection, collection_id: str | None) -> list[AssetRow]:
    """Return all videos and sounds of a collection, or of all."""
    rows = db.execute(
        "SELECT * FROM assets WHERE :id IS NULL OR collection_id = :id", {"id": collection_id}
    )
    return [from_row(AssetRow, row) for row in rows]


def rename_asset(db: sqlite3.Connection, id_: str, name: str) -> AssetRow | None:
    """Give a video another name; return it, or `None` if it is not there."""
    db.execute("UPDATE assets SET name = ? WHERE id = ?", (name, id_))
    return get_asset(db, id_)


def delete_asset(db: sqlite3.Connection, id_: str) -> bool:
    """Forget a video with all that is known of it; return whether it was there."""
    db.execute("UPDATE streams SET exported_asset_id = NULL WHERE exported_asset_id = ?", (id_,))
    db.execute("DELETE FROM jobs WHERE asset_id = ?", (id_,))
    return db.execute("DELETE FROM assets WHERE id = ?", (id_,)).rowcount > 0


def list_asset_segments(
    db: sqlite3.Connection, id_: str, start_us: int | None = None, end_us: int | None = None
) -> list[AssetSegmentRow]:
    """Return the files of a video that hold some of [start, end), in order of time."""
    rows = db.execute(
        "SELECT * FROM asset_segments WHERE asset_id = :id"
        " AND (:end IS NULL OR start_us < :end) AND (:start IS NULL OR end_us > :start)"
        " ORDER BY start_us, file",
        {"id": id_, "start": start_us, "end": end_us},
    )
    return [from_row(AssetSegmentRow, row) for row in rows]


def get_asset_segment(db: sqlite3.Connection, id_: str, file: str) -> AssetSegmentRow | None:
    """Return one file of a video, or `None`."""
    row = db.execute(
        "SELECT * FROM asset_segments WHERE asset_id = ? AND file = ?", (id_, file)
    ).fetchone()
    return None if row is None else from_row(AssetSegmentRow, row)


def forget_asset_segments(db: sqlite3.Connection, id_: str, files: Iterable[str]) -> None:
    """Forget files of a video that are gone."""
    db.executemany(
        "DELETE FROM asset_segments WHERE asset_id = ? AND file = ?",
        [(id_, file) for file in files],
    )


def replace_asset_utterances(
    db: sqlite3.Connection, id_: str, rows: Iterable[AssetUtteranceRow], spoken: Spoken
) -> AssetRow | None:
    """Keep what is said in a video in place of what was known; `None` if it is not there."""
    before = get_asset(db, id_)
    if before is None:
        return None
    db.execute("DELETE FROM asset_utterances WHERE asset_id = ?", (id_,))
    for row in rows:
        insert(db, "asset_utterances", row)
    after = attrs.evolve(before, spoken=spoken)
    update(db, "assets", after)
    return after


def list_asset_utterances(
    db: sqlite3.Connection, id_: str, *, start: float | None = None, end: float | None = None
) -> list[AssetUtteranceRow]:
    """Return what is said in some of [start, end) of a video, in order of time."""
    rows = db.execute(
        "SELECT * FROM asset_utterances WHERE asset_id = :id"
        " AND (:end IS NULL OR start < :end) AND (:start IS NULL OR end > :start)"
        " ORDER BY start, number",
        {"id": id_, "start": start, "end": end},
    )
    return [from_row(AssetUtteranceRow, row) for row in rows]


def add_timeline(
    db: sqlite3.Connection,
    id_: str,
    items: Sequence[TimelineItem],
    *,
    now_us: int,
    keep_us: int,
) -> None:
    """Keep a compiled video, and forget those whose links have all expired."""
    db.execute("DELETE FROM timelines WHERE created_us < ?", (now_us - keep_us,))
    text = msgspec.json.encode(items).decode()
    db.execute("INSERT INTO timelines VALUES (?, ?, ?)", (id_, text, now_us))


def timeline_windows(db: sqlite3.Connection, id_: str) -> list[Window] | None:
    """Return what a compiled video plays, without videos that were deleted; `None`: not known."""
    row = db.execute("SELECT items FROM timelines WHERE id = ?", (id_,)).fetchone()
    if row is None:
        return None
    items = msgspec.json.decode(row["items"], type=list[TimelineItem])
    found = {id_: get_asset(db, id_) for id_ in {item.asset_id for item in items}}
    return [
        Window(
            asset_id=asset.id,
            start_us=microseconds(moment_of_start(asset.pieces, item.start)),
            end_us=microseconds(moment_of_end(asset.pieces, item.end)),
        )
        for item in items
        if (asset := found[item.asset_id]) is not None
    ]
