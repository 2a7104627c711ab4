"""When a source that failed is tried again."""

from __future__ import annotations

__all__ = ["PERMANENT_REFUSALS", "STABLE_AFTER", "retry_delay"]

STABLE_AFTER = 10.0
"""A source that played for this long, in seconds, starts from the shortest delay again."""

PERMANENT_REFUSALS = frozenset(
    {"forbidden", "invalid_data", "no_media", "not_found", "unauthorized", "unsupported"}
)
"""Refusal codes for which trying again changes nothing, if the source never played."""

_DELAYS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)


def retry_delay(failures: int, *, jitter: float) -> float:
    """Return seconds to wait after the `failures`-th failure in a row (from 1).

    `jitter`, 0 to 1, spreads it over the upper half of the delay, so that the streams of one dead
    camera server do not all come back in the same moment.
    """
    delay = _DELAYS[min(max(failures, 1), len(_DELAYS)) - 1]
    return delay * (0.5 + 0.5 * jitter)
