"""Delivers the webhooks that wait in the store: at least once, whatever dies on the way.

A webhook leaves the store when its target has taken it, or never will. Each target has its own few
places, so that one that hangs delays itself alone.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import time
from collections import Counter

import anyio

from rtstream_async.errors import LocalServerError
from rtstream_async.local.domain.webhooks import Delivered, GivenUp, Retry, decide
from rtstream_async.local.outbound import Outbound, OutboundError
from rtstream_async.local.store import webhooks as stored
from rtstream_async.local.store.webhooks import WaitingWebhook
from rtstream_async.local.store.worker import Worker
from rtstream_async.protocol.codec.times import microseconds
from rtstream_async.supervisor import Supervisor

__all__ = ["Webhooks"]

logger = logging.getLogger(__name__)

_PLACES = 2  # requests to one target at a time
_TIMEOUT = 10.0  # seconds for an answer
_PAUSE = 5.0  # seconds until the store is tried again after it has failed
_IDLE = 3600.0  # seconds; a clock that was set is noticed after that, at the latest


class Webhooks:
    """All webhooks of a server that are on their way."""

    def __init__(
        self,
        store: Worker,
        outbound: Outbound,
        supervisor: Supervisor,
        *,
        pace: float = 1.0,
        timeout: float = _TIMEOUT,
    ) -> None:
        """Keep what `run()` needs.

        Args:
            store: Where they wait.
            outbound: Sends them.
            supervisor: Owns the requests.
            pace: What delays between attempts are multiplied by; tests make it small.
            timeout: Seconds for an answer.
        """
        self._store = store
        self._outbound = outbound
        self._supervisor = supervisor
        self._pace = pace
        self._timeout = timeout
        self._wake = asyncio.Event()
        self._sending: dict[int, str] = {}  # number -> target

    def wake(self) -> None:
        """Note that there is a new one in the store."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver what is due, until cancelled."""
        while True:
            self._wake.clear()
            try:
                pause = await self._start_due()
            except (sqlite3.Error, LocalServerError):
                logger.exception("the webhooks that wait can't be read")
                pause = _PAUSE
            with anyio.move_on_after(pause):
                await self._wake.wait()

    async def _start_due(self) -> float:
        """Start what is due and has a place; return the seconds until more is due."""
        now = time.time()
        now_us = microseconds(now)
        taken = Counter(self._sending.values())
        for target in await self._store.run(stored.due_targets, now_us):
            free = _PLACES - taken[target]
            if free <= 0:
                continue  # woken when one of its requests is over
            rows = await self._store.run(
                stored.due_webhooks, target, now_us, but=frozenset(self._sending), limit=free
            )
            for row in rows:
                if self._supervisor.is_closed:
                    return _IDLE  # the next run of the server goes on
                self._sending[row.number] = row.target
                self._supervisor.start_soon(self._deliver, row, name=f"webhook-{row.number}")
        due_us = await self._store.run(stored.next_due, now_us)
        return _IDLE if due_us is None else min(_IDLE, max(0.0, due_us / 1e6 - now))

    async def _deliver(self, row: WaitingWebhook) -> None:
        try:
            await self._attempt(row)
        except (sqlite3.Error, LocalServerError):
            # What became of it can't be noted: it stays in the store, and is sent once more.
            logger.exception("webhook %d of alert %s is not settled", row.number, row.alert_id)
            await anyio.sleep(_PAUSE)
        finally:
            del self._sending[row.number]
            self._wake.set()

    async def _attempt(self, row: WaitingWebhook) -> None:
        headers = {**row.headers, "x-webhook-attempt": str(row.attempts + 1)}
        problem, is_transient, status, answered = "", True, None, None
        try:
            answer = await self._outbound.post_json(
                row.url, row.body.encode(), timeout=self._timeout, headers=headers
            )
            status, answered = answer.status, answer.headers
        except OutboundError as exc:
            if exc.kind == "closed":
                return  # the next run of the server goes on
            problem, is_transient = str(exc), exc.is_transient
        result = decide(
            status,
            problem=problem,
            is_transient=is_transient,
            attempts=row.attempts + 1,
            age=time.time() - row.created_us / 1e6,
            jitter=random.random(),  # noqa: S311 - spreads attempts, keeps no secret
            headers=answered,
        )
        await self._settle(row, result)

    async def _settle(self, row: WaitingWebhook, result: Delivered | Retry | GivenUp) -> None:
        match result:
            case Delivered():
                await self._store.run(stored.note_delivered, row)
            case Retry(after, reason):
                due_us = microseconds(time.time() + after * self._pace)
                await self._store.run(stored.keep_webhook, row, due_us=due_us, error=reason)
            case GivenUp(reason):
                logger.warning("a webhook of alert %s is given up: %s", row.alert_id, reason)
                await self._store.run(stored.drop_webhook, row, error=reason)
