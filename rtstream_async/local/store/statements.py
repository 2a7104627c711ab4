"""What is asked of the database: functions for `Worker.run()`, the connection first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from rtstream_async.local.store.lateness import SCENES, settle
from rtstream_async.local.store.rows import (
    IndexRow,
    SceneRow,
    SegmentRow,
    StreamRow,
    from_row,
)
from rtstream_async.local.store.writing import insert, update

__all__ = [
    "ORDERINGS",
    "StreamQuery",
    "add_index",
    "add_scenes",
    "add_segment",
    "add_stream",
    "change_index",
    "change_stream",
    "count_dropped_windows",
    "delete_segments",
    "delete_stream",
    "evict_segments",
    "find_segment",
    "get_index",
    "get_segment",
    "get_setting",
    "get_stream",
    "list_indexes",
    "list_scenes",
    "list_segments",
    "list_streams",
    "oldest_segments",
    "recorded",
    "recorded_of",
    "set_setting",
    "settle_streams",
    "storage_bytes",
    "stream_ids",
    "unstored_stream_ids",
    "wanted_streams",
]

ORDERINGS = ("created_at", "-created_at", "name", "-name", "status", "-status")
"""What a list of streams can be ordered by; `-` means downwards."""

_ORDER_COLUMNS = {"created_at": "created_us", "name": "name", "status": "status"}


@attrs.frozen(kw_only=True)
class StreamQuery:
    """Which streams, in which order, which page."""

    collection_id: str | None = None
    status: str | None = None
    name: str | None = None  #: part of the name, whatever its case
    ordering: str = "-created_at"
    limit: int = 10
    offset: int = 0


def get_setting(db: sqlite3.Connection, key: str) -> str | None:
    """Return a setting's value, or `None`."""
    row = db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row["value"])


