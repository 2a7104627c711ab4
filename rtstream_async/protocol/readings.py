"""What to read over REST after a loss, or while polling, and until when to read it again.

How far back is no matter of clocks. What is missing after a loss ends at most the spread of the
lateness before the newest record that was delivered by then. And what a reading shows is whole up
to some time before it began, so that the next one need not go back any further, however many losses
there are.
"""

from __future__ import annotations

import math

import attrs

from rtstream_async.protocol.lateness import Lateness

__all__ = ["CLOCK_ERROR", "Readings", "RecoverySettings", "Window"]

CLOCK_ERROR = 1.5  # seconds: how wrong a clock may be that is set by a Date header
_MOMENT = 1.0  # seconds from one reading to the next, at least


@attrs.frozen(kw_only=True)
class RecoverySettings:
    """How a gap is closed; all times in seconds."""

    overlap: float | None = None  #: `None`: learned
    sweep_delay: float | None = None  #: `None`: learned
    window: float = 3600.0  #: the longest gap that is fetched
    records: int = 10_000  #: the most records that are fetched for one gap, and remembered
    held: int = 10_000  #: the most pushed messages that are held while REST is read
    tolerance: float = 0.0015  #: times are the same within this: the socket has ms, REST has us


@attrs.frozen(kw_only=True)
class Asked:
    """What was known when a reading began."""

    newest: float  #: the greatest end of a record; Unix seconds
    delay: float  #: how late results were known to come; seconds
    sure: float  #: what ends before is shown by it, if it exists; Unix seconds


@attrs.frozen(kw_only=True)
class Window:
    """A stretch of time, Unix seconds of the service's clock."""

    since: float
    until: float  #: now
    asked: Asked | None = attrs.field(default=None, eq=False, repr=False)
    """`None`: it is not to be read."""


@attrs.define
class _Doubt:
    """A loss, and more that followed, of which not all is surely found."""

    at: float  #: when it was; Unix seconds of the service's clock
    newest: float  #: the greatest end of a record at that time


class Readings:
    """Which readings are needed of one stream and channel.

    Attributes:
        read_at: When the latest of the readings that have ended well began; Unix seconds of the
            service's clock.
    """

    __slots__ = (
        "_doubt",
        "_lateness",
        "_merged_at",
        "_read_newest",
        "_settings",
        "_since",
        "_sure",
        "read_at",
    )

    def __init__(self, *, since: float, settings: RecoverySettings, lateness: Lateness) -> None:
        """Need none.

        Args:
            since: What ends before is none of ours; Unix seconds.
            settings: Bounds and delays.
            lateness: How late results come.
        """
        self._since = since
        self._settings = settings
        self._lateness = lateness
        self._doubt: _Doubt | None = None
        self._merged_at = -math.inf
        self.read_at = -math.inf
        self._read_newest = since  # the greatest end of a record when it began
        self._sure = -math.inf  # what ends before was shown, if it exists

    @property
    def are_needed(self) -> bool:
        """Whether something may be missing."""
        return self._doubt is not None

    def lost(self, at: float, newest: float, *, is_polled: bool) -> None:
        """Note a loss.

        Args:
            at: Since when; Unix seconds of the service's clock.
            newest: The greatest end of a record that was delivered.
            is_polled: Not all of it is pushed, and the rest is known as of the last reading only.
        """
        if is_polled:
            newest = min(newest, self._read_newest)
        newest = min(newest, at)
        self._merged_at = math.inf
        if self._doubt is None:
            self._doubt = _Doubt(at, newest)
        else:
            self._doubt.at = min(self._doubt.at, at)

    def window(
        self, now: float, skew: float, *, newest: float, forgotten: float
    ) -> tuple[Window, Window | None]:
        """Return what to read now, and what is given up for being too far back.

        Args:
            now: Unix seconds of the service's clock.
            skew: How much the service's clock is ahead of the local one; seconds.
            newest: The greatest end of a record that was delivered.
            forgotten: What ends before can't be compared with what was delivered.
        """
        asked = self._ask(now, skew, newest)
        doubt = self._doubt
        if doubt is None:
            return self._recent(now, asked, forgotten), None
        heard = min(doubt.newest, doubt.at - self._lateness.least(skew))
        wanted = max(heard - self.overlap(), self._sure, self._since - CLOCK_ERROR)
        lost_at = max(doubt.at, self._sure)
        too_long = max(0.0, now - lost_at - self._settings.window)
        since = max(wanted + too_long, forgotten)
        if since <= wanted:
            return Window(since=wanted, until=now, asked=asked), None
        given_up = Window(since=wanted, until=max(since, lost_at + too_long))
        return Window(since=since, until=now, asked=asked), given_up

    def poll_window(self, now: float, skew: float, *, newest: float, forgotten: float) -> Window:
        """Return what a poll reads now; the arguments are those of `window()`.

        What is new, and no more, as long as something may be missing from before: that is read
        after a loss, and once more when it is late enough, and not by every poll until then.
        """
        if self._doubt is None or now >= self._merged_at + self.delay(skew):
            return self.window(now, skew, newest=newest, forgotten=forgotten)[0]
        asked = attrs.evolve(self._ask(now, skew, newest), sure=-math.inf)
        return self._recent(now, asked, forgotten)

    def _recent(self, now: float, asked: Asked, forgotten: float) -> Window:
        # Since the last reading, and not since the newest record alone: what was shown just
        # after that reading may be as late as any, while others went on.
        wanted = min(asked.newest, self._read_newest, now) - self.overlap()
        return Window(since=max(wanted, forgotten), until=now, asked=asked)

    def read(self, window: Window) -> None:
        """Note that the reading of `window` has ended well."""
        asked = window.asked
        if asked is None:
            raise ValueError("this window is given up, and was not read")
        if window.until > self.read_at:
            self.read_at, self._read_newest = window.until, asked.newest
        self._sure = max(self._sure, asked.sure)
        if window.until >= self._merged_at + asked.delay:
            self._doubt = None

    def merged(self, window: Window) -> None:
        """Note that the reading of `window` has ended well, the first after a loss."""
        self.read(window)
        self._merged_at = window.until

    def due(self, now: float, skew: float) -> float:
        """Return how long until the next reading; 0: nothing is missing any more."""
        if self._doubt is None:
            return 0.0
        return max(_MOMENT, self._merged_at + self.delay(skew) - now)

    def give_up(self) -> None:
        """Need none any more, whatever is missing."""
        self._doubt = None

    def reach(self, newest: float) -> float:
        """Return the end of a record from which on all must be known that was delivered."""
        if self._doubt is None:
            return newest
        return min(newest, max(self._doubt.newest, self._sure))

    def overlap(self) -> float:
        """Return how far before the newest record to read; seconds."""
        chosen = self._settings.overlap
        return self._lateness.overlap() if chosen is None else chosen

    def delay(self, skew: float) -> float:
        """Return how long after the first reading to read again; seconds."""
        chosen = self._settings.sweep_delay
        return self._lateness.delay(skew) if chosen is None else chosen

    def _ask(self, now: float, skew: float, newest: float) -> Asked:
        delay = self.delay(skew)
        sure = -math.inf if self._lateness.is_young else now - delay - self.overlap()
        return Asked(newest=newest, delay=delay, sure=sure)
