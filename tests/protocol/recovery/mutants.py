"""Clients that get one thing wrong each: every one of them must be caught by the simulation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from rtstream_async.protocol.ledger import Ledger
from rtstream_async.protocol.recovery import Found, Push, Track, Window
from tests.protocol.recovery.client import Policy
from tests.protocol.recovery.world import Said

__all__ = ["MUTANTS", "REAL"]

REAL = Policy()


class _FromArrival(Track[Said]):
    """Reads back from when something was received last, as if that were what it is about."""

    __slots__ = ("arrived",)
    arrived: float

    def push(self, message: Said, late: float) -> Push:
        if self.gap_since is None:
            self.arrived = message.end + late
        return super().push(message, late)

    def window(self, now: float, skew: float) -> tuple[Window, Window | None]:
        window, given_up = super().window(now, skew)
        since = getattr(self, "arrived", self.since - skew) + skew - self.overlap()
        return attrs.evolve(window, since=max(window.since, since)), given_up


class _FromLastEnd(Track[Said]):
    """Reads back from the newest record there is now, and not from the one before the loss."""

    __slots__ = ()

    def window(self, now: float, skew: float) -> tuple[Window, Window | None]:
        window, given_up = super().window(now, skew)
        return attrs.evolve(
            window, since=max(window.since, self.last_end - self.overlap())
        ), given_up


class _Forgetful(Track[Said]):
    """Forgets between two gaps what it delivered."""

    __slots__ = ()

    def begin(self) -> None:
        self._ledger = None
        self._memory.take()
        super().begin()


class _Hasty(Track[Said]):
    """Counts no more once the gap is settled, though REST showed what is pushed only later."""

    __slots__ = ()

    def settle(self, now: float, skew: float) -> float:
        wait = super().settle(now, skew)
        if not wait and self._ledger is not None and not self.is_holding:
            self._uncount(self._ledger)
        return wait


class _Second(Track[Said]):
    """Takes the second of two losses for the only one."""

    __slots__ = ()

    def lost(self, at: float) -> None:
        is_first = not self._readings.are_needed
        self._readings.give_up()
        super().lost(at)
        if not is_first:
            self._readings._doubt.newest = math.inf


class _Careless(Track[Said]):
    """Releases what was held without asking whether it was delivered."""

    __slots__ = ()

    def let_go(self) -> list[Said]:
        held = [one for one, _ in self._held]
        return [one for one in held if one not in super(_Careless, self).let_go()] + held


class _Twice(Track[Said]):
    """Delivers what REST showed of what is pushed later: pushes are not looked at."""

    __slots__ = ()

    def push(self, message: Said, late: float) -> Push:
        verdict = super().push(message, late)
        return Push.DELIVER if verdict is Push.REPEAT else verdict


class _PushBlind(Track[Said]):
    """Does not count what was pushed: everything that is read is new."""

    __slots__ = ()

    def merge(self, found: Sequence[Found[Said]], window: Window) -> list[Said]:
        self._ledger = None
        self._memory.take()
        return super().merge(found, window)


class _MaxLedger(Ledger):
    """Counts what is stored by the greatest of the sources, and not by all of them."""

    def store(self, found: Sequence[Found[Said]]) -> list[Said]:
        return super().store([attrs.evolve(one, source="all") for one in _largest(found)])


class _ByMax(Track[Said]):
    __slots__ = ()

    def _count(self) -> Ledger:
        ledger = super()._count()
        ledger.__class__ = _MaxLedger
        return ledger


def _largest(found: Sequence[Found[Said]]) -> list[Found[Said]]:
    kept: dict[tuple[int, str], Found[Said]] = {}
    for one in found:
        kept.setdefault((round(one.message.start * 100), one.message.text), one)
    return list(kept.values())


class _OneIndex(Track[Said]):
    """Reads the history of the first index only."""

    __slots__ = ()

    def merge(self, found: Sequence[Found[Said]], window: Window) -> list[Said]:
        return super().merge([one for one in found if one.source == "a"], window)

    def late(self, found: Sequence[Found[Said]], window: Window) -> list[Said]:
        return super().late([one for one in found if one.source == "a"], window)


class _Unsorted(Track[Said]):
    """Gives what was held before what was missed."""

    __slots__ = ()

    def merge(self, found: Sequence[Found[Said]], window: Window) -> list[Said]:
        return sorted(super().merge(found, window), key=lambda one: one.origin, reverse=True)


def _mutant(name: str, **changes: object) -> Policy:
    return attrs.evolve(REAL, name=name, **changes)


MUTANTS: tuple[Policy, ...] = (
    _mutant("no overlap", settings={"overlap": 0.0}),
    _mutant("from when something was received last", track=_FromArrival),
    _mutant("from the newest record by now", track=_FromLastEnd),
    _mutant("one sweep only", looks_again=False),
    _mutant("second sweep at once", settings={"sweep_delay": 0.01}),
    _mutant("armed again when all is read", rearms="last"),
    _mutant("nothing is held", holds=False),
    _mutant("what was held is not compared", track=_Careless),
    _mutant("what was held comes first", track=_Unsorted),
    _mutant("clock not corrected", corrects_clock=False),
    _mutant("times compared exactly", settings={"tolerance": 1e-7}),
    _mutant("times compared in whole ms", settings={"tolerance": 0.0003}),
    _mutant("times not compared", settings={"tolerance": 5.0}),
    _mutant("a set, not a multiset", sources=lambda count: 1, track=_ByMax),
    _mutant("stored by the most, not the sum", track=_ByMax),
    _mutant("one index for all", track=_OneIndex),
    _mutant("a failed sweep closes the gap", retries=False),
    _mutant("a second loss hides the first", track=_Second),
    _mutant("what was delivered is forgotten", track=_Forgetful),
    _mutant("pushes are not counted", track=_PushBlind),
    _mutant("pushes are not compared", track=_Twice),
    _mutant("counting ends with the second sweep", track=_Hasty),
    _mutant("frames that come twice are two", sources=lambda count: 0 if count == 1 else count),
    _mutant("pages that shift are read twice", is_sifting=False),
)
"""Each gets one thing wrong."""
