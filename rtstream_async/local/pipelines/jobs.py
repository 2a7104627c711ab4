"""Long work: done in the background, waited for or asked about, taken up again after a crash."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import anyio
import attrs

from rtstream_async.local.domain.ids import ENTROPY, job_id
from rtstream_async.local.outbound import Outbound, OutboundError
from rtstream_async.local.refusal import Refusal
from rtstream_async.local.store import jobs as stored
from rtstream_async.local.store.jobs import DONE, FAILED, PROCESSING, JobRow
from rtstream_async.local.store.worker import Worker
from rtstream_async.protocol.codec.times import microseconds
from rtstream_async.supervisor import Supervisor

__all__ = ["Job", "Jobs", "Outcome", "outcome_body"]

logger = logging.getLogger(__name__)

_KEPT = 7 * 86_400.0  # seconds for which a finished job can be asked about
_CALL_TIMEOUT = 10.0  # seconds
_CALL_PAUSES = (0.0, 2.0, 10.0, 60.0)  # seconds before each try to deliver a callback
_ACCEPTED = range(200, 300)


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of a job, to be kept together with the fact that it is done."""

    save: Callable[[sqlite3.Connection], object]
    answer: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    asset_id: str | None = None  #: the video that was made or worked on
    after: Callable[[], None] | None = None  #: called when it is kept


