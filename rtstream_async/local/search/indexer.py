"""Gives every document its vector, in the background, a few at a time."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import time
from collections.abc import Sequence

import anyio

from rtstream_async.local.domain.backoff import retry_delay
from rtstream_async.local.domain.embedding_pace import FIRST_BATCH, next_batch, rest_after
from rtstream_async.local.engines.ports import EmbeddingEngine, EngineError
from rtstream_async.local.search.library import Library
from rtstream_async.local.search.unrelated import UNRELATED
from rtstream_async.local.store import documents
from rtstream_async.local.store.documents import PendingRow, VectorRow
from rtstream_async.local.store.worker import Worker

__all__ = ["Indexer"]

logger = logging.getLogger(__name__)

_GATHER = 3.0  # seconds that new documents wait for others; a search does not
_LOOK_AGAIN = 10.0  # seconds; a video's sentences come without a word
_UNREADABLE = b""


class Indexer:
    """Works off the documents in the store that have no vector, the newest first.

    What is to be done is only in the store, so nothing is forgotten when the server dies.
    """

    def __init__(self, store: Worker, library: Library) -> None:
        self._store = store
        self._library = library
        self._woken = asyncio.Event()
        self._stepped = asyncio.Event()
        self._waiting = 0  # searches that wait for new documents
        self._hurry = asyncio.Event()  # set while there are any
        self._size = FIRST_BATCH
        self._trouble: str | None = None

    def wake(self) -> None:
        """Tell that there may be new documents."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        failures = 0
        while True:
            with anyio.move_on_after(_GATHER):
                await self._hurry.wait()
            self._woken.clear()
            try:
                while await self._step():
                    failures, self._trouble = 0, None
            except Exception as exc:  # noqa: BLE001 - no engine may end the server, whatever it does
                failures += 1
                self._note(exc, failures)
                await anyio.sleep(retry_delay(failures, jitter=random.random()))  # noqa: S311 - spreads retries
                continue
            with anyio.move_on_after(_LOOK_AGAIN):
                await self._woken.wait()

    async def catch_up(self, newest: int, patience: float) -> None:
        """Wait until documents up to `newest` have their vectors, at most `patience` seconds.

        What waited already when the server started, or got another engine, is not waited for:
        that may be a lot. Nor is anything while the engine fails.
        """
        self._woken.set()
        if newest <= self._library.backlog_to:
            return
        self._waiting += 1
        self._hurry.set()
        try:
            with anyio.move_on_after(patience):
                await self._wait_for(newest)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._hurry.clear()

    async def _wait_for(self, newest: int) -> None:
        while self._trouble is None:
            stepped = self._stepped
            if not await self._store.run(
                documents.is_any_pending, above=self._library.backlog_to, to=newest
            ):
                return
            await stepped.wait()

    async def _step(self) -> bool:
        """Embed some documents; return whether there were any."""
        rows = await self._store.run(documents.list_pending, self._size)
        if not rows:
            return False
        engine = await self._library.engine()
        begun = time.monotonic()
        await self._embed(engine, rows)
        taken = time.monotonic() - begun
        self._size = next_batch(len(rows), taken)
        self._tell()
        with anyio.move_on_after(rest_after(taken)):
            await self._hurry.wait()
        return True

    async def _embed(self, engine: EmbeddingEngine, rows: Sequence[PendingRow]) -> None:
        try:
            vectors = await engine.embed([row.text for row in rows], kind="passage")
        except EngineError as exc:
            await self._embed_singly(engine, rows, exc)
        else:
            await self._library.keep(engine, rows, vectors)

    async def _embed_singly(
        self, engine: EmbeddingEngine, rows: Sequence[PendingRow], error: EngineError
    ) -> None:
        """Tell a text that the engine can't take from an engine that takes nothing."""
        await self._check(engine, error)
        for row in rows:
            try:
                (vector,) = await engine.embed([row.text], kind="passage")
            except EngineError as exc:
                await self._check(engine, exc)
                logger.warning("document %d is found by its words alone: %s", row.number, exc)
                unreadable = VectorRow(number=row.number, owner=row.owner, vector=_UNREADABLE)
                await self._store.run(documents.keep_vectors, [unreadable])
            else:
                await self._library.keep(engine, [row], [vector])

    async def _check(self, engine: EmbeddingEngine, error: EngineError) -> None:
        try:
            await engine.embed(UNRELATED[:1], kind="passage")
        except EngineError as exc:
            raise self._library.failed(error) from exc

    def _note(self, trouble: Exception, failures: int) -> None:
        expected = isinstance(trouble, EngineError | sqlite3.Error)
        level = logging.WARNING if self._trouble is None else logging.DEBUG
        logger.log(
            level if expected else logging.ERROR,
            "search goes by words alone for now (failure %d): %s",
            failures,
            trouble,
            exc_info=None if expected else trouble,
        )
        self._trouble = str(trouble)
        self._tell()

    def _tell(self) -> None:
        self._stepped.set()
        self._stepped = asyncio.Event()
