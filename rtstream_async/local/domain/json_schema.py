"""Whether a JSON value matches a JSON schema: as much of it as types are described with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

__all__ = ["problem_with", "with_plain_root"]

_DEEP: Final = 40  # of nesting, and of references to references; no more is looked at
_DEFS: Final = "#/$defs/"

_Schema = Mapping[str, Any]


def problem_with(value: Any, schema: _Schema) -> str | None:
    """Return why `value` does not match `schema`, and where; `None`: it does.

    Looked at are `type`, `enum`, `const`, `properties`, `required`, `additionalProperties`,
    `items`, `prefixItems`, `anyOf`, `oneOf`, `allOf`, `$ref` into `$defs`, and the bounds of
    numbers, texts and lists. Anything else in a schema is taken for fulfilled: `pattern`, too, with
    which whoever writes the schema could keep the machine busy.
    """
    return next(_problems(value, schema, _Place(schema, "the answer", 0)), None)


def with_plain_root(schema: _Schema) -> dict[str, Any]:
    """Return `schema` with what its root refers to in its place: some services insist on that."""
    target = _definition(schema, schema.get("$ref"))
    if target is None:
        return dict(schema)
    rest = {key: part for key, part in schema.items() if key != "$ref"}
    return {**rest, **target}


class _Place:
    """Where in a value we are, and the schema that references are looked up in."""

    def __init__(self, root: _Schema, name: str, depth: int) -> None:
        self.root = root
        self.name = name
        self.depth = depth

    def inside(self, suffix: str = "") -> _Place:
        return _Place(self.root, self.name + suffix, self.depth + 1)


def _problems(value: Any, schema: Any, place: _Place) -> Iterator[str]:
    if schema is False:
        yield f"{place.name} should not be there"
    if not isinstance(schema, dict) or place.depth > _DEEP:
        return
    rules = cast("_Schema", schema)
    for check in _CHECKS:
        yield from check(value, rules, place)


def _reference(value: Any, schema: _Schema, place: _Place) -> Iterator[str]:
    target = _definition(place.root, schema.get("$ref"))
    if target is not None:
        yield from _problems(value, target, place.inside())


def _definition(root: _Schema, reference: object) -> _Schema | None:
    if not isinstance(reference, str) or not reference.startswith(_DEFS):
        return None
    name = reference.removeprefix(_DEFS).replace("~1", "/").replace("~0", "~")
    target = _object(root.get("$defs")).get(name)
    return cast("_Schema", target) if isinstance(target, dict) else None


def _type(value: Any, schema: _Schema, place: _Place) -> Iterator[str]:
    wanted = schema.get("type")
    names = [wanted] if isinstance(wanted, str) else _list(wanted)
    known = [name for name in names if name in _TYPES]
    if known and not any(_TYPES[name](value) for name in known):
        yield f"{place.name} should be {' or '.join(known)}"


def _choice(value: Any, schema: _Schema, place: _Place) -> Iterator[str]:
    choices = [schema["const"]] if "const" in schema else _list(schema.get("enum"))
    if choices and not any(_same(value, choice) for choice in choices):
        yield f"{place.name} should be one of {', '.join(map(repr, choices))}"


def _alternatives(value: Any, schema: _Schema, place: _Place) -> Iterator[str]:
    for part in _list(schema.get("allOf")):
        yield from _problems(value, part, place.inside())
    for key in ("anyOf", "oneOf"):
        found = [
            next(_problems(value, part, place.inside()), None) for part in _list(schema.get(key))
        ]
        if found and None not in found:
            yield (
                str(found[0]) if len(found) == 1 else f"{place.name} fits none of the alternatives"
            )


def _members(value: Any, schema: _Schema, place: _Place) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    fields = cast("dict[str, Any]", value)
    for name in _list(schema.get("required")):
        if name not in fields:
            yield f"{place.name} has no {name!r}"
    properties = _object(schema.get("properties"))
    others = schema.get("additionalProperties", True)
    for name, member in fields.items():
        yield from _problems(member, properties.get(name, others), place.inside(f".{name}"))


def _items(value: Any, schema: _Schema, place: _Place) -> Iterator[str]:
    if not isinstance(value, list):
        return
    first = _list(schema.get("prefixItems"))
    rest = schema.get("items", True)
    for number, item in enumerate(cast("list[object]", value)):
        rules = first[number] if number < len(first) else rest
        yield from _problems(item, rules, place.inside(f"[{number}]"))


def _bounds(value: Any, schema: _Schema, place: _Place) -> Iterator[str]:
    for kind, measure, rules in _BOUNDS:
        if not _TYPES[kind](value):
            continue
        for key, fits, text in rules:
            limit: Any = schema.get(key)
            if _TYPES["number"](limit) and not fits(measure(value), limit):
                yield f"{place.name} should {text} {limit}"


def _same(left: Any, right: Any) -> bool:
    # In Python, True == 1.
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _list(part: object) -> list[Any]:
    return cast("list[object]", part) if isinstance(part, list) else []


def _object(part: object) -> dict[str, Any]:
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}


_TYPES: Final[Mapping[object, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    ),
}

# What is measured of which type, and how the limit of each keyword is to be met.
_Fits = Callable[[float, float], bool]
_BOUNDS: Final[
    tuple[tuple[str, Callable[[Any], float], tuple[tuple[str, _Fits, str], ...]], ...]
] = (
    (
        "number",
        lambda value: value,
        (
            ("minimum", operator.ge, "be at least"),
            ("maximum", operator.le, "be at most"),
            ("exclusiveMinimum", operator.gt, "be above"),
            ("exclusiveMaximum", operator.lt, "be below"),
        ),
    ),
    (
        "string",
        len,
        (
            ("minLength", operator.ge, "have a length of at least"),
            ("maxLength", operator.le, "have a length of at most"),
        ),
    ),
    (
        "array",
        len,
        (
            ("minItems", operator.ge, "have a length of at least"),
            ("maxItems", operator.le, "have a length of at most"),
        ),
    ),
)

_CHECKS: Final = (_reference, _type, _choice, _alternatives, _members, _items, _bounds)
