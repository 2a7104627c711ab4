"""Row values into tables."""

from __future__ import annotations

import sqlite3

import attrs

from rtstream_async.local.store.rows import column_names, to_row

__all__ = ["insert", "update"]


def insert(db: sqlite3.Connection, table: str, value: attrs.AttrsInstance, or_: str = "") -> None:
    """Keep a new row; `or_` says what to do when there is one with its key."""
    names = column_names(type(value))
    marks = ", ".join(f":{name}" for name in names)
    db.execute(f"INSERT {or_} INTO {table} ({', '.join(names)}) VALUES ({marks})", to_row(value))  # noqa: S608 - our own names


def update(db: sqlite3.Connection, table: str, value: attrs.AttrsInstance) -> None:
    """Make the row with the value's `id` what the value is."""
    names = column_names(type(value))
    sets = ", ".join(f"{name} = :{name}" for name in names)
    db.execute(f"UPDATE {table} SET {sets} WHERE id = :id", to_row(value))  # noqa: S608 - our own names
