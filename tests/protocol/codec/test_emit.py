"""What the local server says, the client understands as it was meant."""

from __future__ import annotations

import json
from typing import Any

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import given

from rtstream_async.models.messages import (
    AlertMessage,
    AudioMessage,
    CaptureMessage,
    CaptureStream,
    Message,
    SceneMessage,
    TranscriptMessage,
    UnknownMessage,
)
from rtstream_async.models.records import CollectionRecord, IndexRecord, Scene, StreamRecord
from rtstream_async.protocol.codec import emit
from rtstream_async.protocol.codec.frames import decode_frame

moments = st.integers(1_000_000_000_000, 4_000_000_000_000).map(lambda ms: ms / 1000)
texts = st.text(max_size=40)
named = {"rtstream_id": st.just("rts-1"), "rtstream_name": st.none() | texts}
spoken = {"start": moments, "end": moments, "text": texts, **named}

messages = st.one_of(
    st.builds(SceneMessage, channel=st.just("scene_index"), **spoken),
    st.builds(AudioMessage, channel=st.just("audio_index"), **spoken),
    st.builds(TranscriptMessage, channel=st.just("transcript"), is_final=st.booleans(), **spoken),
)


def heard(message: Message, **extra: Any) -> Message:
    frame = json.dumps(emit.frame(message, **extra)).encode()
    return decode_frame(frame, 0.0, 1)


@given(messages)
def test_a_client_hears_what_was_meant(
    message: SceneMessage | AudioMessage | TranscriptMessage,
) -> None:
    """Server and client must agree about units and names."""
    got = heard(message, engine="offline-vision")
    assert type(got) is type(message)
    assert (got.channel, got.rtstream_id) == (message.channel, message.rtstream_id)
    assert isinstance(got, SceneMessage | AudioMessage | TranscriptMessage)
    assert (got.start, got.end, got.text) == (message.start, message.end, message.text)
    assert got.raw["data"]["engine"] == "offline-vision"


def test_the_socket_speaks_milliseconds() -> None:
    """Readers of the service's documents divide by a thousand."""
    frame = emit.frame(
        SceneMessage(channel="scene_index", rtstream_id="rts-1", start=1_710_000_012.34, end=1.5)
    )
    assert frame["data"]["start"] == 1_710_000_012_340
    assert frame["data"]["end"] == 1_500
    assert "rtstream_name" not in frame


def test_an_alert_is_readable_in_all_published_shapes() -> None:
    """Four shapes are documented, and apps read any of them."""
    message = AlertMessage(
        channel="alert",
        rtstream_id="rts-1",
        label="fire",
        event_id="3adc",
        text="flames",
        confidence=0.9,
        timestamp=1_710_000_012.0,
        start=1_710_000_010.0,
        end=1_710_000_012.0,
    )
    data = emit.frame(message)["data"]
    assert data["label"] == data["event_label"] == "fire"
    assert data["text"] == data["explanation"] == "flames"
    assert data["triggered"] is True
    assert "stream_url" not in data
    got = heard(message)
    assert isinstance(got, AlertMessage)
    assert (got.label, got.text, got.start, got.confidence) == (
        "fire",
        "flames",
        message.start,
        0.9,
    )


def test_a_capture_frame_tells_its_status_in_both_places() -> None:
    """Some apps read the top level, some `data`."""
    message = CaptureMessage(
        channel="capture_session",
        event="capture_session.active",
        session_id="cap-1",
        status="active",
        rtstreams=(
            CaptureStream(rtstream_id="rts-1", name="mic", media_types=("audio",)),
            CaptureStream(rtstream_id="rts-2", channel_id="screen"),
        ),
    )
    frame = emit.frame(message)
    assert frame["status"] == frame["data"]["status"] == "active"
    assert frame["channel"] == "capture_session"
    assert frame["capture_session_id"] == frame["session_id"] == "cap-1"
    assert frame["data"]["rtstreams"][1]["channel_id"] == "screen"
    got = heard(message)
    assert isinstance(got, CaptureMessage)
    assert [item.rtstream_id for item in got.rtstreams] == ["rts-1", "rts-2"]
    exported = attrs.evolve(message, exported_video_id="m-1", rtstreams=())
    data = emit.frame(exported)["data"]
    assert data["video_id"] == data["exported_video_id"] == "m-1"
    assert "rtstreams" not in data


def test_a_capture_webhook_says_what_the_frame_says() -> None:
    """Back ends without a socket act on it."""
    message = CaptureMessage(
        channel="capture_session",
        event="capture_session.active",
        session_id="cap-1",
        status="active",
        rtstreams=(CaptureStream(rtstream_id="rts-1", name="mic:default", media_types=("audio",)),),
    )
    body = emit.capture_webhook(message, end_user_id="user-1", at=1_768_903_200.25)
    assert body == {
        "version": "2",
        "event": "capture_session.active",
        "timestamp": "2026-01-20T10:00:00.250Z",
        "capture_session_id": "cap-1",
        "end_user_id": "user-1",
        "status": "active",
        "data": emit.frame(message)["data"],
    }


def test_a_message_without_a_frame_is_refused() -> None:
    """Sending a guess would test the guess."""
    with pytest.raises(TypeError, match="UnknownMessage"):
        emit.frame(UnknownMessage(channel="x"))


