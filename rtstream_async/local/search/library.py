"""The vectors of all documents: kept in the store, and in memory from the first search on.

A server that nobody searches in loads no numpy, and one that loads it does so in a thread.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import attrs

from rtstream_async.local.engines.ports import EmbeddingEngine, EngineError
from rtstream_async.local.engines.registry import Engines
from rtstream_async.local.refusal import Refusal
from rtstream_async.local.search.unrelated import UNRELATED
from rtstream_async.local.store import documents
from rtstream_async.local.store.documents import PendingRow, VectorRow
from rtstream_async.local.store.worker import Worker

if TYPE_CHECKING:
    from rtstream_async.local.search.shelf import Shelf

__all__ = ["Aim", "Library", "identity"]

_PAGE = 2000  # vectors read from the store at a time
_SEVERAL_SIZES = "the embedding engine gives vectors of several sizes"
_REMEMBERED = 256  # questions; who looks for something asks again, with another limit or filter
_PAUSE = 5.0  # seconds for which an engine that failed is not asked again


@attrs.frozen
class Aim:
    """What a question means, as the engine has it."""

    vector: bytes
    unrelated: Sequence[bytes]  #: vectors of texts that have nothing to do with any question


class Library:
    """Keeps the vectors of documents, and knows what questions mean."""

    def __init__(self, store: Worker, engines: Engines) -> None:
        self._store = store
        self._engines = engines
        self.backlog_to = 0
        """Documents up to this number were waiting before anybody could have looked for them."""
        self._engine: str | None = None  #: that made the vectors, and how large they are
        self._failure = ""
        self._failed_at = float("-inf")
        self._shelf: Shelf | None = None  #: `None` before the first search
        self._unrelated: Sequence[bytes] | None = None  #: vectors of these texts
        self._aims: OrderedDict[str, Aim] = OrderedDict()  #: of the latest questions
        self._deletions = 0  #: up to which the shelf has followed the store
        self._lock = anyio.Lock()  #: of what is on the shelf

    async def open(self) -> None:
        """Look at what there is to do; call it once, before all else."""
        self.backlog_to = await self._store.run(documents.newest_pending)

    async def engine(self) -> EmbeddingEngine:
        """Return the embedding engine, loaded.

        Raises:
            EngineError: It can't be had, or has failed a moment ago.
        """
        if time.monotonic() < self._failed_at + _PAUSE:
            raise EngineError(self._failure)
        try:
            return await self._engines.embedding()
        except Refusal as exc:
            raise self.failed(EngineError(exc.message)) from exc

    def failed(self, error: EngineError) -> EngineError:
        """Note that the engine has failed; return the error, to be raised."""
        self._failure, self._failed_at = str(error), time.monotonic()
        return error

    async def aim(self, text: str) -> Aim:
        """Return what `text` means.

        Raises:
            EngineError: The engine failed.
        """
        if text in self._aims:
            self._aims.move_to_end(text)
            return self._aims[text]
        engine = await self.engine()
        try:
            (vector,) = await engine.embed([text], kind="query")
            await self._adopt(engine, vector)
            if self._unrelated is None:
                self._unrelated = await engine.embed(UNRELATED, kind="passage")
        except EngineError as exc:
            raise self.failed(exc) from exc
        if any(len(each) != len(vector) for each in self._unrelated):
            self._unrelated = None
            raise self.failed(EngineError(_SEVERAL_SIZES))
        aim = self._aims[text] = Aim(vector, self._unrelated)
        if len(self._aims) > _REMEMBERED:
            self._aims.popitem(last=False)
        return aim

    async def keep(
        self, engine: EmbeddingEngine, rows: Sequence[PendingRow], vectors: Sequence[bytes]
    ) -> None:
        """Keep the vectors of documents, as the engine has made them.

        Raises:
            EngineError: They are none, or of several sizes.
        """
        made = await anyio.to_thread.run_sync(_packed, rows, vectors)
        await self._adopt(engine, vectors[0])
        async with self._lock:
            await self._store.run(documents.keep_vectors, made)
            if self._shelf is not None:
                await anyio.to_thread.run_sync(self._shelf.add, made)

    async def _adopt(self, engine: EmbeddingEngine, vector: bytes) -> None:
        """Let only vectors be kept that can be compared with this one.

        Behind the name of an endpoint's model there may be another one some day, and if it is not
        seen by the size of its vectors, nobody can see it.
        """
        name = identity(engine.name, len(vector) // 4)
        async with self._lock:
            if self._engine == name:
                return
            if await self._store.run(documents.adopt_engine, name):
                await self.open()  # all that there is
            self._engine, self._shelf, self._unrelated = name, None, None
            self._aims.clear()

    async def shelf(self, deletions: int) -> Shelf:
        """Return all vectors there are, without those of what was deleted.

        Args:
            deletions: How many documents the store has deleted, ever.

        Raises:
            EngineError: The vectors in the store are of several sizes.
        """
        async with self._lock:
            if self._shelf is None:
                self._shelf = await self._fill()
            elif deletions != self._deletions:
                listed = await self._store.run(documents.vector_numbers)
                await anyio.to_thread.run_sync(_keep_listed, self._shelf, listed)
            self._deletions = deletions
            return self._shelf

    async def _fill(self) -> Shelf:
        shelf, above = await anyio.to_thread.run_sync(_new_shelf), 0
        while rows := await self._store.run(documents.list_vectors, above=above, limit=_PAGE):
            await anyio.to_thread.run_sync(shelf.add, [row for row in rows if row.vector])
            above = rows[-1].number
        return shelf


def identity(name: str, size: int) -> str:
    """Return what tells vectors apart that can't be compared: engine, and how many numbers."""
    return f"{name}, {size} numbers"


def _keep_listed(shelf: Shelf, listed: str) -> None:
    shelf.keep([int(number) for number in listed.split(",")] if listed else [])


def _new_shelf() -> Shelf:
    from rtstream_async.local.search.shelf import Shelf

    return Shelf()


def _packed(rows: Sequence[PendingRow], vectors: Sequence[bytes]) -> list[VectorRow]:
    from rtstream_async.local.search.vectors import pack

    if len({len(vector) for vector in vectors}) > 1:
        raise EngineError(_SEVERAL_SIZES)
    return [
        VectorRow(number=row.number, owner=row.owner, vector=pack(vector))
        for row, vector in zip(rows, vectors, strict=True)
    ]
