"""Finds what was seen or said: by meaning where there are vectors, and by words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import anyio
import anyio.to_thread
import attrs
import numpy as np
from numpy.typing import NDArray

from rtstream_async.local.domain.conditions import Condition, fits
from rtstream_async.local.domain.ranking import (
    Candidate,
    Hit,
    Question,
    cut,
    ranked,
    read_question,
    weights_of,
)
from rtstream_async.local.engines.ports import EngineError
from rtstream_async.local.engines.registry import Engines
from rtstream_async.local.search.indexer import Indexer
from rtstream_async.local.search.library import Aim, Library
from rtstream_async.local.store import documents
from rtstream_async.local.store.documents import DocumentRow, Occurrences
from rtstream_async.local.store.rows import IndexRow
from rtstream_async.local.store.worker import Worker

__all__ = ["Found", "Note", "Search"]

_FRESH_PATIENCE = 5.0  # seconds that a search waits for vectors of what is new
_ENGINE_PATIENCE = 15.0  # seconds that it waits for the vector of its question
_WORD_DOCUMENTS = 5000  # of a word that more documents have, the newest count
_CANDIDATES = 256  # looked at more closely, at first
_MORE_CANDIDATES = 8  # times as many when those were not enough
_BLOCK = 256  # documents read from the store at a time
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
    aim: Aim | None


@attrs.frozen(kw_only=True, eq=False)
class _InWords:
    """What the words of a question say of documents; both arrays are in order of number."""

    numbers: NDArray[np.int64]
    shares: NDArray[np.float64]  #: of a whole answer, 0 to 1
    exact: frozenset[int]  #: documents that have all exact parts


class Search:
    """Search over all documents of a server."""

    def __init__(self, store: Worker, engines: Engines) -> None:
        self._store = store
        self._library = Library(store, engines)
        self._indexer = Indexer(store, self._library)
        self._working = anyio.CancelScope()

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
        question = read_question(query)
        if not owners:
            return Found(hits=())
        aim, notes, degraded = None, list[Note](), False
        if not keyword:
            try:
                aim = await self._aim(question)
            except EngineError as exc:
                degraded = True
                notes.append(Note("words_only", f"searched by words alone: {exc}"))
        wanted = _Wanted(
            question=question, owners=owners, limit=limit, where=where, keyword=keyword, aim=aim
        )
        try:
            hits = await self._search(wanted)
        except EngineError as exc:
            degraded = True
            notes.append(Note("words_only", f"searched by words alone: {exc}"))
            hits = await self._search(attrs.evolve(wanted, aim=None))
        if not degraded and not keyword:
            notes += await self._pending(owners)
        hits = cut(
            hits,
            score_threshold=score_threshold,
            dynamic_score_percentage=dynamic_score_percentage,
        )
        return Found(hits=tuple(hits), notes=tuple(notes), degraded=degraded)

    async def _aim(self, question: Question) -> Aim:
        try:
            with anyio.fail_after(_ENGINE_PATIENCE):
                aim = await self._library.aim(question.text)
        except TimeoutError:
            late = f"the embedding engine has not answered for {_ENGINE_PATIENCE:g} s"
            raise self._library.failed(EngineError(late)) from None
        await self._indexer.catch_up(_FRESH_PATIENCE)
        return aim

    async def _pending(self, owners: Collection[str]) -> list[Note]:
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

    async def _search(self, wanted: _Wanted) -> list[Hit]:
        """Return the best hits, `limit` of them where there are so many."""
        occurrences = await self._store.run(
            documents.find_words, wanted.question.words, wanted.owners, most=_WORD_DOCUMENTS
        )
        words = await anyio.to_thread.run_sync(_in_words, wanted, occurrences)
        taken: dict[int, Hit] = {}
        seen: set[int] = set()
        count = max(_CANDIDATES, 4 * wanted.limit)
        while True:
            candidates = await self._candidates(wanted, words, count)
            order = [item for item in ranked(candidates) if item[1] not in seen]
            await self._take(wanted, order, taken)
            # When filters have left too few, further down there may be more.
            if len(taken) >= wanted.limit or len(candidates) < count:
                break
            seen.update(candidate.number for candidate in candidates)
            count *= _MORE_CANDIDATES
        best = sorted(taken.values(), key=lambda hit: (-hit.score, -hit.number))
        return best[: wanted.limit]

    async def _candidates(self, wanted: _Wanted, words: _InWords, count: int) -> list[Candidate]:
        chosen = _most_words(words, count)
        meanings: Mapping[int, float] = {}
        if wanted.aim is not None:
            meanings = await self._library.look(
                wanted.aim, owners=wanted.owners, count=count, also=words.numbers[chosen]
            )
        shares = dict(
            zip(words.numbers[chosen].tolist(), words.shares[chosen].tolist(), strict=True)
        )
        return [
            Candidate(
                number=number,
                meaning=meanings.get(number),
                words=shares.get(number, 0.0),
                is_exact=number in words.exact,
            )
            for number in meanings.keys() | shares.keys()
        ]

    async def _take(
        self, wanted: _Wanted, order: Sequence[tuple[float, int]], taken: dict[int, Hit]
    ) -> None:
        """Put hits to `taken`, in the order given, until there are enough."""
        for begin in range(0, len(order), _BLOCK):
            block = order[begin : begin + _BLOCK]
            rows = await self._store.run(documents.get_documents, [number for _, number in block])
            known = {row.number: row for row in rows}  # some may have been deleted meanwhile
            for score, number in block:
                row = known.get(number)
                if row is not None and fits(row.metadata, wanted.where):
                    taken[number] = _hit(row, score)
                if len(taken) >= wanted.limit:
                    return


def _in_words(wanted: _Wanted, occurrences: Occurrences) -> _InWords:
    """Add up, document by document, what words it has."""
    question = wanted.question
    weights = weights_of(occurrences.found, occurrences.total)
    lists = [np.array(numbers, np.int64) for numbers in occurrences.numbers]
    everything = np.concatenate(lists) if lists else np.empty(0, np.int64)
    numbers, places = np.unique(everything, return_inverse=True)
    shares: NDArray[np.float64] = np.bincount(
        places,
        weights=np.repeat(weights, [len(each) for each in lists]),
        minlength=len(numbers),
    ).astype(np.float64)
    must = frozenset(question.words) if wanted.keyword else question.exact
    holders = [
        set(found)
        for word, found in zip(question.words, occurrences.numbers, strict=True)
        if word in must
    ]
    exact = frozenset(holders[0].intersection(*holders[1:])) if holders else frozenset[int]()
    if wanted.keyword:
        kept = np.isin(numbers, np.fromiter(exact, np.int64, len(exact)))
        numbers, shares = numbers[kept], shares[kept]
    return _InWords(numbers=numbers, shares=shares, exact=exact)


def _most_words(words: _InWords, count: int) -> NDArray[np.intp]:
    """Return where the `count` documents are that have most of the words."""
    is_exact = np.isin(words.numbers, np.fromiter(words.exact, np.int64, len(words.exact)))
    order = np.lexsort((-words.numbers, -words.shares, ~is_exact))
    return order[:count]


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
