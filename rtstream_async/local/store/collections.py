"""Collections in the database."""

from __future__ import annotations

import sqlite3

import attrs

from rtstream_async.local.store.rows import from_row
from rtstream_async.local.store.writing import insert

__all__ = ["CollectionRow", "delete_collection", "load_collections", "save_collection"]


@attrs.frozen(kw_only=True)
class CollectionRow:
    """One collection."""

    id: str
    name: str
    description: str
    is_public: bool
    created_us: int


def load_collections(db: sqlite3.Connection, default: CollectionRow) -> list[CollectionRow]:
    """Return all collections, the default one first; where there is none yet, it is `default`."""
    rows = db.execute("SELECT * FROM collections ORDER BY created_us, id").fetchall()
    if rows:
        return [from_row(CollectionRow, row) for row in rows]
    # Streams of the time before there was this table name their collection.
    known = db.execute("SELECT value FROM settings WHERE key = 'default_collection'").fetchone()
    first = default if known is None else attrs.evolve(default, id=known["value"])
    save_collection(db, first)
    return [first]


def save_collection(db: sqlite3.Connection, row: CollectionRow) -> None:
    """Keep a collection, new or changed."""
    insert(db, "collections", row, or_="OR REPLACE")


def delete_collection(db: sqlite3.Connection, id_: str) -> None:
    """Forget a collection."""
    db.execute("DELETE FROM collections WHERE id = ?", (id_,))
