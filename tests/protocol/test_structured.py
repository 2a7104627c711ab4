import json
from typing import Any

import attrs
import msgspec
import pytest

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.structured import HEARD, SEEN, prompt_for, schema_in


@attrs.frozen
class Screen:
    app: str
    is_busy: bool


def test_a_prompt_asks_for_the_types_json():
    """Without the schema, the model makes up keys, and nothing decodes."""
    prompt = prompt_for("What is on screen?", Screen)
    assert prompt.startswith("What is on screen?\n")
    schema = json.loads(prompt.rpartition("\n")[2])
    assert set(schema["$defs"]["Screen"]["required"]) == {"app", "is_busy"}


def test_without_a_prompt_there_is_one():
    """A schema alone does not say what to look at."""
    assert prompt_for(None, list[str]).startswith("Describe")
    assert prompt_for("", list[str]).startswith("Describe")


def test_a_type_that_nothing_can_decode_is_refused():
    """Found where it is written, not with the first message."""
    with pytest.raises(InvalidArgumentError, match="output_type"):
        prompt_for("p", complex)


def test_an_index_that_listens_is_asked_for_what_is_said():
    """To describe a picture is no task for who has words."""
    assert prompt_for(None, Screen, otherwise=HEARD).startswith(HEARD)
    assert prompt_for(None, Screen).startswith(SEEN)


def test_the_schema_is_what_msgspec_decodes():
    """Prompt and decoder must agree, or every message is flagged."""
    assert msgspec.json.decode(b'{"app": "a", "is_busy": true}', type=Screen) == Screen("a", True)
    assert prompt_for("p", dict[str, Any])


def test_the_schema_is_found_again_in_the_prompt():
    """A server's engine can then hold a model to it."""
    schema = schema_in(prompt_for("What is on screen?", Screen))
    assert schema == msgspec.json.schema(Screen)


@pytest.mark.parametrize("tail", ["", "{", "[1]", "\ud800"])
def test_what_is_no_schema_is_none(tail):
    """A prompt that was cut or written by hand is a prompt like any other."""
    assert schema_in("What is on screen?") is None
    wish = prompt_for("p", Screen).rpartition("\n")[0]
    assert schema_in(f"{wish}\n{tail}") is None
