"""Reads a request's arguments: each by name, checked, refused with what would be taken."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs
import msgspec

from rtstream_async.local.refusal import Refusal, invalid

__all__ = ["Arguments"]

_TRUE = frozenset({"1", "true", "yes"})
_FALSE = frozenset({"0", "false", "no"})


@attrs.frozen
class Arguments:
    """The arguments of one request, from its query (all text) or its JSON body.

    A missing argument and null are the same; so is empty text, where text is asked for.
    """

    values: Mapping[str, Any]
    prefix: str = ""  #: where nested arguments sit, for the error text

    def only(self, known: Collection[str]) -> None:
        """Refuse arguments outside of `known`.

        Raises:
            Refusal: There is one; a misspelt argument must not pass for a missing one.
        """
        for name in self.values:
            if name not in known:
                raise invalid(self.prefix + name, "is not known here", allowed=sorted(known))

    def text(self, name: str) -> str | None:
        """Return text, or `None` when it is missing or empty."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self._wrong(name, value, "text")
        return value

    def required_text(self, name: str) -> str:
        """Return text that must be there."""
        value = self.text(name)
        if value is None or not value.strip():
            raise invalid(self.prefix + name, "is required and must be text that is not empty")
        return value

    def choice(self, name: str, allowed: Sequence[str], default: str | None = None) -> str:
        """Return one of `allowed`."""
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        if value not in allowed:
            raise invalid(self.prefix + name, f"{value!r} is not possible", allowed=allowed)
        return str(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean."""
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
            return value.lower() in _TRUE
        if not isinstance(value, bool):
            raise self._wrong(name, value, "true or false")
        return value

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        number = self.number(name)
        if number is None:
            return default
        if number != int(number) or not low <= number <= high:
            raise invalid(
                self.prefix + name, f"{number:g} is not a whole number from {low} to {high}"
            )
        return int(number)

    def number(self, name: str) -> float | None:
        """Return a finite number, or `None` when it is missing."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self._wrong(name, value, "a number")
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise self._wrong(name, value, "a number") from None
        if not math.isfinite(number):
            raise self._wrong(name, value, "a finite number")
        return number

    def positive(self, name: str, default: float, *, high: float) -> float:
        """Return a number above zero and up to `high`."""
        number = self.number(name)
        if number is None:
            return default
        if not 0 < number <= high:
            raise invalid(
                self.prefix + name, f"{number:g} is not a number above 0 and up to {high:g}"
            )
        return number

    def mapping(self, name: str) -> Arguments:
        """Return nested arguments; empty when missing."""
        value = self.values.get(name)
        if value is None:
            return Arguments({}, f"{self.prefix}{name}.")
        if not isinstance(value, dict):
            raise self._wrong(name, value, "an object")
        nested = msgspec.convert(value, dict[str, Any])
        return Arguments(nested, f"{self.prefix}{name}.")

    def items(self, name: str) -> list[Any]:
        """Return a list; empty when missing."""
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(name, value, "a list")
        return msgspec.convert(value, list[Any])

    def subset(self, name: str, allowed: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
        """Return a list that is not empty and has only `allowed` values, in their order."""
        value = self.values.get(name)
        if value is None:
            return tuple(default)
        if not isinstance(value, list) or not value:
            raise invalid(self.prefix + name, "must be a list that is not empty", allowed=allowed)
        chosen = msgspec.convert(value, list[Any])
        for item in chosen:
            if item not in allowed:
                raise invalid(self.prefix + name, f"{item!r} is not possible", allowed=allowed)
        return tuple(choice for choice in allowed if choice in chosen)

    def _wrong(self, name: str, value: Any, wanted: str) -> Refusal:
        kinds = {str: "text", bool: "true or false", int: "a number", float: "a number"}
        got = next((word for kind, word in kinds.items() if type(value) is kind), "a list")
        got = "an object" if isinstance(value, dict) else got
        shown = f" {value!r}" if isinstance(value, str | int | float) else ""
        return invalid(self.prefix + name, f"must be {wanted}, not {got}{shown}"[:300])
