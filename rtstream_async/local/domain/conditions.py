"""Conditions on the metadata of records: what a search's `filter` says, and whether it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import attrs

__all__ = ["Condition", "fits", "read_conditions"]

_PREFIX = "metadata."
_MOST_CONDITIONS = 50
_SCALARS = (str, bool, int, float)
_KINDS: Mapping[type, str] = {type(None): "null", dict: "an object"}


@attrs.frozen
class Condition:
    """One key of the metadata, and the values of which it must have one."""

    path: tuple[str, ...]  #: keys from the outside in
    allowed: tuple[object, ...]


def read_conditions(value: object) -> tuple[Condition, ...]:
    """Return the conditions of a filter: a list of objects, all of whose entries must hold.

    `{"weather": "rain"}` wants that value (or a list in the metadata that has it),
    `{"weather": ["rain", "snow"]}` one of them. `{"objects.person": 2}` looks into the object
    `objects`; `metadata.` may stand before any key.

    Raises:
        ValueError: It is something else.
    """
    if value is None:
        return ()
    items = cast("list[object]", value) if isinstance(value, list) else [None]
    conditions: list[Condition] = []
    for item in items:
        if not isinstance(item, dict) or not item:
            raise ValueError(
                'must be a list of objects that are not empty, for example [{"weather": "rain"}]'
            )
        entries = cast("dict[object, object]", item)
        conditions += [_condition(str(key), wanted) for key, wanted in entries.items()]
    if len(conditions) > _MOST_CONDITIONS:
        raise ValueError(f"has {len(conditions)} conditions; {_MOST_CONDITIONS} are possible")
    return tuple(conditions)


def fits(metadata: Mapping[str, Any], conditions: Sequence[Condition]) -> bool:
    """Return whether all conditions hold."""
    return all(_holds(metadata, condition) for condition in conditions)


def _condition(key: str, wanted: object) -> Condition:
    path = tuple(key.removeprefix(_PREFIX).split("."))
    if not all(path):
        raise ValueError(f"has the key {key[:100]!r}; give the name of a value in the metadata")
    is_list = isinstance(wanted, list)
    choices = cast("list[object]", wanted) if is_list else [wanted]
    if not choices or not all(isinstance(choice, _SCALARS) for choice in choices):
        kind = "a list that can't be compared" if is_list else _KINDS[type(wanted)]
        raise ValueError(
            f"compares {key[:100]!r} with {kind}; give text, a number, true or false, or"
            " a list of these, of which one must be there. There are no operators"
        )
    return Condition(path, tuple(choices))


def _holds(metadata: Mapping[str, Any], condition: Condition) -> bool:
    found: object = metadata
    for key in condition.path:
        if not isinstance(found, Mapping) or key not in found:
            return False
        found = cast("Mapping[str, object]", found)[key]
    values = cast("list[object]", found) if isinstance(found, list) else [found]
    return any(_same(value, wanted) for value in values for wanted in condition.allowed)


def _same(value: object, wanted: object) -> bool:
    # In Python, and in no filter, 1 is true.
    return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted
