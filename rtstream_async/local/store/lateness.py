"""Records that are stored, and not in the lists yet: as of a service whose history lags.

They are named in temporary tables, which are never on disk and go with the connection. Only while
records are to be late a trigger puts new ones there, so nothing else pays for it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from rtstream_async.protocol.codec.times import microseconds

__all__ = ["SCENES", "UTTERANCES", "be_late", "be_prompt", "make_tables", "settle"]

SCENES = "number NOT IN (SELECT number FROM late_scenes)"
"""The condition that a record of an index is in the lists; after `settle()`."""

UTTERANCES = "number NOT IN (SELECT number FROM late_utterances)"
"""The condition that a piece of speech is."""

_TABLES = ("scenes", "utterances")
_FUNCTION = "lateness_us"


def make_tables(db: sqlite3.Connection) -> None:
    """Make an open connection ready; no record is late."""
    for table in _TABLES:
        db.execute(
            f"CREATE TEMP TABLE late_{table} (number INTEGER PRIMARY KEY, visible_us INTEGER)"
        )


def be_late(db: sqlite3.Connection, lag: Callable[[], float]) -> None:
    """Have records that come from now on be late by what `lag()` says for each, in seconds."""
    db.create_function(_FUNCTION, 0, lambda: microseconds(time.time() + lag()))
    for table in _TABLES:
        db.execute(
            f"CREATE TEMP TRIGGER IF NOT EXISTS late_{table}_come AFTER INSERT ON main.{table}"  # noqa: S608 - our own names
            f" BEGIN INSERT OR REPLACE INTO late_{table} VALUES (NEW.number, {_FUNCTION}()); END"
        )


def be_prompt(db: sqlite3.Connection) -> None:
    """Have all records in the lists, old and new."""
    for table in _TABLES:
        db.execute(f"DROP TRIGGER IF EXISTS late_{table}_come")
        db.execute(f"DELETE FROM late_{table}")  # noqa: S608 - our own names


def settle(db: sqlite3.Connection) -> None:
    """Let what has been late for long enough into the lists, once and for all."""
    now_us = microseconds(time.time())
    for table in _TABLES:
        db.execute(f"DELETE FROM late_{table} WHERE visible_us <= ?", (now_us,))  # noqa: S608 - our own names
