"""A client that recovers, as pure as the service: the order of steps, and nothing else."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import attrs

from rtstream_async.protocol.paging import ByNumber, Given
from rtstream_async.protocol.recovery import Found, Push, Track, Window
from tests.protocol.recovery.world import Loop, Record, Said, Service, World

__all__ = ["Client", "Outcome", "Policy", "simulate"]

Steps = Generator[float, None, Any]
"""What takes time: yields how long it waits, in seconds."""

_LONGEST_SEGMENT = 60.0  # seconds that a list in order of time is asked for in addition


class CallFailedError(Exception):
    """A page could not be had."""


@attrs.frozen(kw_only=True)
class Policy:
    """What the client does; each mutant is another one."""

    name: str = "as it is"
    settings: Mapping[str, float] = attrs.field(factory=dict)  #: where other than the world's
    track: type[Track[Said]] = Track
    rearms: str = "first"  #: or `last`: when all is read
    holds: bool = True
    looks_again: bool = True
    corrects_clock: bool = True
    retries: bool = True
    is_sifting: bool = True
    sources: Callable[[int], int] = int  #: how many the track is told of, given how many there are


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of one run."""

    sent: int
    lost: int
    duplicated: int
    disordered: int  #: recovered messages that came after newer ones that were held
    foreign: int  #: messages from before the client armed anything
    unannounced: int  #: lost ones that lie in no window that was given up
    remembered: int  #: the most records that were remembered at once

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.duplicated or self.disordered or self.foreign)


