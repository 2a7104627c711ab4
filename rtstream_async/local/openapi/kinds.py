"""JSON schemas of arguments, in few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "FLAG",
    "MOMENT",
    "OBJECT",
    "SECONDS",
    "TEXT",
    "Schema",
    "choice",
    "fields",
    "listing",
    "number",
    "optional",
    "ref",
    "whole",
]

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
SECONDS: Schema = {"type": "number"}
MOMENT: Schema = {"type": "number", "description": "Unix time in seconds", "minimum": 0}


def whole(low: int, high: int) -> Schema:
    """A whole number from `low` to `high`."""
    return {"type": "integer", "minimum": low, "maximum": high}


def number(low: float, high: float) -> Schema:
    """A number from `low` to `high`."""
    return {"type": "number", "minimum": low, "maximum": high}


def choice(*words: str) -> Schema:
    """One of `words`."""
    return {"type": "string", "enum": list(words)}


def listing(of: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": of}


def optional(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def ref(name: str) -> Schema:
    """One of the document's named schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def fields(known: Mapping[str, Schema], *, required: Sequence[str] = ()) -> Schema:
    """An object that has at least these."""
    made: dict[str, Any] = {"type": "object", "properties": dict(known)}
    return made | ({"required": list(required)} if required else {})
