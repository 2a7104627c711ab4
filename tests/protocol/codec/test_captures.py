"""Answers about capture sessions."""

from __future__ import annotations

import contextlib
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.errors import ProtocolError
from rtstream_async.protocol.codec import captures
from rtstream_async.protocol.paging import ByCursor

SESSION = {
    "session_id": "cap-1",
    "end_user_id": "user-1",
    "status": "active",
    "collection_id": "c-1",
    "ws_connection_id": "conn-1",
    "metadata": {"app": "x"},
    "created_at": "2025-05-29T01:39:48Z",
    "callback_url": "https://example.com/cb",
    "channels": [
        {"channel_id": "mic:default", "name": "Mic", "type": "audio", "store": True},
        {"channel_id": "display:1", "type": "video", "is_primary": True},
    ],
    "primary_video_channel_id": "display:1",
    "export_status": "pending",
    "exported_video_id": None,
    "rtstreams": [
        {"rtstream_id": "rts-1", "channel_id": "mic", "name": "mic:default"},
        {"id": "rts-3", "channel_id": "screen", "collection_id": "c-2"},
    ],
    "brand_new": 1,
}


def read(data, **more):
    return captures.session(data, collection_id="default", **more)


def test_a_session_is_read_whole():
    """Row 33."""
    session = read(SESSION)
    assert (session.id, session.collection_id, session.status) == ("cap-1", "c-1", "active")
    assert (session.created_at, session.metadata) == (1748482788.0, {"app": "x"})
    mic, display = session.channels
    assert (mic.id, mic.name, mic.type, mic.store, mic.is_primary) == (
        *("mic:default", "Mic", "audio", True, False),
    )
    assert (display.name, display.store, display.is_primary) == (None, False, True)
    assert display["channel_id"] == "display:1"
    one, three = session.rtstreams
    assert (one.id, one.collection_id, one.channel_id) == ("rts-1", "c-1", "mic")
    assert (three.id, three.collection_id) == ("rts-3", "c-2")
    assert one["rtstream_id"] == "rts-1"
    assert session["brand_new"] == 1


def test_a_session_may_be_inside_a_second_envelope():
    """Row 34."""
    assert read({"data": SESSION}) == read(SESSION)


def test_both_ids_are_one():
    """Rows 31 and 32 end in a TypeError of the official SDK; and a stream's id is the stream's."""
    both = {**SESSION, "id": "cap-1", "rtstreams": [{"rtstream_id": "rts-1", "id": "17"}]}
    assert read(both).id == "cap-1"
    assert read(both).rtstreams[0].id == "rts-1"


def test_what_an_answer_does_not_name_is_what_was_asked_for():
    """A session that was just made has neither channels nor streams."""
    session = read({"status": "created", "metadata": None, "channels": None}, session_id="cap-9")
    assert (session.id, session.collection_id) == ("cap-9", "default")
    assert (session.channels, session.rtstreams, session.metadata) == ((), (), {})
    with pytest.raises(ProtocolError, match="session_id"):
        read({"status": "created"})
    with pytest.raises(ProtocolError, match="channel_id"):
        read({**SESSION, "channels": [{"name": "Mic"}]})
    with pytest.raises(ProtocolError, match="`id`"):
        read({**SESSION, "rtstreams": [{"name": "mic:default"}]})


def test_a_page_knows_where_the_next_one_begins():
    """Row 36: the official SDK drops the cursor, and all sessions behind it."""
    data = {"sessions": [SESSION], "next_page": "tok"}
    page, after = captures.session_page(data, place=ByCursor(limit=1), collection_id="default")
    assert [item.id for item in page["sessions"]] == ["cap-1"]
    assert (page["next_page"], page["cursor"], page.page, page.page_size) == (True, "tok", 1, 1)
    assert after == ByCursor(cursor="tok", limit=1, number=2)
    for end in (None, "", "tok"):
        last = {"sessions": [SESSION], "next_page": end}
        page, after = captures.session_page(last, place=ByCursor(cursor="tok"), collection_id="c")
        assert (page.next_page, page.cursor, after) == (False, None, None)
    empty, after = captures.session_page(
        {"sessions": [], "next_page": "tok"}, place=ByCursor(), collection_id="c"
    )
    assert (list(empty), after) == ([], None)


def test_the_channels_of_a_start_know_where_to_push():
    """And show it to nobody who prints them: who knows it can push."""
    url = "rtsp://127.0.0.1:1/capture/key"
    started = SESSION | {"channels": [{"channel_id": "mic:default", "rtsp_url": url}]}
    (channel,) = read(started).channels
    assert (channel.rtsp_url, channel.rtmp_url) == (url, None)
    assert "key" not in repr(channel)


@pytest.mark.parametrize(
    ("status", "is_exported", "is_over"),
    [
        ("exported", True, True),
        ("failed", False, True),
        ("exporting", False, False),
        ("queued", False, False),
    ],
)
def test_an_export_says_how_far_it_is(status, is_exported, is_over):
    """Who polls must stop at the end, and at no word that is new."""
    data = {"session_id": "cap-1", "export_status": status, "video_id": "m-1", "new": 1}
    made = captures.export(data, session_id="cap-2")
    assert (made.session_id, made.video_id, made["export_status"]) == ("cap-1", "m-1", status)
    assert (made.is_exported, made.is_over) == (is_exported, is_over)
    assert made.raw["new"] == 1
    assert captures.export({}, session_id="cap-2").session_id == "cap-2"


def test_a_token_is_text_that_knows_its_end():
    """Row 39: the official SDK loses the end; and the token must not be seen in a log."""
    token = captures.client_token({"token": "st-x", "expires_at": 1700000000, "expires_in": 86400})
    assert token == "st-x"
    assert f"{token}" == "st-x"
    assert (token.expires_at, token.expires_in) == (1700000000.0, 86400.0)
    assert "st-x" not in repr(token)
    again = pickle.loads(pickle.dumps(token))
    assert (again, again.expires_at) == ("st-x", 1700000000.0)
    assert captures.client_token({"token": "st-x"}).expires_at is None
    with pytest.raises(ProtocolError, match="token"):
        captures.client_token({"token": ""})


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["session_id", "data", "sessions", "channels", "rtstreams", "next_page"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_answer_raises_a_builtin_error(data):
    """Defect 19 of the official SDK: AttributeError and TypeError reach the user."""
    for attempt in (
        lambda: read(data, session_id="cap-1"),
        lambda: captures.session_page(data, place=ByCursor(), collection_id="c"),
        lambda: captures.client_token(data),
        lambda: captures.export(data, session_id="cap-1"),
    ):
        with contextlib.suppress(ProtocolError):
            attempt()
