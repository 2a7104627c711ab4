"""What a prompt wishes an answer to be: text, JSON, or JSON of a schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import attrs
import msgspec

from rtstream_async.local.domain.json_schema import problem_with, with_plain_root
from rtstream_async.protocol.structured import schema_in

__all__ = ["Wish", "wish_of"]

# "Return only valid JSON", "respond with a JSON object"; and not "tell me when JSON is on screen".
_ASKED: Final = re.compile(
    r"\b(?:return|respond|answer|reply|output|produce|give)\b[^.\n]{0,60}\bjson\b"
    r"|\b(?:only|valid|as|in) (?:valid )?json\b",
    re.IGNORECASE,
)
_LIST: Final = re.compile(r"\bjson (?:array|list)\b", re.IGNORECASE)
_THOUGHTS: Final = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCED: Final = re.compile(r"```[a-zA-Z]*\s*\n(.*?)\n?\s*```", re.DOTALL)
_FORMATS: Final = ("text", "json_object", "json_schema")

_ANY_OBJECT: Final[Mapping[str, Any]] = {"type": "json_object"}


@attrs.frozen(kw_only=True)
class Wish:
    """What the answer should be."""

    is_json: bool = False
    schema: Mapping[str, Any] | None = None  #: that the JSON should match
    formats: tuple[Mapping[str, Any] | None, ...] = (None,)
    """What to send as `response_format`, best first, for endpoints that refuse one; `None`: none"""

    def read(self, said: str) -> tuple[str, str | None]:
        """Return what of `said` is the answer, and what is wrong with it (`None`: nothing).

        Thoughts that a model shows before its answer are left out, and the fence around JSON.
        """
        text = _THOUGHTS.sub("", said).strip()
        if not self.is_json:
            return text, None
        value, text, problem = _json_in(text)
        if problem is None and self.schema is not None:
            problem = problem_with(value, self.schema)
        return text, problem


def wish_of(prompt: str | None, response_format: object = None) -> Wish:
    """Return what `prompt` wishes; a `response_format` that is given decides instead.

    Raises:
        ValueError: `response_format` is none.
    """
    if response_format is not None:
        return _given(response_format)
    schema = schema_in(prompt or "")
    if schema is not None:
        return _for_schema(schema)
    if prompt is None or not _ASKED.search(prompt):
        return Wish()
    return Wish(is_json=True, formats=(None,) if _LIST.search(prompt) else (_ANY_OBJECT, None))


def _given(response_format: object) -> Wish:
    given = _object(response_format)
    if given.get("type") not in _FORMATS:
        raise ValueError(f"response_format must be an object with a type of {', '.join(_FORMATS)}")
    if given["type"] == "text":
        return Wish()
    if given["type"] == "json_object":
        return Wish(is_json=True, formats=(_ANY_OBJECT, None))
    schema = _object(_object(given.get("json_schema")).get("schema"))
    if not schema:
        raise ValueError("response_format.json_schema.schema must be an object that is not empty")
    wish = _for_schema(schema)
    return attrs.evolve(wish, formats=(given, *wish.formats[1:]))


def _for_schema(schema: Mapping[str, Any]) -> Wish:
    plain = with_plain_root(schema)
    asked = {"type": "json_schema", "json_schema": {"name": "answer", "schema": plain}}
    # `json_object` forces an object, which is wrong where something else is wanted.
    weaker = (_ANY_OBJECT,) if plain.get("type") == "object" else ()
    return Wish(is_json=True, schema=schema, formats=(asked, *weaker, None))


def _json_in(text: str) -> tuple[Any, str, str | None]:
    fenced = _FENCED.search(text)
    for candidate in (text, "" if fenced is None else fenced[1].strip()):
        try:
            return msgspec.json.decode(candidate), candidate, None
        except (msgspec.DecodeError, UnicodeError):
            continue
    return None, text, "it is not JSON"


def _object(part: object) -> dict[str, Any]:
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}
