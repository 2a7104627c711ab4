"""Answers about exported videos."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.errors import (
    InvalidRequestError,
    NoResultsError,
    ProtocolError,
    SearchError,
    ValidationError,
)
from rtstream_async.protocol.codec import videos

VIDEO = {
    "id": "m-1",
    "collection_id": "c-1",
    "name": "Standup",
    "description": None,
    "length": "123.45",
    "size": "1048576",
    "stream_url": "https://x/s.m3u8",
    "player_url": "https://x/p",
    "thumbnail_url": None,
}
RESULT = {
    "video_id": "m-1",
    "collection_id": "c-2",
    "title": "Standup",
    "length": "123.45",
    "docs": [
        {"start": 1.5, "end": 4, "text": "action", "score": 0.8, "stream_link": "https://x/s"},
        {"start": "6", "end": "7.5", "text": "item", "metadata": {"a": 1}},
    ],
}


def test_a_video_is_read_with_its_length_as_a_number():
    """Row 72: the service sends text."""
    video = videos.video(VIDEO)
    assert (video.id, video.collection_id, video.length) == ("m-1", "c-1", 123.45)
    assert (video.name, video.description, video.thumbnail_url) == ("Standup", None, None)
    assert (video.stream_url, video["player_url"]) == ("https://x/s.m3u8", "https://x/p")
    assert video["size"] == "1048576"


def test_what_an_answer_does_not_name_is_what_was_asked_for():
    """Without its id, a video can't be used."""
    video = videos.video({"name": "x"}, video_id="m-1", collection_id="c-1")
    assert (video.id, video.collection_id, video.length) == ("m-1", "c-1", 0.0)
    audio = videos.audio({"length": 2}, audio_id="a-1", collection_id="c-1")
    assert (audio.id, audio.collection_id, audio.length) == ("a-1", "c-1", 2.0)
    for read in (videos.video, videos.audio):
        with pytest.raises(ProtocolError, match="no `id`"):
            read({"name": "x"})


def test_lists_of_videos_and_sounds_are_read():
    """Row 73."""
    listed = videos.videos({"videos": [VIDEO, {"id": "m-2"}]}, collection_id="c-9")
    assert [(item.id, item.collection_id) for item in listed] == [("m-1", "c-1"), ("m-2", "c-9")]
    sounds = videos.audios({"audios": [{"id": "a-1", "name": "n"}]}, collection_id="c-9")
    assert [(item.id, item.name, item.collection_id) for item in sounds] == [("a-1", "n", "c-9")]
    assert videos.videos({}, collection_id="c-9") == []


@pytest.mark.parametrize("key", ["word_timestamps", "transcript", "segments"])
def test_a_transcript_is_read_under_each_of_its_names(key):
    """The SDK reads one of them, the specification names another."""
    said = videos.transcript({key: [{"start": 0.1, "end": 0.5, "text": "hi"}], "text": "hi"})
    assert [(s.start, s.end, s.text) for s in said.segments] == [(0.1, 0.5, "hi")]
    assert said.text == "hi"


def test_a_transcript_may_leave_half_of_it_out():
    """Text without pieces, pieces without text; with neither it is no transcript."""
    pieces = [{"start": 0, "end": 1, "word": "hi"}, {"start": 1, "end": 2, "text": "you"}]
    assert videos.transcript({"word_timestamps": pieces}).text == "hi you"
    silent = videos.transcript({"text": ""})
    assert (silent.text, silent.segments) == ("", ())
    with pytest.raises(ProtocolError, match="segments"):
        videos.transcript({"id": "m-1"})
    with pytest.raises(ProtocolError, match="start"):
        videos.transcript({"word_timestamps": [{"start": None, "end": 1, "text": "hi"}]})