@attrs.define(eq=False)
class Job:
    """A piece of work in this run of the server."""

    row: JobRow
    share: float = 0.0  #: how much is done, from 0 to 1
    _ended: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)
    _scope: anyio.CancelScope = attrs.field(factory=anyio.CancelScope, init=False, repr=False)

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return not self._ended.is_set()

    def tell(self, share: float) -> None:
        """Note how much is done."""
        self.share = max(self.share, min(share, 1.0))

    async def wait(self, patience: float) -> JobRow:
        """Return what it is when it ends, or after `patience` seconds; cancelling is safe."""
        with anyio.move_on_after(patience):
            await self._ended.wait()
        return self.row

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work`, unless it is cancelled."""
        try:
            with self._scope:
                await work()
        finally:
            self._ended.set()

    async def cancel(self) -> None:
        """End it and return when it has ended; nothing is noted about its outcome."""
        self._scope.cancel()
        await self._ended.wait()


Doer = Callable[[Job], Awaitable[Outcome]]


class Jobs:
    """All long work of a server. One piece of each kind at a time; the others wait in line."""

    def __init__(self, store: Worker, outbound: Outbound, supervisor: Supervisor) -> None:
        self._store = store
        self._outbound = outbound
        self._supervisor = supervisor
        self._doers: dict[str, Doer] = {}
        self._lanes: dict[str, anyio.Semaphore] = {}
        self._running: dict[str, Job] = {}
        self._is_closed = False

    def offer(self, kind: str, doer: Doer) -> None:
        """Have `doer` do all work of a kind."""
        self._doers[kind] = doer
        self._lanes[kind] = anyio.Semaphore(1)

    async def begin(
        self,
        kind: str,
        subject: str,
        *,
        details: Mapping[str, Any],
        asset_id: str | None = None,
        callback_url: str | None = None,
    ) -> Job:
        """Start a piece of work; it is on disk when this returns, and survives a crash."""
        now_us = microseconds(time.time())
        row = JobRow(
            id=job_id(os.urandom(ENTROPY)),
            kind=kind,
            subject=subject,
            asset_id=asset_id,
            details=details,
            status=PROCESSING,
            answer={},
            callback_url=callback_url,
            created_us=now_us,
            updated_us=now_us,
        )
        await self._store.run(stored.add_job, row)
        return self._start(row)

    def running(self, kind: str, subject: str) -> Job | None:
        """Return the work of a kind on something, if there is any."""
        for job in self._running.values():
            if (job.row.kind, job.row.subject) == (kind, subject):
                return job
        return None

    def get(self, id_: str) -> Job | None:
        """Return running work by its id."""
        return self._running.get(id_)

    async def cancel(self, subjects: Iterable[str]) -> None:
        """End all work on some things; it is forgotten."""
        going = set(subjects)
        for job in list(self._running.values()):
            if job.row.subject in going:
                await job.cancel()
                await self._store.run(stored.delete_job, job.row.id)

    async def resume(self) -> None:
        """Take up what was going on when the server ended, and the callbacks that are due."""
        before_us = microseconds(time.time() - _KEPT)
        await self._store.run(stored.forget_old_jobs, before_us=before_us)
        for row in await self._store.run(stored.running_jobs):
            logger.info("%s of %s is taken up again", row.kind, row.subject)
            self._start(row)
        for row in await self._store.run(stored.uncalled_jobs):
            self._supervisor.start_soon(self._call_back, row, name=f"callback-{row.id}")

    async def aclose(self) -> None:
        """End all work; the next run of the server takes it up again."""
        self._is_closed = True
        for job in list(self._running.values()):
            await job.cancel()

    def _start(self, row: JobRow) -> Job:
        if self._is_closed:
            raise Refusal(503, "STOPPING", "the server is stopping")
        job = self._running[row.id] = Job(row)

        async def work() -> None:
            async with self._lanes[row.kind]:
                await self._do(job)

        async def run() -> None:
            try:
                await job.run(work)
            finally:
                del self._running[row.id]

        self._supervisor.start_soon(run, name=row.id)
        return job

    async def _do(self, job: Job) -> None:
        try:
            outcome = await self._doers[job.row.kind](job)
            row = await self._store.run(_succeed, job.row.id, outcome)
            if outcome.after is not None:
                outcome.after()
        except Refusal as refusal:
            logger.warning("%s of %s failed: %s", job.row.kind, job.row.subject, refusal.message)
            row = await self._fail(job, refusal)
        except Exception as exc:  # one job's trouble is not the server's
            logger.exception("%s of %s failed", job.row.kind, job.row.subject)
            row = await self._fail(job, Refusal(500, "INTERNAL", f"the server failed: {exc}"))
        job.row = row or job.row
        if row is not None and row.callback_url is not None:
            self._supervisor.start_soon(self._call_back, row, name=f"callback-{row.id}")

    async def _fail(self, job: Job, refusal: Refusal) -> JobRow | None:
        return await self._store.run(
            stored.finish_job,
            job.row.id,
            status=FAILED,
            answer={"code": refusal.code, "message": refusal.message, "status": refusal.status},
            now_us=microseconds(time.time()),
        )

    async def _call_back(self, row: JobRow) -> None:
        """Tell the callback URL, until it was taken or there is no hope."""
        assert row.callback_url is not None  # noqa: S101 - asked of these alone
        problem = ""
        for pause in _CALL_PAUSES:
            await anyio.sleep(pause)
            try:
                answer = await self._outbound.post_json(
                    row.callback_url, outcome_body(row), timeout=_CALL_TIMEOUT
                )
            except OutboundError as exc:
                problem = str(exc)
                if exc.kind == "closed":
                    return  # the next run of the server goes on
                if not exc.is_transient:
                    break
                continue
            if answer.status in _ACCEPTED:
                problem = ""
                break
            problem = f"status {answer.status}"
        if problem:
            logger.warning("the callback of %s is given up: %s", row.id, problem)
        await self._store.run(stored.note_called, row.id)


def outcome_body(row: JobRow) -> dict[str, Any]:
    """Return what a callback is told of finished work."""
    common = {"id": row.id, "job_type": row.kind, "asset_id": row.asset_id}
    if row.status == FAILED:
        return {
            "success": False,
            "status": FAILED,
            "message": row.answer.get("message"),
            "error_code": row.answer.get("code"),
            "data": common,
        }
    return {"success": True, "status": DONE, "data": {**common, **row.answer}}


def _succeed(db: sqlite3.Connection, id_: str, outcome: Outcome) -> JobRow | None:
    """Keep what was made, and that it is done: both or neither."""
    if stored.get_job(db, id_) is None:
        return None  # it was cancelled
    outcome.save(db)
    return stored.finish_job(
        db,
        id_,
        status=DONE,
        answer=outcome.answer,
        asset_id=outcome.asset_id,
        now_us=microseconds(time.time()),
    )
