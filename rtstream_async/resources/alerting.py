"""`Alerting`: what all handles share that an event can be bound to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import attrs

from rtstream_async.api import alerts
from rtstream_async.api.alerts import AlertRoutes
from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.alerts import Alert
from rtstream_async.models.base import UNSET, Unset
from rtstream_async.protocol.bounds import web_address
from rtstream_async.protocol.rearm import AlertArm, AlertsOf
from rtstream_async.resources.context import Context

__all__ = ["Alerting", "Watched"]


@attrs.frozen(kw_only=True)
class Watched:
    """The index that alerts are bound to."""

    context: Context
    of: AlertsOf
    rtstream_id: str
    index_id: str

    @property
    def routes(self) -> AlertRoutes:
        """Where its alerts are."""
        return alerts.ROUTES[self.of]


class Alerting(ABC):
    """Gives its heirs alerts: events that an index watches for."""

    @abstractmethod
    def _watched(self) -> Watched:
        """Return the index that watches."""

    async def create_alert(
        self,
        event_id: str,
        callback_url: str | None = None,
        ws_connection_id: str | Unset | None = UNSET,
    ) -> str:
        """Have the index watch for an event; return the id of the new alert.

        Its messages come on the channel `alert` of the stream. When it is cancelled, the alert may
        have been made all the same: `list_alerts()` tells.

        Args:
            event_id: What `create_event()` returned.
            callback_url: Where each detection is posted to. `None`: nowhere.
            ws_connection_id: Where messages go. Not given: to this connection's own socket, so
                that `events()` has them. `None`: nowhere.

        Raises:
            InvalidArgumentError: `event_id` is empty, or `callback_url` is no web address.
            NotFoundError, ValidationError: There is no such event; or the service does not post to
                this address.
        """
        if not event_id:
            raise InvalidArgumentError("event_id", "is empty; give what create_event() returned")
        address = web_address("callback_url", callback_url) if callback_url else None
        watched = self._watched()
        target = await watched.context.push_target(ws_connection_id)
        alert_id = await alerts.create(
            watched.context.caller,
            watched.routes,
            watched.rtstream_id,
            watched.index_id,
            event_id=event_id,
            callback_url=address,
            ws_connection_id=target,
        )
        arm = AlertArm(
            rtstream_id=watched.rtstream_id,
            channel="alert",
            source=alert_id,
            connection_id=target or "",
            index_id=watched.index_id,
            of=watched.of,
            event_id=event_id,
            callback_url=address,
        )
        watched.context.note_armed(arm)
        return alert_id

    async def list_alerts(self) -> list[Alert]:
        """Return all alerts of the index."""
        watched = self._watched()
        return await alerts.list_all(
            watched.context.caller, watched.routes, watched.rtstream_id, watched.index_id
        )

    async def enable_alert(self, alert_id: str) -> None:
        """Have the alert tell what it detects again.

        An alert that was made again after a loss of the connection answers to its old ids too.

        Raises:
            InvalidArgumentError: `alert_id` is empty.
            NotFoundError: The index has no such alert.
        """
        await self._set_alert(alert_id, "enable")
        watched = self._watched()
        watched.context.note_resumed(watched.rtstream_id, alert_id)

    async def disable_alert(self, alert_id: str) -> None:
        """Have the alert tell nothing, until `enable_alert()`.

        An alert that was made again after a loss of the connection answers to its old ids too.

        Raises:
            InvalidArgumentError: `alert_id` is empty.
            NotFoundError: The index has no such alert.
        """
        watched = self._watched()
        with watched.context.stopping(watched.rtstream_id, alert_id):
            await self._set_alert(alert_id, "disable")

    async def _set_alert(self, alert_id: str, action: Literal["enable", "disable"]) -> None:
        watched = self._watched()
        noted = watched.context.noted(watched.rtstream_id, alert_id)
        await alerts.set_status(
            watched.context.caller,
            watched.routes,
            watched.rtstream_id,
            noted.index_id if isinstance(noted, AlertArm) else watched.index_id,
            watched.context.current(alert_id),
            action,
        )
