"""`PageReader`: reads a list record by record, and asks for pages before they are needed."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Generic, Self, TypeVar

import anyio

from rtstream_async.errors import ConnectionClosedError
from rtstream_async.models.records import Page
from rtstream_async.protocol.paging import ByNumber, Given, next_but_one

__all__ = ["Fetch", "PageReader", "Spawn"]

T = TypeVar("T")

Fetch = Callable[[Any], Awaitable[tuple[Page[T], Any]]]
"""Returns the page at a place, and the place of the next one; `None` at the end."""

Spawn = Callable[..., None]
"""Starts a task that somebody owns: `spawn(work, *args, name=...)`."""


class _Ahead(Generic[T]):
    """A page that is asked for before it is needed."""

    def __init__(self, place: Any) -> None:
        self.place = place
        self.done = asyncio.Event()
        self.scope = anyio.CancelScope()
        self.answer: tuple[Page[T], Any] | None = None
        self.error: Exception | None = None

    async def run(self, fetch: Fetch[T]) -> None:
        try:
            with self.scope:
                self.answer = await fetch(self.place)
        except Exception as exc:  # noqa: BLE001 - raised in who reads that far
            self.error = exc
        finally:
            self.done.set()

    async def result(self) -> tuple[Page[T], Any]:
        await self.done.wait()
        if self.error is not None:
            raise self.error
        if self.answer is None:
            raise ConnectionClosedError  # its owner is gone
        return self.answer


class PageReader(Generic[T]):
    """The records of a list from one page on, each once.

    Cancelling a call of `__anext__()` loses nothing, and after an error the next call asks
    again. To drop it is to end it.
    """

    def __init__(
        self,
        fetch: Fetch[T],
        first: Any,
        *,
        key: Callable[[T], Hashable],
        prefetch: int = 0,
        spawn: Spawn | None = None,
        is_timed: bool = False,
    ) -> None:
        """Be at the beginning.

        Args:
            fetch: How a page is read.
            first: The place of the first page.
            key: Equal keys mean the same record.
            prefetch: How many pages may be asked for before they are needed, from the second on.
            spawn: Starts the tasks that do; without it, none is.
            is_timed: Records have a start and an end, and may be asked for by these.
        """
        self._fetch = fetch
        self._place: Any = first
        self._key = key
        self._prefetch = prefetch if spawn is not None else 0
        self._spawn = spawn
        self._is_timed = is_timed
        self._given = Given()
        self._items: deque[T] = deque()
        self._turn = asyncio.Lock()  # of those who wait for the next record
        self._ahead: deque[_Ahead[T]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_given = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        # From the second record on: who wants the first alone costs nobody a second page.
        if self._has_given and len(self._ahead) < self._prefetch:
            self._look_ahead(self._prefetch)
        while not self._items:
            async with self._turn:
                if not self._items and not await self._read_on():
                    raise StopAsyncIteration
        self._has_given = True
        return self._items.popleft()

    async def aclose(self) -> None:
        """End the iteration; what was asked for ahead is given up. Never waits."""
        self._items.clear()
        self._place = None
        self._drop_ahead()

    def __del__(self) -> None:
        # The collector runs in any thread.
        if self._ahead and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # a closed loop has nothing left to cancel
                self._loop.call_soon_threadsafe(_cancel, tuple(self._ahead))

    async def _read_on(self) -> bool:
        """Read the next page; return whether there was one."""
        place = self._place
        if place is None:
            return False
        page, after = await self._page(place)
        keys = [self._key(item) for item in page.items]
        stored: Counter[Hashable] | None = None
        doubted = self._given.doubted(keys)
        if doubted and self._is_timed and isinstance(place, ByNumber):
            stored = await self._stored(place, [page.items[number] for number in doubted])
        if self._place is None:
            return False  # closed meanwhile
        fresh, given = self._given.sift(keys, stored=stored)
        self._items.extend(page.items[number] for number in fresh)
        self._place = None if given is None else after
        self._given = given or self._given
        if self._place is None:
            self._drop_ahead()
        return True

    async def _page(self, place: Any) -> tuple[Page[T], Any]:
        if not self._ahead or self._ahead[0].place != place:
            self._drop_ahead()
            return await self._fetch(place)
        # This page is needed by now: those beyond it are ahead.
        self._look_ahead(self._prefetch + 1)
        try:
            answer = await self._ahead[0].result()
        except Exception:
            self._drop_ahead()  # the next call asks anew
            raise
        self._ahead.popleft()
        return answer

    async def _stored(self, place: ByNumber, items: Sequence[Any]) -> Counter[Hashable] | None:
        """Return how many there are of each record from the first of `items` to the last.

        A page is read at one moment. What takes more than one can't be counted.
        """
        start, end = min(item.start for item in items), max(item.end for item in items)
        page, after = await self._fetch(place.moment(start, end))
        return None if after is not None else Counter(self._key(item) for item in page.items)

    def _look_ahead(self, count: int) -> None:
        """Have the next `count` pages asked for, as far as their places are known."""
        place = next_but_one(self._ahead[-1].place) if self._ahead else self._place
        while self._spawn is not None and place is not None and len(self._ahead) < count:
            self._loop = asyncio.get_running_loop()
            ahead: _Ahead[T] = _Ahead(place)
            try:
                self._spawn(ahead.run, self._fetch, name="rtstream-async page")
            except ConnectionClosedError:
                return  # what was read can still be taken; then the next page says so
            self._ahead.append(ahead)
            place = next_but_one(place)

    def _drop_ahead(self) -> None:
        _cancel(tuple(self._ahead))
        self._ahead.clear()


def _cancel(several: tuple[_Ahead[Any], ...]) -> None:
    for ahead in several:
        ahead.scope.cancel()
