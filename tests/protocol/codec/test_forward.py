"""Every reader of answers, given what a later version of the service may say, or a broken one."""

from __future__ import annotations

import json
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtstream_async.errors import ProtocolError
from rtstream_async.models.base import Keyed
from rtstream_async.protocol.codec import (
    alerts,
    captures,
    exports,
    replies,
    search,
    transcripts,
    understandings,
    videos,
)
from rtstream_async.protocol.paging import ByCursor, ByNumber, ByOffset

PIECE = {"start": 1710000000.25, "end": 1710000001.5, "text": "a piece"}
NUMBER = ByNumber()

RECORDS: dict[str, tuple[Any, dict[str, Any], tuple[str, ...]]] = {
    "collection": (replies.collection, {"id": "c-1", "name": "n", "is_public": False}, ()),
    "stream": (
        replies.stream,
        {"id": "rts-1", "status": "connected", "sample_rate": 30, "media_types": ["video"]},
        ("status",),
    ),
    "playback": (replies.playback, {"stream_url": "https://s", "player_url": "https://p"}, ()),
    "index": (
        lambda data: replies.index(data, rtstream_id="rts-1"),
        {
            "rtstream_index_id": "i-1",
            "status": "running",
            "extraction_type": "time",
            "extraction_config": {"time": "10", "frame_count": "1"},
        },
        ("status", "extraction_type"),
    ),
    "scene": (replies.scene, PIECE, ()),
    "transcript status": (
        transcripts.status,
        {"status": "running", "engine": "default", "created_at": "2025-05-29T01:39:48Z"},
        ("status", "engine"),
    ),
    "transcript segment": (
        transcripts.segment,
        PIECE | {"word_timestamps": [{"start": 1.0, "end": 2.0, "word": "a"}]},
        ("engine",),
    ),
    "capture session": (
        lambda data: captures.session(data, collection_id="c-1"),
        {
            "session_id": "cap-1",
            "status": "active",
            "export_status": "pending",
            "channels": [{"channel_id": "mic", "type": "audio", "store": True}],
            "rtstreams": [{"rtstream_id": "rts-1", "media_types": ["audio"]}],
        },
        ("status", "export_status"),
    ),
    "capture export": (
        lambda data: captures.export(data, session_id="cap-1"),
        {"session_id": "cap-1", "export_status": "exported", "duration": 3.5},
        ("export_status",),
    ),
    "export": (exports.export, {"video_id": "m-1", "duration": 3.5, "name": "n"}, ()),
    "shot": (
        lambda data: search.shot(data, rtstream_id="rts-1"),
        PIECE | {"score": 0.5, "metadata": {"a": 1}},
        (),
    ),
    "understanding": (
        lambda data: understandings.understanding(data, rtstream_id="rts-1"),
        {"understanding_id": "und-1", "status": "running", "outputs": {"scene": {}}},
        ("status",),
    ),
    "index of an understanding": (
        lambda data: understandings.stream_index(data, rtstream_id="rts-1"),
        {"index_id": "idx-1", "status": "running", "use_for": ["semantic"]},
        ("status",),
    ),
    "video": (videos.video, {"id": "m-1", "length": "123.45", "stream_url": "https://s"}, ()),
    "audio": (videos.audio, {"id": "a-1", "length": 3.5}, ()),
    "video transcript": (videos.transcript, {"text": "a", "word_timestamps": [PIECE]}, ()),
    "Search v2": (
        lambda data: videos.search_answer(data, video_id="m-1"),
        {"response_type": "aggregate", "results": [], "session_id": "s"},
        ("response_type",),
    ),
}
"""Reader of one record, an answer, and which fields are words that may get new ones."""

