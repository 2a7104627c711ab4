"""Endpoints of alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from rtstream_async.api.caller import Caller
from rtstream_async.models.alerts import Alert
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import alerts
from rtstream_async.protocol.rearm import AlertsOf
from rtstream_async.protocol.routes import Route

__all__ = ["ROUTES", "AlertRoutes", "create", "list_all", "set_status"]


@attrs.frozen(kw_only=True)
class AlertRoutes:
    """Where the alerts of one kind of index are."""

    create: Route
    list_all: Route
    status: Route


ROUTES: Mapping[AlertsOf, AlertRoutes] = {
    "scene_index": AlertRoutes(
        create=routes.ALERT_CREATE, list_all=routes.ALERT_LIST, status=routes.ALERT_STATUS
    ),
    "understanding": AlertRoutes(
        create=routes.STREAM_INDEX_ALERT_CREATE,
        list_all=routes.STREAM_INDEX_ALERT_LIST,
        status=routes.STREAM_INDEX_ALERT_STATUS,
    ),
}
"""By what the alerts watch: scene and audio indexes, or indexes of understandings."""


async def create(
    caller: Caller,
    at: AlertRoutes,
    stream_id: str,
    index_id: str,
    *,
    event_id: str,
    callback_url: str | None = None,
    ws_connection_id: str | None = None,
) -> str:
    """Create an alert, which watches at once, and return its id.

    Without a `callback_url` an empty one is sent: older versions of the service want the key.
    """
    target = {"ws_connection_id": ws_connection_id} if ws_connection_id else {}
    return await caller.call(
        at.create,
        alerts.alert_id,
        body={"event_id": event_id, "callback_url": callback_url or "", **target},
        stream_id=stream_id,
        index_id=index_id,
    )


async def list_all(caller: Caller, at: AlertRoutes, stream_id: str, index_id: str) -> list[Alert]:
    """Return all alerts of the index."""
    return await caller.call(at.list_all, alerts.alerts, stream_id=stream_id, index_id=index_id)


async def set_status(
    caller: Caller,
    at: AlertRoutes,
    stream_id: str,
    index_id: str,
    alert_id: str,
    action: Literal["enable", "disable"],
) -> None:
    """Enable or disable the alert."""
    await caller.call(
        at.status,
        _ignored,
        body={"action": action},
        stream_id=stream_id,
        index_id=index_id,
        alert_id=alert_id,
    )


def _ignored(_: object) -> None:
    """The answer to a change of status has nothing in it but a message."""
