from __future__ import annotations

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.json_schema import problem_with, with_plain_root

OBJECT = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "t": {"type": ["string", "null"]}},
    "required": ["n"],
    "additionalProperties": False,
}
TREE = {
    "$ref": "#/$defs/Tree",
    "$defs": {
        "Tree": {
            "type": "object",
            "properties": {"branches": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
            "required": ["branches"],
        }
    },
}


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (1, {}),
        (1, True),
        (1, {"type": "integer"}),
        (1.0, {"type": "integer"}),
        (1.5, {"type": "number"}),
        ("x", {"type": "unheard-of"}),
        (None, {"type": ["string", "null"]}),
        ({"n": 1}, OBJECT),
        ({"n": 1, "t": None}, OBJECT),
        ({"n": 1, "x": "y"}, {"additionalProperties": {"type": "string"}, "properties": {"n": {}}}),
        ([1, "a", True], {"prefixItems": [{"type": "integer"}, {"type": "string"}]}),
        ("a", {"enum": ["a", "b"]}),
        (1, {"const": 1}),
        ("a", {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ("a", {"oneOf": [{"type": "string"}]}),
        ("a", {"allOf": [{"type": "string"}, {"minLength": 1}]}),
        ("abc", {"minLength": 3, "maxLength": 3}),
        ([1], {"minItems": 1, "maxItems": 1}),
        (5, {"minimum": 5, "maximum": 5}),
        ("", {"minimum": 5}),
        (5, {"minimum": "five"}),
        ({"branches": [{"branches": []}]}, TREE),
        (1, {"$ref": "#/$defs/Nobody", "$defs": {}}),
        (1, {"$ref": "https://example.com/schema"}),
        (1, {"$ref": 7}),
        ("x" * 50, {"pattern": "^(a+)+$"}),
        (1, "no schema"),
    ],
)
def test_what_matches_passes(value, schema):
    """A good answer that is refused costs a second one."""
    wrapped = {"anyOf": [schema]} if not isinstance(schema, dict) else schema
    assert problem_with(value, wrapped) is None


@pytest.mark.parametrize(
    ("value", "schema", "problem"),
    [
        ("1", {"type": "integer"}, "the answer should be integer"),
        (1.5, {"type": "integer"}, "the answer should be integer"),
        (True, {"type": "integer"}, "the answer should be integer"),
        (True, {"type": "number"}, "the answer should be number"),
        (1, {"type": ["string", "null"]}, "the answer should be string or null"),
        (1, {"type": "boolean"}, "the answer should be boolean"),
        ([], OBJECT, "the answer should be object"),
        ({}, {"type": "array"}, "the answer should be array"),
        ({}, OBJECT, "the answer has no 'n'"),
        ({"n": "1"}, OBJECT, "the answer.n should be integer"),
        ({"n": 1, "z": 1}, OBJECT, "the answer.z should not be there"),
        ([1, "a"], {"items": {"type": "integer"}}, "the answer[1] should be integer"),
        ([1, 2], {"prefixItems": [{}], "items": False}, "the answer[1] should not be there"),
        ("c", {"enum": ["a", "b"]}, "the answer should be one of 'a', 'b'"),
        (True, {"const": 1}, "the answer should be one of 1"),
        (None, {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "fits none"),
        ("", {"allOf": [{"type": "string"}, {"minLength": 1}]}, "a length of at least 1"),
        ("abcd", {"maxLength": 3}, "a length of at most 3"),
        ([], {"minItems": 1}, "a length of at least 1"),
        ([1, 2], {"maxItems": 1}, "a length of at most 1"),
        (4, {"minimum": 5}, "be at least 5"),
        (6, {"maximum": 5}, "be at most 5"),
        (5, {"exclusiveMinimum": 5}, "be above 5"),
        (5, {"exclusiveMaximum": 5}, "be below 5"),
        ({"branches": [{}]}, TREE, "the answer.branches[0] has no 'branches'"),
    ],
)
def test_what_does_not_match_is_told_with_its_place(value, schema, problem):
    """The model is asked again with this sentence."""
    assert problem in (problem_with(value, schema) or "nothing")


def test_references_in_a_circle_end():
    """Whoever has the key writes the schema; it must not stop the server."""
    circle = {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}
    assert problem_with(1, circle) is None


def test_the_root_may_be_a_reference():
    """Types are described so, and some services take only an object at the root."""
    plain = with_plain_root(TREE)
    assert plain["type"] == "object"
    assert "$ref" not in plain
    assert plain["$defs"] == TREE["$defs"]
    assert problem_with({"branches": [{"branches": []}]}, plain) is None
    assert with_plain_root(OBJECT) == OBJECT


@attrs.frozen
class Box:
    label: str | None
    corners: tuple[int, int]
    kind: str = "box"


@attrs.frozen
class Screen:
    app: str
    boxes: list[Box]
    share: float
    busy: bool = False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.sampled_from("ab"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["app", "boxes", "share", "busy", "label", "corners", "kind"]), inner
        )
    ),
    max_leaves=8,
)
SCREENS = st.builds(
    dict,
    app=st.just("a"),
    boxes=st.lists(st.fixed_dictionaries({"label": st.none() | st.just("x"), "corners": JSON})),
    share=JSON,
)


@given(JSON | SCREENS)
def test_what_msgspec_decodes_matches_and_what_it_refuses_does_not(value):
    """Whoever asked for a type gets it decoded, or a record that says why not."""
    schema = msgspec.json.schema(Screen)
    try:
        msgspec.convert(value, Screen, strict=True)
        decodes = True
    except msgspec.ValidationError:
        decodes = False
    assert (problem_with(value, schema) is None) is decodes
