"""Where paging stands: what to ask for next, when it ends, and which records were given already.

Lists grow while they are read, and are newest first: whatever comes in between two requests moves
old records to later pages, where they come a second time. So the records of the last pages are
remembered, and dropped when they come again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from urllib.parse import parse_qs, urlsplit

import attrs

__all__ = ["ByCursor", "ByNumber", "ByOffset", "Given", "direction_of", "next_but_one"]

_REMEMBERED_PAGES = 8
_REMEMBERED = 256  # records, where so few are on those pages
_MOMENT_SIZE = 100  # records
_STALLED_PAGES = 3
_MARGIN = 0.001  # seconds: whether the service's `end` is inclusive is not documented


@attrs.frozen(kw_only=True)
class ByNumber:
    """A place in a list that is asked for by `page` and `page_size`, within bounds of time."""

    page: int = 1
    page_size: int = 100
    start: float | None = None  #: Unix time, seconds
    end: float | None = None  #: Unix time, seconds
    since: float | None = None  #: Unix time, seconds

    def query(self) -> dict[str, float]:
        """Return what to ask for."""
        bounds = {"start": self.start, "end": self.end, "since": self.since}
        given = {key: value for key, value in bounds.items() if value is not None}
        return {"page": self.page, "page_size": self.page_size, **given}

    def moment(self, start: float, end: float) -> ByNumber:
        """Return where what is from `start` to `end` (Unix seconds) is listed."""
        return attrs.evolve(
            self,
            page=1,
            page_size=max(self.page_size, _MOMENT_SIZE),
            start=round(start - _MARGIN, 6),
            end=round(end + _MARGIN, 6),
        )

    def after(self, *, spans: Sequence[tuple[float, float]], more: bool) -> ByNumber | None:
        """Return the next place, `None` at the end.

        A list that is newest first grows in front of the reader. A reader slower than the list
        would be pushed back by a page for each page it reads, and never arrive. So after the
        first page the list is asked for up to its newest record only: then it stands still.

        Args:
            spans: When the page's records start and end, in their order, Unix seconds; an empty
                page is the end, whatever the service says.
            more: The service's `next_page`.
        """
        if not more or not spans:
            return None
        end = self.end
        if end is None and self.page == 1 and direction_of(spans) < 0:
            end = round(max(end for _, end in spans) + _MARGIN, 6)
        return attrs.evolve(self, page=self.page + 1, end=end)


@attrs.frozen(kw_only=True)
class ByOffset:
    """A place in a list that is asked for by `limit` and `offset`; unset ones are left out."""

    limit: int | None = None
    offset: int | None = None

    def query(self) -> dict[str, int]:
        """Return what to ask for."""
        asked = {"limit": self.limit, "offset": self.offset}
        return {key: value for key, value in asked.items() if value is not None}

    @property
    def number(self) -> int:
        """Which page this is, counted from 1."""
        return (self.offset or 0) // self.limit + 1 if self.limit else 1

    def has_more(self, *, count: int, next_url: str | None, total: int | None) -> bool:
        """Return whether the service has more than this page of `count` records."""
        if not count:
            return False
        return bool(next_url) or (total is not None and (self.offset or 0) + count < total)

    def after(self, *, count: int, next_url: str | None, total: int | None) -> ByOffset | None:
        """Return the next place, `None` at the end.

        Args:
            count: How many records the page had, which may be less than was asked for.
            next_url: The service's `next`; its offset is taken, nothing else of it.
            total: The service's `count` of all records.
        """
        if not self.has_more(count=count, next_url=next_url, total=total):
            return None
        here = self.offset or 0
        told = _offset_of(next_url)
        # An offset that does not move on would ask for the same page for ever.
        return attrs.evolve(self, offset=told if told and told > here else here + count)


@attrs.frozen(kw_only=True)
class ByCursor:
    """A place in a list that is asked for by a cursor, which only the service understands."""

    cursor: str | None = None  #: `None`: from the start
    limit: int | None = None  #: `None`: the service's own
    number: int = 1  #: which page this is, counted from the first that was read

    def query(self) -> dict[str, str | int]:
        """Return what to ask for."""
        asked = {"cursor": self.cursor, "limit": self.limit}
        return {key: value for key, value in asked.items() if value is not None}

    def after(self, *, count: int, cursor: str | None) -> ByCursor | None:
        """Return the next place, `None` at the end.

        Args:
            count: How many records the page had; an empty page is the end.
            cursor: The service's cursor of the next page; the same again leads nowhere.
        """
        if not count or not cursor or cursor == self.cursor:
            return None
        return attrs.evolve(self, cursor=cursor, number=self.number + 1)


@attrs.frozen(kw_only=True)
class _Sifted:
    """One page that was read."""

    given: Mapping[Hashable, int]  #: how often each key was new on it; 0 for those that were not


@attrs.frozen(kw_only=True)
class Given:
    """Which records of the last pages were given to the caller."""

    pages: tuple[_Sifted, ...] = ()
    stalled: int = 0  #: pages in a row that had nothing new

    @cached_property
    def _known(self) -> set[Hashable]:
        # Asked for twice a page. Made of mappings, which know the hashes of their keys.
        known = set[Hashable]()
        known.update(*(page.given for page in self.pages))
        return known

    def doubted(self, keys: Sequence[Hashable]) -> list[int]:
        """Return which records of a page are like some that were given.

        Either a new record in front has moved them here, or there are two of each, and a page
        ended between them.
        """
        known = self._known
        if known.isdisjoint(keys):
            return []
        return [place for place, key in enumerate(keys) if key in known]

    def sift(
        self, keys: Sequence[Hashable], *, stored: Mapping[Hashable, int] | None = None
    ) -> tuple[list[int], Given | None]:
        """Return which records of a page are new, and the memory for the next page.

        The memory is `None` when paging must end: the same page came again and again. That is
        either a service that ignores what is asked for, or a list that grows a page per request,
        which a few more requests outrun. Equal records within one page are all new: only a page
        before tells that a record was given.

        Args:
            keys: One key per record of the page; equal keys mean the same record.
            stored: How many there are of those in doubt, where that was looked up. Without it,
                they have moved.
        """
        doubted = self.doubted(keys)
        if keys and not doubted:  # nearly every page: all of it is new
            return list(range(len(keys))), self._with(Counter(keys))
        left = dict.fromkeys(keys, len(keys))
        for place in doubted:
            key = keys[place]
            given_before = sum(page.given.get(key, 0) for page in self.pages)
            left[key] = (stored or {}).get(key, 0) - given_before
        fresh: list[int] = []
        for place, key in enumerate(keys):
            if left[key] > 0:
                left[key] -= 1
                fresh.append(place)
        stalled = 0 if fresh else self.stalled + 1
        if stalled >= _STALLED_PAGES:
            return fresh, None
        if not keys:
            return fresh, attrs.evolve(self, stalled=stalled)
        given = dict.fromkeys(keys, 0)
        given.update(Counter(keys[place] for place in fresh))
        return fresh, self._with(given, stalled=stalled)

    def _with(self, given: Mapping[Hashable, int], *, stalled: int = 0) -> Given:
        return Given(pages=_latest((*self.pages, _Sifted(given=given))), stalled=stalled)


def _latest(pages: tuple[_Sifted, ...]) -> tuple[_Sifted, ...]:
    """Return what is remembered of `pages`."""
    while len(pages) > _REMEMBERED_PAGES and sum(len(p.given) for p in pages) > _REMEMBERED:
        pages = pages[1:]
    return pages


def direction_of(spans: Sequence[tuple[float, float]]) -> int:
    """Return which way a list goes in time: -1 newest first, 1 oldest first, 0 can't be told.

    Whether it is sorted by start or by end is not documented, and where those are equal, the
    others may go either way: so both must agree.

    Args:
        spans: When records start and end, in their order.
    """
    if not spans:
        return 0
    (start, end), (last_start, last_end) = spans[0], spans[-1]
    goes_up = start < last_start and end < last_end
    goes_down = start > last_start and end > last_end
    return goes_up - goes_down


def next_but_one(place: object) -> ByNumber | ByOffset | None:
    """Return the place after a place whose page is not known yet, as far as that can be told.

    It is where `after()` will most likely lead, if there is a further page.
    """
    if isinstance(place, ByNumber):
        return attrs.evolve(place, page=place.page + 1)
    if isinstance(place, ByOffset) and place.limit:
        return attrs.evolve(place, offset=(place.offset or 0) + place.limit)
    return None


def _offset_of(url: str | None) -> int | None:
    values = parse_qs(urlsplit(url or "").query).get("offset", [])
    return int(values[0]) if values and values[0].isascii() and values[0].isdecimal() else None