class Client:
    """Drives a track through one world."""

    def __init__(self, world: World, policy: Policy) -> None:
        self.world = world
        self.policy = policy
        self.settings = attrs.evolve(world.settings, **policy.settings)
        self.loop = Loop()
        self.service = Service(world, self.loop, self._hear)
        self.rng = random.Random(world.seed + 2)
        self.given: list[Said] = []
        self.given_up: list[Window] = []
        self.disordered = 0
        self.remembered = 0
        self.skew = 0.0  # how much the service's clock seems to be ahead
        self.connection = 0
        self.is_deaf = True
        self.heard_at = 0.0  # the client's clock
        self.line = 0.0  # when the last frame that was sent arrives
        self.turn = 0  # of the recovery that runs; an older one is cancelled
        self.is_polling = False
        self.newest_heard = 0.0  # start, of what was given live since the new connection
        self.track: Track[Said]
        self.loop.at(world.begin, self._arm)
        for outage in world.outages:
            self.loop.at(outage.at, lambda one=outage: self._lose(one.unseen, one.away))

    @property
    def clock(self) -> float:
        return self.loop.now - self.world.skew

    def now(self) -> float:
        return self.clock + self.skew

    def _arm(self) -> None:
        self._look_at_date()
        self.is_deaf = False
        self.heard_at = self.clock
        for source in self.service.sources.values():
            source.armed = self.connection
        self.track = self.policy.track(
            since=self.now(),
            settings=self.settings,
            sources=self.policy.sources(len(self.service.sources)),
        )

    def _look_at_date(self) -> None:
        if self.policy.corrects_clock:
            self.skew = self.service.date() + 0.5 - self.clock

    def _hear(self, connection: int, message: Said) -> None:
        delay = self.rng.uniform(0.0, 0.05)
        # In one socket, nothing overtakes.
        self.line = max(self.line, self.loop.now + delay)
        self.loop.at(self.line, lambda: self._take(connection, message))

    def _take(self, connection: int, message: Said) -> None:
        if self.is_deaf or connection != self.connection:
            return
        self.heard_at = self.clock
        verdict = self.track.push(message, self.clock - message.end)
        self._measure()
        if verdict is Push.DELIVER:
            self.given.append(message)
            self.newest_heard = max(self.newest_heard, message.start)

    def _lose(self, unseen: float, away: float) -> None:
        self.is_deaf = True
        self.turn += 1  # what was being recovered is cut off
        turn = self.turn
        heard_at = self.heard_at

        def notice() -> None:
            self.track.lost(heard_at + self.skew)

        def return_() -> None:
            if turn == self.turn:
                self.connection += 1
                self.is_deaf = False
                self.heard_at = self.clock
                self._spawn(self._recover(), turn)

        self.loop.after(min(unseen, away), notice)
        self.loop.after(unseen + away, return_)

    def _spawn(self, steps: Steps, turn: int | None = None) -> None:
        def step() -> None:
            if turn is not None and turn != self.turn:
                return
            try:
                delay = next(steps)
            except StopIteration:
                return
            self.loop.after(delay, step)

        self.loop.after(0.0, step)

    def _recover(self) -> Steps:
        policy, track = self.policy, self.track
        yield self.rng.uniform(0.0, 0.5)
        if policy.holds:
            track.begin()
        self.newest_heard = 0.0
        if policy.rearms == "first":
            yield from self._rearm()
        found, window = yield from self._sweep(is_first=True)
        self._recovered(track.merge(found, window))
        self._begin_polling()
        wait = track.sweep_delay(self.skew) if policy.looks_again else 0.0
        while wait:
            yield wait
            found, window = yield from self._sweep(is_first=False)
            self._pour(track.late(found, window))
            wait = track.settle(self.now(), self.skew)
        if policy.rearms == "last":
            yield from self._rearm()

    def _rearm(self) -> Steps:
        for source in self.service.sources.values():
            yield self.rng.uniform(0.02, 0.6)
            self._look_at_date()
            source.armed = self.connection if source.can_rearm else None

    def _begin_polling(self) -> None:
        if not self.is_polling and not all(s.can_rearm for s in self.service.sources.values()):
            self.is_polling = self.track.is_polled = True
            self._spawn(self._poll())

    def _poll(self) -> Steps:
        track = self.track
        while True:
            window = track.poll_window(self.now(), self.skew)
            try:
                found = yield from self._read(window)
            except CallFailedError:
                pass
            else:
                self._pour(track.late(found, window))
            yield 5.0

    def _sweep(self, *, is_first: bool) -> Steps:
        """Read what is missing until it works."""
        while True:
            window, given_up = self.track.window(self.now(), self.skew)
            try:
                found = yield from self._read(window)
            except CallFailedError:
                if is_first:
                    self._pour(self.track.let_go())
                    self.newest_heard = math.inf  # a failure excuses the order
                if not self.policy.retries:
                    return [], window
                yield self.rng.uniform(0.5, 4.0)
            else:
                if given_up is not None:
                    self.given_up.append(given_up)
                return found, window

    def _read(self, window: Window) -> Steps:
        found: list[Found[Said]] = []
        for source in self.service.sources:
            found += yield from self._read_source(source, window)
        return found

    def _read_source(self, source: str, window: Window) -> Steps:
        newest_first = self.world.is_newest_first
        since = None if newest_first else window.since - _LONGEST_SEGMENT
        place: ByNumber | None = ByNumber(
            page_size=self.world.page_size, since=since, end=window.until
        )
        given: Given | None = Given()
        records: list[Record] = []
        is_failing = self.rng.random() < self.world.failing and self.loop.now < self.world.calm
        fails_at = self.rng.randint(1, 3) if is_failing else None
        limit = self.settings.records
        while place is not None and given is not None:
            yield self.rng.uniform(0.02, 0.4)
            if place.page == fails_at:
                raise CallFailedError
            self._look_at_date()
            page, more = self.service.page(source, place)
            fresh, memory = given.sift([(one.start, one.end, one.text) for one in page])
            given = memory if self.policy.is_sifting else given
            taken = [page[n] for n in fresh]
            records += [one for one in taken if one.end > window.since]
            ends = [one.end for one in page]
            place = place.after(spans=[(one.start, one.end) for one in page], more=more)
            # What is in order of time is read to its end: the newest are worth more.
            if newest_first and ends and (ends[-1] <= window.since or len(records) >= limit):
                break
        records.sort(key=lambda one: one.end)
        if len(records) >= limit:
            records = records[-limit:]
            self.given_up.append(Window(since=window.since, until=records[0].end))
        return [
            Found(source=source, message=Said(one.start, one.end, one.text, "backfill"))
            for one in records
        ]

    def _recovered(self, messages: Sequence[Said]) -> None:
        starts = [one.start for one in messages]
        self.disordered += sum(a > b for a, b in itertools.pairwise(starts))
        if self.newest_heard != math.inf:
            self.disordered += sum(start < self.newest_heard for start in starts)
        self._pour(messages)

    def _pour(self, messages: Sequence[Said]) -> None:
        self.given.extend(messages)
        self._measure()

    def _measure(self) -> None:
        self.remembered = max(self.remembered, self.track.remembered)


def simulate(world: World, policy: Policy) -> Outcome:
    """Run a client through `world` to its end, and settle the accounts."""
    client = Client(world, policy)
    client.loop.run(world.end)
    ours = world.begin + 2.0  # the client knows the time to about a second

    def kind(start: float, text: str) -> tuple[int, str]:
        return round((start - world.phase) / world.length), text

    # Who made it can't be told: only how many say the same of the same time counts.
    records = [record for source in world.sources for record in source.records]
    stored = Counter(kind(one.start, one.text) for one in records)
    owed = Counter(kind(one.start, one.text) for one in records if one.end > ours)
    given = Counter(kind(one.start, one.text) for one in client.given)
    missing = owed - given
    ends = {kind(one.start, one.text): one.end for one in records}
    return Outcome(
        sent=owed.total(),
        lost=missing.total(),
        duplicated=(given - stored).total(),
        disordered=client.disordered,
        foreign=sum(
            one.end < world.begin - 3.0 for one in client.given if one.origin == "backfill"
        ),
        unannounced=sum(
            count
            for one, count in missing.items()
            if not any(w.since <= ends[one] <= w.until for w in client.given_up)
        ),
        remembered=client.remembered,
    )
