"""What was delivered of one stream and channel, and so what is missing after a loss.

```text
push ... lost -> begin -> window -> merge ... window -> late -> settle ... push
                 (hold)   (read)   (release)  (read again)
```

While nothing is missing, a `Track` only remembers. From a loss on, it counts: each record that was
pushed or read over REST is delivered as often as there are of it. How far back is read follows from
how late results come, and not from any clock: what is missing ends at most the spread of the
lateness before the newest record that was delivered.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

from rtstream_async.protocol.lateness import LONGEST_OVERLAP, Lateness
from rtstream_async.protocol.ledger import AHEAD, Found, Ledger, Memory, Timed, pack_row
from rtstream_async.protocol.readings import CLOCK_ERROR, Readings, RecoverySettings, Window

__all__ = ["Found", "Push", "RecoverySettings", "Timed", "Track", "Window"]

M = TypeVar("M", bound=Any)  # a `Timed`: the common class of all messages has no times


class Push(enum.Enum):
    """What is to become of a message that was pushed."""

    DELIVER = "DELIVER"
    HOLD = "HOLD"  #: the track keeps it, and gives it back by `merge()` or `let_go()`
    REPEAT = "REPEAT"  #: it was delivered already


_DELIVER: Final = Push.DELIVER  # a member of an enumeration is slow to look up

_COUNTED = 2.0  # overlaps: what is read again lies within one of them, and mostly within one more
_STEADY = 20.0  # seconds between two polls; after more, when a result came is not known
_REMEMBERED = 1.5  # of the longest overlap: a loss may be noted late


class Track(Generic[M]):
    """What was delivered of one stream and channel.

    Attributes:
        since: Records that end before are none of ours; Unix seconds of the service's clock.
        last_end: The greatest end of a record so far, `since` before the first; Unix seconds. A
            record that ends well after now has a wrong time, and is none.
        gap_since: Since when messages may be missing, by the service's clock; `None`: no gap.
        is_holding: Pushed messages are held.
        is_polled: Somebody polls it, besides what may be pushed; set by who does.
        repeats: How many pushed messages were taken out because they had been delivered.
    """

    __slots__ = (
        "_held",
        "_is_lost_again",
        "_last",
        "_lateness",
        "_ledger",
        "_memory",
        "_now",
        "_readings",
        "_settings",
        "_skew",
        "_soonest",
        "_sources",
        "_span",
        "gap_since",
        "is_holding",
        "is_polled",
        "last_end",
        "repeats",
        "since",
    )

    _now: float  # of the service's clock, as of late
    _skew: float
    _soonest: float

    def __init__(
        self,
        *,
        since: float,
        settings: RecoverySettings,
        sources: int = 1,
        skew: float = 0.0,
    ) -> None:
        """Expect everything that ends from `since` on.

        Args:
            since: When it was armed; Unix seconds of the service's clock.
            settings: Bounds and delays.
            sources: How many pipelines push to it; 0: that is not known.
            skew: How much the service's clock is ahead of the local one; seconds.
        """
        self.since = self.last_end = since
        self.gap_since: float | None = None
        self.is_holding = False
        self.is_polled = False
        self.repeats = 0
        self._settings = settings
        self._tell_time(since, skew)
        self._sources = sources
        self._span = _REMEMBERED * max(LONGEST_OVERLAP, settings.overlap or 0.0)
        self._lateness = Lateness(since)
        self._readings = Readings(since=since, settings=settings, lateness=self._lateness)
        self._memory = Memory(since=since - CLOCK_ERROR, span=self._span, limit=settings.records)
        self._ledger: Ledger | None = None  # only while it counts
        self._last = b""  # the row of what was pushed last
        self._held: list[tuple[M, bool]] = []  # and whether it counts as a record
        self._is_lost_again = False

    @property
    def sources(self) -> int:
        """How many pipelines push to it; 0: that is not known."""
        return self._sources

    @sources.setter
    def sources(self, sources: int) -> None:
        if sources > self._sources:
            self._lateness.unlearn(self.last_end)
        self._sources = sources

    def push(self, message: M, late: float) -> Push:
        """Take a message that was pushed; return what is to become of it.

        Args:
            message: A whole one: a partial transcript goes to `hold()`.
            late: Seconds from its end until it was received, by the local clock.
        """
        if self._ledger is not None:
            return self._push_counted(message, late, self._ledger)
        end = message.end
        row = pack_row(message.start, end, hash(message.text))
        if row == self._last and self._sources == 1:  # of two sources it may be two records
            self.repeats += 1
            return Push.REPEAT
        self._last = row
        memory = self._memory
        rows = memory.rows
        rows += row
        lateness = self._lateness
        if late >= lateness.shortest or late >= self._soonest:  # else it is ahead
            if late < lateness.shortest:  # noqa: PLR1730 - for every message: `min()` takes longer
                lateness.shortest = late
            if late > lateness.longest:  # noqa: PLR1730 - likewise
                lateness.longest = late
            if end > self.last_end:  # noqa: PLR1730 - likewise
                self.last_end = end
        if len(rows) >= memory.due:
            self._turn()
        return _DELIVER

    def hold(self, message: M) -> bool:
        """Return whether a message that is no record, such as a partial transcript, is held."""
        if self.is_holding and len(self._held) < self._settings.held:
            self._held.append((message, False))
            return True
        return False

    def lost(self, at: float) -> None:
        """Note that what is pushed is not heard since `at`, by the service's clock."""
        self._is_lost_again = True
        if self.gap_since is None:
            self.gap_since = at
        self._readings.lost(at, self.last_end, is_polled=self.is_polled)

    def begin(self) -> None:
        """Hold what is pushed from now on: REST is going to be read."""
        self._count()
        self.is_holding = True
        self._is_lost_again = False

    def window(self, now: float, skew: float) -> tuple[Window, Window | None]:
        """Return what to read over REST now, and what is given up for being too far back.

        Args:
            now: Unix seconds of the service's clock.
            skew: How much the service's clock is ahead of the local one; seconds.
        """
        self._tell_time(now, skew)
        return self._readings.window(now, skew, newest=self.last_end, forgotten=self._forgotten)

    def poll_window(self, now: float, skew: float) -> Window:
        """Return what a poll reads now; the arguments are those of `window()`."""
        self._tell_time(now, skew)
        return self._readings.poll_window(
            now, skew, newest=self.last_end, forgotten=self._forgotten
        )

    def merge(self, found: Sequence[Found[M]], window: Window) -> list[M]:
        """Return what was not delivered yet, found or held, in order of time; hold no longer.

        The gap is closed, unless there was another loss since `begin()`.

        Args:
            found: What REST has, in any order.
            window: What was asked for, as `window()` gave it.
        """
        messages = self.let_go() + self._store(found)
        messages.sort(key=_time)
        if self._is_lost_again:
            self._readings.read(window)
        else:
            self._readings.merged(window)
            self.gap_since = None
        return messages

    def late(self, found: Sequence[Found[M]], window: Window) -> list[M]:
        """Return what was not delivered yet of what REST gave, in order of time.

        For each reading but the first after a loss: another look, or a poll.

        Args:
            found: What REST has, in any order.
            window: What was asked for, as `window()` gave it; more may have been read.
        """
        newest = self.last_end
        is_steady = self.is_polled and window.until - self._readings.read_at <= _STEADY
        messages = self._store(found)
        self._readings.read(window)
        messages.sort(key=_time)
        if messages:
            behind = newest - min(message.end for message in messages)
            self._lateness.behind = max(self._lateness.behind, behind)
        if is_steady:
            for message in messages:
                self._lateness.note(window.until - self._skew - message.end, message.end)
        return messages

    def let_go(self) -> list[M]:
        """Return what was held, as it came, and hold no longer; a gap stays open."""
        held, self._held = self._held, []
        self.is_holding = False
        ledger = self._count()
        return [one for one, counts in held if not counts or self._admit(one, ledger)]

    def give_up(self) -> list[M]:
        """Return what was held, as it came; what is missing is not looked for any more."""
        held = self.let_go()
        self.gap_since = None
        self._readings.give_up()
        return held

    def settle(self, now: float, skew: float) -> float:
        """Return how long until REST is to be read once more; 0: nothing is missing any more.

        To be asked after each reading but the first: what is pushed meanwhile may show that
        results come later than was thought.

        Args:
            now: Unix seconds of the service's clock.
            skew: How much the service's clock is ahead of the local one; seconds.
        """
        return 0.0 if self.gap_since is not None else self._readings.due(now, skew)

    def overlap(self) -> float:
        """Return how far before the newest record REST is read; seconds."""
        return self._readings.overlap()

    def sweep_delay(self, skew: float) -> float:
        """Return how long after the first reading REST is to be read again; seconds."""
        return self._readings.delay(skew)

    @property
    def remembered(self) -> int:
        """How many records are remembered."""
        remembered = self._memory if self._ledger is None else self._ledger
        return len(remembered) + len(self._held)

    @property
    def _forgotten(self) -> float:
        remembered = self._memory if self._ledger is None else self._ledger
        return remembered.forgotten

    def _push_counted(self, message: M, late: float, ledger: Ledger) -> Push:
        if late >= self._soonest:
            self._lateness.note(late, message.end)
            self._now = message.end + late + self._skew
        if self.is_holding and len(self._held) < self._settings.held:
            self._held.append((message, True))
            return Push.HOLD
        is_new = self._admit(message, ledger)
        # What REST showed may still be pushed, until something is that ends so much later.
        is_over = not self._readings.are_needed and not self.is_holding
        is_ahead = late < self._soonest
        if is_over and not is_ahead and message.end > ledger.shown + self.overlap():
            self._uncount(ledger)
            self._last = pack_row(message.start, message.end, hash(message.text))
        return _DELIVER if is_new else Push.REPEAT

    def _admit(self, message: M, ledger: Ledger) -> bool:
        if not ledger.push(message, sources=self._sources):
            self.repeats += 1
            return False
        self._advance(message.end, ledger)
        return True

    def _store(self, found: Sequence[Found[M]]) -> list[M]:
        ledger = self._count()
        ledger.now = self._now
        fresh = ledger.store(found)
        for message in fresh:
            self._advance(message.end, ledger)
        return fresh

    def _advance(self, end: float, ledger: Ledger) -> None:
        if end <= self._now + AHEAD:
            self.last_end = max(self.last_end, end)
        ledger.now = self._now
        reach = self._readings.reach(self.last_end)
        ledger.prune(reach - self._span, cold=reach - _COUNTED * self.overlap())

    def _tell_time(self, now: float, skew: float) -> None:
        """Note the service's time, and how much its clock is ahead of the local one."""
        self._now = now
        self._skew = skew
        self._soonest = -AHEAD - skew  # what is pushed less late than that is ahead

    def _count(self) -> Ledger:
        """Count from now on."""
        if self._ledger is None:
            self._turn()
            self._ledger = Ledger(
                self._memory.take(),
                tolerance=self._settings.tolerance,
                limit=2 * self._settings.records,
                forgotten=self._memory.forgotten,
            )
        return self._ledger

    def _uncount(self, ledger: Ledger) -> None:
        """Only remember from now on."""
        self._memory.give_back(ledger.rows(), newest=self.last_end, forgotten=ledger.forgotten)
        self._ledger = None

    def _turn(self) -> None:
        self._lateness.count(self._memory.turn(self.last_end), self.last_end)


def _time(message: Timed) -> tuple[float, float]:
    return message.start, message.end
