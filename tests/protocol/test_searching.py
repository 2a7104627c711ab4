import math

import pytest

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.searching import search_body


def test_only_what_was_said_is_asked():
    """Row 129: the service has defaults of its own."""
    assert search_body("a red car") == {"query": "a red car"}


def test_all_can_be_said():
    """Row 130."""
    assert search_body(
        "q",
        index_id="i-1",
        result_threshold=5,
        score_threshold=0.0,
        dynamic_score_percentage=20,
        filter=({"a": 1},),
    ) == {
        "query": "q",
        "scene_index_id": "i-1",
        "result_threshold": 5,
        "score_threshold": 0.0,
        "dynamic_score_percentage": 20,
        "filter": [{"a": 1}],
    }


@pytest.mark.parametrize(
    ("argument", "arguments"),
    [
        ("query", {"query": ""}),
        ("query", {"query": "  "}),
        ("query", {"query": None}),
        ("index_id", {"index_id": ""}),
        ("result_threshold", {"result_threshold": 0}),
        ("result_threshold", {"result_threshold": 1.5}),
        ("score_threshold", {"score_threshold": math.nan}),
        ("score_threshold", {"score_threshold": True}),
        ("score_threshold", {"score_threshold": "0.5"}),
        ("dynamic_score_percentage", {"dynamic_score_percentage": 101}),
        ("dynamic_score_percentage", {"dynamic_score_percentage": -1}),
        ("filter", {"filter": {"a": 1}}),
        ("filter", {"filter": "a"}),
        ("filter", {"filter": ["a"]}),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(argument, arguments):
    """The official SDK sends all of it, and the service's refusal names nothing."""
    with pytest.raises(InvalidArgumentError) as caught:
        search_body(**{"query": "q", **arguments})
    assert caught.value.argument == argument
