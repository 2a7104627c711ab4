"""A service, as far as recovery is concerned: what it makes, pushes and shows, and its faults.

All times are Unix seconds of the service's clock, unless they are said to be of the client's.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable, Sequence

import attrs

from rtstream_async.protocol.paging import ByNumber
from rtstream_async.protocol.recovery import RecoverySettings

__all__ = ["Loop", "Outage", "Record", "Said", "Service", "Source", "World", "make_world"]

BEGIN = 1_700_000_000.0
_MARGIN = 2.5  # seconds: two clocks that are known to about a second, and the network
_QUIET_END = 260.0  # seconds without faults, for the last recovery to end


class Loop:
    """A clock, and what is to happen when."""

    def __init__(self) -> None:
        self.now = BEGIN
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def at(self, when: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._due, (max(when, self.now), next(self._count), call))

    def after(self, delay: float, call: Callable[[], None]) -> None:
        self.at(self.now + delay, call)

    def run(self, until: float) -> None:
        while self._due and self._due[0][0] <= until:
            self.now, _, call = heapq.heappop(self._due)
            call()


@attrs.frozen
class Record:
    """What a source made of a stretch of time."""

    source: str
    number: int
    start: float
    end: float
    text: str
    made: float  #: when it was pushed
    shown: float  #: when REST shows it; may be before


@attrs.frozen
class Said:
    """A message that the client was given, pushed or read."""

    start: float
    end: float
    text: str
    origin: str = "push"


@attrs.frozen
class Outage:
    """The socket goes deaf; the client sees it later, and is back later still."""

    at: float
    unseen: float  #: seconds from then until the client notices
    away: float  #: seconds from then until it has a new connection id


@attrs.define
class Source:
    """One index or transcript."""

    name: str
    records: list[Record]
    can_rearm: bool
    armed: int | None = None  #: the connection id that it pushes to


@attrs.frozen(kw_only=True)
class World:
    """All that chance decides about one run."""

    seed: int
    begin: float  #: when the client armed the sources
    calm: float  #: from when on nothing goes wrong
    end: float  #: when everything has come to rest
    phase: float  #: when the first record starts
    length: float  #: seconds of each record
    skew: float  #: how much the service's clock is ahead of the client's
    sources: tuple[Source, ...]
    outages: tuple[Outage, ...]
    is_floored: bool  #: the socket's ms are cut off, not rounded
    is_newest_first: bool
    page_size: int
    retention: float  #: seconds
    failing: float  #: share of readings that fail
    repeating: float  #: share of frames that come twice
    settings: RecoverySettings


def make_world(seed: int) -> World:
    """Return the world of this seed."""
    rng = random.Random(seed)
    begin = BEGIN + 100.0 + rng.random()
    stop = begin + rng.choice((60.0, 120.0, 250.0))
    count = rng.choice((1, 1, 2, 2, 3))
    outages = _outages(rng, begin, stop)
    length = rng.choice((0.5, 1.0, 1.0, 3.0))
    phase = begin - rng.choice((0.0, 60.0)) + rng.random()  # older ones are none of the client's
    sources = _sources(rng, count, phase, length, range(int((stop - phase) / length)))
    at_rest = max([stop, *(one.at + one.unseen + one.away for one in outages)])
    return World(
        seed=seed,
        begin=begin,
        calm=at_rest,
        end=at_rest + _QUIET_END,
        skew=rng.choice((0.0, rng.uniform(-40, 40), rng.uniform(-2, 2))),
        phase=phase,
        length=length,
        sources=sources,
        outages=outages,
        is_floored=rng.random() < 0.5,
        is_newest_first=rng.random() < 0.7,
        page_size=max(3, round(rng.choice((4, 10, 40)) / length)),
        retention=rng.choice((math.inf, 400.0)),
        failing=rng.choice((0.0, 0.1, 0.5)),
        # With two sources, a frame that comes twice and two records look the same.
        repeating=rng.choice((0.0, 0.1)) if count == 1 else 0.0,
        settings=_no_more_than_promised(sources) if rng.random() < 0.5 else RecoverySettings(),
    )


def _no_more_than_promised(sources: Sequence[Source]) -> RecoverySettings:
    """Return the least that must do: the spread of the lateness, and the greatest there is."""
    late = [one.made - one.end for source in sources for one in source.records]
    shown = [one.shown - one.end for source in sources for one in source.records]
    return RecoverySettings(
        overlap=max(late) - min(late) + _MARGIN, sweep_delay=max(*late, *shown) + _MARGIN
    )


def _outages(rng: random.Random, begin: float, stop: float) -> tuple[Outage, ...]:
    outages = []
    at = begin + rng.choice((rng.uniform(0, 10), rng.uniform(20, 150)))
    while at < stop and len(outages) < 8:
        away = rng.choice((rng.uniform(0.05, 1), rng.uniform(1, 10), rng.uniform(10, 50)))
        outages.append(Outage(at, rng.choice((0.0, rng.uniform(0, 6))), away))
        # Many a loss comes while the one before is still being recovered.
        at += rng.choice((rng.uniform(0.05, 2), rng.uniform(1, 8), rng.uniform(5, 90)))
    return tuple(outages)


def _sources(
    rng: random.Random, count: int, phase: float, length: float, numbers: range
) -> tuple[Source, ...]:
    vocabulary = ["nothing", "a person", "a parcel"][: rng.choice((1, 2, 3))]
    are_alike = rng.random() < 0.6  # and so say the same, about as late
    spoken = [rng.choice(vocabulary) for _ in numbers]
    least = rng.choice((0.2, 2.0, 45.0))
    sources = []
    for name in "abc"[:count]:
        lateness = _lateness(rng, least if are_alike else rng.choice((0.2, 2.0, 45.0)))
        records = []
        for number in numbers:
            if rng.random() < 0.1:
                continue
            start = round(phase + number * length + rng.choice((0, 0, 1e-6)), 6)
            end = round(start + length, 6)
            text = spoken[number] if rng.random() < 0.7 else rng.choice(vocabulary)
            made = end + lateness()
            shown = made + rng.choice((0.0, rng.uniform(-2, 0), rng.uniform(0, 4)))
            text = text if are_alike else f"{name}: {text}"
            records.append(Record(name, number, start, end, text, made, shown))
        sources.append(Source(name, records, can_rearm=rng.random() < 0.7))
    return tuple(sources)


def _lateness(rng: random.Random, least: float) -> Callable[[], float]:
    """Return how late results come: mostly about the same, and now and then much later."""
    usual = rng.choice((0.3, 2.0))
    tail = rng.choice((0.0, 0.05, 0.2))

    def late() -> float:
        extra = rng.random() * usual
        if rng.random() < tail:
            extra += min(22.0, rng.paretovariate(0.8))
        return least + extra

    return late


class Service:
    """Pushes to whatever connection id it was given, and shows its records page by page."""

    def __init__(self, world: World, loop: Loop, hear: Callable[[int, Said], None]) -> None:
        self._world = world
        self._loop = loop
        self._rng = random.Random(world.seed + 1)
        self.sources = {one.name: attrs.evolve(one) for one in world.sources}
        self._listed = {
            one.name: sorted(
                one.records, key=lambda one: (one.start, one.end), reverse=world.is_newest_first
            )
            for one in world.sources
        }
        for source in self.sources.values():
            for record in source.records:
                loop.at(record.made, lambda r=record, s=source: self._push(s, r, hear))

    def _push(self, source: Source, record: Record, hear: Callable[[int, Said], None]) -> None:
        connection = source.armed
        if connection is None:
            return
        message = Said(self._on_socket(record.start), self._on_socket(record.end), record.text)
        hear(connection, message)
        if self._rng.random() < self._world.repeating:
            hear(connection, message)

    def _on_socket(self, time: float) -> float:
        ms = time * 1e3
        return (math.floor(ms) if self._world.is_floored else round(ms)) / 1e3

    def page(self, source: str, place: ByNumber) -> tuple[Sequence[Record], bool]:
        """Return a page as it is now, and whether there is another."""
        now = self._loop.now
        since = max(now - self._world.retention, place.since or 0.0)
        until = math.inf if place.end is None else place.end
        shown = [r for r in self._listed[source] if r.shown <= now and since < r.end <= until]
        first = (place.page - 1) * place.page_size
        return shown[first : first + place.page_size], first + place.page_size < len(shown)

    def date(self) -> float:
        """Return what the Date header of an answer says."""
        return float(math.floor(self._loop.now))
