"""Where the sources disagree (D1 to D23): what the local server really sends, and its switches."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from urllib.parse import urlsplit

import attrs
import pytest
from videodb.exceptions import InvalidRequestError

from rtstream_async.local.pipelines.captures import CaptureOutcome
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import SegmentRow
from rtstream_async.protocol.codec.emit import ALERT_SHAPES
from tests.official.driving import PATIENCE, hooks, listening, serving, until
from tests.official.engines import Doorman
from tests.search.engines import IdeaEngine

PERSON = {"objects": {"person": 1}, "people": 1}
BATCH = {"type": "time", "value": 1, "frame_count": 1}


@attrs.frozen
class Told:
    """One of everything that is ever sent, and what REST says of it."""

    site: object
    conn: object
    stream: object
    index: object
    event: str
    alert: str
    session: object
    frames: dict
    webhook: dict

    def frame(self, channel):
        return self.frames[channel]


def scene(site, stream, index):
    """A person comes in."""
    now = time.time()
    site.do(
        site.control.add_scene,
        stream.id,
        "A person comes in",
        start=now - 2,
        end=now - 1,
        metadata=PERSON,
        index_id=index.rtstream_index_id,
    )


@pytest.fixture(scope="module")
def told(site, conn, coll):
    """Have each frame sent once, by a server without any switch."""
    stream = coll.connect_rtstream("scripted://door", "door", media_types=["video", "audio"])
    event = conn.create_event("A person is in the picture", "visitor")
    with hooks() as (url, heard), listening(conn) as ear:
        index = stream.index_visuals(batch_config=BATCH, ws_connection_id=ear.id)
        sound = stream.index_spoken_words(length=1, ws_connection_id=ear.id)
        stream.start_transcript(ws_connection_id=ear.id)
        alert = index.create_alert(event, url, ws_connection_id=ear.id)
        session = conn.create_capture_session("user-1", ws_connection_id=ear.id)
        site.do(site.control.capture, session.id, "active", channels={"mic:default": stream.id})
        outcome = CaptureOutcome(exported_video_id="m-1")
        site.do(site.control.capture, session.id, "exported", outcome=outcome)
        now = time.time()
        row = SegmentRow(
            stream_id=stream.id,
            file="a.ts",
            start_us=round((now - 9) * 1e6),
            end_us=round((now + 9) * 1e6),
            size=1,
            discontinuity=False,
        )
        site.do(site.server._up._store.run, statements.add_segment, row)
        scene(site, stream, index)
        site.do(site.control.add_utterance, stream.id, "Hello.", start=now - 1, end=now)
        made = stream.understand(ws_connection_id=ear.id)
        frames = {
            channel: ear.first(channel)
            for channel in ("scene_index", "audio_index", "transcript", "alert")
        }
        until(lambda: len(ear.of("capture_session")) == 6)
        frames["exported"] = ear.of("capture_session")[-1]
        frames["understanding"] = ear.of("understanding")
        frames["channels"] = {frame.get("channel") for frame in ear.frames}
        body = until(lambda: heard)[0]
        sound.stop()
        made.stop()
    return Told(site, conn, stream, index, event, alert, session, frames, body)


def d1(told):
    """The channel of pictures is `scene_index`, and never both at once."""
    assert told.frame("scene_index")["data"]["text"] == "A person comes in"
    assert "visual_index" not in told.frames["channels"]


def d2(told):
    """The channel of sound is `audio_index`."""
    assert told.frame("audio_index")["data"]["text"] == "Hello."
    assert "spoken_index" not in told.frames["channels"]


def d3(told):
    """An alert's frame has what any of the four shapes has."""
    data = told.frame("alert")["data"]
    assert data["event_id"] == told.event
    assert data["event_label"] == data["label"] == "visitor"
    assert data["text"] == data["explanation"]
    assert data["triggered"] is True
    assert 0 < data["confidence"] <= 1
    assert {"timestamp", "start", "end", "stream_url", "player_url"} <= data.keys()


