"""What was delivered, as counts: records have no id, and two indexes may say the same.

A record is known by its text and its times. The socket has milliseconds where REST has
microseconds, so times are the same within a tolerance. Of each such identity, as many are delivered
as there are: the greater of how often it was pushed and how often it is stored, counted over all
that make records, since a frame does not say what made it.
"""

from __future__ import annotations

import bisect
import heapq
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from struct import Struct
from typing import Any, Final, Generic, Protocol, TypeVar

import attrs

__all__ = ["AHEAD", "Found", "Ledger", "Memory", "Timed", "pack_row"]

AHEAD: Final = 60.0
"""Seconds: what ends so much later than now was given a wrong time, and nothing follows from it."""


_ROW: Final = Struct("ddq")
_NOTHING: Final = bytearray()  # shared, and never changed
_LOT: Final = 16  # records

pack_row: Final = _ROW.pack
"""Returns the row of a record, 24 bytes, of its start, its end and the hash of its text."""


class Timed(Protocol):
    """A message, or a record, that is about a stretch of time; Unix seconds."""

    @property
    def start(self) -> float:
        """When it begins."""
        ...

    @property
    def end(self) -> float:
        """When it ends."""
        ...

    @property
    def text(self) -> str:
        """What it says."""
        ...


M = TypeVar("M", bound=Any)  # a `Timed`: the common class of all messages has no times


@attrs.frozen(kw_only=True)
class Found(Generic[M]):
    """A record that REST gave, as a message."""

    source: str  #: which index or transcript it is of
    message: M


_SLOT = 32  # tolerances: so wide that looking at the next one too is rare
_EDGE = 2 / _SLOT  # more than a tolerance, so that rounding does no harm
_NOBODY: Final[Mapping[str, int]] = {}  # shared, and never changed
_ALIKE = 1024  # counts by source that entries share


class _Entry:
    """One identity, and how often it came by which way."""

    __slots__ = ("digest", "end", "given", "pushed", "start", "stored")

    def __init__(self, start: float, end: float, digest: int) -> None:
        self.start = start
        self.end = end
        self.digest = digest
        self.given = 0
        self.pushed = 0
        self.stored: Mapping[str, int] = _NOBODY  # by source: the most that one reading showed

    def __lt__(self, other: _Entry) -> bool:
        return self.end < other.end


