"""Reading the fields of an answer: tolerant of types, never raising a builtin error."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from rtstream_async.errors import ProtocolError

__all__ = [
    "as_list",
    "as_object",
    "boolean",
    "number",
    "numbers",
    "real",
    "text",
    "texts",
    "whole",
    "words",
]

T = TypeVar("T")

_MAX_DIGITS = 15


def as_object(data: object, what: str) -> dict[str, Any]:
    """Return `data` as an object.

    Raises:
        ProtocolError: It is none; `what` says what was asked for.
    """
    if isinstance(data, dict):
        return data  # pyright: ignore[reportUnknownVariableType] - a `cast()` is a call, for each record
    kind = "nothing" if data is None else type(data).__name__
    raise ProtocolError(f"the answer should be about: {what}; and has {kind} in `data`")


def as_list(
    fields: Mapping[str, Any], keys: Sequence[str], what: str, read: Callable[[object], T]
) -> list[T]:
    """Return what `read` makes of each item of the list under the first of `keys` that is there.

    Raises:
        ProtocolError: There is none; `what` says what was to be listed.
    """
    named = [fields[key] for key in keys if key in fields]
    found = next((value for value in named if value is not None), None)
    if found is None and (named or not fields.keys() - {"next_page", "message"}):
        return []  # null, or nothing at all, was said: the service has nothing to list
    if not isinstance(found, list):
        raise ProtocolError(f"the answer should list {what}, and has no list in `{keys[0]}`")
    return [read(item) for item in cast("list[object]", found)]


def text(fields: Mapping[str, Any], *keys: str) -> str | None:
    """Return the text (or whole number, as text) under the first of `keys` that has one."""
    for key in keys:
        value = fields.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def words(fields: Mapping[str, Any]) -> str:
    """Return what a record says; the sources have two names for it."""
    said = fields.get("description")
    if said and isinstance(said, str):
        return said
    return text(fields, "description") or text(fields, "text") or ""


def texts(fields: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return a list of texts; one text alone is a list of it."""
    value = fields.get(key)
    if isinstance(value, str):
        return (value,)
    items = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, str))


def boolean(fields: Mapping[str, Any], key: str) -> bool | None:
    """Return a boolean, or `None`."""
    value = fields.get(key)
    return value if isinstance(value, bool) else None


def whole(fields: Mapping[str, Any], key: str) -> int | None:
    """Return a whole number, also one that came as text, or `None`."""
    value = number(fields.get(key))
    return None if isinstance(value, bool) or _finite(value) is None else int(cast("float", value))


def numbers(config: object) -> dict[str, Any]:
    """Return an object with its values as numbers, where they are numbers in text."""
    if not isinstance(config, dict):
        return {}
    fields = cast("dict[str, Any]", config)
    return {key: number(value) for key, value in fields.items()}


def number(value: object) -> object:
    """Return a number for text that is one (the service sends `"10"`); else the value itself."""
    if not isinstance(value, str) or not value.isascii() or len(value) > _MAX_DIGITS:
        return value
    if value.removeprefix("-").isdecimal():
        return int(value)
    whole, point, fraction = value.removeprefix("-").partition(".")
    return float(value) if point and whole.isdecimal() and fraction.isdecimal() else value


def real(fields: Mapping[str, Any], *keys: str) -> float | None:
    """Return the first of `keys` that is a finite number, also one that came as text."""
    for key in keys:
        value = number(fields.get(key))
        if not isinstance(value, bool) and (found := _finite(value)) is not None:
            return found
    return None


def _finite(value: object) -> float | None:
    """Return a number as a float that is one; JSON's whole numbers can be larger than those."""
    if not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None
