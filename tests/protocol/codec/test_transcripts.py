import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.errors import ProtocolError
from rtstream_async.models.transcripts import Word
from rtstream_async.protocol.codec import transcripts
from rtstream_async.protocol.paging import ByNumber

SEGMENT = {
    "start": 1700000000,
    "end": 1700000005,
    "text": "hello",
    "engine": "moonshine",
    "word_timestamps": [{"start": 1700000000.1, "end": 1700000000.4, "word": "hello"}],
}


def test_a_segment_has_its_words():
    """Row 103: captions are made word by word."""
    segment = transcripts.segment(SEGMENT)
    assert (segment.start, segment.end, segment.text) == (1700000000.0, 1700000005.0, "hello")
    assert (segment.engine, segment["word_timestamps"]) == ("moonshine", SEGMENT["word_timestamps"])
    (word,) = segment.words
    assert word == Word(start=1700000000.1, end=1700000000.4, text="hello")
    assert (word["word"], word["text"]) == ("hello", "hello")


def test_times_may_come_in_other_units():
    """A service that mixes units must not date a word to the year 50000."""
    segment = transcripts.segment({"start": 1700000000123, "end": "1700000001.5", "text": "x"})
    assert (segment.start, segment.end) == (1700000000.123, 1700000001.5)


@pytest.mark.parametrize(
    "words",
    [
        None,
        "hello",
        [1, None, "x", {}, {"start": 1, "end": 2}, {"start": None, "end": 2, "word": "x"}],
        [{"start": 1, "end": None, "word": "x"}],
    ],
)
def test_words_that_cannot_be_placed_cost_no_sentence(words):
    """What was said counts more than when each word of it was."""
    assert transcripts.segment({**SEGMENT, "word_timestamps": words}).words == ()


def test_words_have_two_names():
    """The sources disagree."""
    segment = transcripts.segment(
        {"start": 1, "end": 2, "text": "x", "words": [{"start": 1, "end": 2, "text": "x"}]}
    )
    assert segment.words == (Word(start=1.0, end=2.0, text="x"),)


@pytest.mark.parametrize("data", [None, [], {}, {"start": 1}, {"end": 1}, {"start": "x", "end": 1}])
def test_a_segment_without_times_is_a_protocol_error(data):
    """It could not be placed, and everything that pages by time would fail later."""
    with pytest.raises(ProtocolError):
        transcripts.segment(data)


@pytest.mark.parametrize("key", ["transcription_records", "segments", "transcriptions"])
def test_a_page_lists_its_segments_under_one_of_three_names(key):
    """The reference says segments, the service another, working programs read all three."""
    data = {key: [SEGMENT], "next_page": True, "total_count": "7", "page": 1, "page_size": 1}
    page, after = transcripts.segment_page(data, place=ByNumber(page_size=1))
    assert [item.text for item in page] == ["hello"]
    assert page["segments"] == page["items"] == page.items
    assert (page["next_page"], page["total_count"], page["page_size"]) == (True, 7, 1)
    assert page[key] == (page.items if key == "segments" else [SEGMENT])
    assert page.get("none", 3) == 3
    assert after == ByNumber(page=2, page_size=1)


def test_the_last_page_has_no_next():
    """Iterating must end."""
    page, after = transcripts.segment_page({"segments": [], "next_page": True}, place=ByNumber())
    assert (page.next_page, after) == (False, None)


@pytest.mark.parametrize("data", [None, [], {"segments": 1}, {"other": []}])
def test_a_page_that_is_none_is_a_protocol_error(data):
    """Row 106: None in the official SDK, which fails a line later."""
    with pytest.raises(ProtocolError):
        transcripts.segment_page(data, place=ByNumber())


def test_a_status_keeps_all_that_was_said():
    """Row 98."""
    said = {
        "status": "running",
        "engine": "default",
        "language": "en",
        "created_at": "2025-05-29T01:39:48Z",
        "updated_at": "2025-05-29T01:39:49Z",
        "dropped_seconds": 3,
    }
    status = transcripts.status(said)
    assert (status.status, status.engine, status.language) == ("running", "default", "en")
    assert (status.created_at, status.updated_at) == (1748482788.0, 1748482789.0)
    assert status.is_running
    assert (status["status"], status["dropped_seconds"]) == ("running", 3)


def test_a_bare_success_is_a_status():
    """The transcript was started: an error would be a lie."""
    status = transcripts.status(None)
    assert (status.status, status.is_running) == (None, False)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["start", "end", "text", "words", "word", "segments", "status"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    )
)
def test_no_answer_raises_anything_else(data):
    """A builtin error from inside a reader is a crash of somebody's program."""
    for read in (
        transcripts.status,
        transcripts.segment,
        lambda data: transcripts.segment_page(data, place=ByNumber()),
    ):
        try:
            read(data)
        except ProtocolError:
            continue
