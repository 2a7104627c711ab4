"""Reads the records of indexes that took each other's place as those of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import attrs

from rtstream_async.models.records import Page, Scene
from rtstream_async.protocol.paging import ByNumber

__all__ = ["UnionPlace", "union_page"]

ReadPage = Callable[[str, ByNumber], Awaitable[tuple[Page[Scene], ByNumber | None]]]
"""Returns a page of one index, and the place of its next page."""


@attrs.frozen(kw_only=True)
class UnionPlace:
    """A place in the records of several indexes, the newest first."""

    page: int
    page_size: int
    skip: int  #: records that come before the page, and are not read yet
    ids: tuple[str, ...]  #: what is left to read; the first is being read
    place: ByNumber  #: where in the first
    first: ByNumber  #: where to begin in each
    rest: tuple[Scene, ...] = ()  #: what was read beyond the page before

    @classmethod
    def of(cls, lineage: Sequence[str], place: ByNumber) -> UnionPlace:
        """Return the place in a lineage (oldest first) that `place` is in one index."""
        first = attrs.evolve(place, page=1)
        return cls(
            page=place.page,
            page_size=place.page_size,
            skip=(place.page - 1) * place.page_size,
            ids=tuple(reversed(lineage)),
            place=first,
            first=first,
        )


async def union_page(read: ReadPage, at: UnionPlace) -> tuple[Page[Scene], UnionPlace | None]:
    """Return one page, which is full unless it is the last, and the place of the next.

    An index is read when those after it are at their end: what took its place is newer than it in
    all its records, so that the order is that of one index.
    """
    skip, items, ids, place = at.skip, list(at.rest), at.ids, at.place
    raw: Mapping[str, Any] = {}
    while ids and len(items) <= at.page_size:
        page, after = await read(ids[0], place)
        raw = page.raw
        items += page.items[skip:]
        skip = max(0, skip - len(page.items))
        ids, place = (ids[1:], at.first) if after is None else (ids, after)
    rest = tuple(items[at.page_size :])
    full = Page(
        items=items[: at.page_size],
        next_page=bool(rest),
        page=at.page,
        page_size=at.page_size,
        label="scenes",
        raw=raw,
    )
    if not rest:
        return full, None
    return full, attrs.evolve(at, page=at.page + 1, skip=0, ids=ids, place=place, rest=rest)
