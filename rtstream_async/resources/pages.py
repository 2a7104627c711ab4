"""`Pages`: a list of the service, to be awaited for one page or iterated for all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Hashable
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar
from weakref import WeakSet

import attrs

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.records import Page
from rtstream_async.protocol.bounds import at_least, optional_window, unix_seconds
from rtstream_async.protocol.paging import ByNumber
from rtstream_async.resources.context import Context
from rtstream_async.resources.reading import Fetch, PageReader, Spawn

__all__ = ["Pages", "Records"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Reader(Protocol[T_co]):
    """One iteration over a list."""

    def __aiter__(self) -> AsyncIterator[T_co]: ...

    async def __anext__(self) -> T_co: ...

    async def aclose(self) -> None:
        """End it."""
        ...


class Pages(Generic[T]):
    """Awaited: the one page that was asked for. Iterated: all records from that page on.

    ```python
    page = await index.get_scenes(page=2)
    async for scene in index.get_scenes():
        ...
    ```

    Iterating gives each record once, also when the list grows meanwhile. It may be iterated
    again: each time it starts anew. To leave the loop is enough to end it; who wants that at a
    certain moment uses it as a context manager, or `aclose()`.
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
        follow: Callable[[], Reader[T]] | None = None,
    ) -> None:
        self._fetch = fetch
        self._first = first
        self._key = key
        self._prefetch = prefetch
        self._spawn = spawn
        self._is_timed = is_timed
        self._follow = follow
        self._readers: WeakSet[Reader[T]] = WeakSet()

    def __repr__(self) -> str:
        return f"<Pages from {self._first!r}>"

    def __await__(self) -> Generator[Any, None, Page[T]]:
        return self._one().__await__()

    def __aiter__(self) -> AsyncIterator[T]:
        reader: Reader[T]
        if self._follow is not None:
            reader = self._follow()
        else:
            reader = PageReader(
                self._fetch,
                self._first,
                key=self._key,
                prefetch=self._prefetch,
                spawn=self._spawn,
                is_timed=self._is_timed,
            )
        self._readers.add(reader)
        return reader

    async def aclose(self) -> None:
        """End every iteration over it. Never waits."""
        for reader in list(self._readers):
            await reader.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _one(self) -> Page[T]:
        if self._follow is not None:
            raise InvalidArgumentError("follow", "has no one page; iterate it with `async for`")
        page, _ = await self._fetch(self._first)
        return page


@attrs.frozen(kw_only=True)
class Records:
    """Which records of a list by time are wanted, as the caller said."""

    start: float | datetime | None = None
    end: float | datetime | None = None
    since: float | datetime | None = None
    page: int = 1
    page_size: int = 100
    follow: bool = False
    prefetch: int = 1

    def pages(
        self, context: Context, fetch: Fetch[T], *, rtstream_id: str, channel: str
    ) -> Pages[T]:
        """Return them.

        Args:
            context: The connection's parts.
            fetch: Returns a page of the list.
            rtstream_id: The stream that the list is of.
            channel: Where the same is pushed.

        Raises:
            InvalidArgumentError: A bound or a number can't be used, or not with `follow`.
        """
        first, last = optional_window(self.start, self.end)
        place = ByNumber(
            page=at_least("page", self.page, 1),
            page_size=at_least("page_size", self.page_size, 1),
            start=first,
            end=last,
            since=None if self.since is None else unix_seconds("since", self.since),
        )
        at_least("prefetch", self.prefetch, 0)
        if not self.follow:
            return Pages(
                fetch,
                place,
                key=_identity,
                prefetch=self.prefetch,
                spawn=context.spawn,
                is_timed=True,
            )
        self._check_follow()
        return Pages(
            fetch,
            place,
            key=_identity,
            follow=lambda: context.follow(fetch, place, rtstream_id=rtstream_id, channel=channel),
        )

    def _check_follow(self) -> None:
        refused = {
            "end": (
                self.end is not None,
                "has no meaning with follow=True, which never ends",
            ),
            "since": (self.since is not None, "has no meaning with follow=True; give `start`"),
            "page": (self.page != 1, "has no meaning with follow=True; give `start`"),
        }
        for argument, (is_given, problem) in refused.items():
            if is_given:
                raise InvalidArgumentError(argument, problem)


def _identity(record: Any) -> Hashable:
    """Records have no id: equal times and words are the same record."""
    return (record.start, record.end, record.text)
