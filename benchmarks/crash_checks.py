"""What must be true of a data directory whose server was killed, looked at from outside."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.crash_server import PASSES
from rtstream_async.local.datadir import DATABASE

__all__ = ["check_database", "due_webhooks", "leftovers", "rows_and_files_differ"]

_NONE = {
    "records without their document": (
        "SELECT s.number FROM scenes s WHERE trim(s.text) != ''"
        " AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.scene = s.number)"
    ),
    "sentences without their document": (
        "SELECT u.number FROM asset_utterances u WHERE trim(u.text) != ''"
        " AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.utterance = u.number)"
    ),
    "documents of nothing": (
        "SELECT d.number FROM documents d WHERE NOT EXISTS"
        " (SELECT 1 FROM scenes s WHERE s.number = d.scene AND s.index_id = d.owner)"
        " AND NOT EXISTS (SELECT 1 FROM asset_utterances u WHERE u.number = d.utterance)"
    ),
    "documents without words": (
        "SELECT number FROM documents WHERE number NOT IN (SELECT id FROM document_words_docsize)"
    ),
    "words without their document": (
        "SELECT id FROM document_words_docsize WHERE id NOT IN (SELECT number FROM documents)"
    ),
    "rows that refer to nothing": "PRAGMA foreign_key_check",
    "windows that were described twice": (
        "SELECT 1 FROM scenes GROUP BY index_id, start_us HAVING count(*) > 1"
    ),
}


def check_database(data: Path) -> list[str]:
    """Return what is wrong in the database of a server that is dead, and leave it as it is."""
    with _copied(data) as db:
        found = [f"the database is corrupt: {row[0]}" for row in _damage(db)]
        db.execute("INSERT INTO document_words (document_words) VALUES ('integrity-check')")
        for what, query in _NONE.items():
            count = len(db.execute(query).fetchall())
            if count:
                found.append(f"{count} {what}")
        for stream, file in db.execute("SELECT stream_id, file FROM segments"):
            if not (data / "segments" / stream / file).exists():
                found.append(f"{stream}: the record of {file} is without its segment")
        return found


def rows_and_files_differ(data: Path) -> list[str]:
    """Return which segments are not both a row and a file; the server has ended in peace."""
    with _copied(data) as db:
        rows = {(row[0], row[1]) for row in db.execute("SELECT stream_id, file FROM segments")}
    files = {(path.parent.name, path.name) for path in (data / "segments").glob("*/*")}
    return [f"{stream}/{file} is not both row and file" for stream, file in sorted(rows ^ files)]


def due_webhooks(data: Path, begun: Mapping[str, int]) -> set[str]:
    """Return the keys of all webhooks that were to be sent so far.

    Args:
        data: Of a server that is dead.
        begun: Alerts, and the number of the record after which each judges.
    """
    due: set[str] = set()
    with _copied(data) as db:
        for alert, after in begun.items():
            index, to = db.execute(
                "SELECT index_id, judged_to FROM alerts WHERE id = ?", (alert,)
            ).fetchone()
            rows = db.execute(
                "SELECT number FROM scenes WHERE index_id = ? AND number > ? AND number <= ?"
                " AND text LIKE ?",
                (index, after, to, f"{PASSES}%"),
            )
            due.update(f"{alert}-{row[0]}" for row in rows)
    return due


def leftovers(data: Path) -> list[str]:
    """Return the files that are not finished."""
    return sorted(str(path.relative_to(data)) for path in data.rglob("*.part"))


def _damage(db: sqlite3.Connection) -> list[tuple[str]]:
    return [row for row in db.execute("PRAGMA integrity_check") if row != ("ok",)]


@contextmanager
def _copied(data: Path) -> Generator[sqlite3.Connection]:
    # Opening the files themselves would do the recovery that is the server's to do.
    with tempfile.TemporaryDirectory() as folder:
        for path in data.glob(f"{DATABASE}*"):
            shutil.copy(path, folder)
        with closing(sqlite3.connect(Path(folder) / DATABASE)) as db:
            yield db
