"""Frames as the service sends them, and as nobody should."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rtstream_async.models.messages import (
    AlertMessage,
    AudioMessage,
    CaptureMessage,
    Message,
    SceneMessage,
    TranscriptMessage,
    UnknownMessage,
)
from rtstream_async.protocol.codec import loose
from rtstream_async.protocol.codec.drafts import indexed_message, transcript_message
from rtstream_async.protocol.codec.frames import (
    Greeting,
    Refusal,
    decode_frame,
    oversize_message,
    read_greeting,
)

GOLDEN = pathlib.Path(__file__).parent.parent / "golden"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['about']}")
    for path in sorted(GOLDEN.glob("*.json"))
    for case in json.loads(path.read_text())
]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats()
    | st.text()
    | st.sampled_from(["alert", "transcript", "scene_index", "capture_session.active", "12.5s"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        *("channel", "type", "event", "event_type", "data", "rtstream_id", "id", "index_id"),
        *("text", "start", "end", "timestamp", "is_final", "label", "event_label", "event_id"),
        *("confidence", "triggered", "rtstreams", "error", "status", "duration", "rtstream_name"),
    ]
)
CHANNELS = st.sampled_from(
    ["transcript", "scene_index", "visual_index", "audio_index", "spoken_index", "alert", "x"]
)
BODIES = st.dictionaries(NAMES, JSON, max_size=8)
ENVELOPES = st.builds(
    lambda rest, channel, data: {**rest, "channel": channel, "data": data},
    st.dictionaries(NAMES, JSON, max_size=4),
    CHANNELS | JSON,
    BODIES | JSON,
)
TIMES = st.integers(0, 2 * 10**12) | st.floats(0, 2e12)
WELL_FORMED = st.builds(
    lambda rest, channel, body: {**rest, "channel": channel, "rtstream_id": "rts-1", "data": body},
    st.dictionaries(NAMES, st.text() | st.none(), max_size=2),
    CHANNELS,
    st.builds(
        lambda rest, text, start, end: {**rest, "text": text, "start": start, "end": end},
        st.dictionaries(NAMES, st.text() | st.booleans() | st.none(), max_size=2),
        st.text(),
        TIMES,
        TIMES,
    ),
)


def encoded(frame: Any) -> bytes:
    return json.dumps(frame).encode()


def plain(message: Message) -> dict[str, Any]:
    return json.loads(json.dumps(attrs.asdict(message, filter=lambda a, _: a.name != "source")))


@pytest.mark.parametrize("case", CASES)
def test_a_frame_of_the_contract_becomes_its_message(case):
    """These are the shapes that the service and its users' programs are known to speak."""
    source = encoded(case["frame"])
    message = decode_frame(source, 5.0, 3)
    assert type(message).__name__ == case["type"], message
    fields = plain(message)
    assert {name: fields[name] for name in case["fields"]} == case["fields"]
    assert (message.received_at, message.generation, message.origin) == (5.0, 3, "push")
    assert message.source is source
    assert message.raw == case["frame"]


@pytest.mark.parametrize("case", CASES)
def test_the_slow_way_says_the_same(case):
    """Two ways to read a frame must not be two opinions."""
    source = encoded(case["frame"])
    assert loose.read_loosely(source, 5.0, 3) == decode_frame(source, 5.0, 3)


TWO_NAMES = {
    "channel": "transcript",
    "rtstream_id": "rts-1",
    "rtstream_name": "mic:default",
    "data": {"rtstream_name": "", "text": "", "start": 0, "end": 0},
}


@given(WELL_FORMED | ENVELOPES)
@example(TWO_NAMES)
def test_the_quick_way_and_the_slow_way_agree(frame):
    """A field that one of them misses would be there or not by accident."""
    source = encoded(frame)
    quick, slow = decode_frame(source, 1.0, 1), loose.read_loosely(source, 1.0, 1)
    assert type(quick) is type(slow)
    assert quick == slow