LISTS = {
    "collections": (replies.collections, "collections", {"id": "c-1"}),
    "streams": (lambda d: replies.stream_page(d, place=ByOffset()), "results", {"id": "rts-1"}),
    "indexes": (
        lambda data: replies.indexes(data, rtstream_id="rts-1"),
        "scene_indexes",
        {"rtstream_index_id": "i-1"},
    ),
    "scenes": (lambda d: replies.scene_page(d, place=NUMBER), "scene_index_records", PIECE),
    "segments": (
        lambda data: transcripts.segment_page(data, place=NUMBER),
        "transcription_records",
        PIECE,
    ),
    "events": (alerts.events, "events", {"event_id": "e-1", "label": "l"}),
    "alerts": (alerts.alerts, "alerts", {"alert_id": "a-1", "status": "enabled"}),
    "capture sessions": (
        lambda data: captures.session_page(data, place=ByCursor(), collection_id="c-1"),
        "sessions",
        {"session_id": "cap-1"},
    ),
    "shots": (lambda d: search.shots(d, rtstream_id="rts-1"), "results", PIECE),
    "understandings": (
        lambda data: understandings.understandings(data, rtstream_id="rts-1"),
        "understandings",
        {"understanding_id": "und-1"},
    ),
    "indexes of understandings": (
        lambda data: understandings.stream_indexes(data, rtstream_id="rts-1"),
        "indexes",
        {"index_id": "idx-1"},
    ),
    "records": (lambda d: understandings.record_page(d, place=NUMBER), "records", PIECE),
    "videos": (lambda d: videos.videos(d, collection_id="c"), "videos", {"id": "m-1"}),
    "audios": (lambda d: videos.audios(d, collection_id="c"), "audios", {"id": "a-1"}),
    "shots of videos": (
        lambda data: videos.search_result(data, video_id="m-1"),
        "results",
        {"video_id": "m-1", "docs": [PIECE]},
    ),
}
TEXTS = {
    "event id": (alerts.event_id, {"event_id": "e-1"}),
    "alert id": (alerts.alert_id, {"alert_id": "a-1"}),
    "token": (captures.client_token, {"token": "st-1", "expires_at": 1, "expires_in": 2}),
    "websocket": (replies.websocket_url, {"websocket_url": "wss://x"}),
    "signed URL": (videos.signed_url, {"signed_url": "https://x"}),
}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.just(10**400)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["10", "1e999", "12.5s", "2025-05-29T01:39:48", "-", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("name", RECORDS)
@settings(max_examples=40)
@given(data=st.data())
def test_unknown_fields_stay_and_unknown_words_stay_words(name, data):
    """What the service adds tomorrow must be readable today, and break nobody."""
    read, known, words = RECORDS[name]
    more = data.draw(st.dictionaries(st.text(max_size=8).map("new_".__add__), JSON, max_size=3))
    said = {word: data.draw(st.text(min_size=1, max_size=12)) for word in words}
    answer = {**known, **more, **said}
    record = read(answer)
    assert isinstance(record, Keyed)
    assert record["raw"] == answer
    for key in more:
        assert key in record.raw
        assert record[key] is more[key]
    for word, value in said.items():
        assert record[word] == value


@pytest.mark.parametrize("name", [*RECORDS, *LISTS, *TEXTS])
@settings(max_examples=40)
@given(data=st.data())
def test_no_answer_is_a_builtin_error(name, data):
    """An AttributeError tells its user nothing, and no `except` of his catches it."""
    read, answer = _any(name)
    broken = json.loads(json.dumps(answer))
    for target in _objects(broken):
        for key in list(target):
            if data.draw(st.booleans(), label=f"breaks {key}"):
                target[key] = data.draw(JSON)
    try:
        found = read(data.draw(st.just(broken) | JSON))
    except ProtocolError:
        return
    for value in _records(found):
        repr(value)
        assert value.get("no such key") is None


def _any(name):
    if name in LISTS:
        read, key, item = LISTS[name]
        return read, {key: [item, item], "next_page": True, "count": 7, "total_count": 7}
    if name in TEXTS:
        return TEXTS[name]
    return RECORDS[name][:2]


def _objects(value):
    """Give all objects in a document, the outer ones first."""
    if isinstance(value, dict):
        yield value
    children = value.values() if isinstance(value, dict) else value
    for child in list(children) if isinstance(value, dict | list) else ():
        yield from _objects(child)


def _records(found):
    """Give all values that a reader has made."""
    if isinstance(found, Keyed):
        yield found
        found = [getattr(found, field.name) for field in attrs.fields(type(found))]
    if isinstance(found, list | tuple):
        for item in found:
            yield from _records(item)


@pytest.mark.parametrize("name", LISTS)
def test_null_for_a_list_is_an_empty_one(name):
    """The service says null for nothing in some places, and nothing in others."""
    read, key, _ = LISTS[name]
    found = read({key: None})
    items = found[0] if isinstance(found, tuple) else found
    assert list(getattr(items, "items", getattr(items, "shots", items))) == []


def test_numbers_beyond_all_measure_are_read_as_json_has_them():
    """A decoder that gave something else for these would make the properties above vain."""
    assert msgspec.json.decode(b"9" * 400) == 10**400 - 1
