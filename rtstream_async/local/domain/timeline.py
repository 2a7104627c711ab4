"""Where a packet stands in Unix time: stream clocks mapped onto the wall clock.

A source's clock starts anywhere, jumps, wraps, and runs a little fast or slow. A `Timeline`
anchors it at the arrival of the first packet and then follows the stream's own clock, so that
the distances inside a recording are those of the camera and not those of the network. It gives
up the old anchor (a *discontinuity*) when the stream clock jumps, or when stream and wall clock
stay apart for a while.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

__all__ = [
    "DtsRepair",
    "Placed",
    "Stamp",
    "Timeline",
    "TimelineRules",
    "complete_start",
    "sent_times",
]


@attrs.frozen(kw_only=True)
class TimelineRules:
    """When a stream clock is believed, all in seconds unless said."""

    back: float = 0.25  #: a step back of more than this is a jump
    jump: float = 3.0  #: a step this much longer than the wall clock's is a jump
    spread: float = 10.0  #: how far apart two tracks of one clock may stand
    late: float = 5.0  #: how far the stream may fall behind the wall clock...
    patience: float = 3.0  #: ...and for how long, before it gets a new anchor
    slack: float = 0.25  #: a difference from the wall clock that nobody corrects
    slew: float = 0.005  #: correction beyond the slack, as a share of the time passed


@attrs.frozen(kw_only=True)
class Placed:
    """Where one packet stands."""

    offset: float  #: add it to any timestamp of this packet: Unix time, seconds
    discontinuity: bool  #: the stream clock got a new anchor with this packet
    lag: float  #: how far the packet is behind the wall clock, seconds; 0 without a wall clock


@attrs.define
class _Anchor:
    offset: float


@attrs.define
class _Track:
    anchor: _Anchor
    time: float
    duration: float
    arrival: float | None
    late_since: float | None = None


class Timeline:
    """Maps the clocks of one source's tracks to Unix time; times never go back."""

    def __init__(self, *, not_before: float, rules: TimelineRules | None = None) -> None:
        """Start a timeline.

        Args:
            not_before: Unix time before which nothing may be placed: the end of what is
                recorded already, or now.
            rules: When a clock is believed.
        """
        self._rules = rules or TimelineRules()
        self._high = not_before
        self._shared: _Anchor | None = None
        self._tracks: dict[int, _Track] = {}

    @property
    def high(self) -> float:
        """The end of the latest packet placed so far, Unix time."""
        return self._high

    def expected(self, track: int) -> float | None:
        """The decoding timestamp (stream clock, seconds) that would follow the last one."""
        known = self._tracks.get(track)
        return None if known is None else known.time - known.anchor.offset + known.duration

    def place(
        self, track: int, *, dts: float, end: float, duration: float, arrival: float | None
    ) -> Placed:
        """Return where a packet stands.

        Args:
            track: Which track; the tracks of one source share a clock.
            dts: Decoding time on the stream's clock, seconds.
            end: Where the packet's presentation ends on that clock, seconds.
            duration: The packet's duration, seconds; 0 when unknown.
            arrival: Unix time at which it came in; `None` for a file that is read as fast as
                possible, where the wall clock means nothing.
        """
        known = self._tracks.get(track)
        anchor = self._believed(known, dts, duration, arrival)
        discontinuity = anchor is None
        if anchor is None:
            at = self._high if arrival is None else max(arrival, self._high)
            anchor = self._shared = _Anchor(at - dts)
        passed = 0.0 if known is None else dts + anchor.offset - known.time
        late_since = None
        if arrival is not None:
            late_since = self._late_since(known, arrival - dts - anchor.offset, arrival)
            if late_since is not None and arrival - late_since > self._rules.patience:
                anchor.offset = max(arrival, self._high) - dts
                discontinuity, late_since = True, None
            else:
                anchor.offset += self._slew(arrival - dts - anchor.offset, passed)
        self._tracks[track] = _Track(anchor, dts + anchor.offset, duration, arrival, late_since)
        self._high = max(self._high, end + anchor.offset)
        return Placed(
            offset=anchor.offset,
            discontinuity=discontinuity,
            lag=0.0 if arrival is None else max(0.0, arrival - dts - anchor.offset),
        )

    def _believed(
        self, known: _Track | None, dts: float, duration: float, arrival: float | None
    ) -> _Anchor | None:
        """The anchor under which this packet makes sense, or `None` for a jump."""
        if known is not None and self._continues(known, dts, duration, arrival):
            return known.anchor
        # One track jumps first; the others find the new anchor already there.
        shared = self._shared
        moved = known is None or known.anchor is not shared
        if shared is not None and moved and self._near(dts + shared.offset):
            return shared
        return None

    def _continues(self, known: _Track, dts: float, duration: float, arrival: float | None) -> bool:
        step = dts + known.anchor.offset - known.time
        allowed = max(self._rules.jump, 2 * known.duration, 2 * duration)
        if arrival is not None and known.arrival is not None:
            allowed = max(allowed, arrival - known.arrival + self._rules.jump)
        return -self._rules.back <= step <= allowed

    def _near(self, time: float) -> bool:
        return abs(time - self._high) <= self._rules.spread

    def _late_since(self, known: _Track | None, lag: float, arrival: float) -> float | None:
        if lag <= self._rules.late:
            return None
        if known is None or known.late_since is None:
            return arrival
        return known.late_since

    def _slew(self, lag: float, passed: float) -> float:
        """A correction too small to see, for source clocks that run fast or slow."""
        if abs(lag) <= self._rules.slack:
            return 0.0
        limit = self._rules.slew * min(max(passed, 0.0), 1.0)
        return min(max(lag, -limit), limit)


