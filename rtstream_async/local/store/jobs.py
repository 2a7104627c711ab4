"""Long work that a client waits for, or asks about later."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import attrs

from rtstream_async.local.store.rows import from_row, json_column
from rtstream_async.local.store.writing import insert, update

__all__ = [
    "DONE",
    "FAILED",
    "PROCESSING",
    "JobRow",
    "add_job",
    "delete_job",
    "finish_job",
    "forget_old_jobs",
    "get_job",
    "note_called",
    "running_jobs",
    "uncalled_jobs",
]

PROCESSING, DONE, FAILED = "processing", "done", "failed"


@attrs.frozen(kw_only=True)
class JobRow:
    """One piece of long work."""

    id: str
    kind: str  #: `export` or `index`
    subject: str  #: the stream that is exported, the video that is indexed
    asset_id: str | None  #: the video that was made or is worked on
    details: Mapping[str, Any] = json_column()  #: what was asked for
    status: str  #: `processing`, `done` or `failed`
    answer: Mapping[str, Any] = json_column()  #: when it failed: `code` and `message`
    callback_url: str | None = attrs.field(repr=False)  #: still to be told of the end
    created_us: int
    updated_us: int


def add_job(db: sqlite3.Connection, row: JobRow) -> None:
    """Keep new work."""
    insert(db, "jobs", row)


def get_job(db: sqlite3.Connection, id_: str) -> JobRow | None:
    """Return a piece of work, or `None`."""
    row = db.execute("SELECT * FROM jobs WHERE id = ?", (id_,)).fetchone()
    return None if row is None else from_row(JobRow, row)


def running_jobs(db: sqlite3.Connection) -> list[JobRow]:
    """Return the work that is not finished, oldest first."""
    rows = db.execute("SELECT * FROM jobs WHERE status = ? ORDER BY created_us, id", (PROCESSING,))
    return [from_row(JobRow, row) for row in rows]


def finish_job(
    db: sqlite3.Connection,
    id_: str,
    *,
    status: str,
    now_us: int,
    answer: Mapping[str, Any] | None = None,
    asset_id: str | None = None,
) -> JobRow | None:
    """Note how a piece of work ended; return it, or `None` if it is not there."""
    before = get_job(db, id_)
    if before is None:
        return None
    after = attrs.evolve(
        before,
        status=status,
        answer=answer or {},
        asset_id=asset_id or before.asset_id,
        updated_us=now_us,
    )
    update(db, "jobs", after)
    return after


def delete_job(db: sqlite3.Connection, id_: str) -> None:
    """Forget a piece of work."""
    db.execute("DELETE FROM jobs WHERE id = ?", (id_,))


def uncalled_jobs(db: sqlite3.Connection) -> list[JobRow]:
    """Return finished work whose callback was not delivered yet."""
    rows = db.execute(
        "SELECT * FROM jobs WHERE status != ? AND callback_url IS NOT NULL ORDER BY updated_us",
        (PROCESSING,),
    )
    return [from_row(JobRow, row) for row in rows]


def note_called(db: sqlite3.Connection, id_: str) -> None:
    """Note that nobody is to be told of this work any more."""
    db.execute("UPDATE jobs SET callback_url = NULL WHERE id = ?", (id_,))


def forget_old_jobs(db: sqlite3.Connection, *, before_us: int) -> None:
    """Forget work that was finished before `before_us`."""
    db.execute(
        "DELETE FROM jobs WHERE status != ? AND callback_url IS NULL AND updated_us < ?",
        (PROCESSING, before_us),
    )
