"""Finds what was seen or said: by meaning where there are vectors, and by words."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import attrs

from rtstream_async.local.domain.conditions import Condition, fits
from rtstream_async.local.domain.ranking import Hit, Question, cut, read_question
from rtstream_async.local.engines.ports import EngineError
from rtstream_async.local.engines.registry import Engines
from rtstream_async.local.search.indexer import Indexer
from rtstream_async.local.search.library import Aim, Library
from rtstream_async.local.store import documents
from rtstream_async.local.store.documents import DocumentRow, Occurrences
from rtstream_async.local.store.rows import IndexRow
from rtstream_async.local.store.worker import Worker

if TYPE_CHECKING:
    from rtstream_async.local.search.order import Ordered
    from rtstream_async.local.search.shelf import Shelf

__all__ = ["Found", "Note", "Search"]

_FRESH_PATIENCE = 8.0  # seconds that a search waits for vectors of what is new
_ENGINE_PATIENCE = 15.0  # seconds that it waits for the vector of its question
_WORD_DOCUMENTS = 2000  # of a word that more documents have, the newest count
_CANDIDATES = 256  # looked at more closely, at first
_MORE_CANDIDATES = 8  # times as many when those were not enough
_BLOCK = 256  # documents read from the store at a time; when there is a filter, most are read
_LOOKS = 2  # searches that compare at the same time; more would only wait for each other
_COUNTED_PENDING = 1000


@attrs.frozen
class Note:
    """Something about the answer that who has asked should know."""

    code: str
    message: str


@attrs.frozen(kw_only=True)
class Found:
    """What a search has found."""

    hits: tuple[Hit, ...]  #: the best first
    notes: tuple[Note, ...] = ()
    degraded: bool = False  #: by words alone, because the embedding engine fails


@attrs.frozen(kw_only=True)
class _Wanted:
    """One search, while it is worked on."""

    question: Question
    owners: Collection[str]
    limit: int
    where: Sequence[Condition]
    keyword: bool


class Search:
    """Search over all documents of a server."""

    def __init__(self, store: Worker, engines: Engines) -> None:
        self._store = store
        self._library = Library(store, engines)
        self._indexer = Indexer(store, self._library)
        self._working = anyio.CancelScope()
        self._looking = anyio.CapacityLimiter(_LOOKS)

    async def open(self) -> None:
        """Look at what there is; call it once, before all else."""
        await self._library.open()

    async def run(self) -> None:
        """Give documents their vectors, until `stop()`."""
        with self._working:
            await self._indexer.run()

    def stop(self) -> None:
        """Work no more in the background; call it before engines are closed."""
        self._working.cancel()

    def wake(self, _index: IndexRow | None = None) -> None:
        """Tell that there are new documents; also as a watcher of the publisher."""
        self._indexer.wake()

    async def find(
        self,
        query: str,
        *,
        owners: Collection[str],
        limit: int = 10,
        score_threshold: float | None = None,
        dynamic_score_percentage: float | None = None,
        where: Sequence[Condition] = (),
        keyword: bool = False,
    ) -> Found:
        """Return the documents that answer `query`, the best first.

        It takes some time of a processor, in threads. Cancelling is safe.

        Args:
            query: What is looked for, in words, or between quotation marks as it is written.
            owners: Ids of the indexes and videos to look in.
            limit: How many.
            score_threshold: What a hit must score at least, 0 to 1.
            dynamic_score_percentage: See `cut()`.
            where: Conditions on the metadata.
            keyword: By words alone, all of which a hit must have.
        """
        if not owners:
            return Found(hits=())
        wanted = _Wanted(
            question=read_question(query), owners=owners, limit=limit, where=where, keyword=keyword
        )
        async with asyncio.TaskGroup() as group:  # the engine works beside the store
            finding = group.create_task(self._find_words(wanted))
            aiming = group.create_task(self._aim(wanted))
        occurrences, (aim, notes) = finding.result(), aiming.result()
        if aim is not None:
            notes = await self._catch_up(owners)
        try:
            hits = await self._search(wanted, occurrences, aim)
        except EngineError as exc:
            aim, notes = None, _words_only(exc)
            hits = await self._search(wanted, occurrences, None)
        hits = cut(
            hits,
            score_threshold=score_threshold,
            dynamic_score_percentage=dynamic_score_percentage,
        )
        return Found(
            hits=tuple(hits), notes=tuple(notes), degraded=aim is None and not wanted.keyword
        )

    async def _find_words(self, wanted: _Wanted) -> Occurrences:
        return await self._store.run(
            documents.find_words, wanted.question.words, wanted.owners, most=_WORD_DOCUMENTS
        )

    async def _aim(self, wanted: _Wanted) -> tuple[Aim | None, list[Note]]:
        """Return what the question means; if that can't be known, `None` and why."""
        if wanted.keyword:
            return None, []
        try:
            with anyio.fail_after(_ENGINE_PATIENCE):
                return await self._library.aim(wanted.question.text), []
        except EngineError as exc:
            return None, _words_only(exc)
        except TimeoutError:
            late = f"the embedding engine has not answered for {_ENGINE_PATIENCE:g} s"
            return None, _words_only(self._library.failed(EngineError(late)))

    async def _catch_up(self, owners: Collection[str]) -> list[Note]:
        """Wait for vectors of what is new; say how much is still without."""
        newest = await self._store.run(documents.newest_pending)
        if not newest:
            return []
        await self._indexer.catch_up(newest, _FRESH_PATIENCE)
        count = await self._store.run(documents.count_pending, owners, most=_COUNTED_PENDING)
        if not count:
            return []
        number = f"{count} or more" if count == _COUNTED_PENDING else str(count)
        return [
            Note(
                "not_indexed_yet",
                f"{number} records here are found by their words alone so far; their meaning is"
                " being worked on",
            )
        ]

    async def _search(
        self, wanted: _Wanted, occurrences: Occurrences, aim: Aim | None
    ) -> list[Hit]:
        """Return the best hits, `limit` of them where there are so many."""
        near = None if aim is None else (await self._library.shelf(occurrences.deletions), aim)
        taken: dict[int, Hit] = {}
        seen: set[int] = set()
        count, is_more = max(_CANDIDATES, 4 * wanted.limit), True
        while is_more and len(taken) < wanted.limit:
            found, is_more = await anyio.to_thread.run_sync(
                _order, wanted, occurrences, near, count, limiter=self._looking
            )
            await self._take(wanted, [item for item in found if item[1] not in seen], taken)
            seen.update(number for _, number in found)
            count *= _MORE_CANDIDATES  # where filters have left too few, further down are more
        best = sorted(taken.values(), key=lambda hit: (-hit.score, -hit.number))
        return best[: wanted.limit]

    async def _take(
        self, wanted: _Wanted, order: Sequence[tuple[float, int]], taken: dict[int, Hit]
    ) -> None:
        """Put hits to `taken`, in the order given, until there are enough."""
        size = _BLOCK if wanted.where else wanted.limit
        for begin in range(0, len(order), size):
            block = order[begin : begin + size]
            rows = await self._store.run(documents.get_documents, [number for _, number in block])
            known = {row.number: row for row in rows}  # some may have been deleted meanwhile
            for score, number in block:
                row = known.get(number)
                if row is not None and fits(row.metadata, wanted.where):
                    taken[number] = _hit(row, score)
                if len(taken) >= wanted.limit:
                    return


def _words_only(why: EngineError) -> list[Note]:
    return [Note("words_only", f"searched by words alone: {why}")]


def _order(
    wanted: _Wanted, occurrences: Occurrences, near: tuple[Shelf, Aim] | None, count: int
) -> Ordered:
    # Imported here, in a thread: a server that nobody searches in loads no numpy.
    from rtstream_async.local.search.order import order

    return order(
        wanted.question,
        occurrences,
        near,
        owners=wanted.owners,
        count=count,
        keyword=wanted.keyword,
    )


def _hit(row: DocumentRow, score: float) -> Hit:
    return Hit(
        owner=row.owner,
        number=row.number,
        start=row.start,
        end=row.end,
        text=row.text,
        score=score,
        engine=row.engine,
        metadata=row.metadata,
    )
