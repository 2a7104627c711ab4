"""Structured output: a prompt that asks for JSON of a type."""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec

from rtstream_async.errors import InvalidArgumentError

__all__ = ["HEARD", "SEEN", "prompt_for", "schema_in"]

SEEN: Final = "Describe what can be seen."
HEARD: Final = "Summarise what is said."
_WISH: Final = "\n\nAnswer with one JSON value and nothing else. It must match this JSON schema:\n"


def prompt_for(prompt: str | None, output_type: Any, *, otherwise: str = SEEN) -> str:
    """Return `prompt`, followed by the wish for JSON that msgspec decodes as `output_type`.

    Args:
        prompt: What to tell; without one, `otherwise`.
        output_type: The type.
        otherwise: What to tell when nobody said.

    Raises:
        InvalidArgumentError: msgspec can't decode this type.
    """
    try:
        schema = msgspec.json.encode(msgspec.json.schema(output_type)).decode()
    except TypeError as exc:
        raise InvalidArgumentError(
            "output_type", f"is no type that msgspec decodes: {exc}"
        ) from exc
    return f"{prompt or otherwise}{_WISH}{schema}"


def schema_in(prompt: str) -> dict[str, Any] | None:
    """Return the schema that `prompt_for()` put into `prompt`; `None` when there is none."""
    _, wish, schema = prompt.rpartition(_WISH)
    if not wish:
        return None
    try:
        found: object = msgspec.json.decode(schema)
    except (msgspec.DecodeError, UnicodeError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None
