"""Data directories of servers that have a lot to search in."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtstream_async.local.datadir import DATABASE
from rtstream_async.local.search.library import identity
from rtstream_async.local.search.vectors import pack
from rtstream_async.local.store import documents, schema, statements
from rtstream_async.local.store.documents import VectorRow
from rtstream_async.local.store.rows import IndexRow, SceneRow, StreamRow

__all__ = ["fill", "sample_index", "sample_stream"]

Floats = NDArray[np.float32]


def fill(
    folder: Path,
    texts: Sequence[str],
    *,
    owners: int,
    vectors: Floats | None = None,
    engine: str = "",
) -> None:
    """Make the data directory of a server whose streams have these records."""
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as db:
        schema.prepare(db)
        db.execute("BEGIN")
        collection = "c-benchmark"
        statements.set_setting(db, "default_collection", collection)
        for number in range(owners):
            statements.add_stream(db, sample_stream(number, collection))
            statements.add_index(db, sample_index(number))
        statements.add_scenes(
            db, (_scene(f"i{place % owners}", place, text) for place, text in enumerate(texts))
        )
        if vectors is not None:
            documents.adopt_engine(db, identity(engine, vectors.shape[1]))
            documents.keep_vectors(
                db,
                (
                    VectorRow(number=place + 1, owner="", vector=pack(vector.tobytes()))
                    for place, vector in enumerate(vectors)
                ),
            )
        db.execute("COMMIT")


def sample_stream(number: int, collection: str) -> StreamRow:
    return StreamRow(
        id=f"s{number}",
        collection_id=collection,
        name=f"camera {number}",
        url="camera.mp4",
        status="stopped",
        wanted=False,
        sample_rate=30,
        media_types=("video",),
        store=True,
        enable_transcript=False,
        ws_connection_id=None,
        created_us=number,
        ingested={},
        last_error=None,
        reconnects=0,
        evicted_segments=0,
    )


def sample_index(number: int) -> IndexRow:
    return IndexRow(
        id=f"i{number}",
        stream_id=f"s{number}",
        extraction_type="time",
        extraction_config={},
        prompt=None,
        name=f"index {number}",
        model_name=None,
        model_config={},
        ws_connection_id=None,
        status="stopped",
        engine=None,
        last_error=None,
        dropped_windows=0,
        created_us=number,
    )


def _scene(index_id: str, place: int, text: str) -> SceneRow:
    return SceneRow(
        index_id=index_id,
        start_us=place * 2_000_000,
        end_us=place * 2_000_000 + 2_000_000,
        text=text,
        engine="benchmark",
        metadata={"people": place % 5},
    )