@given(st.binary() | (JSON | ENVELOPES).map(encoded))
@example(b"")
@example(b"  ")
@example(b"[" * 3_000)
@example(b'{"a":' * 3_000)
@example(b'{"channel": "scene_index", "data": {"start": 1e999}}')
@example(b'{"channel": "scene_index", "rtstream_id": "\\ud800", "data": {"start": 1}}')
@example(b'{"channel": "scene_index", "data": {"start": ' + b"9" * 400 + b"}}")
@example(b"\xef\xbb\xbf{}")
def test_no_frame_is_refused(source: bytes):
    """An exception here would be the end of the socket, for everybody."""
    message = decode_frame(source, 1.0, 1)
    assert isinstance(message, Message)
    assert message.source == source
    repr(message)
    message.raw  # noqa: B018  (must not raise either)
    assert message.get("no such key") is None
    for name in ("start", "end"):
        assert isinstance(getattr(message, name, None), float | None)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"hello", "not JSON"),
        (b'{"channel": "alert"', "not JSON"),
        (b"\xff\xfe\x00\x01", "not UTF-8"),
        (b"[" * 3_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_says_so_and_keeps_its_bytes(source: bytes, reason: str):
    """Nothing that came may be lost, only because it is odd."""
    message = decode_frame(source, 1.0, 1)
    assert isinstance(message, UnknownMessage)
    assert (message.channel, message.reason) == ("", reason)
    assert message.source == source


@pytest.mark.parametrize(
    "frame",
    [
        b'{"channel":"transcript","data":{"start":1,"end":2,"text":%s}}',
        b'{"channel":"alert","data":{"label":%s}}',
        b'{"channel":"capture_session","error":%s}',
    ],
)
def test_what_is_just_not_nested_too_deeply_never_raises(frame: bytes):
    """A frame that the decoder lets pass, and whose text is too deep, must not end the link."""
    for depth in range(800, 1_000):
        source = frame % (b"[" * depth + b"]" * depth)
        message = decode_frame(source, 1.0, 1)
        assert message.source == source
        assert not isinstance(message, UnknownMessage) or message.reason == "nested too deeply"


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-Infinity", "1e400", "half"])
def test_a_confidence_that_is_no_finite_number_is_none(text: str):
    """Whoever sorts alerts by confidence, or writes them as JSON, is hurt by a NaN."""
    source = f'{{"channel":"alert","data":{{"label":"x","confidence":"{text}"}}}}'
    message = decode_frame(source.encode(), 1.0, 1)
    assert isinstance(message, AlertMessage)
    assert message.confidence is None


def test_a_bad_byte_anywhere_is_not_utf8():
    """A decoder that skips what it does not need would let it through."""
    source = encoded(
        {
            "channel": "scene_index",
            "rtstream_id": "rts-1",
            "data": {"note": "@", "text": "x", "start": 1, "end": 2},
        }
    ).replace(b"@", b"\xff")
    message = decode_frame(source, 1.0, 1)
    assert isinstance(message, UnknownMessage)
    assert message.reason == "not UTF-8"
    assert message.raw == source


def test_text_beyond_ascii_is_read():
    """Most of the world's text is."""
    source = json.dumps(
        {
            "channel": "scene_index",
            "rtstream_id": "rts-1",
            "data": {"text": "ein Mädchen 👧", "start": 1, "end": 2},
        },
        ensure_ascii=False,
    ).encode()
    message = decode_frame(source, 1.0, 1)
    assert isinstance(message, SceneMessage)
    assert message.text == "ein Mädchen 👧"


def test_a_draft_becomes_the_very_message():
    """A message that only looks like one would fail `isinstance`, `match` or equality."""
    common: dict[str, Any] = {
        "rtstream_id": "rts-1",
        "rtstream_name": "door",
        "received_at": 1.0,
        "generation": 2,
        "source": b"{}",
        "start": 3.0,
        "end": 4.0,
        "text": "x",
    }
    scene = indexed_message(SceneMessage, "scene_index", *common.values(), "i")
    audio = indexed_message(AudioMessage, "audio_index", *common.values(), "i")
    speech = transcript_message(*common.values(), False)
    for message, kind, channel, more in (
        (scene, SceneMessage, "scene_index", {"index_id": "i"}),
        (audio, AudioMessage, "audio_index", {"index_id": "i"}),
        (speech, TranscriptMessage, "transcript", {"is_final": False}),
    ):
        assert type(message) is kind
        expected = kind(channel=channel, **common, **more)
        assert message == expected
        assert repr(message) == repr(expected)
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            message.text = "y"
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            del message.text


def test_a_frame_that_was_too_large_is_announced_in_its_place():
    """A hole that nobody sees is worse than a hole."""
    message = oversize_message(20, 16, 1.0, 2)
    assert isinstance(message, UnknownMessage)
    assert message.reason == "larger than 16 bytes (20)"
    assert (message.received_at, message.generation) == (1.0, 2)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"connection_id": "conn-123"}, Greeting("conn-123")),
        ({"connectionId": "conn-123", "more": 1}, Greeting("conn-123")),
        ({"connection_id": "c", "message": "welcome"}, Greeting("c")),
        ({"connection_id": ""}, None),
        ({"connection_id": 7}, None),
        ({"connection_id": "c", "channel": "alert"}, None),
        ({"success": False}, Refusal("no reason given")),
        ({"success": False, "message": "expired", "status": 401}, Refusal("expired", 401)),
        ({"error": "nope"}, Refusal("nope")),
        ({"error": {"message": "nope"}, "code": 403}, Refusal("nope", 403)),
        ({"error": {"code": 1}, "error_code": "E1"}, Refusal("E1")),
        ({"error": True, "status": True}, Refusal("no reason given")),
        ({"message": "Forbidden", "statusCode": 403}, Refusal("Forbidden", 403)),
        ({"message": "x", "data": {}}, None),
        ({"error": "x" * 1000}, Refusal("x" * 200)),
        ({"connection_id": "c", "error": "x"}, Refusal("x")),
        ({}, None),
        ([], None),
        (None, None),
        ("conn-123", None),
    ],
)
def test_the_first_frame_is_a_greeting_a_refusal_or_data(frame, expected):
    """Taking anything else for a connection id would arm every pipeline with nonsense."""
    assert read_greeting(encoded(frame)) == expected


