"""One thread that owns one SQLite connection, and commits many callers' work at once.

A caller that awaits gets its answer after the commit: what it was told is on disk, and survives
the death of the process.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import attrs

from rtstream_async.errors import LocalServerError

__all__ = ["Worker"]

P = ParamSpec("P")
T = TypeVar("T")

_BATCH = 256


@attrs.define(eq=False)
class _Job:
    work: Callable[[sqlite3.Connection], Any]
    answer: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        if self.answer.done():
            return  # the caller was cancelled; the work is done all the same
        if self.error is not None:
            self.answer.set_exception(self.error)
        else:
            self.answer.set_result(self.result)


class Worker:
    """Runs functions on the database, in the order of the calls, in a thread of its own."""

    def __init__(self, path: Path, prepare: Callable[[sqlite3.Connection], None]) -> None:
        """Keep what `start()` needs: the file, and what makes an open connection usable."""
        self._path = path
        self._prepare = prepare
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ended = asyncio.Event()

    async def start(self) -> None:
        """Open the database.

        Raises:
            sqlite3.Error: It can't be opened or is no database of ours.
            LocalServerError: As `prepare` found.
        """
        self._loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(
            target=self._own, args=(self._loop, opened), name="rtstream-store"
        )
        self._thread.start()
        try:
            await asyncio.shield(opened)
        except Exception:
            self._thread.join()
            self._thread = None
            raise

    async def run(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what `work(connection, *args)` returns, after the commit.

        Work that raises is undone, alone, and the error is raised here. Cancelling does not stop
        work that was handed over.

        Raises:
            LocalServerError: The store is closed.
        """
        if self._loop is None or self._thread is None:
            raise LocalServerError("the server's store is closed")
        answer: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(lambda db: work(db, *args, **kwargs), answer))
        return await answer

    async def aclose(self) -> None:
        """Finish what was handed over, then close the database."""
        if self._thread is None:
            return
        thread, self._thread = self._thread, None
        self._jobs.put(None)
        await self._ended.wait()
        thread.join()

    def _own(self, loop: asyncio.AbstractEventLoop, opened: asyncio.Future[None]) -> None:
        try:
            db = self._open()
        except Exception as exc:  # noqa: BLE001 - it belongs to start(), which raises it
            loop.call_soon_threadsafe(opened.set_exception, exc)
            loop.call_soon_threadsafe(self._ended.set)
            return
        loop.call_soon_threadsafe(opened.set_result, None)
        try:
            while batch := self._next_batch():
                _commit(db, batch)
                loop.call_soon_threadsafe(_settle, batch)
        finally:
            db.close()
            loop.call_soon_threadsafe(self._ended.set)

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, timeout=0)
        try:
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        return db

    def _next_batch(self) -> list[_Job]:
        """Everything that waits now, at least one job; nothing when it is time to end."""
        job = self._jobs.get()
        batch: list[_Job] = []
        while job is not None:
            batch.append(job)
            if len(batch) >= _BATCH or self._jobs.empty():
                return batch
            job = self._jobs.get()
        if batch:
            self._jobs.put(None)  # seen too early: first what came before it
        return batch


def _commit(db: sqlite3.Connection, batch: list[_Job]) -> None:
    try:
        db.execute("BEGIN")
        for job in batch:
            _perform(db, job)
            if not db.in_transaction:  # SQLite gives up all of it when the disk is full
                raise sqlite3.OperationalError(f"the transaction was rolled back: {job.error}")
        db.execute("COMMIT")
    except sqlite3.Error as exc:
        if db.in_transaction:
            db.execute("ROLLBACK")
        for job in batch:
            job.error = job.error or exc


def _perform(db: sqlite3.Connection, job: _Job) -> None:
    db.execute("SAVEPOINT job")
    try:
        job.result = job.work(db)
    except Exception as exc:  # noqa: BLE001 - it belongs to the caller, who gets it
        job.error = exc
        if db.in_transaction:
            db.execute("ROLLBACK TO job")
    if db.in_transaction:  # else there is nothing left to release
        db.execute("RELEASE job")


def _settle(batch: list[_Job]) -> None:
    for job in batch:
        job.settle()
