"""Alerts that are made again, and the old ones disabled."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence

import attrs

from rtstream_async.api import alerts
from rtstream_async.api.rearm_steps import Attempts, Steps, is_lasting
from rtstream_async.errors import NotFoundError, RTStreamError
from rtstream_async.models.alerts import Alert
from rtstream_async.protocol.rearm import AlertArm, Arms, Rearmed

__all__ = ["Alarms"]

logger = logging.getLogger("rtstream_async.realtime")

_DISABLED = frozenset({"disabled", "inactive"})
_WAS_DISABLED = "the alert was disabled by somebody"
_LEFT = "the alert %s could not be disabled, and may go on to call its callback: %s"


@attrs.frozen
class _Former:
    """An alert that another has taken the place of."""

    arm: AlertArm
    index_id: str
    alert_id: str


@attrs.frozen
class Alarms:
    """Makes alerts again."""

    steps: Steps
    arms: Arms
    _attempts: Attempts = attrs.field(factory=Attempts, init=False)
    _former: dict[str | None, dict[_Former, None]] = attrs.field(
        factory=dict[str | None, dict[_Former, None]], init=False
    )  # by stream; what is still to be disabled

    async def move(self, arm: AlertArm, index_id: str, connection_id: str) -> Rearmed:
        """Make an alert again for `connection_id`, on this index, and disable the old one.

        Raises:
            NotFoundError: There is no such stream, index or event any more.
            RTStreamError: It failed. The old alert is as it was.
        """
        listed = await self._list(arm, arm.index_id)
        old = next((alert for alert in listed if alert.alert_id == arm.source), None)
        if old is None or not _is_on(old):
            return Rearmed(arm=None, reason=_WAS_DISABLED)
        there = listed if index_id == arm.index_id else await self._list(arm, index_id)
        strays = [alert.alert_id for alert in there if self._is_stray(arm, alert)]
        new_id = await self._make(arm, index_id, connection_id, there=there, strays=strays)
        new = attrs.evolve(arm, source=new_id, index_id=index_id, connection_id=connection_id)
        is_wanted = self.arms.replace(arm, new)
        former = self._former.setdefault(arm.rtstream_id, {})
        former[_Former(arm, arm.index_id, arm.source)] = None
        unwanted = {*strays, new_id} - ({new_id} if is_wanted else set())
        former.update(dict.fromkeys(_Former(arm, index_id, id_) for id_ in unwanted))
        failures = await self.tidy(arm.rtstream_id)
        if not is_wanted:
            return Rearmed(arm=None, reason="; ".join([_WAS_DISABLED, *failures]))
        return Rearmed(arm=new, reason="; ".join(failures))

    async def tidy(self, rtstream_id: str | None) -> list[str]:
        """Disable what others have taken the place of; return what went wrong.

        What could not be disabled is tried again the next time.
        """
        failures: list[str] = []
        for former in tuple(self._former.get(rtstream_id, ())):
            try:
                await self._disable(former)
            except RTStreamError as exc:
                logger.warning(_LEFT, former.alert_id, exc)
                failures.append(_LEFT % (former.alert_id, exc))
            else:
                del self._former[rtstream_id][former]
        if not self._former.get(rtstream_id):
            self._former.pop(rtstream_id, None)
        return failures

    async def _make(
        self,
        arm: AlertArm,
        index_id: str,
        connection_id: str,
        *,
        there: Sequence[Alert],
        strays: Sequence[str],
    ) -> str:
        """Return the id of the new alert, which an earlier attempt may have made already."""
        if strays and self._attempts.is_for(arm, connection_id):
            self._attempts.end(arm)
            return strays[-1]
        self._attempts.end(arm)
        self._attempts.begin(arm, connection_id, [alert.alert_id for alert in there])
        try:
            made = await self.steps.take(
                alerts.create(
                    self.steps.caller,
                    alerts.ROUTES[arm.of],
                    arm.rtstream_id or "",
                    index_id,
                    event_id=arm.event_id,
                    callback_url=arm.callback_url,
                    ws_connection_id=connection_id,
                )
            )
        except RTStreamError as exc:
            if is_lasting(exc):
                self._attempts.end(arm)
            raise
        self._attempts.end(arm)
        return made

    def _is_stray(self, arm: AlertArm, alert: Alert) -> bool:
        """Whether an attempt of ours made this alert, and never heard of it."""
        return (
            self._attempts.is_new(arm, alert.alert_id)
            and _is_on(alert)
            and _plain(alert.event_id or arm.event_id) == _plain(arm.event_id)
            and (alert.callback_url or "") == (arm.callback_url or "")
        )

    async def _list(self, arm: AlertArm, index_id: str) -> list[Alert]:
        return await self.steps.take(
            alerts.list_all(
                self.steps.caller, alerts.ROUTES[arm.of], arm.rtstream_id or "", index_id
            )
        )

    async def _disable(self, former: _Former) -> None:
        with contextlib.suppress(NotFoundError):  # that will do as well
            await self.steps.take(
                alerts.set_status(
                    self.steps.caller,
                    alerts.ROUTES[former.arm.of],
                    former.arm.rtstream_id or "",
                    former.index_id,
                    former.alert_id,
                    "disable",
                )
            )


def _is_on(alert: Alert) -> bool:
    return alert.status not in _DISABLED


def _plain(event_id: str) -> str:
    """An event's id without the prefix that some answers of the service have, and some do not."""
    return event_id.removeprefix("event-")
