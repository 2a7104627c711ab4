"""Watches indexes for events: each new record is judged once, and what fits is told.

Records are read from the store behind each alert's own cursor, so none is judged twice, and none
is missed when the server dies: what was published only wakes the work. An alert works while it has
records to judge, in a task of its own, so that one that waits for a model keeps no other waiting.
"""

from __future__ import annotations

import logging
import math
import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import msgspec

from rtstream_async.errors import LocalServerError
from rtstream_async.local.domain.webhooks import target_of
from rtstream_async.local.hub import Hub
from rtstream_async.local.links import WindowUrls, window_urls
from rtstream_async.local.pipelines.deciding import Decider, Decision
from rtstream_async.local.pipelines.live import LiveStream
from rtstream_async.local.pipelines.publisher import HEARD
from rtstream_async.local.pipelines.webhooks import Webhooks
from rtstream_async.local.recording import playable
from rtstream_async.local.settings import Settings
from rtstream_async.local.store import alerts as stored
from rtstream_async.local.store.alerts import AlertRow, Judged, NumberedScene, Work
from rtstream_async.local.store.rows import IndexRow, SceneRow
from rtstream_async.local.store.webhooks import WebhookRow
from rtstream_async.local.store.worker import Worker
from rtstream_async.local.tokens import Tokens
from rtstream_async.models.messages import AlertMessage
from rtstream_async.protocol.codec import emit
from rtstream_async.protocol.codec.times import microseconds
from rtstream_async.supervisor import Supervisor

__all__ = ["Alerts", "Links"]

logger = logging.getLogger(__name__)

_BATCH = 50  # records read at once


@attrs.frozen(kw_only=True)
class Links:
    """Makes the URLs at which an alert's window can be played."""

    tokens: Tokens
    settings: Settings
    own_url: str  #: `http://host:port` that the server is bound to
    is_anywhere: bool  #: bound to all addresses of the machine, so that `own_url` names none


