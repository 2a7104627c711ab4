"""Capture sessions in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import msgspec

from rtstream_async.local.domain.captures import CaptureLife, CaptureSignal, CaptureState
from rtstream_async.local.store.rows import StreamRow, from_row, json_column
from rtstream_async.local.store.writing import insert, update

__all__ = [
    "CaptureChannelRow",
    "CaptureQuery",
    "CaptureRow",
    "CaptureView",
    "add_capture",
    "announce_capture",
    "captures_in",
    "channels_of",
    "delete_captures",
    "get_capture",
    "list_captures",
    "move_capture",
    "set_channels",
    "view_capture",
    "with_streams",
]


@attrs.frozen(kw_only=True)
class CaptureChannelRow:
    """One thing that a session captures."""

    channel_id: str
    name: str
    type: str  #: `audio` or `video`
    store: bool = False
    is_primary: bool = False
    rtstream_id: str | None = None  #: its stream, once there is one
    # Who knows them can push.
    rtmp_url: str | None = attrs.field(default=None, repr=False)
    rtsp_url: str | None = attrs.field(default=None, repr=False)

    @property
    def is_pushed(self) -> bool:
        """Whether it comes to a listener of this server."""
        return self.rtmp_url is not None


@attrs.frozen(kw_only=True)
class CaptureRow:
    """One capture session."""

    id: str
    collection_id: str
    end_user_id: str
    status: str
    callback_url: str | None = attrs.field(repr=False)  #: may have a password or a token in it
    ws_connection_id: str | None
    metadata: Mapping[str, Any] = json_column()
    channels: tuple[CaptureChannelRow, ...] = json_column()
    exported_video_id: str | None = None
    error: str | None = None
    created_us: int

    @property
    def state(self) -> CaptureState:
        """Where it is in its life."""
        return CaptureState(self.status)

    @property
    def pushed(self) -> tuple[CaptureChannelRow, ...]:
        """Its channels that come to listeners of this server."""
        return tuple(channel for channel in self.channels if channel.is_pushed)

    def channel_to_export(self, id_: str | None = None) -> CaptureChannelRow | None:
        """Return the channel with this id, or the one that stands for the session.

        That is the primary one, or else the first with a picture, or else the first; of those
        that are stored.
        """
        if id_ is not None:
            return next((one for one in self.channels if one.channel_id == id_), None)
        stored = [one for one in self.channels if one.store]
        return min(stored, key=lambda one: (not one.is_primary, one.type != "video"), default=None)


@attrs.frozen(kw_only=True)
class CaptureView:
    """A capture session, and those of its streams that are there, by id."""

    row: CaptureRow
    streams: Mapping[str, StreamRow]

    def channels_with_streams(self) -> list[tuple[CaptureChannelRow, StreamRow]]:
        """Return the channels that have a stream, with it."""
        return [
            (channel, stream)
            for channel in self.row.channels
            if (stream := self.streams.get(channel.rtstream_id or "")) is not None
        ]


@attrs.frozen(kw_only=True)
class CaptureQuery:
    """Which sessions, and where the page begins. They come newest first."""

    collection_id: str
    status: str | None = None
    end_user_id: str | None = None
    before: str | None = None  #: id of the last session of the page before
    limit: int = 100


def add_capture(db: sqlite3.Connection, row: CaptureRow) -> None:
    """Keep a new session."""
    insert(db, "captures", row)


def get_capture(db: sqlite3.Connection, id_: str) -> CaptureRow | None:
    """Return a session, or `None`."""
    row = db.execute("SELECT * FROM captures WHERE id = ?", (id_,)).fetchone()
    return None if row is None else from_row(CaptureRow, row)


def view_capture(db: sqlite3.Connection, collection_id: str, id_: str) -> CaptureView | None:
    """Return a session of a collection with its streams, or `None`."""
    row = get_capture(db, id_)
    if row is None or row.collection_id != collection_id:
        return None
    return with_streams(db, row)


def list_captures(
    db: sqlite3.Connection, query: CaptureQuery
) -> tuple[list[CaptureView], str | None]:
    """Return one page of sessions, and what `before` is to be for the next; `None` at the end."""
    # The ids sort by the time of their making.
    rows = db.execute(
        "SELECT * FROM captures WHERE collection_id = :collection_id"
        " AND (:status IS NULL OR status = :status)"
        " AND (:end_user_id IS NULL OR end_user_id = :end_user_id)"
        " AND (:before IS NULL OR id < :before)"
        " ORDER BY id DESC LIMIT :more",
        attrs.asdict(query) | {"more": query.limit + 1},
    )
    found = [from_row(CaptureRow, row) for row in rows]
    page = found[: query.limit]
    following = page[-1].id if len(found) > len(page) else None
    return [with_streams(db, row) for row in page], following


def move_capture(
    db: sqlite3.Connection, id_: str, signal: CaptureSignal, changes: Mapping[str, Any]
) -> CaptureRow | None:
    """Move a session along, with what else changes; `None` if it is not there.

    Raises:
        RuntimeError: The signal can't come in its state.
    """
    before = get_capture(db, id_)
    if before is None:
        return None
    status = CaptureLife(before.state).feed(signal).value
    after = attrs.evolve(before, status=status, **changes)
    update(db, "captures", after)
    return after


def set_channels(
    db: sqlite3.Connection, id_: str, channels: Sequence[CaptureChannelRow]
) -> CaptureRow | None:
    """Keep channels in a session, in place of those with the same id; `None` if it is not there."""
    before = get_capture(db, id_)
    if before is None:
        return None
    kept = {channel.channel_id: channel for channel in (*before.channels, *channels)}
    after = attrs.evolve(before, channels=tuple(kept.values()))
    update(db, "captures", after)
    return after


def announce_capture(
    db: sqlite3.Connection,
    id_: str,
    channels: Sequence[CaptureChannelRow],
    changes: Mapping[str, Any],
) -> CaptureRow | None:
    """Have a session consist of these channels, with what else changes; `None`: not there."""
    before = get_capture(db, id_)
    if before is None:
        return None
    after = attrs.evolve(before, channels=tuple(channels), **changes)
    update(db, "captures", after)
    return after


def captures_in(db: sqlite3.Connection, states: Sequence[CaptureState]) -> list[CaptureRow]:
    """Return the sessions that are in one of some states, oldest first."""
    marks = ", ".join("?" * len(states))
    rows = db.execute(
        f"SELECT * FROM captures WHERE status IN ({marks}) ORDER BY id",  # noqa: S608 - marks only
        [state.value for state in states],
    )
    return [from_row(CaptureRow, row) for row in rows]


def channels_of(db: sqlite3.Connection, stream_ids: Sequence[str]) -> dict[str, str]:
    """Return what some streams capture: the id of the channel, by stream; nothing for others."""
    wanted = msgspec.json.encode(list(stream_ids)).decode()
    rows = db.execute(
        "SELECT json_extract(c.value, '$.rtstream_id') AS stream_id,"
        " json_extract(c.value, '$.channel_id') AS channel_id"
        " FROM captures, json_each(captures.channels) c"
        " WHERE stream_id IN (SELECT value FROM json_each(?))",
        (wanted,),
    )
    return {str(row["stream_id"]): str(row["channel_id"]) for row in rows}


def delete_captures(db: sqlite3.Connection, collection_id: str | None = None) -> None:
    """Forget the sessions of a collection, or all."""
    db.execute(
        "DELETE FROM captures WHERE :id IS NULL OR collection_id = :id", {"id": collection_id}
    )


def with_streams(db: sqlite3.Connection, row: CaptureRow) -> CaptureView:
    """Return a session with those of its streams that are there."""
    ids = [channel.rtstream_id for channel in row.channels if channel.rtstream_id is not None]
    marks = ", ".join("?" * len(ids))
    rows = db.execute(f"SELECT * FROM streams WHERE id IN ({marks})", ids)  # noqa: S608 - marks only
    return CaptureView(row=row, streams={item["id"]: from_row(StreamRow, item) for item in rows})
