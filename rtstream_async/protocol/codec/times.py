"""Times on the wire: seconds, milliseconds, microseconds, ISO text. Inside: Unix seconds.

The service mixes units (ms on the socket, s over REST, us in manifest URLs, ISO in webhooks), and
its documents disagree about where; so a number's unit is told by its size: below 1e11 it is
seconds, below 1e14 milliseconds, else microseconds. In seconds, 1e11 lies in the year 5138; in
milliseconds, it lies in 1973.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

__all__ = ["iso", "microseconds", "milliseconds", "to_seconds"]

_MILLISECONDS_FROM = 1e11
_MICROSECONDS_FROM = 1e14


def to_seconds(value: object) -> float | None:
    """Return the Unix seconds that a wire `value` stands for, or `None` if it is no time.

    Takes numbers of any of the three units, the same as text, ISO 8601 text (naive is UTC) and
    `"12.5s"`, which is seconds as it stands.
    """
    if type(value) is float and 0.0 <= value < _MILLISECONDS_FROM:
        return value  # what REST answers, and all there is to do in a list of thousands
    match value:
        case bool() | None:
            return None
        case int() | float():
            return _by_size(value)
        case str():
            return _from_text(value.strip())
        case _:
            return None


def milliseconds(seconds: float) -> int:
    """Return Unix `seconds` as the socket's whole milliseconds."""
    return round(seconds * 1_000)


def microseconds(seconds: float) -> int:
    """Return Unix `seconds` as whole microseconds."""
    return round(seconds * 1_000_000)


def iso(seconds: float, *, offset: timedelta = timedelta(0)) -> str:
    """Return Unix `seconds` as ISO 8601 text, in the zone `offset` from UTC."""
    moment = datetime.fromtimestamp(seconds, tz=timezone(offset))
    return moment.isoformat(timespec="microseconds")


def _by_size(number: float) -> float | None:
    try:
        value = float(number)
    except OverflowError:
        return None
    if not math.isfinite(value):
        return None
    size = abs(value)
    if size < _MILLISECONDS_FROM:
        return value
    return value / (1e3 if size < _MICROSECONDS_FROM else 1e6)


def _from_text(text: str) -> float | None:
    try:
        return _by_size(float(text.removesuffix("s")))
    except ValueError:
        pass  # no number: ISO text, if it is a time at all
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.timestamp()
