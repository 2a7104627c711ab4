"""One line, and one JSON object, for each thing that is told."""

import json
from datetime import UTC

import pytest

from rtstream_async.cli.events import Note, StreamState
from rtstream_async.cli.render.lines import line
from rtstream_async.cli.render.objects import as_line, as_object, scene_object, stream_object
from rtstream_async.models.announcements import (
    Dropped,
    Gap,
    GapClosed,
    GapUnrecoverable,
    NotArmed,
    StateChange,
)
from rtstream_async.models.messages import (
    AlertMessage,
    AudioMessage,
    CaptureMessage,
    Message,
    SceneMessage,
    TranscriptMessage,
    UnknownMessage,
)
from rtstream_async.models.records import Scene, StreamRecord

T = 1_772_366_400.0  # 2026-03-01 12:00:00 UTC
TIMES = {"start": T, "end": T + 5, "received_at": T + 6.25}

SCENE = SceneMessage(
    channel="scene_index",
    rtstream_id="rts-1",
    rtstream_name="Front door",
    text="Two people;\nred",
    source=b'{"channel":"scene_index","data":{"text":"Two people;\\nred","start":1,"end":2,'
    b'"engine":"offline-vision","objects":{"person":2}}}',
    **TIMES,
)

LINES = [
    (SCENE, "12:00:00-12:00:05  scene_index  Two people; red  +1.2 s"),
    (
        AudioMessage(channel="audio_index", text="They plan.", origin="poll", **TIMES),
        "12:00:00-12:00:05  audio_index  They plan.  [poll]",
    ),
    (
        TranscriptMessage(channel="transcript", text="hello", **TIMES),
        "12:00:00-12:00:05  transcript  hello  +1.2 s",
    ),
    (
        AlertMessage(
            channel="alert", label="visitor", confidence=0.93, text="a person", received_at=T
        ),
        "12:00:00  alert  visitor (93%): a person",
    ),
    (AlertMessage(channel="alert", label="visitor", received_at=T), "12:00:00  alert  visitor"),
    (
        CaptureMessage(
            channel="capture_session", session_id="cap-1", status="active", received_at=T
        ),
        "12:00:00  capture_session  cap-1 active",
    ),
    (
        UnknownMessage(channel="hud", reason="no such channel", received_at=T, source=b"[1,2]"),
        "12:00:00  hud  no such channel: [1, 2]",
    ),
    (
        StateChange(at=T, previous="LIVE", state="RECONNECTING", generation=1, reason="closed"),
        "12:00:00  -- link LIVE -> RECONNECTING (closed)",
    ),
    (
        Gap(at=T, since=T - 60, cause="link lost"),
        "12:00:00  -- gap: messages since 11:59:00 may be lost (link lost)",
    ),
    (
        GapClosed(at=T, since=T - 60, until=T, recovered=1),
        "12:00:00  -- gap closed: 1 message recovered of 11:59:00-12:00:00",
    ),
    (
        GapUnrecoverable(at=T, since=T - 60, until=T, reason="no history"),
        "12:00:00  -- gap: messages of 11:59:00-12:00:00 may be missing (no history)",
    ),
    (
        Dropped(at=T, count=2, policy="drop_oldest"),
        "12:00:00  -- dropped 2 messages: the queue was full (drop_oldest)",
    ),
    (
        NotArmed(at=T, channel="alert"),
        "12:00:00  -- nothing makes messages for alert yet",
    ),
    (
        StreamState(at=T, rtstream_id="rts-1", status="error", note="connection refused"),
        "12:00:00  -- stream error: connection refused",
    ),
    (Note(at=T, text="loading models"), "12:00:00  -- loading models"),
]


@pytest.mark.parametrize(("value", "shown"), LINES, ids=lambda item: type(item).__name__)
def test_everything_that_is_told_is_one_plain_line(value, shown):
    """A log of `rtstream watch` is read and searched by line."""
    assert line(value, zone=UTC).plain == shown


@pytest.mark.parametrize("value", [value for value, _ in LINES], ids=lambda v: type(v).__name__)
def test_everything_that_is_told_is_one_json_object(value):
    """`rtstream watch --json | jq` breaks at the first line that is no object."""
    written = as_line(as_object(value))
    assert "\n" not in written
    assert json.loads(written)["type"] in {"message", "announcement", "stream", "note"}


def test_a_message_in_json_has_its_times_in_seconds_and_what_the_engine_said():
    """A script must not need the wire's units, nor lose the facts behind the text."""
    written = json.loads(as_line(as_object(SCENE)))
    assert written["start"] == T
    assert written["text"] == "Two people;\nred"
    assert written["data"] == {"engine": "offline-vision", "objects": {"person": 2}}
    assert "source" not in written


def test_an_announcement_in_json_says_what_it_is():
    """A monitor counts gaps by name."""
    told = as_object(GapUnrecoverable(at=T, since=T - 1, until=T, reason="gone"))
    assert (told["type"], told["kind"]) == ("announcement", "gap_unrecoverable")


def test_a_frame_that_was_not_understood_is_kept_whole_in_json():
    """What this version does not know may be just what the user looks for."""
    told = as_object(UnknownMessage(channel="hud", source=b'{"hp": 3}'))
    assert told["raw"] == {"hp": 3}


def test_a_thing_that_is_never_told_is_refused():
    """A silent empty line would hide a forgotten kind of message."""
    with pytest.raises(TypeError):
        line(object())
    with pytest.raises(TypeError):
        as_object(object())
    assert line(Message(channel="x", received_at=T), zone=UTC).plain.startswith("12:00:00  x")


def test_records_in_json_keep_what_else_the_service_said():
    """The status of a stream is worth little without its reason."""
    stream = StreamRecord(
        id="rts-1", name="door", status="error", raw={"id": "rts-1", "reason": "refused"}
    )
    assert stream_object(stream)["details"] == {"reason": "refused"}
    scene = Scene(start=T, end=T + 1, text="x", raw={"start": T, "description": "x", "engine": "e"})
    assert scene_object(scene) == {
        "start": T,
        "end": T + 1,
        "text": "x",
        "details": {"engine": "e"},
    }
