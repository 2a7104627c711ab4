"""How much work a window may cost: pure decisions, so that many streams share one core.

Reading words takes ten times the work of finding things, and finding things ten times that of
looking at colours. One stream gets all the looking and reading it asks for; many get it in turns,
so that none of them falls behind.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

__all__ = [
    "Purse",
    "ReadRecord",
    "after_reading",
    "frame_to_read",
    "frames_to_look_at",
    "reading_pixels",
    "should_read",
]

_LOOK_SHARE = 0.5  # of one core, for finding things, over all streams
_READ_SHARE = 0.3  # of one core, for reading words, over all streams
_NEW_PICTURE = 0.25  # changed share from which the picture is another one
_PURSE = 1.5  # CPU seconds of reading that can be saved up
_FIRST_COST = 0.4  # CPU seconds, of a stream's first reading, before it is measured
_FIRST_WAIT = 5.0  # seconds after one reading without anything new; doubles with each
_LONGEST_WAIT = 60.0  # seconds
_MOST_PIXELS = 14_000  # of text at the reader's line height, about one CPU second
_LEAST_PIXELS = 3_500


@attrs.frozen(kw_only=True)
class Purse:
    """CPU seconds that all streams together may spend on reading.

    Streams whose words don't change leave theirs to the others. When it is empty, each stream
    still has its own share, so that the quickest to ask can't starve the rest.
    """

    time: float  #: when `seconds` was right, Unix seconds
    seconds: float = _PURSE

    def at(self, time: float) -> Purse:
        """Return the purse as it is at a later time; streams' clocks may differ a little."""
        passed = max(0.0, time - self.time)
        return Purse(
            time=max(self.time, time), seconds=min(_PURSE, self.seconds + passed * _READ_SHARE)
        )

    def less(self, cost: float) -> Purse:
        """Return the purse after spending `cost` seconds."""
        return attrs.evolve(self, seconds=max(-_PURSE, self.seconds - cost))


@attrs.frozen(kw_only=True)
class ReadRecord:
    """The last reading of a stream's words; before the first, when the stream was first seen."""

    time: float  #: of the frame that was read, Unix seconds
    cost: float = _FIRST_COST  #: CPU seconds
    in_vain: int = 0  #: readings in a row, this one included, that found nothing new


def should_read(
    last: ReadRecord,
    *,
    time: float,
    change: float,
    stale: bool,
    unread: bool,
    streams: int,
    purse: Purse,
) -> bool:
    """Whether to read the words of a frame.

    Args:
        last: The last reading of this stream.
        time: Of the frame, Unix seconds.
        change: Share (0-1) of the picture that differs from the frame that was read last; 1 before
            the first reading.
        stale: Some words read then look different now.
        unread: Lines seen then were left for later.
        streams: Streams that share the engine.
        purse: What all of them may spend.
    """
    if change <= 0 and not stale and not unread:
        return False  # the words are known
    waited = time - last.time
    if waited < 0:  # the stream's clock was set back: begin again
        return True
    if purse.seconds <= 0 and waited < last.cost * streams / _READ_SHARE:
        return False
    if change >= _NEW_PICTURE or unread or stale or not last.in_vain:
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