def test_shots_are_read_with_what_is_common_to_them():
    """Row 210; each has the collection of its own video."""
    found = videos.search_result({"results": [RESULT]}, video_id="m-9", collection_id="c-9")
    one, two = found.shots
    assert (one.video_id, one.collection_id, one.video_title) == ("m-1", "c-2", "Standup")
    assert (one.start, one.end, one.text, one.search_score) == (1.5, 4.0, "action", 0.8)
    assert (one.video_length, one.stream_url, one.metadata) == (123.45, "https://x/s", None)
    assert (two.start, two.end, two.search_score, two.metadata) == (6.0, 7.5, None, {"a": 1})
    assert "score" not in two


def test_shots_without_a_home_are_those_of_what_was_searched():
    """Rows 208 and 209: also with nothing in them, and with a warning."""
    answer = {
        "results": [{"docs": [{"start": 0, "end": 1}]}, {"video_id": "m-2"}],
        "warnings": None,
    }
    (shot,) = videos.search_result(answer, video_id="m-9", collection_id="c-9").shots
    assert (shot.video_id, shot.collection_id, shot.text) == ("m-9", "c-9", "")
    warned = {"results": [], "warnings": [{"code": "old"}]}
    found = videos.search_result(warned, video_id="m-9", collection_id=None)
    assert (found.shots, found.warnings, found["warnings"]) == (
        (),
        ({"code": "old"},),
        ({"code": "old"},),
    )
    with pytest.raises(ProtocolError, match="start"):
        videos.search_result(
            {"results": [{"docs": [{"end": 1}]}]}, video_id="m-9", collection_id=None
        )


def test_no_results_is_an_error_of_its_own():
    """The reference's workflow tells it by its text; ours by its class as well."""
    refusal = ValidationError(
        "No results found", status=400, error_code="E", method="POST", path="/x", attempts=2
    )
    found = videos.no_results(refusal)
    assert isinstance(found, NoResultsError)
    assert isinstance(found, SearchError)
    assert isinstance(found, InvalidRequestError)
    assert "No results found" in str(found)
    assert vars(found) == vars(refusal)
    assert videos.no_results(ValidationError("query: is empty", status=400)) is None


def test_a_signed_url_is_there_or_it_is_an_error():
    """Nobody can fetch nothing."""
    assert videos.signed_url({"signed_url": "https://x"}) == "https://x"
    with pytest.raises(ProtocolError, match="signed_url"):
        videos.signed_url({"signed_url": ""})


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["id", "docs", "results", "start", "end", "text", "videos", "length"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_answer_raises_a_builtin_error(data):
    """Defect 19 of the official SDK: AttributeError and TypeError reach the user."""
    for read in (
        lambda d: videos.video(d, video_id="m-1"),
        lambda d: videos.videos(d, collection_id="c-1"),
        lambda d: videos.audios(d, collection_id="c-1"),
        videos.transcript,
        lambda d: videos.search_result(d, video_id="m-1", collection_id=None),
        videos.signed_url,
    ):
        with contextlib.suppress(ProtocolError):
            read(data)


def test_search_v2_answers_shots_or_what_else_was_asked_for():
    """`compile()` of what are no shots is told by its kind, and not by an empty result."""
    shots = videos.search_answer({"results": [RESULT], "warnings": {"code": "W"}})
    assert (shots.response_type, shots.waiting_for, shots.warnings) == (
        *("shots", "none"),
        ({"code": "W"},),
    )
    assert shots.found is not None
    assert [shot.text for shot in shots.found.shots] == ["action", "item"]
    counts = videos.search_answer(
        {"response_type": "aggregate", "results": [{"count": 3}], "session_id": "s", "trace": 1}
    )
    assert counts.found is None
    assert (counts.results, counts.session_id, counts.trace) == ([{"count": 3}], "s", 1)


def test_a_shot_of_no_video_is_no_shot():
    """A search of a collection has no video to fall back to."""
    with pytest.raises(ProtocolError, match="no `id`"):
        videos.search_result({"results": [{"docs": []}]})