def d4(told):
    """Times on the socket are milliseconds since 1970."""
    for channel in ("scene_index", "audio_index", "transcript", "alert"):
        data = told.frame(channel)["data"]
        for name in ("start", "end"):
            assert isinstance(data[name], int)
            assert data[name] / 1000 == pytest.approx(time.time(), abs=2 * PATIENCE)


def d5(told):
    """Times of a webhook are ISO text with an offset."""
    for name in ("timestamp", "start_time", "end_time"):
        assert datetime.fromisoformat(told.webhook[name]).utcoffset() is not None


def d6(told):
    """The event's id has a prefix in the webhook, and nowhere else."""
    assert told.webhook["event_id"] == f"event-{told.event}"
    assert told.conn.list_events()[-1]["event_id"] == told.event


def d7(told):
    """Webhook and socket name the same moment each in its own words."""
    assert told.webhook.keys() >= {"label", "explanation", "start_time", "end_time"}
    assert told.webhook.keys().isdisjoint({"event_label", "text", "start", "end"})
    data = told.frame("alert")["data"]
    assert told.webhook["explanation"] == data["text"]
    start = datetime.fromisoformat(told.webhook["start_time"]).timestamp()
    assert start == pytest.approx(data["start"] / 1000, abs=0.001)


def d8(told):
    """A capture frame has a channel beside its event."""
    frame = told.frame("exported")
    assert (frame["channel"], frame["event"]) == ("capture_session", "capture_session.exported")


def d9(told):
    """The session is named as the documents do, and as REST does."""
    frame = told.frame("exported")
    assert frame["capture_session_id"] == frame["session_id"] == told.session.id


def d10(told):
    """The state is said at both places."""
    frame = told.frame("exported")
    assert frame["status"] == frame["data"]["status"] == "exported"


def d11(told):
    """The exported video has both names."""
    data = told.frame("exported")["data"]
    assert data["exported_video_id"] == data["video_id"] == "m-1"


def d12(told):
    """A record's text has both names."""
    (scene,) = told.index.get_scenes()["scenes"]
    assert scene["description"] == scene["text"] == "A person comes in"


def d13(told):
    """`is_final` is a boolean."""
    assert told.frame("transcript")["data"]["is_final"] is True


def d14(told):
    """An alert is switched by `action` and by `status`, and answers with its status."""
    path = f"/rtstream/{told.stream.id}/index/{told.index.rtstream_index_id}/alert/{told.alert}"
    for body, status in (
        ({"action": "disable"}, "disabled"),
        ({"status": "enabled"}, "enabled"),
        ({"status": "disabled"}, "disabled"),
        ({"action": "enable"}, "enabled"),
    ):
        answer = told.site.raw("PATCH", f"{path}/status", json=body)
        assert answer.json()["data"]["status"] == status


def d15(told):
    """A callback URL may be absent, null or empty."""
    path = f"/rtstream/{told.stream.id}/index/{told.index.rtstream_index_id}/alert"
    for body in ({}, {"callback_url": None}, {"callback_url": ""}):
        made = told.site.raw("POST", path, json={"event_id": told.event, **body})
        assert made.json()["data"]["callback_url"] is None


def d17(told):
    """An index runs or is stopped."""
    index = told.stream.get_scene_index(told.index.rtstream_index_id)
    assert index.status == "running"
    index.stop()
    assert told.stream.get_scene_index(index.rtstream_index_id).status == "stopped"
    index.start()


def d20(told):
    """A path with a slash at its end is the same path, without a redirect."""
    body = {"event_prompt": "A dog is in the picture", "label": "dog"}
    made = told.site.raw("POST", "/rtstream/event/", json=body)
    assert made.status_code == 200
    assert made.json()["data"]["label"] == "dog"


def d21(told):
    """A window of a stream has a manifest and a page."""
    assert {"stream_url", "player_url"} <= told.webhook.keys()


def d22(told):
    """Nothing is pushed of an understanding, unless the server is told to."""
    assert told.frames["understanding"] == []


def d23(told):
    """Clips are at the server's own origin."""
    for name in ("stream_url", "player_url"):
        assert urlsplit(told.webhook[name]).netloc == urlsplit(told.site.url).netloc


