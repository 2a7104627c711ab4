"""What may be asked of a video."""

from __future__ import annotations

import math

import pytest

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.video_parts import spoken_index_body, timeline, transcript_query
from rtstream_async.protocol.video_search import video_search_body


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        (None, None),
        ([], None),
        ([(0, 5), (10, 12.5)], [(0, 5), (10, 12.5)]),
        (((0.25, 0.5),), [(0.25, 0.5)]),
        ([[1, 2]], [(1, 2)]),
    ],
)
def test_a_timeline_is_a_list_of_parts(given, parts):
    """Rows 221 to 224; a part may be shorter than a second."""
    assert timeline(given) == parts


@pytest.mark.parametrize(
    "given",
    [
        "0-5",
        5,
        {0: 5},
        [5],
        ["05"],
        [(1,)],
        [(1, 2, 3)],
        [(2, 2)],
        [(3, 2)],
        [(-1, 2)],
        [("0", "5")],
        [(0, math.inf)],
        [(0, math.nan)],
        [(False, True)],
        [(None, 1)],
    ],
)
def test_a_timeline_that_plays_nothing_is_refused(given):
    """Before anything is sent."""
    with pytest.raises(InvalidArgumentError, match="timeline"):
        timeline(given)


def test_a_transcript_is_asked_for_as_by_the_official_sdk():
    """Rows 225 and 226: zero is a bound, and `force` is text."""
    assert transcript_query(None, None, "word", 1, force=None) == {
        "start": None,
        "end": None,
        "segmenter": "word",
        "length": 1,
        "force": "false",
    }
    asked = transcript_query(0, 10.5, "time", 5, force=True)
    assert (asked["start"], asked["end"], asked["length"], asked["force"]) == (0, 10.5, 5, "true")
    assert transcript_query(5, 5, "sentence", 1, force=False)["start"] == 5


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ((None, None, "bogus", 1), "segmenter"),
        ((None, None, None, 1), "segmenter"),
        ((None, None, ["word"], 1), "segmenter"),
        ((-1, None, "word", 1), "start"),
        ((None, "5", "word", 1), "end"),
        ((5, 1, "word", 1), "end"),
        ((None, None, "time", 0), "length"),
        ((None, None, "time", 1.5), "length"),
    ],
)
def test_a_transcript_that_can_not_be_is_refused(arguments, argument):
    """Rows 227 and 228: before anything is sent."""
    with pytest.raises(InvalidArgumentError) as caught:
        transcript_query(*arguments, force=None)
    assert caught.value.argument == argument


def test_spoken_words_are_indexed_as_by_the_official_sdk():
    """Rows 200 to 202."""
    assert spoken_index_body(None, "sentence", force=False, callback_url="") == {
        "index_type": "spoken_word",
        "language_code": None,
        "segmentation_type": "sentence",
        "force": False,
        "callback_url": None,
    }
    body = spoken_index_body("en_us", None, force=True, callback_url="https://x/cb")
    assert (body["force"], body["callback_url"]) == (True, "https://x/cb")
    assert (body["segmentation_type"], body["language_code"]) == (None, "en_us")


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"segmentation_type": "words"}, "segmentation_type"),
        ({"callback_url": "example.com/cb"}, "callback_url"),
    ],
)
def test_an_index_that_can_not_be_is_refused(changes, argument):
    """Before anything is sent."""
    asked = {"language_code": None, "segmentation_type": "sentence", "callback_url": None}
    with pytest.raises(InvalidArgumentError) as caught:
        spoken_index_body(**{**asked, **changes}, force=False)
    assert caught.value.argument == argument


def test_a_search_has_the_official_thresholds():
    """Rows 209 to 212: each kind of search has its own fields."""
    assert video_search_body("q") == {
        "search_type": "semantic",
        "index_type": "spoken_word",
        "query": "q",
        "score_threshold": 0.2,
        "result_threshold": 5,
        "dynamic_score_percentage": None,
        "filter": [],
    }
    assert video_search_body("q", search_type="keyword") == {
        "search_type": "keyword",
        "index_type": "spoken_word",
        "query": "q",
        "score_threshold": None,
        "result_threshold": None,
        "filter": [],
    }
    asked = video_search_body(
        "q", index_type="scene", scene_index_id="x", score_threshold=0.0, filter=[{"a": 1}]
    )
    assert (asked["scene_index_id"], asked["score_threshold"]) == ("x", 0.0)
    assert (asked["index_type"], asked["filter"]) == ("scene", [{"a": 1}])


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"query": " "}, "query"),
        ({"search_type": "scene"}, "search_type"),
        ({"index_type": "spoken"}, "index_type"),
        ({"result_threshold": 0}, "result_threshold"),
        ({"scene_index_id": ""}, "index_id"),
    ],
)
def test_a_search_that_can_not_be_is_refused(changes, argument):
    """A misspelt kind would search something else."""
    with pytest.raises(InvalidArgumentError) as caught:
        video_search_body(**{"query": "q", **changes})
    assert caught.value.argument == argument
