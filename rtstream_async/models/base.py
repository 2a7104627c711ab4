"""What all models share: reading by key, and the mark for "not given"."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

import attrs

__all__ = ["UNSET", "Keyed", "Unset", "moment", "no_fields", "raw_field"]


class Unset(enum.Enum):
    """The type of `UNSET`."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> Literal[False]:
        return False


UNSET: Final = Unset.UNSET
"""An argument that was not given; `None` means null on the wire."""


def moment(seconds: float) -> datetime:
    """Return Unix `seconds` as an aware `datetime` in UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def no_fields() -> Mapping[str, Any]:
    """Return an object of the wire with nothing in it."""
    return {}


def raw_field() -> Any:
    """Return the attrs field `raw`: the service's own answer, which `Keyed` falls back to."""
    return attrs.field(factory=no_fields, repr=False, eq=False)


class Keyed:
    """Lets a value be read by key as well, as the synchronous SDK's dicts are.

    A key is a field's name or, failing that, a key of the service's own answer in `raw`.
    """

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        if key in _field_names(type(self)):
            return getattr(self, key)
        raw: Mapping[str, Any] = getattr(self, "raw", {})
        return raw[key]

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or `default` when there is no such key."""
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key, UNSET) is not UNSET

    def keys(self) -> Iterator[str]:
        """Iterate over the names of the fields."""
        return iter(_field_names(type(self)))


def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind))
