"""Records on their way into the database: of indexes, of understandings, of indexes of those."""

from __future__ import annotations

import sqlite3

import attrs

from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import IndexRow, SceneRow, from_row

__all__ = ["INDEX", "SCENE_INDEX", "UNDERSTANDING", "add_record"]

SCENE_INDEX = "scene_index"
"""The family of scene and audio indexes."""

UNDERSTANDING = "understanding"
"""The family of understandings: they are no indexes, but make records as indexes do."""

INDEX = "index"
"""The family of indexes that copy what an understanding puts out."""


def add_record(db: sqlite3.Connection, scene: SceneRow, index: IndexRow) -> list[IndexRow]:
    """Keep a record of `index`, and a copy in every index made of it; return who has a new one.

    An understanding that is not to store its output has no records.
    """
    if index.family != UNDERSTANDING:
        statements.add_scenes(db, [scene])
        return [index]
    if not index.definition["store"]:
        return []
    rows = db.execute(
        "SELECT * FROM indexes WHERE source_id = ? AND status = 'running' ORDER BY id", (index.id,)
    )
    copies = [from_row(IndexRow, row) for row in rows.fetchall()]
    statements.add_scenes(db, [attrs.evolve(scene, index_id=row.id) for row in (index, *copies)])
    return [index, *copies]
