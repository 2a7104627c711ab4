"""How much work a window may cost: plain decisions, so that many streams share one core.

Reading words takes ten times the work of finding things, and finding things ten times that of
looking at colours. One stream gets all the looking and reading it asks for; many get it in turns,
so that none of them falls behind.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

__all__ = [
    "ReadRecord",
    "Turns",
    "after_reading",
    "frame_to_read",
    "frames_to_look_at",
    "reading_pixels",
    "wants_reading",
]

_LOOK_SHARE = 0.4  # of one core, for finding things, over all streams
_READ_SHARE = 0.3  # of one core, for reading words, over all streams
_NEW_PICTURE = 0.25  # changed share from which the picture is another one
_PURSE = 1.5  # CPU seconds of reading that can be saved up
_PLACE_KEPT = 10.0  # seconds for which the line keeps the place of one that does not ask again
_FIRST_COST = 0.4  # CPU seconds, of a stream's first reading, before it is measured
_FIRST_WAIT = 5.0  # seconds after one reading without anything new; doubles with each
_LONGEST_WAIT = 60.0  # seconds
_MOST_PIXELS = 14_000  # of text at the reader's line height, about one CPU second
_LEAST_PIXELS = 3_500


@attrs.frozen(kw_only=True)
class ReadRecord:
    """The last reading of a stream's words; before the first, when the stream was first seen."""

    time: float  #: of the frame that was read, Unix seconds
    cost: float = _FIRST_COST  #: CPU seconds
    in_vain: int = 0  #: readings in a row, this one included, that found nothing new


@attrs.frozen(kw_only=True)
class _Wait:
    since: float  #: Unix seconds
    asked: float  #: the last time


@attrs.define(eq=False)
class Turns:
    """Whose turn it is to be read: one purse of CPU seconds for all streams, and a line before it.

    Streams whose words don't change leave theirs to the others. Those that were turned away come
    before those that were not, or the first to ask in every window would always be the one.
    """

    _seconds: float = _PURSE
    _time: float | None = None  #: when `_seconds` was right; streams' clocks differ a little
    _waiting: dict[str, _Wait] = attrs.field(factory=dict[str, _Wait])

    def ask(self, key: str, last: ReadRecord, *, time: float, streams: int) -> bool:
        """Whether the stream `key` may be read now; when it may not, it is in line from now on.

        Args:
            key: The stream.
            last: Its last reading.
            time: Of the frame to be read, Unix seconds.
            streams: Streams that share the engine.
        """
        self._refill(time)
        since = self._waiting[key].since if key in self._waiting else time
        ahead = any(
            wait.since < since and abs(time - wait.asked) < _PLACE_KEPT
            for other, wait in self._waiting.items()
            if other != key
        )
        # Whoever has waited for its whole share need not mind the line.
        due = time - last.time >= last.cost * streams / _READ_SHARE
        if due or (self._seconds > 0 and not ahead):
            self.leave(key)
            return True
        self._waiting[key] = _Wait(since=since, asked=time)
        return False

    def leave(self, key: str) -> None:
        """Take a stream out of the line: it has nothing to be read, or is gone."""
        self._waiting.pop(key, None)

    def spend(self, seconds: float) -> None:
        """Note CPU seconds that a reading took."""
        self._seconds = max(-_PURSE, self._seconds - seconds)

    def _refill(self, time: float) -> None:
        passed = max(0.0, time - self._time) if self._time is not None else 0.0
        self._seconds = min(_PURSE, self._seconds + passed * _READ_SHARE)
        self._time = time if self._time is None else max(self._time, time)


def wants_reading(
    last: ReadRecord, *, time: float, change: float, stale: bool, unread: bool
) -> bool:
    """Whether there may be words in a frame that are not known.

    Args:
        last: The last reading of this stream.
        time: Of the frame, Unix seconds.
        change: Share (0-1) of the picture that differs from the frame that was read last; 1 before
            the first reading.
        stale: Some words read then look different now.
        unread: Lines seen then were left for later.
    """
    waited = time - last.time
    if unread or stale or change >= _NEW_PICTURE:
        return True
    if change <= 0:
        return False
    if waited < 0 or not last.in_vain:  # before 0: the stream's clock was set back
        return True
    return waited >= min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(last.in_vain - 1, 8))


def frame_to_read(changes: Sequence[float]) -> int:
    """Return the index of the frame of a window to read.

    Args:
        changes: For each frame, the share (0-1) that differs from the frame that was read last.
            What was there for a moment counts, but of frames about as new the last one is taken.
    """
    enough = 0.8 * max(changes)
    return max(index for index, change in enumerate(changes) if change >= enough)


def after_reading(last: ReadRecord, *, time: float, cost: float, found_new: bool) -> ReadRecord:
    """Return the record of a reading that was just made."""
    return ReadRecord(time=time, cost=cost, in_vain=0 if found_new else last.in_vain + 1)


def reading_pixels(streams: int) -> int:
    """Return how many pixels of text, at the reader's line height, one reading may take in.

    When many streams begin at once, each gets its largest lines first and the others later.
    """
    return max(_LEAST_PIXELS, _MOST_PIXELS // max(1, streams))


def frames_to_look_at(count: int, *, period: float, cost: float, streams: int) -> tuple[int, ...]:
    """Return the indexes of the frames of a window in which things are looked for.

    They are spread evenly and the last frame is one of them; all of them when there is time.

    Args:
        count: Frames in the window, at least one.
        period: Seconds from this stream's last window to this one.
        cost: CPU seconds that finding things in one frame takes.
        streams: Streams that share the engine.
    """
    affordable = int(_LOOK_SHARE * period / max(cost * streams, 1e-6))
    chosen = max(1, min(count, affordable))
    return tuple(count - 1 - index * count // chosen for index in reversed(range(chosen)))
