"""Structured output: a prompt that asks for JSON of a type."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from rtstream_async.errors import InvalidArgumentError

__all__ = ["prompt_for"]

_DEFAULT_PROMPT: Final = "Describe what can be seen."


def prompt_for(prompt: str | None, output_type: Any) -> str:
    """Return `prompt`, followed by the wish for JSON that msgspec decodes as `output_type`.

    Raises:
        InvalidArgumentError: msgspec can't decode this type.
    """
    try:
        schema = msgspec.json.encode(msgspec.json.schema(output_type)).decode()
    except TypeError as exc:
        raise InvalidArgumentError(
            "output_type", f"is no type that msgspec decodes: {exc}"
        ) from exc
    return (
        f"{prompt or _DEFAULT_PROMPT}\n\n"
        f"Answer with one JSON value and nothing else. It must match this JSON schema:\n{schema}"
    )
