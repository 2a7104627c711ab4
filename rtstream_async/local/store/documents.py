"""What is searched in: a document for each record of an index and each sentence of a video.

The triggers of the schema make and delete documents with what they stand for, and keep their
words in an index; the text itself is kept once, where it comes from. A number is never given
twice, so what is known of a document in memory can't be taken for another.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import msgspec

from rtstream_async.local.store.assets import AssetRow
from rtstream_async.local.store.rows import from_row, json_column
from rtstream_async.local.store.statements import get_setting, set_setting
from rtstream_async.local.store.understandings import UNDERSTANDING

__all__ = [
    "DocumentRow",
    "Occurrences",
    "PendingRow",
    "SourceRow",
    "VectorRow",
    "adopt_engine",
    "count_pending",
    "find_words",
    "get_documents",
    "is_any_pending",
    "keep_vectors",
    "list_pending",
    "list_sources",
    "list_vectors",
    "list_videos",
    "newest_pending",
    "vector_numbers",
]

_ENGINE = "embedding_engine"  # the setting that names the engine of all vectors


@attrs.frozen(kw_only=True)
class DocumentRow:
    """One document."""

    number: int
    owner: str  #: the index or the video
    start: float  #: Unix time in seconds; in a video, seconds from its start
    end: float
    text: str
    engine: str  #: which engine made the text
    metadata: Mapping[str, Any] = json_column()


@attrs.frozen(kw_only=True)
class SourceRow:
    """An index of a stream that can be searched in."""

    index_id: str
    index_name: str
    stream_id: str
    stream_name: str
    extraction_type: str  #: `time`, `shot` or `transcript`


@attrs.frozen(kw_only=True)
class PendingRow:
    """A document that has no vector yet."""

    number: int
    owner: str
    text: str


@attrs.frozen(kw_only=True)
class VectorRow:
    """The vector of a document, as it is kept."""

    number: int
    owner: str
    vector: bytes


@attrs.frozen(kw_only=True)
class Occurrences:
    """Where words were found."""

    total: int  #: how many documents there are
    deletions: int  #: how many were ever deleted: when it has grown, something is gone
    found: Sequence[int]  #: for each word, how many documents have it, of whatever owner
    numbers: Sequence[Sequence[int]]  #: for each word, those of the owners asked for


def adopt_engine(db: sqlite3.Connection, name: str) -> bool:
    """Take `name` for the engine of all vectors; return whether it was another one before.

    Vectors of different engines can't be compared: those of the one before go.
    """
    before = get_setting(db, _ENGINE)
    if before == name:
        return False
    db.execute("UPDATE documents SET vector = NULL WHERE vector IS NOT NULL")
    set_setting(db, _ENGINE, name)
    return before is not None


def newest_pending(db: sqlite3.Connection) -> int:
    """Return the number of the newest document without a vector, 0 when all have one."""
    (number,) = db.execute("SELECT max(number) FROM documents WHERE vector IS NULL").fetchone()
    return number or 0


def is_any_pending(db: sqlite3.Connection, *, above: int, to: int) -> bool:
    """Return whether a document from `above` + 1 to `to` has no vector."""
    row = db.execute(
        "SELECT 1 FROM documents WHERE vector IS NULL AND number > ? AND number <= ? LIMIT 1",
        (above, to),
    ).fetchone()
    return row is not None


def count_pending(db: sqlite3.Connection, owners: Iterable[str], *, most: int) -> int:
    """Return how many documents of `owners` have no vector, counted up to `most`."""
    (count,) = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM documents WHERE vector IS NULL"
        " AND owner IN (SELECT value FROM json_each(?)) LIMIT ?)",
        (_json(owners), most),
    ).fetchone()
    return int(count)


def list_pending(db: sqlite3.Connection, limit: int) -> list[PendingRow]:
    """Return documents without a vector, the newest first."""
    rows = db.execute(
        "SELECT number, owner, text FROM document_contents WHERE number IN"
        " (SELECT number FROM documents WHERE vector IS NULL ORDER BY number DESC LIMIT ?)"
        " ORDER BY number DESC",
        (limit,),
    )
    return [from_row(PendingRow, row) for row in rows]


def keep_vectors(db: sqlite3.Connection, rows: Iterable[VectorRow]) -> None:
    """Keep vectors; an empty one is that of a document that can't have one."""
    db.executemany(
        "UPDATE documents SET vector = ? WHERE number = ?",
        [(row.vector, row.number) for row in rows],
    )