@attrs.define
class DtsRepair:
    """Makes one track's timestamps fit for a muxer: no hole, strictly rising, never pts < dts.

    RTSP gives the first packet no timestamps and repeats a dts for in-band parameter sets.
    """

    _last: int | None = None

    def fix(self, pts: int, dts: int) -> tuple[int, int]:
        """Return (pts, dts) with dts above the last one, in the same ticks."""
        if self._last is not None and dts <= self._last:
            dts = self._last + 1
        self._last = dts
        return max(pts, dts), dts


@attrs.frozen
class Stamp:
    """A packet's timestamps as they came, in ticks of its track."""

    pts: int | None
    dts: int | None


def complete_start(stamps: Sequence[Stamp], *, duration: int) -> list[Stamp]:
    """Return the first packets of a track with the timestamps that the source left out.

    RTSP transmits no decoding times, and nothing at all for the first packet; they are only known
    after a few packets, and then also for those before. Without any known one, nothing changes.

    Args:
        stamps: The packets in the order of decoding.
        duration: How long one of them lasts, in the same ticks.
    """
    known = next((n for n, stamp in enumerate(stamps) if stamp.dts is not None), None)
    if not known:
        return list(stamps)
    anchor = stamps[known].dts or 0
    shown = min(stamp.pts for stamp in stamps if stamp.pts is not None) - duration
    head = [
        Stamp(
            max(anchor - (known - n) * duration, shown) if stamp.pts is None else stamp.pts,
            anchor - (known - n) * duration,
        )
        for n, stamp in enumerate(stamps[:known])
    ]
    return [*head, *stamps[known:]]


_OLDEST = 60.0  # seconds that a server may keep for newcomers


def sent_times(tracks: Sequence[int], stamps: Sequence[tuple[float, float]]) -> list[float]:
    """Return when each of a live source's first packets was sent, Unix seconds.

    Whatever delays packets only ever makes them late. So the packet that came soonest after its
    time tells where all the others of its track belong.

    Args:
        tracks: Each packet's track.
        stamps: Each packet's (time on the stream's clock, Unix time of arrival), in seconds.
    """
    soonest: dict[int, float] = {}
    for track, (position, arrival) in zip(tracks, stamps, strict=True):
        soonest[track] = min(soonest.get(track, arrival - position), arrival - position)
    return [
        max(position + soonest[track], arrival - _OLDEST)
        for track, (position, arrival) in zip(tracks, stamps, strict=True)
    ]
