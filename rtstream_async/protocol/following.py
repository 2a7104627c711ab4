"""Where following stands: what to ask for next, so that all is given once, and in order.

```text
LIVE -> BACK -> UP -> LIVE -> UP ...     newest first
LIVE -> ALONG -> LIVE -> ALONG ...       oldest first
```

The service lists the newest first, in lists that grow in front; who wants all of it in ascending
order, and then what is new, for ever, reads windows of time that go up. A window is meant to fit on
one page: a page is read at one moment, so that nothing can be pushed from it onto another. Results
come late and out of order, so some time before the newest record is read again and again.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, Generic, TypeVar

import attrs

from rtstream_async.protocol.paging import ByNumber, direction_of

__all__ = ["Following", "Reading", "Stage"]

M = TypeVar("M", bound=Any)  # a record with `start`, `end` (Unix seconds) and `text`

_Identity = tuple[float, float, str]

_EDGE: Final = 0.001  # seconds: whether the service's bounds are inclusive is not documented
_CLOCK: Final = 2.0  # seconds: how wrong the service's time may be that a Date header told
_FEWEST_PAGES: Final = 2
_REPEATED: Final = 2  # readings of a window that may be given up since it moved meanwhile
_FIRST_STEP: Final = 60.0  # seconds
_STEP: Final = 4.0  # by what steps and windows grow, and how fast at most
_FILLED: Final = 0.7  # how full of records the page of a window is meant to be
_NARROWEST: Final = 0.001  # seconds
_TAIL: Final = 2.0  # seconds before the newest record that are read at each turn
_SWEEPS: Final = 4  # how often at least the overlap is read again within its own length
_SPARED: Final = 0.2  # seconds for each request that it takes to read the overlap again
_FEW: Final = 1024  # records for which it is not worth looking which can be forgotten


class Stage(enum.Enum):
    """What is being read."""

    LIVE = "LIVE"  #: what is new; at first, that is all
    BACK = "BACK"  #: how far a list that is newest first goes back
    UP = "UP"  #: windows, from there to the newest record that was seen
    ALONG = "ALONG"  #: page by page, where a list is oldest first


@attrs.frozen(kw_only=True)
class Reading(Generic[M]):
    """What was read of one place."""

    pages: Sequence[Sequence[M]]  #: in the service's order
    has_more: bool = False  #: whether there are further pages

    @property
    def items(self) -> list[M]:
        """The records of all pages."""
        return [item for page in self.pages for item in page]

    @property
    def direction(self) -> int:
        """Which way the list goes in time: -1 newest first, 1 oldest first, 0 can't be told."""
        return direction_of([(item.start, item.end) for item in self.items])

    @property
    def repeats(self) -> bool:
        """Whether a page has records of a page before."""
        return len(_without_repeats(self.pages)) < sum(map(len, self.pages))


