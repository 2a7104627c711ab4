"""Transcripts and what they say, in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from rtstream_async.local.store.lateness import UTTERANCES, settle
from rtstream_async.local.store.rows import from_row, json_column
from rtstream_async.local.store.writing import insert

__all__ = [
    "TranscriptRow",
    "UtteranceQuery",
    "UtteranceRow",
    "add_utterance",
    "change_transcript",
    "count_dropped_seconds",
    "get_transcript",
    "keep_transcript",
    "list_utterances",
]


@attrs.frozen(kw_only=True)
class TranscriptRow:
    """The transcript of a stream; times in Unix microseconds."""

    stream_id: str
    asked_engine: str | None  #: as the client named it
    engine: str | None  #: which engine really hears; `None` until it has heard something
    language: str | None  #: code of the language that it understands
    ws_connection_id: str | None
    bound_us: int | None  #: when that connection was given
    status: str  #: `running`, `stopped` or `error`
    last_error: str | None
    dropped_seconds: float  #: sound that nobody heard since the start
    created_us: int
    started_us: int
    stopped_us: int | None
    updated_us: int

    @property
    def is_wanted(self) -> bool:
        """Whether somebody has started it and nobody has stopped it, well or ill."""
        return self.status != "stopped"


@attrs.frozen(kw_only=True)
class UtteranceRow:
    """A piece of speech."""

    stream_id: str
    start_us: int
    end_us: int
    text: str
    words: Sequence[Mapping[str, Any]] = json_column()  #: `start` and `end` in Unix seconds, `text`
    engine: str
    stored_us: int


@attrs.frozen(kw_only=True)
class UtteranceQuery:
    """Which pieces of speech, which page; times in Unix microseconds."""

    start_us: int | None = None
    end_us: int | None = None
    since_us: int | None = None  #: those that end later
    limit: int = 100
    offset: int = 0


def get_transcript(db: sqlite3.Connection, stream_id: str) -> TranscriptRow | None:
    """Return a stream's transcript, or `None` when it never had one."""
    row = db.execute("SELECT * FROM transcripts WHERE stream_id = ?", (stream_id,)).fetchone()
    return None if row is None else from_row(TranscriptRow, row)


def keep_transcript(db: sqlite3.Connection, row: TranscriptRow) -> None:
    """Keep a stream's transcript, in place of the one that it had."""
    insert(db, "transcripts", row, or_="OR REPLACE")


def change_transcript(
    db: sqlite3.Connection, stream_id: str, changes: Mapping[str, Any]
) -> TranscriptRow | None:
    """Change some columns; return what the transcript is then, or `None` if it is not there."""
    before = get_transcript(db, stream_id)
    if before is None:
        return None
    after = attrs.evolve(before, **changes)
    keep_transcript(db, after)
    return after


def count_dropped_seconds(db: sqlite3.Connection, stream_id: str, seconds: float) -> None:
    """Add to the sound that nobody heard."""
    db.execute(
        "UPDATE transcripts SET dropped_seconds = dropped_seconds + ? WHERE stream_id = ?",
        (seconds, stream_id),
    )


def add_utterance(db: sqlite3.Connection, row: UtteranceRow) -> None:
    """Keep a piece of speech."""
    insert(db, "utterances", row)


def list_utterances(
    db: sqlite3.Connection, stream_id: str, query: UtteranceQuery
) -> tuple[list[UtteranceRow], int]:
    """Return one page of what was said, in order of time, and how many pieces there are in all."""
    settle(db)
    where = (
        f"{UTTERANCES} AND stream_id = :id AND (:start IS NULL OR end_us >= :start)"
        " AND (:end IS NULL OR start_us <= :end) AND (:since IS NULL OR end_us > :since)"
    )
    values = {
        "id": stream_id,
        "start": query.start_us,
        "end": query.end_us,
        "since": query.since_us,
        "limit": query.limit,
        "offset": query.offset,
    }
    (count,) = db.execute(f"SELECT count(*) FROM utterances WHERE {where}", values).fetchone()  # noqa: S608 - our own columns
    rows = db.execute(
        f"SELECT * FROM utterances WHERE {where}"  # noqa: S608 - our own columns
        " ORDER BY start_us, number LIMIT :limit OFFSET :offset",
        values,
    )
    return [from_row(UtteranceRow, row) for row in rows], count
