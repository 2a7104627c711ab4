"""What the newer searches in videos ask for."""

from __future__ import annotations

import pytest

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.video_search import semantic_search_body, video_search_v2_body


def test_what_was_not_said_is_left_to_the_service():
    """Nulls are the service's to interpret, and its limits are its own."""
    assert video_search_v2_body("q") == {"query": "q"}
    assert semantic_search_body("q") == {"query": "q", "top_k": 10}


def test_all_that_was_said_is_sent():
    """An option that is dropped in silence changes the answer."""
    said = {
        "top_k": 3,
        "mode": "default",
        "return_fields": ["a"],
        "include_clip": False,
        "session_id": "s",
        "config": {"x": 1},
        "score_threshold": 0.0,
        "filter": {"a": 1},
    }
    assert video_search_v2_body("q", **said) == {"query": "q", **said}
    meant = {
        "index_names": "spoken_words",
        "top_k": 2,
        "score_threshold": 0.5,
        "filter": [{"a": 1}],
        "return_fields": "a",
        "index_ids": ["i-1"],
    }
    assert semantic_search_body("q", **meant) == {"query": "q", **meant}


@pytest.mark.parametrize(
    ("build", "arguments", "argument"),
    [
        (video_search_v2_body, {"query": ""}, "query"),
        (video_search_v2_body, {"query": "q", "top_k": 0}, "top_k"),
        (video_search_v2_body, {"query": "q", "mode": ""}, "mode"),
        (video_search_v2_body, {"query": "q", "session_id": ""}, "session_id"),
        (semantic_search_body, {"query": "q", "top_k": 0}, "top_k"),
        (semantic_search_body, {"query": "q", "score_threshold": "high"}, "score_threshold"),
    ],
)
def test_what_can_not_be_used_is_refused_by_its_name(build, arguments, argument):
    """A refusal of the service comes late, and names nothing."""
    with pytest.raises(InvalidArgumentError) as caught:
        build(**arguments)
    assert caught.value.argument == argument
