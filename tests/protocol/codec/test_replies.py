import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.errors import ProtocolError
from rtstream_async.protocol.codec import replies
from rtstream_async.protocol.paging import ByNumber, ByOffset

STREAM = {
    "id": "rts-1",
    "name": "Flood",
    "status": "connected",
    "sample_rate": 30,
    "media_types": ["video", "audio"],
    "collection_id": "c-1",
    "store": False,
    "created_at": "2025-05-29T01:39:48.484134",
    "brand_new": 1,
}
INDEX = {
    "rtstream_index_id": "318f52d1a4524559",
    "extraction_type": "time",
    "extraction_config": {"time": "2.5", "frame_count": "5", "mode": "fast", "n": "-3"},
    "prompt": "Describe",
    "name": "n",
    "status": "running",
}


def test_a_stream_keeps_all_that_was_said():
    """Row 56: the official SDK drops most of it."""
    record = replies.stream(STREAM)
    assert (record.id, record.name, record.status) == ("rts-1", "Flood", "connected")
    assert (record.sample_rate, record.media_types) == (30, ("video", "audio"))
    assert (record.collection_id, record.store) == ("c-1", False)
    assert record.created_at == 1748482788.484134
    assert record["brand_new"] == 1


def test_a_stream_may_say_little():
    """Other versions of the service say less, and numbers as text."""
    record = replies.stream({"rtstream_id": 5, "sample_rate": "30", "media_types": "video"})
    assert (record.id, record.sample_rate, record.media_types) == ("5", 30, ("video",))
    assert record.created_at is record.store is record.status is None
    assert replies.stream({}, stream_id="rts-9").id == "rts-9"
    odd = replies.stream({"id": "x", "sample_rate": True, "media_types": [1, "audio"]})
    assert (odd.sample_rate, odd.media_types) == (None, ("audio",))


@pytest.mark.parametrize("data", [None, [], "x", {}, {"id": ""}, {"id": None}, {"id": True}])
def test_a_stream_without_identity_is_a_protocol_error(data):
    """Rows 52, 53: TypeError in the official SDK."""
    with pytest.raises(ProtocolError):
        replies.stream(data)


def test_numbers_in_a_config_are_numbers():
    """The real service answers with text: `config["time"] + 1` would fail."""
    record = replies.index(INDEX, rtstream_id="rts-1")
    assert record.extraction_config == {"time": 2.5, "frame_count": 5, "mode": "fast", "n": -3}
    assert record.is_running
    assert record.rtstream_id == "rts-1"
    assert record["rtstream_index_id"] == "318f52d1a4524559"


@pytest.mark.parametrize("text", ["1e5", "1_000", "\u0661", "9" * 16, "1.", ".5", "-", "", "1.-5"])
def test_text_that_is_no_plain_number_stays_text(text):
    """An id must not become a number because Python could read it as one."""
    record = replies.index({**INDEX, "extraction_config": {"x": text}}, rtstream_id="r")
    assert record.extraction_config == {"x": text}


def test_an_index_keeps_the_id_that_was_asked_for():
    """Row 128: the official SDK loses it."""
    record = replies.index({"extraction_config": None}, rtstream_id="r", index_id="i")
    assert (record.rtstream_index_id, record.extraction_config) == ("i", {})


@pytest.mark.parametrize("key", ["rtstream_index_id", "scene_index_id", "index_id", "id"])
def test_the_id_of_an_index_has_many_names(key):
    """The sources disagree."""
    assert replies.index({key: "i"}, rtstream_id="r").rtstream_index_id == "i"


@pytest.mark.parametrize("data", [None, {}, []])
def test_an_index_without_identity_is_a_protocol_error(data):
    """Row 113: the official SDK returns None."""
    with pytest.raises(ProtocolError):
        replies.index(data, rtstream_id="r")


def test_indexes_are_listed():
    """Row 124; an answer that says nothing lists nothing."""
    assert [i.name for i in replies.indexes({"scene_indexes": [INDEX]}, rtstream_id="r")] == ["n"]
    assert replies.indexes({}, rtstream_id="r") == []
    assert replies.indexes({"scene_indexes": None, "message": "ok"}, rtstream_id="r") == []


@pytest.mark.parametrize(
    "data", [None, {"scene_indexes": "x"}, {"scene_indexes": [None]}, {"other": []}]
)
def test_a_list_that_is_none_is_a_protocol_error(data):
    """Row 126: AttributeError in the official SDK. An empty list would hide the change."""
    with pytest.raises(ProtocolError):
        replies.indexes(data, rtstream_id="r")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"description": "water"}, "water"),
        ({"text": "water"}, "water"),
        ({"description": "", "text": "water"}, "water"),
        ({"description": None}, ""),
    ],
)
def test_a_scenes_words_have_two_names(fields, text):
    """The service says `description`, the reference `text`; both keys work."""
    record = replies.scene({"start": 1748483434.289908, "end": 1748483439891, **fields})
    assert (record.start, record.end, record.text) == (1748483434.289908, 1748483439.891, text)
    assert record["text"] == text


