"""Times, sizes and addresses that a caller gives, checked before any request."""

from __future__ import annotations

import math
from datetime import datetime
from urllib.parse import urlsplit

from rtstream_async.errors import InvalidArgumentError

__all__ = ["at_least", "filled", "optional_window", "unix_seconds", "web_address", "window"]

_MILLISECONDS_FROM = 1e11  # in seconds, this is the year 5138


def unix_seconds(argument: str, value: object) -> float:
    """Return the Unix seconds that `value` stands for.

    Args:
        argument: Its name, for the error.
        value: A number of Unix seconds, or an aware `datetime`.

    Raises:
        InvalidArgumentError: Neither; or no finite number, or one that can't be seconds.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidArgumentError(argument, "is a datetime without a time zone; give it one")
        return value.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = type(value).__name__
        raise InvalidArgumentError(
            argument, f"must be Unix seconds or an aware datetime, not {kind}"
        )
    if not math.isfinite(value):
        raise InvalidArgumentError(argument, f"must be finite, not {value!r}")
    if abs(value) >= _MILLISECONDS_FROM:
        raise InvalidArgumentError(argument, f"must be in seconds; {value!r} looks like ms or us")
    return value


def window(start: object, end: object) -> tuple[float, float]:
    """Return the bounds of a window in Unix seconds.

    Raises:
        InvalidArgumentError: A bound can't be used, or the window is empty.
    """
    first, last = unix_seconds("start", start), unix_seconds("end", end)
    if first >= last:
        raise InvalidArgumentError("end", f"must be after start ({first!r}), not {last!r}")
    return first, last


def optional_window(start: object, end: object) -> tuple[float | None, float | None]:
    """Return bounds in Unix seconds, each of which may be `None`.

    Raises:
        InvalidArgumentError: A bound can't be used, or `end` is before `start`.
    """
    first = None if start is None else unix_seconds("start", start)
    last = None if end is None else unix_seconds("end", end)
    if first is not None and last is not None and first > last:
        raise InvalidArgumentError("end", f"must not be before start ({first!r}), but is {last!r}")
    return first, last


def at_least(argument: str, value: object, least: int) -> int:
    """Return `value`, a whole number that is not below `least`.

    Raises:
        InvalidArgumentError: It is something else.
    """
    if type(value) is not int or value < least:
        raise InvalidArgumentError(
            argument, f"must be a whole number of at least {least}, not {value!r}"
        )
    return value


def filled(argument: str, value: object) -> str:
    """Return `value`, a text with something in it.

    Raises:
        InvalidArgumentError: It is empty, blank or no text.
    """
    if isinstance(value, str) and value.strip():
        return value
    problem = "is empty" if isinstance(value, str) else f"must be text, not {type(value).__name__}"
    raise InvalidArgumentError(argument, problem)


def web_address(argument: str, value: object) -> str:
    """Return `value`, an absolute http or https address.

    Raises:
        InvalidArgumentError: It is something else; not quoted, since it may hold a password.
    """
    if isinstance(value, str) and _is_web_address(value):
        return value
    raise InvalidArgumentError(argument, "must be an address that begins with http:// or https://")


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