class Alerts:
    """All alerts of a server."""

    def __init__(
        self,
        *,
        store: Worker,
        hub: Hub,
        decider: Decider,
        webhooks: Webhooks,
        links: Links,
        live: Callable[[str], LiveStream | None],
        supervisor: Supervisor,
    ) -> None:
        self._store = store
        self._hub = hub
        self._decider = decider
        self._webhooks = webhooks
        self._links = links
        self._live = live
        self._supervisor = supervisor
        self._armed: dict[str, set[str]] = {}  # index -> its enabled alerts
        self._busy: set[str] = set()
        self._woken: set[str] = set()  # while busy
        self._stopping = False

    async def open(self) -> None:
        """Know the alerts of an earlier run, and judge what they have not judged."""
        for index_id, alert_id in await self._store.run(stored.armed_alerts):
            self.arm(index_id, alert_id)

    def arm(self, index_id: str, alert_id: str) -> None:
        """Have an alert, which is in the store and enabled, judge its index from now on."""
        self._armed.setdefault(index_id, set()).add(alert_id)
        self._wake(alert_id)

    def disarm(self, index_id: str, alert_id: str) -> None:
        """Have an alert, which is not enabled any more, judge nothing."""
        alerts = self._armed.get(index_id, set())
        alerts.discard(alert_id)
        if not alerts:
            self._armed.pop(index_id, None)

    def watch(self, index: IndexRow) -> None:
        """Note that an index has a new record in the store."""
        for alert_id in self._armed.get(index.id, ()):
            self._wake(alert_id)

    def stop(self) -> None:
        """Judge nothing more; the next run of the server goes on where this one ends."""
        self._stopping = True

    def _wake(self, alert_id: str) -> None:
        if alert_id in self._busy:
            self._woken.add(alert_id)
        elif not (self._stopping or self._supervisor.is_closed):
            self._busy.add(alert_id)
            self._supervisor.start_soon(self._work, alert_id, name=f"alert-{alert_id}")

    async def _work(self, alert_id: str) -> None:
        """Judge until there is nothing left to judge."""
        try:
            while await self._judge_some(alert_id) or self._is_woken(alert_id):
                self._woken.discard(alert_id)
        except (sqlite3.Error, LocalServerError):
            # The disk is full, most likely. The cursor stands, so the next record goes on here.
            logger.exception("alert %s: what was judged could not be stored", alert_id)
        finally:
            self._busy.discard(alert_id)
            self._woken.discard(alert_id)

    def _is_woken(self, alert_id: str) -> bool:
        return alert_id in self._woken and not self._stopping

    async def _judge_some(self, alert_id: str) -> bool:
        """Judge the next records; return whether there were any."""
        work = await self._store.run(stored.load_work, alert_id, _BATCH)
        if work is None:
            return False  # disabled or deleted since
        before, error = work.before, work.alert.last_error
        for record in work.scenes:
            decision = await self._judge(work, record, before)
            if decision is None:
                return False
            if decision.error not in (None, error):
                logger.warning("alert %s: %s", alert_id, decision.error)
            before, error = record.scene, decision.error
        return bool(work.scenes)

    async def _judge(
        self, work: Work, record: NumberedScene, before: SceneRow | None
    ) -> Decision | None:
        """Judge one record and tell; return `None` when the alert is not what it was any more."""
        decision = await self._decide(work, record.scene, before)
        if self._stopping:
            return None  # the engines may be gone, and errors mean nothing
        message = await self._message(work, record.scene, decision) if decision.fires else None
        judged = Judged(
            number=record.number,
            fires=decision.fires,
            is_undecided=decision.decided_by is None,
            error=decision.error,
            webhook=self._webhook(work.alert, record.number, message, decision),
        )
        if not await self._store.run(stored.settle, work.alert.id, judged):
            return None
        if message is not None:
            self._push(work, message, decision)
        if judged.webhook is not None:
            self._webhooks.wake()
        return decision

    async def _decide(self, work: Work, scene: SceneRow, before: SceneRow | None) -> Decision:
        is_heard = work.index.extraction_type == HEARD
        try:
            return await self._decider.decide(
                work.event.event_prompt, scene, before, is_heard=is_heard
            )
        except Exception as exc:  # one alert's trouble is not the others', nor the next record's
            logger.exception("alert %s: a record could not be judged", work.alert.id)
            problem = f"internal error: {type(exc).__name__}: {exc}"
            return Decision(fires=False, decided_by=None, error=problem)

    def _push(self, work: Work, message: AlertMessage, decision: Decision) -> None:
        if work.alert.ws_connection_id is None:
            return
        frame = emit.alert_frame(
            message,
            self._hub.alert_shape,
            alert_id=work.alert.id,
            index_id=work.index.id,
            decided_by=decision.decided_by,
        )
        self._hub.send(work.alert.ws_connection_id, frame)

    async def _urls(self, work: Work, start: int, end: int) -> WindowUrls | None:
        """Return where a window can be played; `None` when nothing of it is recorded."""
        id_, links = work.stream.id, self._links
        if not await playable(self._store, id_, self._live(id_), start=start, end=end):
            return None
        return window_urls(
            links.tokens,
            work.alert.base_url if links.is_anywhere else links.own_url,
            stream_id=id_,
            start=start,
            end=end,
            lifetime=links.settings.clip_lifetime,
            title=f"{work.stream.name}: {work.event.label}",
        )

    async def _message(self, work: Work, scene: SceneRow, decision: Decision) -> AlertMessage:
        start, end = scene.start_us / 1e6, scene.end_us / 1e6
        urls = await self._urls(work, math.floor(start), math.ceil(end))
        return AlertMessage(
            channel="alert",
            rtstream_id=work.stream.id,
            rtstream_name=work.stream.name,
            label=work.event.label,
            event_id=work.event.id,
            text=decision.explanation,
            confidence=decision.confidence,
            triggered=True,
            timestamp=time.time(),
            start=start,
            end=end,
            stream_url=None if urls is None else urls.stream_url,
            player_url=None if urls is None else urls.player_url,
        )

    def _webhook(
        self, alert: AlertRow, number: int, message: AlertMessage | None, decision: Decision
    ) -> WebhookRow | None:
        if message is None or alert.callback_url is None:
            return None
        now_us = microseconds(time.time())
        return WebhookRow(
            alert_id=alert.id,
            url=alert.callback_url,
            target=target_of(alert.callback_url),
            body=msgspec.json.encode(emit.alert_webhook(message)).decode(),
            headers=_headers(alert, number, decision),
            created_us=now_us,
            due_us=now_us,
        )


def _headers(alert: AlertRow, number: int, decision: Decision) -> Mapping[str, Any]:
    """Return what a receiver knows a webhook by; the body has no room for it."""
    return {
        "idempotency-key": f"{alert.id}-{number}",
        "x-rtstream-alert": alert.id,
        "x-rtstream-decided-by": decision.decided_by,
    }
