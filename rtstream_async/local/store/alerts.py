"""Events, and alerts that watch indexes for them, in the database."""

from __future__ import annotations

import sqlite3

import attrs

from rtstream_async.local.store.rows import (
    IndexRow,
    SceneRow,
    StreamRow,
    from_row,
)
from rtstream_async.local.store.webhooks import WebhookRow, add_webhook
from rtstream_async.local.store.writing import insert

__all__ = [
    "DISABLED",
    "ENABLED",
    "AlertRow",
    "AlertView",
    "EventRow",
    "Judged",
    "NumberedScene",
    "Work",
    "add_alert",
    "add_event",
    "armed_alerts",
    "delete_events",
    "get_event",
    "list_alerts",
    "list_events",
    "load_work",
    "set_alert_status",
    "settle",
    "view_alert",
]

ENABLED, DISABLED = "enabled", "disabled"


@attrs.frozen(kw_only=True)
class EventRow:
    """One event: what is to be detected, and what its alerts are called."""

    id: str
    event_prompt: str
    label: str
    created_us: int


@attrs.frozen(kw_only=True)
class AlertRow:
    """One alert: an event that watches an index."""

    id: str
    index_id: str
    event_id: str
    callback_url: str | None = attrs.field(repr=False)  #: may have a password or a token in it
    ws_connection_id: str | None
    base_url: str  #: under which its maker reached the server
    status: str
    judged_to: int  #: number of the last record that was judged; those after it wait
    fired: int  #: records that fitted
    undecided: int  #: records of which nothing could tell whether they fit
    delivered: int  #: webhooks that were taken
    undelivered: int  #: webhooks that were given up
    last_error: str | None  #: why a record could not be judged; the next one takes it back
    delivery_error: str | None  #: why a webhook was not taken; the next one that is takes it back
    created_us: int


@attrs.frozen(kw_only=True)
class AlertView:
    """An alert with its event, and what waits for it."""

    alert: AlertRow
    event: EventRow
    waiting: int  #: webhooks that are on their way


@attrs.frozen(kw_only=True)
class NumberedScene:
    """A record with its place among all records."""

    number: int
    scene: SceneRow


@attrs.frozen(kw_only=True)
class Work:
    """What an alert has to judge, and all that it takes to do so."""

    alert: AlertRow
    event: EventRow
    index: IndexRow
    stream: StreamRow
    before: SceneRow | None  #: the record before the first of `scenes`
    scenes: tuple[NumberedScene, ...]


@attrs.frozen(kw_only=True)
class Judged:
    """What became of one record."""

    number: int
    fires: bool
    is_undecided: bool
    error: str | None
    webhook: WebhookRow | None


def add_event(db: sqlite3.Connection, row: EventRow) -> None:
    """Keep a new event."""
    insert(db, "events", row)


def get_event(db: sqlite3.Connection, id_: str) -> EventRow | None:
    """Return an event, or `None`."""
    row = db.execute("SELECT * FROM events WHERE id = ?", (id_,)).fetchone()
    return None if row is None else from_row(EventRow, row)


def list_events(db: sqlite3.Connection) -> list[EventRow]:
    """Return all events, oldest first."""
    rows = db.execute("SELECT * FROM events ORDER BY created_us, id")
    return [from_row(EventRow, row) for row in rows]


def delete_events(db: sqlite3.Connection) -> None:
    """Forget all events, with their alerts."""
    db.execute("DELETE FROM events")


def add_alert(db: sqlite3.Connection, row: AlertRow) -> AlertRow:
    """Keep a new alert; it begins after the newest record of its index."""
    row = attrs.evolve(row, judged_to=_newest(db, row.index_id))
    insert(db, "alerts", row)
    return row


def list_alerts(db: sqlite3.Connection, index_id: str) -> list[AlertView]:
    """Return the alerts of an index, oldest first."""
    rows = db.execute(
        f"{_VIEW} WHERE alerts.index_id = ? ORDER BY alerts.created_us, alerts.id", (index_id,)
    )
    return [_view(row) for row in rows]


def view_alert(db: sqlite3.Connection, index_id: str, id_: str) -> AlertView | None:
    """Return an alert of an index, or `None`."""
    row = db.execute(
        f"{_VIEW} WHERE alerts.index_id = ? AND alerts.id = ?", (index_id, id_)
    ).fetchone()
    return None if row is None else _view(row)


