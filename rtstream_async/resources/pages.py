"""`Pages`: a list of the service, to be awaited for one page or iterated for all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Hashable
from typing import Any, Generic, TypeVar

from rtstream_async.models.records import Page
from rtstream_async.protocol.paging import Given

__all__ = ["Pages"]

T = TypeVar("T")

Fetch = Callable[[Any], Awaitable[tuple[Page[T], Any]]]


class Pages(Generic[T]):
    """Awaited: the one page that was asked for. Iterated: all records from that page on.

    ```python
    page = await index.get_scenes(page=2)
    async for scene in index.get_scenes():
        ...
    ```

    Iterating asks for a page when the one before has been read, and gives each record once, also
    when the list grows meanwhile. It may be iterated again: each time it starts anew.
    """

    def __init__(self, fetch: Fetch[T], first: Any, *, key: Callable[[T], Hashable]) -> None:
        self._fetch = fetch
        self._first = first
        self._key = key

    def __repr__(self) -> str:
        return f"<Pages from {self._first!r}>"

    def __await__(self) -> Generator[Any, None, Page[T]]:
        return self._one().__await__()

    async def __aiter__(self) -> AsyncIterator[T]:
        place = self._first
        given: Given | None = Given()
        while place is not None and given is not None:
            page, place = await self._fetch(place)
            fresh, given = given.sift([self._key(item) for item in page.items])
            for number in fresh:
                yield page.items[number]

    async def _one(self) -> Page[T]:
        page, _ = await self._fetch(self._first)
        return page