@pytest.mark.parametrize(
    "decision",
    [d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15, d17, d20, d21, d22, d23],
    ids=lambda decision: decision.__name__.upper(),
)
def test_the_server_sends_what_the_table_says(told, decision):
    """Each reader that exists understands one side of each disagreement."""
    decision(told)


@pytest.fixture
def with_switch():
    """A server with switches, a stream, and an ear for it."""
    opened = []

    def start(**switches):
        running = serving(control=True, embedding=IdeaEngine, **switches)
        site = running.__enter__()
        opened.append(running)
        conn = site.connect()
        stream = conn.get_collection().connect_rtstream("scripted://door", "door")
        return site, conn, stream

    yield start
    for running in opened:
        running.__exit__(None, None, None)


def test_d1_the_channel_of_pictures_can_be_the_other_one(with_switch):
    """pair-programmer listens to nothing else."""
    site, conn, stream = with_switch(scene_channel="visual_index")
    with listening(conn) as ear:
        index = stream.index_visuals(batch_config=BATCH, ws_connection_id=ear.id)
        scene(site, stream, index)
        assert ear.first("visual_index")["data"]["text"] == "A person comes in"
        assert ear.of("scene_index") == []


SHAPES = {
    "reference": (
        {"channel", "rtstream_id"},
        {"event_label", "timestamp", "text"},
    ),
    "realtime": (
        {"channel", "rtstream_id", "rtstream_name"},
        {"label", "triggered", "confidence", "start", "end"},
    ),
    "bare": (
        {"event_label", "rtstream_id", "timestamp"},
        {"text"},
    ),
    "callback": (
        {"channel", "rtstream_id"},
        {"label", "confidence", "text"},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_d3_an_alert_can_have_each_strict_shape(with_switch, shape):
    """For who wants to know whether his reader depends on what others do not send."""
    assert {*SHAPES, "full"} == set(ALERT_SHAPES)
    site, conn, stream = with_switch(alert_shape=shape)
    event = conn.create_event("A person is in the picture", "visitor")
    with listening(conn) as ear:
        index = stream.index_visuals(batch_config=BATCH)
        index.create_alert(event, "", ws_connection_id=ear.id)
        scene(site, stream, index)
        (frame,) = until(lambda: list(ear.frames))
    top, inner = SHAPES[shape]
    assert frame.keys() == top | {"data"}
    assert frame["data"].keys() == inner


def test_d18_an_alert_waits_for_nothing(told):
    """Documents promise a second, captures show half a minute; here it comes when it is known."""
    data = told.frame("alert")["data"]
    assert data["end"] <= data["timestamp"]


def test_d19_the_iterator_of_the_sdk_is_receive(told):
    """The documents' `ws.stream()` does not exist there; nothing of it is on the wire."""
    assert not hasattr(told.conn.connect_websocket(), "stream")
    assert asyncio.iscoroutinefunction(told.conn.connect_websocket().connect)


def test_d22_understandings_are_pushed_when_asked_for(media, with_switch):
    """As our own invention, on a channel of their own."""
    _, conn, _ = with_switch(push_understandings=True, vision=Doorman, media_root=media)
    stream = conn.get_collection().connect_rtstream("clip.mp4?loop=1", "door")
    with listening(conn) as ear:
        made = stream.understand({"type": "time", "window": "1s"}, ws_connection_id=ear.id)
        frame = ear.first("understanding")
    assert frame["rtstream_id"] == stream.id
    assert (frame["data"]["understanding_id"], frame["data"]["output"]) == (made.id, "scene")
    assert frame["data"]["text"].startswith("A person waits")
    assert 1e12 < frame["data"]["start"] < 1e13


def test_a_start_of_a_running_stream_is_refused_when_asked_for(with_switch):
    """As the service does; a program that relies on our patience would fail there."""
    _, _, stream = with_switch(strict_start=True)
    with pytest.raises(InvalidRequestError, match="already active"):
        stream.start()
    stream.stop()
    stream.start()