def set_alert_status(
    db: sqlite3.Connection, index_id: str, id_: str, status: str
) -> AlertView | None:
    """Enable or disable an alert; return what it is then, or `None` if it is not there.

    One that is enabled again begins after the newest record: what came meanwhile is not judged.
    """
    begin = _newest(db, index_id) if status == ENABLED else 0
    db.execute(
        "UPDATE alerts SET status = :status, judged_to = max(judged_to, :begin)"
        " WHERE index_id = :index AND id = :id AND status != :status",
        {"status": status, "index": index_id, "id": id_, "begin": begin},
    )
    return view_alert(db, index_id, id_)


def armed_alerts(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return index and id of every alert that is enabled."""
    rows = db.execute("SELECT index_id, id FROM alerts WHERE status = ?", (ENABLED,))
    return [(row["index_id"], row["id"]) for row in rows]


def load_work(db: sqlite3.Connection, id_: str, limit: int) -> Work | None:
    """Return what an enabled alert has to judge next; `None` when there is no such alert.

    Args:
        db: The database.
        id_: The alert.
        limit: The most records.
    """
    row = db.execute("SELECT * FROM alerts WHERE id = ? AND status = ?", (id_, ENABLED)).fetchone()
    if row is None:
        return None
    alert = from_row(AlertRow, row)
    index = from_row(
        IndexRow, db.execute("SELECT * FROM indexes WHERE id = ?", (alert.index_id,)).fetchone()
    )
    stream = db.execute("SELECT * FROM streams WHERE id = ?", (index.stream_id,)).fetchone()
    event = db.execute("SELECT * FROM events WHERE id = ?", (alert.event_id,)).fetchone()
    # `+` keeps SQLite off the index of times: few records lie beyond the cursor, many before it.
    place = {"index": alert.index_id, "from": alert.judged_to, "limit": limit}
    scenes = db.execute(
        "SELECT * FROM scenes WHERE +index_id = :index AND number > :from"
        " ORDER BY number LIMIT :limit",
        place,
    )
    before = db.execute(
        "SELECT * FROM scenes WHERE +index_id = :index AND number <= :from"
        " ORDER BY number DESC LIMIT 1",
        place,
    ).fetchone()
    return Work(
        alert=alert,
        event=from_row(EventRow, event),
        index=index,
        stream=from_row(StreamRow, stream),
        before=None if before is None else from_row(SceneRow, before),
        scenes=tuple(
            NumberedScene(number=scene["number"], scene=from_row(SceneRow, scene))
            for scene in scenes
        ),
    )


def settle(db: sqlite3.Connection, id_: str, judged: Judged) -> bool:
    """Note what became of a record, with its webhook; return whether that still counts.

    It does not when the alert was disabled, or deleted, or begun anew meanwhile. All of it is one
    step: a record is judged once, whenever the server dies.
    """
    changed = db.execute(
        "UPDATE alerts SET judged_to = :number, fired = fired + :fires,"
        " undecided = undecided + :undecided, last_error = :error"
        " WHERE id = :id AND status = :enabled AND judged_to < :number",
        {
            "id": id_,
            "number": judged.number,
            "fires": judged.fires,
            "undecided": judged.is_undecided,
            "error": judged.error,
            "enabled": ENABLED,
        },
    )
    if changed.rowcount and judged.webhook is not None:
        add_webhook(db, judged.webhook)
    return bool(changed.rowcount)


_VIEW = (
    "SELECT alerts.*, events.event_prompt, events.label, events.created_us AS event_created_us,"
    " (SELECT count(*) FROM webhooks WHERE webhooks.alert_id = alerts.id) AS waiting"
    " FROM alerts JOIN events ON events.id = alerts.event_id"
)


def _view(row: sqlite3.Row) -> AlertView:
    event = EventRow(
        id=row["event_id"],
        event_prompt=row["event_prompt"],
        label=row["label"],
        created_us=row["event_created_us"],
    )
    return AlertView(alert=from_row(AlertRow, row), event=event, waiting=row["waiting"])


def _newest(db: sqlite3.Connection, index_id: str) -> int:
    (number,) = db.execute(
        "SELECT coalesce(max(number), 0) FROM scenes WHERE index_id = ?", (index_id,)
    ).fetchone()
    return int(number)
