"""A list of the service as a model: records that come, come late, and go, between two requests."""

from __future__ import annotations

from typing import NamedTuple

from rtstream_async.protocol.following import Reading
from rtstream_async.protocol.paging import ByNumber


class Record(NamedTuple):
    """What has times and words."""

    start: float
    end: float
    text: str
    number: int = 0  # tells twins apart, for the test alone


# What a bound of time may mean; that of the service is not documented.
MEANINGS = {
    "overlap": lambda r, start, end: r.end >= start and r.start <= end,
    "starts": lambda r, start, end: start <= r.start <= end,
    "ends": lambda r, start, end: start <= r.end <= end,
    "inside": lambda r, start, end: r.start >= start and r.end <= end,
    "exclusive": lambda r, start, end: r.end > start and r.start < end,
}


class Listing:
    """The records of one index, and the pages that the service makes of them."""

    def __init__(self, *, newest_first: bool = True, meaning: str = "overlap") -> None:
        self.records: list[Record] = []
        self.ever: list[Record] = []  # those that are gone included
        self.asked: list[ByNumber] = []
        self._newest_first = newest_first
        self._is_within = MEANINGS[meaning]

    def add(self, start: float, end: float, text: str) -> Record:
        """Store a record."""
        record = Record(start, end, text, len(self.ever))
        self.records.append(record)
        self.ever.append(record)
        return record

    def page(self, place: ByNumber) -> tuple[list[Record], bool]:
        """Return one page, and whether there is a further one."""
        self.asked.append(place)
        start = float("-inf") if place.start is None else place.start
        end = float("inf") if place.end is None else place.end
        found = [r for r in self.records if self._is_within(r, start, end)]
        found.sort(key=lambda r: (r.start, r.number), reverse=self._newest_first)
        first = (place.page - 1) * place.page_size
        return found[first : first + place.page_size], len(found) > first + place.page_size

    def read(self, place: ByNumber, most: int, between=lambda: None) -> Reading[Record]:
        """Return the pages of a place; `between` may change the list after each request."""
        pages = []
        following: ByNumber | None = place
        while following is not None and len(pages) < most:
            items, more = self.page(following)
            following = following.after(spans=[(r.start, r.end) for r in items], more=more)
            pages.append(items)
            between()
        return Reading(pages=pages, has_more=following is not None)