@given(st.binary() | (JSON | ENVELOPES).map(encoded))
@example(b"[" * 3_000)
@example(b"\xff")
def test_no_first_frame_is_an_exception(source: bytes):
    """The service may say anything at all."""
    assert isinstance(read_greeting(source), Greeting | Refusal | None)


@given(st.text())
def test_a_channel_s_other_name_is_the_same_channel(name: str):
    """`events("visual_index")` is what half of the documents call `events("scene_index")`."""
    once = loose.canonical_channel(name)
    assert loose.canonical_channel(once) == once
    assert loose.canonical_channel("visual_index") == "scene_index"
    assert loose.canonical_channel("spoken_index") == "audio_index"


def test_msgspec_s_limits_are_the_ones_we_catch():
    """Should a new version raise something else on deep nesting, this says where to look."""
    with pytest.raises((msgspec.DecodeError, RecursionError)):
        msgspec.json.decode(b"[" * 3_000)


def test_a_frame_full_of_streams_is_read_in_part_and_kept_whole():
    """A session has a handful; a million would stop the reader for seconds."""
    streams = [{"rtstream_id": f"rts-{number}"} for number in range(1500)]
    frame = {"channel": "capture_session", "event": "capture_session.active", "rtstreams": streams}
    message = decode_frame(json.dumps(frame).encode(), 0.0, 1)
    assert isinstance(message, CaptureMessage)
    assert len(message.rtstreams) == 1000
    assert len(message["rtstreams"]) == 1500
