from __future__ import annotations

import attrs
import msgspec
import pytest

from rtstream_async.local.domain.wishes import wish_of
from rtstream_async.protocol.structured import prompt_for


@attrs.frozen
class Screen:
    app: str


REFERENCE = """Analyze the screen and return a JSON object with:
{
  "app_name": "name of the active application"
}
Return only valid JSON."""


def kinds(wish):
    return [None if form is None else form["type"] for form in wish.formats]


def test_a_type_is_asked_for_with_its_schema_and_then_with_less():
    """Endpoints differ in what they can be held to."""
    wish = wish_of(prompt_for("What runs?", Screen))
    assert kinds(wish) == ["json_schema", "json_object", None]
    sent = wish.formats[0]["json_schema"]
    assert sent["schema"]["type"] == "object"
    assert sent["schema"]["required"] == ["app"]
    assert sent["name"]
    assert wish.read('{"app": "vi"}') == ('{"app": "vi"}', None)


def test_what_is_no_object_is_never_forced_to_be_one():
    """`json_object` would make every answer wrong."""
    assert kinds(wish_of(prompt_for("Who?", list[str]))) == ["json_schema", None]
    assert kinds(wish_of("List them and answer with a JSON array.")) == [None]


@pytest.mark.parametrize(
    "prompt",
    [REFERENCE, "Respond in JSON", "Name the app, as JSON.", "Only valid json please"],
)
def test_json_without_a_schema_is_understood(prompt):
    """The reference asks so."""
    wish = wish_of(prompt)
    assert wish.is_json
    assert wish.schema is None
    assert kinds(wish) == ["json_object", None]


@pytest.mark.parametrize(
    "prompt", [None, "", "Who is there?", "Tell when a JSON file is open in the editor"]
)
def test_a_prompt_that_wants_text_gets_text(prompt):
    """JSON that nobody asked for is unreadable."""
    wish = wish_of(prompt)
    assert not wish.is_json
    assert kinds(wish) == [None]
    assert wish.read("  A man.\n```js\nx\n``` ") == ("A man.\n```js\nx\n```", None)


@pytest.mark.parametrize(
    "said",
    [
        '{"app": "vi"}',
        ' {"app": "vi"}\n',
        '```json\n{"app": "vi"}\n```',
        'Here it is:\n```\n{"app": "vi"}\n```\nAnything else?',
        '<think>{"app": no, wait}</think>\n```json\n{"app": "vi"}\n```',
    ],
)
def test_json_is_found_in_what_models_say(said):
    """Many fence it, whatever they are told."""
    text, problem = wish_of(prompt_for("What runs?", Screen)).read(said)
    assert problem is None
    assert msgspec.json.decode(text, type=Screen) == Screen("vi")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("An editor.", "it is not JSON"),
        ('{"app": "v', "it is not JSON"),
        ("```json\nnothing\n```", "it is not JSON"),
        ('{"app": 7}', "the answer.app should be string"),
        ('{"application": "vi"}', "the answer has no 'app'"),
        ("\ud800", "it is not JSON"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_made_up(said, problem):
    """The model is asked again with it; then the record says so."""
    assert wish_of(prompt_for("What runs?", Screen)).read(said) == (said, problem)


def test_a_format_that_is_given_decides():
    """The user knows his endpoint better than a guess from the prompt."""
    assert not wish_of(REFERENCE, {"type": "text"}).is_json
    assert kinds(wish_of("Who?", {"type": "json_object"})) == ["json_object", None]
    given = {
        "type": "json_schema",
        "json_schema": {"name": "s", "strict": True, "schema": {"type": "array"}},
    }
    wish = wish_of("Who?", given)
    assert wish.formats == (given, None)
    assert wish.read("{}") == ("{}", "the answer should be array")


@pytest.mark.parametrize(
    "given",
    [
        "json",
        {},
        {"type": "xml"},
        {"type": "json_schema"},
        {"type": "json_schema", "json_schema": 1},
        {"type": "json_schema", "json_schema": {"schema": "x"}},
    ],
)
def test_a_format_that_is_none_is_refused(given):
    """When the index is made, not with every window."""
    with pytest.raises(ValueError, match="response_format"):
        wish_of("Who?", given)