def set_setting(db: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a setting."""
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, value))


def add_stream(db: sqlite3.Connection, row: StreamRow) -> None:
    """Keep a new stream."""
    insert(db, "streams", row)


def get_stream(db: sqlite3.Connection, id_: str) -> StreamRow | None:
    """Return a stream, or `None`."""
    row = db.execute("SELECT * FROM streams WHERE id = ?", (id_,)).fetchone()
    return None if row is None else from_row(StreamRow, row)


def change_stream(db: sqlite3.Connection, id_: str, changes: Mapping[str, Any]) -> StreamRow | None:
    """Change some columns of a stream; return what it is then, or `None` if it is not there."""
    before = get_stream(db, id_)
    if before is None:
        return None
    after = attrs.evolve(before, **changes)
    update(db, "streams", after)
    return after


def delete_stream(db: sqlite3.Connection, id_: str) -> None:
    """Forget a stream with its segments, indexes and scenes."""
    db.execute("DELETE FROM streams WHERE id = ?", (id_,))


def list_streams(db: sqlite3.Connection, query: StreamQuery) -> tuple[list[StreamRow], int]:
    """Return one page of streams, and how many there are in all."""
    where, values = _stream_filter(query)
    column = _ORDER_COLUMNS[query.ordering.removeprefix("-")]
    direction = "DESC" if query.ordering.startswith("-") else "ASC"
    (count,) = db.execute(f"SELECT count(*) FROM streams {where}", values).fetchone()  # noqa: S608 - our own columns
    rows = db.execute(
        f"SELECT * FROM streams {where} ORDER BY {column} {direction}, id {direction}"  # noqa: S608 - our own columns
        " LIMIT :limit OFFSET :offset",
        values | {"limit": query.limit, "offset": query.offset},
    )
    return [from_row(StreamRow, row) for row in rows], count


def wanted_streams(db: sqlite3.Connection) -> list[StreamRow]:
    """Return the streams that are to be running."""
    rows = db.execute("SELECT * FROM streams WHERE wanted ORDER BY created_us, id")
    return [from_row(StreamRow, row) for row in rows]


def add_segment(db: sqlite3.Connection, row: SegmentRow) -> None:
    """Keep a recorded file; the same one again (found after a crash) is kept once."""
    insert(db, "segments", row, or_="OR IGNORE")


def get_segment(db: sqlite3.Connection, stream_id: str, file: str) -> SegmentRow | None:
    """Return a recorded file, or `None`."""
    row = db.execute(
        "SELECT * FROM segments WHERE stream_id = ? AND file = ?", (stream_id, file)
    ).fetchone()
    return None if row is None else from_row(SegmentRow, row)


def find_segment(db: sqlite3.Connection, stream_id: str, start_us: int) -> SegmentRow | None:
    """Return the recorded file that starts at `start_us`, or `None`."""
    row = db.execute(
        "SELECT * FROM segments WHERE stream_id = ? AND start_us = ?", (stream_id, start_us)
    ).fetchone()
    return None if row is None else from_row(SegmentRow, row)


def list_segments(
    db: sqlite3.Connection,
    stream_id: str,
    start_us: int | None = None,
    end_us: int | None = None,
) -> list[SegmentRow]:
    """Return a stream's files that hold some of [start, end), in order of time."""
    rows = db.execute(
        "SELECT * FROM segments WHERE stream_id = :id"
        " AND (:end IS NULL OR start_us < :end) AND (:start IS NULL OR end_us > :start)"
        " ORDER BY start_us, file",
        {"id": stream_id, "start": start_us, "end": end_us},
    )
    return [from_row(SegmentRow, row) for row in rows]


def recorded(db: sqlite3.Connection, stream_id: str) -> tuple[int | None, int | None, int]:
    """Return the first start, the last end, and the sum of what a stream's files hold, in us."""
    start, end, total = db.execute(
        "SELECT min(start_us), max(end_us), coalesce(sum(end_us - start_us), 0)"
        " FROM segments WHERE stream_id = ?",
        (stream_id,),
    ).fetchone()
    return start, end, total


def recorded_of(
    db: sqlite3.Connection, stream_ids: Iterable[str]
) -> dict[str, tuple[int | None, int | None, int]]:
    """Return `recorded()` of each stream."""
    return {id_: recorded(db, id_) for id_ in stream_ids}


def delete_segments(db: sqlite3.Connection, rows: Iterable[SegmentRow]) -> None:
    """Forget recorded files."""
    db.executemany(
        "DELETE FROM segments WHERE stream_id = ? AND file = ?",
        [(row.stream_id, row.file) for row in rows],
    )


def storage_bytes(db: sqlite3.Connection) -> int:
    """Return the size of all recorded files together."""
    (total,) = db.execute("SELECT coalesce(sum(size), 0) FROM segments").fetchone()
    return int(total)


def stream_ids(db: sqlite3.Connection, collection_id: str | None = None) -> list[str]:
    """Return the ids of all streams, or of those of one collection."""
    rows = db.execute(
        "SELECT id FROM streams WHERE :collection IS NULL OR collection_id = :collection"
        " ORDER BY created_us",
        {"collection": collection_id},
    )
    return [str(row["id"]) for row in rows]


def unstored_stream_ids(db: sqlite3.Connection) -> list[str]:
    """Return the ids of the streams whose recording is not to be kept."""
    return [str(row["id"]) for row in db.execute("SELECT id FROM streams WHERE NOT store")]


def settle_streams(db: sqlite3.Connection) -> None:
    """Forget streams that were being connected when the server died; stop what is not wanted."""
    db.execute("DELETE FROM streams WHERE status = 'connecting' AND NOT wanted")
    db.execute("UPDATE streams SET status = 'stopped' WHERE status != 'error' AND NOT wanted")


def oldest_segments(db: sqlite3.Connection, limit: int) -> list[SegmentRow]:
    """Return the oldest recorded files of all streams together."""
    rows = db.execute("SELECT * FROM segments ORDER BY start_us, stream_id LIMIT ?", (limit,))
    return [from_row(SegmentRow, row) for row in rows]


def evict_segments(db: sqlite3.Connection, rows: Iterable[SegmentRow]) -> None:
    """Forget recorded files, and note on their streams how many went, and up to where."""
    going = list(rows)
    delete_segments(db, going)
    db.executemany(
        "UPDATE streams SET evicted_segments = evicted_segments + 1,"
        " evicted_to_us = max(evicted_to_us, ?) WHERE id = ?",
        [(row.end_us, row.stream_id) for row in going],
    )


def add_index(db: sqlite3.Connection, row: IndexRow) -> None:
    """Keep a new index."""
    insert(db, "indexes", row)


def get_index(db: sqlite3.Connection, stream_id: str, id_: str) -> IndexRow | None:
    """Return an index of a stream, or `None`."""
    row = db.execute(
        "SELECT * FROM indexes WHERE stream_id = ? AND id = ?", (stream_id, id_)
    ).fetchone()
    return None if row is None else from_row(IndexRow, row)


def list_indexes(
    db: sqlite3.Connection, stream_id: str, family: str | None = None
) -> list[IndexRow]:
    """Return a stream's indexes, of all families or of one, oldest first."""
    rows = db.execute(
        "SELECT * FROM indexes WHERE stream_id = :stream AND (:family IS NULL OR family = :family)"
        " ORDER BY created_us, id",
        {"stream": stream_id, "family": family},
    )
    return [from_row(IndexRow, row) for row in rows]


def change_index(
    db: sqlite3.Connection, stream_id: str, id_: str, changes: Mapping[str, Any]
) -> IndexRow | None:
    """Change some columns of an index; return what it is then, or `None` if it is not there."""
    before = get_index(db, stream_id, id_)
    if before is None:
        return None
    after = attrs.evolve(before, **changes)
    update(db, "indexes", after)
    return after


def count_dropped_windows(db: sqlite3.Connection, id_: str, count: int) -> None:
    """Add to the windows that an index had to give up."""
    db.execute(
        "UPDATE indexes SET dropped_windows = dropped_windows + ? WHERE id = ?", (count, id_)
    )


def add_scenes(db: sqlite3.Connection, rows: Iterable[SceneRow]) -> None:
    """Keep records of an index."""
    for row in rows:
        insert(db, "scenes", row)


def list_scenes(
    db: sqlite3.Connection,
    index_id: str,
    *,
    start_us: int | None,
    end_us: int | None,
    limit: int,
    offset: int,
) -> list[SceneRow]:
    """Return records that lie in some of [start, end], newest first."""
    settle(db)
    rows = db.execute(
        f"SELECT * FROM scenes WHERE index_id = :id AND {SCENES}"  # noqa: S608 - our own condition
        " AND (:start IS NULL OR end_us >= :start) AND (:end IS NULL OR start_us <= :end)"
        " ORDER BY start_us DESC, number DESC LIMIT :limit OFFSET :offset",
        {"id": index_id, "start": start_us, "end": end_us, "limit": limit, "offset": offset},
    )
    return [from_row(SceneRow, row) for row in rows]


def _stream_filter(query: StreamQuery) -> tuple[str, dict[str, Any]]:
    clauses = {
        "collection_id = :collection": query.collection_id,
        "status = :status": query.status,
        "instr(lower(name), lower(:name)) > 0": query.name,
    }
    asked = [clause for clause, value in clauses.items() if value]
    values = {"collection": query.collection_id, "status": query.status, "name": query.name}
    return f"WHERE {' AND '.join(asked)}" if asked else "", values