class Following(Generic[M]):
    """Takes one list from its beginning to its end, which moves on.

    `place()` says what to read, `take()` takes it, and gives what is new in it.

    Attributes:
        stage: What is being read.
        most: How many pages to read of a place at most.
        last_end: The greatest end of a record so far; Unix seconds, `-inf` before the first.
        is_caught_up: All is read that was there when it was begun to look.
    """

    def __init__(self, *, start: float | None, page_size: int, overlap: float) -> None:
        """Be at the beginning.

        Args:
            start: Nothing that ends before this is given; Unix seconds. `None`: all is.
            page_size: Records of a page.
            overlap: How late, measured against the newest record, a record may come; seconds.
        """
        self.stage = Stage.LIVE
        self.most = 1
        self.last_end = -math.inf
        self.is_caught_up = False
        self._start = -math.inf if start is None else start
        self._page_size = page_size
        self._overlap = overlap
        # What ends before was read when nothing of it could come late any more.
        self._settled = self._start
        self._given: _Given[M] = _Given()
        self._asked = ByNumber()
        self._longest = 0.0  # record; seconds
        self._spans_start = False  # the service gives what is across the start that is asked for
        self._spans_end = False  # or across the end
        self._low = self._start  # what is being read begins here; Unix seconds
        self._high = 0.0  # the window's end
        self._newest = -math.inf  # the greatest end that was seen, if not read
        self._until = 0.0  # the last window's end
        self._width = 0.0  # the next window's
        self._crowd = math.inf  # here, or before, records are so close that they take several pages
        self._fitting = math.inf  # the width of a window there, to fit on one page
        self._step = _FIRST_STEP
        self._repeated = 0
        self._began_at = 0.0  # when it was begun to look
        self._is_sweep = True  # the overlap is read, and not only its end
        self._is_early = False  # a window was read whose records could still come late
        self._is_dense = False  # the overlap has more than a page
        self._swept_at = -math.inf
        self._asked_for = 0  # places, since it was begun to look
        self._effort = 0  # places that the last such reading took

    @property
    def remembered(self) -> int:
        """How many records are remembered to have been given."""
        return len(self._given)

    def place(self, now: float) -> ByNumber:
        """Return what to read next; `now` is the service's Unix time in seconds."""
        size = self._page_size
        match self.stage:
            case Stage.LIVE:
                self._low = self._since(now)
                self._began_at, self._asked_for = now, 0
                place = ByNumber(page_size=size, start=_bound(self._low - self._lead))
            case Stage.BACK:
                place = ByNumber(page_size=1, end=_bound(self._until - self._step))
            case Stage.UP:
                self._high = min(self._low + self._width, self._until)
                place = ByNumber(
                    page_size=size,
                    start=_bound(self._low - self._margin),
                    end=_bound(self._high + _EDGE),
                )
            case _:
                place = ByNumber(page_size=size, start=_bound(self._low - self._lead))
        self._asked = place
        self._asked_for += 1
        return place

    def take(self, reading: Reading[M], now: float) -> list[M]:
        """Return what is new, in order of time.

        Args:
            reading: What was read of `place()`.
            now: The service's Unix time in seconds when it was asked for.
        """
        self.is_caught_up = False
        match self.stage:
            case Stage.LIVE:
                return self._take_live(reading)
            case Stage.BACK:
                return self._take_back(reading)
            case Stage.UP:
                return self._take_window(reading, now)
            case _:
                return self._take_pages(reading)

    def _take_live(self, reading: Reading[M]) -> list[M]:
        if not reading.has_more:
            self._is_dense = self._is_dense and not self._is_sweep
            fresh = self._deliver(reading)
            if fresh and len(reading.pages) > 1:
                self.most = 1  # something may have moved to a page before: read again
            else:
                self._catch_up()
            return fresh
        self._is_dense = self._is_dense or self._is_sweep
        direction = reading.direction
        if direction == 0:
            self.most *= 2  # all of one moment
        elif direction > 0:
            self._begin(Stage.ALONG, self._low)
        else:
            self._aim(reading)
        return []

    def _aim(self, reading: Reading[M]) -> None:
        """Go up to the newest record that is there, in windows as wide as a page is long."""
        items = reading.items
        self._note_lengths(items)
        starts = [item.start for item in items]
        self._newest = max(item.end for item in items)
        # What began before these may end after all of them.
        self._until = max(self._began_at + _CLOCK, self._newest)
        self._width = max(_NARROWEST, _FILLED * (max(starts) - min(starts)))
        self._step = _FIRST_STEP
        self._begin(Stage.BACK if self._low == -math.inf else Stage.UP, self._low)

    def _take_back(self, reading: Reading[M]) -> list[M]:
        if reading.items and self._step < self._until:
            self._step *= _STEP
        else:
            low = max(0.0, self._until - self._step)
            self._settled = max(self._settled, low)
            self._begin(Stage.UP, low)
        return []

    def _take_window(self, reading: Reading[M], now: float) -> list[M]:
        if reading.has_more:
            self._narrow(reading)
            return []
        if reading.repeats and self._repeated < _REPEATED:
            self._repeated += 1
            self._narrow(reading)
            return []
        fresh = self._deliver(reading)
        self._repeated = 0
        self.most = max(_FEWEST_PAGES, len(reading.pages) + 1, self.most // 2)
        if self._is_sweep and not self._is_early:
            self._settle(min(self._high, now))
            self._is_early = self._high > now - self._overlap
        width = _next_width(self._high - self._low, len(fresh), _FILLED * self._page_size)
        self._low = self._high
        if self._low < self._crowd < math.inf:
            width = min(width, max(self._fitting, (self._crowd - self._low) / 2))
        self._width = width
        if self._high >= self._until:
            self._catch_up()
        return fresh

    def _take_pages(self, reading: Reading[M]) -> list[M]:
        fresh = self._deliver(reading)
        if fresh and len(reading.pages) > 1:
            return fresh  # something may have moved to a page before: read again
        if not reading.has_more:
            self._catch_up()
            return fresh
        # The last moment may go on on the next page.
        reached = max(item.start for item in reading.items)
        if reached > self._low + _EDGE:
            self._low = reached
            self.most = 1
        else:
            self.most *= 2
        return fresh

    def _catch_up(self) -> None:
        """Note that all was read from `_low` on, since `_began_at`."""
        if self._is_sweep:
            self._effort = self._asked_for if self._swept_at > -math.inf else 0  # not history
            self._swept_at = self._began_at
            self._settle(self._began_at)
        self.stage = Stage.LIVE
        self.most = 1
        self.is_caught_up = True

    def _since(self, now: float) -> float:
        """Return from when on to look for what is new."""
        tail = self.last_end - _TAIL - 2 * self._longest
        pause = min(self._overlap / _SWEEPS, _SPARED * self._effort)
        is_due = now - self._swept_at >= pause
        self._is_sweep = is_due or not self._is_dense or tail <= self._settled
        return self._settled if self._is_sweep else tail

    def _begin(self, stage: Stage, low: float) -> None:
        self.stage = stage
        self.most = _FEWEST_PAGES if stage is Stage.UP else 1
        self._low = low
        self._crowd = self._fitting = math.inf
        self._is_early = False
        self._repeated = 0

    def _narrow(self, reading: Reading[M]) -> None:
        """Read less at once: look for where the records begin to be close."""
        starts = [item.start for item in reading.items]
        span = max(starts) - min(starts)
        self._crowd = min(starts)
        self._fitting = max(_NARROWEST, _FILLED * self._page_size * span / len(starts))
        width = self._high - self._low
        if self._crowd <= self._low or width <= _NARROWEST:
            self.most *= 2  # that many are of one moment
        halfway = (self._crowd - self._low) / 2
        self._width = max(_NARROWEST, min(max(self._fitting, halfway), width / 2))

    @property
    def _margin(self) -> float:
        """How much before a window is read too.

        If a record had to lie in the window with its start and its end, those across two windows
        would be in neither.
        """
        is_safe = self._spans_start or self._spans_end
        return _EDGE if is_safe else max(_EDGE, 2 * self._longest)

    @property
    def _lead(self) -> float:
        """How much before is read too where there is no end, for records that began before."""
        return _EDGE if self._spans_start else max(_EDGE, 2 * self._longest)

    def _deliver(self, reading: Reading[M]) -> list[M]:
        items = _without_repeats(reading.pages)
        self._note_lengths(items)
        first, last = self._asked.start, self._asked.end
        if first is not None:
            self._spans_start |= any(item.start < first - _EDGE for item in items)
        if last is not None:
            self._spans_end |= any(item.end > last + _EDGE for item in items)
        fresh = self._given.take(item for item in items if item.end >= self._start)
        fresh.sort(key=_time)
        self.last_end = max([self.last_end, *(item.end for item in fresh)])
        return fresh

    def _note_lengths(self, items: Sequence[M]) -> None:
        self._longest = max([self._longest, *(item.end - item.start for item in items)])

    def _settle(self, at: float) -> None:
        """Note that what ends the overlap before this time can't come any more.

        It is late against the newest record, not against the clock: what is made of a recording,
        or after a standstill, is of long ago, and in order all the same.
        """
        newest = max(self.last_end, self._newest)
        self._settled = max(self._settled, min(at, newest) - self._overlap)
        self._given.forget(self._settled - max(self._margin, self._lead) - 2 * _EDGE)


class _Given(Generic[M]):
    """How often each record was given. Records have no id: times and words are all there is.

    A `Ledger` is for what comes by two ways, whose times differ; here it is REST alone, which tells
    them the same each time. And one record that ends in the far future must not keep all others.
    """

    def __init__(self) -> None:
        self._counts: dict[_Identity, int] = {}
        self._forgotten = -math.inf  # what ends at this time or before may have been given
        self._forget_at = _FEW  # records

    def __len__(self) -> int:
        return len(self._counts)

    def take(self, items: Iterable[M]) -> list[M]:
        """Return what of one reading is new: of each identity, as many more as there are now."""
        counts: dict[_Identity, int] = {}
        fresh: list[M] = []
        for item in items:
            if item.end <= self._forgotten:
                continue
            key = _identity(item)
            counts[key] = count = counts.get(key, 0) + 1
            if count > self._counts.get(key, 0):
                fresh.append(item)
                self._counts[key] = count
        return fresh

    def forget(self, before: float) -> None:
        """Forget what ends before this time, once it is worth looking for it."""
        if len(self._counts) <= self._forget_at:
            return
        for key in [key for key in self._counts if key[1] < before]:
            del self._counts[key]
            self._forgotten = max(self._forgotten, key[1])
        self._forget_at = max(_FEW, 2 * len(self._counts))


def _without_repeats(pages: Sequence[Sequence[M]]) -> list[M]:
    """Return the records of all pages; what a page has of a page before had moved onto it."""
    known: set[_Identity] = set()
    items: list[M] = []
    for page in pages:
        items += [item for item in page if _identity(item) not in known]
        known.update(map(_identity, page))
    return items


def _next_width(width: float, count: int, wanted: float) -> float:
    fits = wanted / count if count else _STEP
    return max(_NARROWEST, width * min(_STEP, max(1 / _STEP, fits)))


def _bound(at: float) -> float | None:
    return None if at == -math.inf else round(max(0.0, at), 6)


def _identity(record: Any) -> _Identity:
    return record.start, record.end, record.text


def _time(record: Any) -> tuple[float, float]:
    return record.start, record.end