class Ledger:
    """How often each record was pushed, is stored, and was delivered.

    What is old enough not to be asked for is kept as 24 bytes each, and counted again if it is.

    Attributes:
        forgotten: What ends at this time or before may have been delivered, and is not known any
            more; Unix seconds, and never after `now`.
        now: The service's time as of late, Unix seconds; set by who knows it.
        shown: The greatest end of what REST showed, unless it is ahead; Unix seconds.
    """

    def __init__(self, rows: bytearray, *, tolerance: float, limit: int, forgotten: float) -> None:
        """Know what was delivered by push so far.

        Args:
            rows: What a `Memory` has of each record.
            tolerance: Times are the same within so many seconds.
            limit: The most records that are remembered.
            forgotten: What ends at this time or before is none of ours.
        """
        self.forgotten = forgotten
        self.now = math.inf
        self.shown = -math.inf
        self._tolerance = tolerance
        self._width = _SLOT * tolerance
        self._limit = limit
        self._buckets: dict[tuple[int, int], list[_Entry]] = {}
        self._order: list[_Entry] = []  # a heap: what ends first is first
        self._latest = -math.inf  # the greatest end of an entry, or more
        self._cold = rows  # what is not in `_order`, the oldest first by and large
        self._cold_until = math.inf if rows else -math.inf  # the greatest end there, or more

    def __len__(self) -> int:
        return len(self._order) + len(self._cold) // _ROW.size

    @property
    def counted(self) -> int:
        """How many records are not kept small."""
        return len(self._order)

    def push(self, message: Timed, *, sources: int) -> bool:
        """Note that `message` was pushed; return whether it is to be delivered.

        Args:
            message: What was pushed.
            sources: How many push; 0: that is not known.
        """
        self._warm(message.end)
        entry = self._entry(message.start, message.end, hash(message.text))
        if entry.pushed >= sources > 0 and entry.pushed >= sum(entry.stored.values()):
            return False
        entry.pushed += 1
        if entry.pushed <= entry.given:
            return False
        entry.given += 1
        return True

    def store(self, found: Sequence[Found[M]]) -> list[M]:
        """Note what one reading of REST showed; return what is to be delivered of it, as found."""
        shown: dict[_Entry, dict[str, list[int]]] = {}
        self._warm(min((one.message.end for one in found), default=math.inf))
        for place, one in enumerate(found):
            message = one.message
            if message.end <= self.forgotten:
                continue
            if message.end <= self.now + AHEAD:
                self.shown = max(self.shown, message.end)
            entry = self._entry(message.start, message.end, hash(message.text))
            shown.setdefault(entry, {}).setdefault(one.source, []).append(place)
        fresh: list[int] = []
        for entry, by_source in shown.items():
            fresh += _grow(entry, by_source)
        return [found[place].message for place in sorted(fresh)]

    def prune(self, before: float, *, cold: float = -math.inf) -> None:
        """Forget what ends before this time, and of too many what ends first.

        What is ahead is forgotten before all else: it must not push out what is of now.

        Args:
            before: Unix seconds.
            cold: What ends before is kept small; Unix seconds.
        """
        if len(self) > self._limit and self._latest > self.now + AHEAD:
            self._drop_ahead()
        order, rows = self._order, self._cold
        cold, before = min(cold, self.now), min(before, self.now)
        while order and order[0].end < cold:
            entry = self._pop()
            rows += pack_row(entry.start, entry.end, entry.digest) * entry.given
            self._cold_until = max(self._cold_until, entry.end)
        while rows and ((end := _ROW.unpack_from(rows)[1]) < before or len(self) > self._limit):
            del rows[: _ROW.size]  # from the front: that moves nothing
            self._forget(end)
        while order and (order[0].end < before or len(self) > self._limit):
            self._forget(self._pop().end)

    def rows(self) -> bytearray:
        """Return what was delivered."""
        rows = bytearray(self._cold)
        for entry in self._order:
            rows += pack_row(entry.start, entry.end, entry.digest) * entry.given
        return rows

    def _warm(self, end: float) -> None:
        """Count what ends at this time or later, if it was cold."""
        since = end - self._tolerance
        if since > self._cold_until:
            return
        rows, until = bytearray(), -math.inf
        for row in _ROW.iter_unpack(self._cold):
            if row[1] < since:
                rows += pack_row(*row)
                until = max(until, row[1])
            else:
                entry = self._entry(*row)
                entry.pushed += 1
                entry.given += 1
        self._cold, self._cold_until = rows, until

    def _pop(self) -> _Entry:
        """Remove the entry that ends first, and return it."""
        entry = heapq.heappop(self._order)
        self._drop(entry)
        return entry

    def _forget(self, end: float) -> None:
        """Note that a record with this end is not known any more."""
        if end <= self.now + AHEAD:
            self.forgotten = max(self.forgotten, min(end, self.now))

    def _entry(self, start: float, end: float, digest: int) -> _Entry:
        """Return the entry of a record, a new one if there is none."""
        place = start / self._width
        slot = math.floor(place)
        for near in self._near(place, slot):
            for entry in self._buckets.get((digest, near), ()):
                if (
                    abs(entry.start - start) <= self._tolerance
                    and abs(entry.end - end) <= self._tolerance
                ):
                    return entry
        entry = _Entry(start, end, digest)
        self._buckets.setdefault((digest, slot), []).append(entry)
        heapq.heappush(self._order, entry)
        self._latest = max(self._latest, end)
        return entry

    def _drop_ahead(self) -> None:
        """Forget what is ahead, the farthest first, with some room to spare.

        Nothing follows from that: if it is shown again, it is delivered again.
        """
        order = sorted(self._order)
        of_now = bisect.bisect_right(order, self.now + AHEAD, key=_end)
        kept = max(of_now, self._limit * 3 // 4 - len(self._cold) // _ROW.size)
        for entry in order[kept:]:
            self._drop(entry)
        self._order = order[:kept]  # what is sorted is a heap
        self._latest = self._order[-1].end if self._order else -math.inf

    def _drop(self, entry: _Entry) -> None:
        key = self._key(entry.start, entry.digest)
        bucket = self._buckets[key]
        bucket.remove(entry)
        if not bucket:
            del self._buckets[key]

    def _near(self, place: float, slot: int) -> tuple[int, ...]:
        """Return the slots of time that may have the same record: mostly one."""
        into = place - slot
        if into < _EDGE:
            return slot, slot - 1
        return (slot, slot + 1) if into > 1 - _EDGE else (slot,)

    def _key(self, start: float, digest: int) -> tuple[int, int]:
        return digest, math.floor(start / self._width)


@lru_cache(maxsize=_ALIKE)
def _counts(*of: tuple[str, int]) -> Mapping[str, int]:
    """Return what each source has: one object for all alike, as it is larger than an entry."""
    return dict(of)


def _end(entry: _Entry) -> float:
    return entry.end


def _grow(entry: _Entry, by_source: dict[str, list[int]]) -> list[int]:
    """Take in how often each source has this record; return which of them are new."""
    grown: list[int] = []
    for source, places in by_source.items():
        known = entry.stored.get(source, 0)
        if len(places) > known:
            entry.stored = _counts(*{**entry.stored, source: len(places)}.items())
            grown += places[known:]
    missing = sum(entry.stored.values()) - entry.given
    if missing <= 0:
        return []
    entry.given += missing
    return grown[-missing:]


class Memory:
    """What was delivered while nothing is missing: 24 bytes each, and cheap to add to.

    It is forgotten by the lot: looking at each one's age would cost more than remembering it.

    Attributes:
        rows: The latest records, as `pack_row()` packs them; append to it, and `turn()` when due.
        due: So many bytes of `rows` make a lot.
        forgotten: What ends at this time or before may be forgotten, or is none of ours.
    """

    __slots__ = ("_counted", "_limit", "_older", "_since", "_span", "due", "forgotten", "rows")

    def __init__(self, *, since: float, span: float, limit: int) -> None:
        """Remember nothing yet.

        Args:
            since: What ends before is none of ours; Unix seconds.
            span: How long before the newest record all are remembered; seconds.
            limit: The most records that are remembered for sure.
        """
        self.rows = bytearray()
        self.due = _LOT * _ROW.size
        self.forgotten = since
        self._since = since  # what `_older` has ends before
        self._span = span
        self._limit = limit
        self._older = _NOTHING
        self._counted = 0  # bytes of `rows`

    def __len__(self) -> int:
        return (len(self._older) + len(self.rows)) // _ROW.size

    def turn(self, newest: float) -> int:
        """Forget what is old; return how many records were added since the last time.

        Args:
            newest: The greatest end of a record; Unix seconds.
        """
        count = (len(self.rows) - self._counted) // _ROW.size
        if newest - self._since > self._span or len(self.rows) >= self._limit * _ROW.size:
            self.forgotten, self._since = self._since, newest
            self._older, self.rows = self.rows, bytearray()
        self._begin_lot()
        return count

    def take(self) -> bytearray:
        """Return a row for each record, and forget them."""
        rows = self._older + self.rows
        self._older, self.rows = _NOTHING, bytearray()
        self._begin_lot()
        return rows

    def give_back(self, rows: bytearray, *, newest: float, forgotten: float) -> None:
        """Remember these again; the arguments are as elsewhere."""
        self._older, self._since, self.forgotten = rows, newest, forgotten

    def _begin_lot(self) -> None:
        self._counted = len(self.rows)
        self.due = self._counted + _LOT * _ROW.size
