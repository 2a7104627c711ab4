"""Which page of what lies in which time: the query of every list of records."""

from __future__ import annotations

import attrs

from rtstream_async.local.arguments import Arguments
from rtstream_async.local.refusal import invalid
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["Range", "read_moment", "read_range"]

_MAX_PAGE_SIZE = 1000
_MAX_PAGE = 10**6
_DEFAULT_PAGE_SIZE = 100


@attrs.frozen(kw_only=True)
class Range:
    """One page of a span of time; either end may be open."""

    start_us: int | None  #: Unix time, microseconds
    end_us: int | None  #: Unix time, microseconds
    page: int  #: from 1
    size: int

    @property
    def offset(self) -> int:
        """How many records the pages before have."""
        return (self.page - 1) * self.size


def read_range(query: Arguments) -> Range:
    """Return the `start`, `end`, `page` and `page_size` of a query.

    Raises:
        Refusal: They can't be meant.
    """
    start, end = query.number("start"), query.number("end")
    if start is not None and end is not None and start > end:
        raise invalid("start", f"{start:f} is after end {end:f}")
    return Range(
        start_us=read_moment(query, "start"),
        end_us=read_moment(query, "end"),
        page=query.integer("page", 1, low=1, high=_MAX_PAGE),
        size=query.integer("page_size", _DEFAULT_PAGE_SIZE, low=1, high=_MAX_PAGE_SIZE),
    )


def read_moment(query: Arguments, name: str) -> int | None:
    """Return a Unix time given in seconds, in microseconds.

    Raises:
        Refusal: It is no such time.
    """
    seconds = query.number(name)
    if seconds is None:
        return None
    if not 0 <= seconds < 1e11:  # noqa: PLR2004 - from there on it is no time in seconds
        raise invalid(name, f"{seconds:g} is no Unix time in seconds")
    return microseconds(seconds)