def list_vectors(db: sqlite3.Connection, *, above: int, limit: int) -> list[VectorRow]:
    """Return the vectors of documents with numbers from `above` + 1 on, in order of number."""
    rows = db.execute(
        "SELECT number, owner, vector FROM documents"
        " WHERE number > ? AND vector IS NOT NULL ORDER BY number LIMIT ?",
        (above, limit),
    )
    return [VectorRow(number=number, owner=owner, vector=vector) for number, owner, vector in rows]


def vector_numbers(db: sqlite3.Connection) -> str:
    """Return the numbers of all documents with a vector, with commas between them.

    One long text: a hundred thousand rows would keep the store from its other work for longer.
    """
    (numbers,) = db.execute(
        "SELECT group_concat(number) FROM documents WHERE vector IS NOT NULL"
    ).fetchone()
    return numbers or ""


def find_words(
    db: sqlite3.Connection, words: Sequence[str], owners: Iterable[str], *, most: int
) -> Occurrences:
    """Return where each word or phrase occurs, of each the newest `most` documents.

    A word also stands for its other endings: `parcels` is found as `parcel`.
    """
    added, deleted = db.execute("SELECT added, deleted FROM document_counts").fetchone()
    wanted = _json(owners)
    found: list[int] = []
    numbers: list[list[int]] = []
    for word in words:
        count, listed = db.execute(
            "SELECT count(*), group_concat("
            "  CASE WHEN d.owner IN (SELECT value FROM json_each(:owners)) THEN d.number END)"
            " FROM (SELECT rowid AS number FROM document_words WHERE document_words MATCH :word"
            "  ORDER BY rowid DESC LIMIT :most) AS w"
            " JOIN documents AS d ON d.number = w.number",
            {"owners": wanted, "word": _phrase(word), "most": most},
        ).fetchone()
        found.append(count)
        numbers.append([int(number) for number in listed.split(",")] if listed else [])
    return Occurrences(total=added - deleted, deletions=deleted, found=found, numbers=numbers)


def list_sources(
    db: sqlite3.Connection, *, stream_id: str | None = None, collection_id: str | None = None
) -> list[SourceRow]:
    """Return the indexes of a stream, or of all streams of a collection."""
    rows = db.execute(
        "SELECT i.id AS index_id, i.name AS index_name, i.extraction_type,"
        " s.id AS stream_id, s.name AS stream_name"
        " FROM indexes i JOIN streams s ON s.id = i.stream_id"
        " WHERE i.family != :family AND (:stream IS NULL OR s.id = :stream)"
        " AND (:collection IS NULL OR s.collection_id = :collection)",
        {"family": UNDERSTANDING, "stream": stream_id, "collection": collection_id},
    )
    return [from_row(SourceRow, row) for row in rows]


def list_videos(db: sqlite3.Connection, collection_id: str) -> list[AssetRow]:
    """Return the videos (and sounds) of a collection of which it is known what is said."""
    rows = db.execute(
        "SELECT * FROM assets WHERE collection_id = ?"
        " AND json_extract(spoken, '$.status') = 'done' ORDER BY created_us",
        (collection_id,),
    )
    return [from_row(AssetRow, row) for row in rows]


def get_documents(db: sqlite3.Connection, numbers: Iterable[int]) -> list[DocumentRow]:
    """Return those of the documents that still exist, in any order."""
    rows = db.execute(
        "SELECT * FROM document_contents WHERE number IN (SELECT value FROM json_each(?))",
        (_json(numbers),),
    )
    return [from_row(DocumentRow, row) for row in rows]


def _phrase(word: str) -> str:
    # In quotation marks nothing is an operator; marks inside are doubled.
    return '"{}"'.format(word.replace('"', '""'))


def _json(values: Iterable[object]) -> str:
    return msgspec.json.encode(list(values)).decode()
