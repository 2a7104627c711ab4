"""Checks for the fields of a plan: whoever gives a wrong one is told which, and what would do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

import attrs

from rtstream_async.errors import InvalidArgumentError

__all__ = ["flag", "number", "one_of", "rules", "some_of", "text", "texts", "whole"]

T = TypeVar("T")
C = TypeVar("C", bound=str)

Check = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def number(low: float, high: float) -> Check:
    """Return the check for a finite number from `low` to `high`."""

    def check(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not low <= value <= high:
            raise InvalidArgumentError(
                field.name, f"{value!r} is not a number from {low:g} to {high:g}"
            )

    return check


def whole(low: int, high: int) -> Check:
    """Return the check for a whole number from `low` to `high`."""

    def check(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or not low <= value <= high:
            raise InvalidArgumentError(
                field.name, f"{value!r} is not a whole number from {low} to {high}"
            )

    return check


def one_of(allowed: Sequence[str]) -> Check:
    """Return the check for one of some words."""

    def check(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
        if value not in allowed:
            raise InvalidArgumentError(field.name, f"{value!r} is not possible", allowed=allowed)

    return check


def flag(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
    """Check that a value is true or false."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(field.name, f"{value!r} is not true or false")


def text(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
    """Check that a value is text, and not empty."""
    if not isinstance(value, str) or not value:
        raise InvalidArgumentError(field.name, f"{value!r} is not text that is not empty")


def texts(name: str, value: Iterable[str]) -> tuple[str, ...]:
    """Return a list of texts as a tuple."""
    items = _listed(name, value)
    if not all(isinstance(item, str) for item in items):
        raise InvalidArgumentError(name, "must be a list of texts")
    return cast("tuple[str, ...]", items)


def some_of(name: str, value: Iterable[C], allowed: Sequence[C]) -> tuple[C, ...]:
    """Return a list of some words, at least one, as a tuple."""
    items = _listed(name, value)
    if not items or any(item not in allowed for item in items):
        raise InvalidArgumentError(
            name, f"{list(items)!r} is not a list of what is possible", allowed=allowed
        )
    return cast("tuple[C, ...]", items)


def rules(name: str, value: Iterable[T | Mapping[str, Any]], kind: type[T]) -> tuple[T, ...]:
    """Return a list of `kind`, each of which may be given as a mapping, as a tuple."""
    items = _listed(name, value)
    return tuple(_rule(f"{name}[{n}]", kind, item) for n, item in enumerate(items))


def _rule(at: str, kind: type[T], given: object) -> T:
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        raise InvalidArgumentError(at, f"must be an object, not {given!r}")
    values = cast("Mapping[str, Any]", given)
    fields = {field.name: field for field in attrs.fields(cast("Any", kind))}
    for key in values:
        if key not in fields:
            raise InvalidArgumentError(f"{at}.{key}", "is not known here", allowed=sorted(fields))
    for key, field in fields.items():
        if field.default is attrs.NOTHING and key not in values:
            raise InvalidArgumentError(f"{at}.{key}", "is required")
    try:
        return kind(**values)
    except InvalidArgumentError as exc:
        raise InvalidArgumentError(
            f"{at}.{exc.argument}", exc.problem, allowed=exc.allowed
        ) from None


def _listed(name: str, value: object) -> tuple[object, ...]:
    if not isinstance(value, list | tuple):
        raise InvalidArgumentError(name, f"must be a list, not {value!r}")
    return tuple(cast("Iterable[object]", value))