@pytest.mark.parametrize("fields", [{}, {"start": 1}, {"start": 1, "end": "soon"}])
def test_a_scene_without_times_is_a_protocol_error(fields):
    """It has no place in a history."""
    with pytest.raises(ProtocolError, match="start"):
        replies.scene(fields)


def test_scenes_come_in_pages():
    """`page["scenes"]` and `page["next_page"]` are the reference's."""
    data = {
        "scene_index_records": [
            {"start": 5, "end": 6, "description": "b"},
            {"start": 3, "end": 4, "description": "a"},
        ],
        "next_page": True,
        "total_count": 7,
    }
    page, after = replies.scene_page(data, place=ByNumber(page_size=2))
    assert [scene.text for scene in page["scenes"]] == ["b", "a"]
    assert page["next_page"] is True
    assert (page.page, page.page_size, page.total_count, len(page)) == (1, 2, 7, 2)
    assert after == ByNumber(page=2, page_size=2, end=6.001)


@pytest.mark.parametrize("data", [{}, {"scene_index_records": []}, {"next_page": True}])
def test_an_empty_page_is_the_last(data):
    """Rows 156, 157."""
    page, after = replies.scene_page(data, place=ByNumber())
    assert (list(page), page.next_page, after) == ([], False, None)


@pytest.mark.parametrize("key", ["scene_index_records", "scenes", "records"])
def test_the_list_of_scenes_has_many_names(key):
    """The sources disagree."""
    page, _ = replies.scene_page({key: [{"start": 1, "end": 2}]}, place=ByNumber())
    assert len(page) == 1


def test_streams_come_in_pages():
    """Row 57: the official SDK loses count and next."""
    data = {
        "results": [STREAM],
        "count": 25,
        "next": "/rtstream/?limit=1&offset=1",
        "previous": None,
    }
    page, after = replies.stream_page(data, place=ByOffset(limit=1))
    assert (page.next_page, page.total_count, page.page_size) == (True, 25, 1)
    assert page["results"][0].id == "rts-1"
    assert after == ByOffset(limit=1, offset=1)
    page, after = replies.stream_page({}, place=ByOffset())
    assert (len(page), page.page_size, after) == (0, 0, None)


def test_a_count_that_is_no_number_is_none():
    """JSON knows 1e999."""
    page, _ = replies.stream_page({"results": [], "count": float("inf")}, place=ByOffset())
    assert page.total_count is None


def test_a_window_has_a_manifest():
    """Row 90: without a player URL the official SDK returns None."""
    found = replies.playback({"stream_url": "https://x/1.m3u8"})
    assert (found.stream_url, found.player_url) == ("https://x/1.m3u8", None)
    for data in (None, {}, {"player_url": "https://x"}, {"stream_url": ""}):
        with pytest.raises(ProtocolError):
            replies.playback(data)


def test_a_collection_without_an_id_is_the_one_asked_for():
    """Row 12: it becomes `default` in the official SDK."""
    found = replies.collection({"name": "n", "is_public": "yes"}, collection_id="c-9")
    assert (found.id, found.name, found.is_public) == ("c-9", "n", None)


def test_a_socket_has_an_address():
    """Row 27: the official SDK connects to None."""
    assert replies.websocket_url({"websocket_url": "wss://x"}) == "wss://x"
    for data in (None, {}, {"websocket_url": None}):
        with pytest.raises(ProtocolError):
            replies.websocket_url(data)


keys = st.sampled_from(
    [
        *("id", "rtstream_id", "rtstream_index_id", "name", "status", "sample_rate", "media_types"),
        *(
            "created_at",
            "extraction_config",
            "start",
            "end",
            "description",
            "text",
            "results",
            "next",
        ),
        *(
            "count",
            "next_page",
            "scene_indexes",
            "scene_index_records",
            "stream_url",
            "websocket_url",
        ),
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=12,
)
READERS = [
    lambda data: replies.collection(data, collection_id="c"),
    replies.websocket_url,
    replies.stream,
    lambda data: replies.stream_page(data, place=ByOffset()),
    replies.playback,
    lambda data: replies.index(data, rtstream_id="r"),
    lambda data: replies.indexes(data, rtstream_id="r"),
    replies.scene,
    lambda data: replies.scene_page(data, place=ByNumber()),
]


@given(data=values, reader=st.sampled_from(READERS))
def test_no_answer_makes_a_builtin_error_leak(data, reader):
    """Defect 19 of the official SDK."""
    with contextlib.suppress(ProtocolError):
        assert reader(data) is not None


def test_records_can_be_shown_without_their_raw_answer():
    """A log line per stream, not a page."""
    assert json.dumps(STREAM)[:20] not in repr(replies.stream(STREAM))
