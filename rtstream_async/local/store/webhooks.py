"""Webhooks on their way, in the database: one that is not delivered outlives the server."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence

import attrs

from rtstream_async.local.store.rows import from_row, json_column
from rtstream_async.local.store.writing import insert

__all__ = [
    "WaitingWebhook",
    "WebhookRow",
    "add_webhook",
    "drop_webhook",
    "due_targets",
    "due_webhooks",
    "keep_webhook",
    "next_due",
    "note_delivered",
]


@attrs.frozen(kw_only=True)
class WebhookRow:
    """One webhook that is to be delivered."""

    alert_id: str
    url: str = attrs.field(repr=False)  #: may have a password or a token in it
    target: str  #: scheme, host and port: those of one target share its places
    body: str = attrs.field(repr=False)  #: JSON
    headers: Mapping[str, str] = json_column()
    attempts: int = 0
    created_us: int
    due_us: int


@attrs.frozen(kw_only=True)
class WaitingWebhook(WebhookRow):
    """A webhook with its number."""

    number: int


def add_webhook(db: sqlite3.Connection, row: WebhookRow) -> None:
    """Keep a new webhook."""
    insert(db, "webhooks", row)


def due_targets(db: sqlite3.Connection, now_us: int) -> list[str]:
    """Return the targets that something is due for, that of the oldest first."""
    rows = db.execute(
        "SELECT target FROM webhooks WHERE due_us <= ? GROUP BY target ORDER BY min(due_us)",
        (now_us,),
    )
    return [str(row["target"]) for row in rows]


def due_webhooks(
    db: sqlite3.Connection, target: str, now_us: int, *, but: Collection[int], limit: int
) -> Sequence[WaitingWebhook]:
    """Return what is due for a target, oldest first, without the numbers `but`."""
    rows = db.execute(
        "SELECT * FROM webhooks WHERE target = ? AND due_us <= ? ORDER BY due_us, number LIMIT ?",
        (target, now_us, limit + len(but)),
    )
    found = [from_row(WaitingWebhook, row) for row in rows if row["number"] not in but]
    return found[:limit]


def next_due(db: sqlite3.Connection, after_us: int) -> int | None:
    """Return when the next one is due after `after_us`, or `None`."""
    (due,) = db.execute("SELECT min(due_us) FROM webhooks WHERE due_us > ?", (after_us,)).fetchone()
    return None if due is None else int(due)


def note_delivered(db: sqlite3.Connection, row: WaitingWebhook) -> None:
    """Forget a webhook that was taken, and count it on its alert."""
    db.execute("DELETE FROM webhooks WHERE number = ?", (row.number,))
    db.execute(
        "UPDATE alerts SET delivered = delivered + 1, delivery_error = NULL WHERE id = ?",
        (row.alert_id,),
    )


def keep_webhook(db: sqlite3.Connection, row: WaitingWebhook, *, due_us: int, error: str) -> None:
    """Have a webhook tried again, and note why on its alert."""
    db.execute(
        "UPDATE webhooks SET attempts = attempts + 1, due_us = ? WHERE number = ?",
        (due_us, row.number),
    )
    db.execute("UPDATE alerts SET delivery_error = ? WHERE id = ?", (error, row.alert_id))


def drop_webhook(db: sqlite3.Connection, row: WaitingWebhook, *, error: str) -> None:
    """Give a webhook up, and note that on its alert."""
    db.execute("DELETE FROM webhooks WHERE number = ?", (row.number,))
    db.execute(
        "UPDATE alerts SET undelivered = undelivered + 1, delivery_error = ? WHERE id = ?",
        (error, row.alert_id),
    )
