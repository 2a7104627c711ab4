"""Checks for the fields of settings: whoever gives a wrong one is told which, and what would do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.bounds import at_least

__all__ = ["Check", "choice", "count", "seconds"]

Check = Callable[[Any, "attrs.Attribute[Any]", Any], None]
"""What attrs calls a validator."""


def seconds(*, or_zero: bool = False, or_none: bool = False) -> Check:
    """Return the check for a finite number of seconds above 0, or of 0 as well, or `None`."""
    wanted = "0 or more" if or_zero else "above 0"

    def check(_: object, field: attrs.Attribute[Any], value: object) -> None:
        if value is None and or_none:
            return
        if isinstance(value, bool) or not isinstance(value, int | float) or not is_in(value):
            raise InvalidArgumentError(
                field.name, f"must be a number of seconds, {wanted}, not {value!r}"
            )

    def is_in(value: float) -> bool:
        return math.isfinite(value) and (value > 0 or (or_zero and value == 0))

    return check


def count(least: int) -> Check:
    """Return the check for a whole number that is not below `least`."""

    def check(_: object, field: attrs.Attribute[Any], value: object) -> None:
        at_least(field.name, value, least)

    return check


def choice(*allowed: object) -> Check:
    """Return the check for one of some values."""

    def check(_: object, field: attrs.Attribute[Any], value: object) -> None:
        if value not in allowed:
            raise InvalidArgumentError(field.name, f"can't be {value!r}", allowed=allowed)

    return check