def test_a_scene_has_its_text_under_both_names_and_its_times_in_seconds() -> None:
    """The service says `description`, its documents say `text`."""
    record = emit.scene(Scene(start=1.25, end=3.5, text="a car"), engine="e")
    assert record == {
        "start": 1.25,
        "end": 3.5,
        "description": "a car",
        "text": "a car",
        "engine": "e",
    }


def test_numbers_in_an_index_are_text_as_the_service_sends_them() -> None:
    """A client that can't read text for numbers fails at the real service."""
    record = IndexRecord(
        rtstream_index_id="ab",
        rtstream_id="rts-1",
        extraction_config={"time": 2.0, "frame_count": 5, "threshold": 0.5, "x": True, "y": "z"},
    )
    assert emit.index(record)["extraction_config"] == {
        "time": "2",
        "frame_count": "5",
        "threshold": "0.5",
        "x": True,
        "y": "z",
    }


def test_created_at_has_microseconds_and_no_zone() -> None:
    """That is how the service writes it, and clients parse it."""
    record = StreamRecord(id="rts-1", created_at=1_748_482_788.5, media_types=("video",))
    assert emit.stream(record)["created_at"] == "2025-05-29T01:39:48.500000"
    assert emit.stream(StreamRecord(id="rts-1"))["created_at"] is None
    assert emit.stream(StreamRecord(id="rts-1", channel_id="mic"))["channel_id"] == "mic"


def test_a_collection_is_private_unless_it_says_otherwise() -> None:
    """Null is not a boolean that clients expect."""
    assert emit.collection(CollectionRecord(id="c-1"), owner="x") == {
        "id": "c-1",
        "name": None,
        "description": None,
        "is_public": False,
        "owner": "x",
    }
    assert emit.hello("conn-1") == {"connection_id": "conn-1"}


ALERT = AlertMessage(
    channel="alert",
    rtstream_id="rts-1",
    rtstream_name="display:1",
    label="slack_opened",
    event_id="3adc40d26d6fed0d",
    text="chat app came to the front",
    confidence=0.93,
    timestamp=1710000012.34,
    start=1710000012.34,
    end=1710000018.9,
)

SHAPES = {
    "reference": {
        "channel": "alert",
        "rtstream_id": "rts-1",
        "data": {
            "event_label": "slack_opened",
            "timestamp": 1710000012340,
            "text": "chat app came to the front",
        },
    },
    "realtime": {
        "channel": "alert",
        "rtstream_id": "rts-1",
        "rtstream_name": "display:1",
        "data": {
            "label": "slack_opened",
            "triggered": True,
            "confidence": 0.93,
            "start": 1710000012340,
            "end": 1710000018900,
        },
    },
    "bare": {
        "event_label": "slack_opened",
        "rtstream_id": "rts-1",
        "timestamp": 1710000012340,
        "data": {"text": "chat app came to the front"},
    },
    "callback": {
        "channel": "alert",
        "rtstream_id": "rts-1",
        "data": {
            "label": "slack_opened",
            "confidence": 0.93,
            "text": "chat app came to the front",
        },
    },
}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_alert_takes_each_shape_that_was_published(shape):
    """A strict reader of one document is tried with that document's shape."""
    assert emit.alert_frame(ALERT, shape) == SHAPES[shape]
    read = decode_frame(json.dumps(SHAPES[shape]).encode(), 0.0, 1)
    assert isinstance(read, AlertMessage)
    assert (read.label, read.rtstream_id) == ("slack_opened", "rts-1")


def test_the_full_shape_has_all_that_the_others_have():
    """One frame for readers of any of the documents."""
    whole = emit.alert_frame(ALERT)
    assert set(emit.ALERT_SHAPES) == {"full", *SHAPES}
    for frame in SHAPES.values():
        assert frame["data"].items() <= whole["data"].items()


def test_what_joins_an_alert_joins_the_full_shape_alone():
    """A strict reader of one document knows no further keys."""
    assert emit.alert_frame(ALERT, decided_by="rules")["data"]["decided_by"] == "rules"
    assert emit.alert_frame(ALERT, "reference", decided_by="rules") == SHAPES["reference"]


def test_an_alert_is_posted_as_the_service_posts_it():
    """Receivers parse ISO times with an offset, and look for the prefix of the event's id."""
    assert emit.alert_webhook(attrs.evolve(ALERT, stream_url="s", player_url="p")) == {
        "event_id": "event-3adc40d26d6fed0d",
        "label": "slack_opened",
        "confidence": 0.93,
        "explanation": "chat app came to the front",
        "timestamp": "2024-03-09T16:00:12.340000+00:00",
        "start_time": "2024-03-09T16:00:12.340000+00:00",
        "end_time": "2024-03-09T16:00:18.900000+00:00",
        "stream_url": "s",
        "player_url": "p",
    }
    assert emit.alert_webhook(attrs.evolve(ALERT, timestamp=None))["timestamp"] is None


def test_an_understanding_has_a_frame_of_our_own():
    """The service's is not known; a reader can at least tell that it is ours."""
    frame = emit.understanding_frame(
        rtstream_id="rts-1",
        rtstream_name="door",
        understanding_id="und-1",
        output="scene",
        start=1.5,
        end=2.5,
        text="water",
    )
    assert frame["channel"] == "understanding"
    assert (frame["data"]["start"], frame["data"]["end"]) == (1500, 2500)
    assert frame["data"]["text"] == "water"
