"""How often it is told what is being said: plain decisions, so that many streams share one core.

What was said is always told when it is over; what is being said only as often as there is time.
"""

from __future__ import annotations

__all__ = ["FIRST", "wait_for_next"]

FIRST = 1.5  #: seconds of speech before anything is told; of less, mostly nonsense is heard
_LEAST = 1.5  # seconds
_SHARE = 0.25  # of one core, over all streams, for what is not final


def wait_for_next(cost: float, *, speaking: int) -> float:
    """Return the seconds of sound until it is worth telling again what is being said.

    Args:
        cost: CPU seconds that telling it took the last time.
        speaking: Streams on which somebody speaks now.
    """
    return max(_LEAST, cost * speaking / _SHARE)
