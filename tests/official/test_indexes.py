"""Visual and audio indexes and their alerts, by the official SDK."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from videodb.exceptions import InvalidRequestError

from tests.official.driving import PATIENCE, drives, hooks, is_id, listening, until

BATCH = {"type": "time", "value": 1, "frame_count": 2}


@pytest.fixture(scope="module")
def index(stream):
    """A visual index with two records at least."""
    made = stream.index_visuals(prompt="Who is there?", batch_config=BATCH, name="people")
    until(lambda: len(made.get_scenes()["scenes"]) >= 2)
    return made


@drives(
    "RTStream.index_visuals",
    "RTStream.list_scene_indexes",
    "RTStream.get_scene_index",
    "RTStreamSceneIndex.get_scenes",
)
def test_pictures_are_described(stream):
    """Windows of the length that was asked for, newest first, with both names of the text."""
    index = stream.index_visuals(prompt="Who?", batch_config=BATCH, model_name="mini", name="who")
    assert is_id("hex", index.rtstream_index_id)
    assert index.rtstream_id == stream.id
    assert (index.extraction_type, index.prompt, index.name) == ("time", "Who?", "who")
    assert index.extraction_config == {"time": "1", "frame_count": "2"}  # as text: recorded so
    assert index.status == "running"
    again = stream.get_scene_index(index.rtstream_index_id)
    assert (again.rtstream_index_id, again.status, again.name) == (
        index.rtstream_index_id,
        "running",
        "who",
    )
    assert index.rtstream_index_id in [
        item.rtstream_index_id for item in stream.list_scene_indexes()
    ]
    page = until(index.get_scenes, lambda page: len(page["scenes"]) >= 3)
    newest, middle, oldest = page["scenes"][:3]
    assert page["next_page"] is False
    assert newest["description"] == newest["text"]
    assert newest["text"].startswith("A person waits at the door")
    assert oldest["end"] <= middle["start"] + 0.05 <= newest["start"] + 0.05
    assert oldest["end"] - oldest["start"] == pytest.approx(1, abs=0.25)
    assert 0 < time.time() - newest["end"] < PATIENCE
    first = index.get_scenes(page=1, page_size=1)
    assert (len(first["scenes"]), first["next_page"]) == (1, True)
    window = index.get_scenes(start=middle["start"], end=middle["end"])["scenes"]
    assert middle in window
    index.stop()
    with pytest.raises(InvalidRequestError, match="no index"):
        stream.get_scene_index("0123456789abcdef")


@drives("RTStreamSceneIndex.start", "RTStreamSceneIndex.stop")
def test_an_index_rests_and_goes_on(stream, index):
    """What it had found stays."""
    before = index.get_scenes()["scenes"]
    index.stop()
    assert stream.get_scene_index(index.rtstream_index_id).status == "stopped"
    index.start()
    assert stream.get_scene_index(index.rtstream_index_id).status == "running"
    after = until(index.get_scenes, lambda page: len(page["scenes"]) > len(before))
    assert before[-1] in after["scenes"]


@drives("RTStream.index_scenes", "RTStream.index_spoken_words", "RTStream.index_audio")
def test_the_other_ways_to_index(conn, stream):
    """Scenes by their older name, what is said as it is, and what is said summed up."""
    with listening(conn) as ear:
        stream.start_transcript()
        scenes = stream.index_scenes(ws_connection_id=ear.id)
        words = stream.index_spoken_words(segmenter="word", length=3, ws_connection_id=ear.id)
        asked = stream.index_audio(
            prompt="How many?",
            batch_config={"type": "sentence", "value": 1},
            name="counted",
            ws_connection_id=ear.id,
        )
        assert scenes.prompt == "Describe the scene"
        assert scenes.extraction_config == {"time": "2", "frame_count": "5"}
        assert (words.extraction_type, words.extraction_config) == (
            "transcript",
            {"segmenter": "word", "segmentation_value": "3"},
        )
        told = until(asked.get_scenes, lambda page: len(page["scenes"]) >= 2)["scenes"]
        assert {scene["text"] for scene in told} == {"How many? 1"}
        spoken = until(lambda: words.get_scenes()["scenes"])
        assert len(spoken[-1]["text"].split()) == 3
        visual = ear.first("scene_index")
        assert visual["data"]["text"].startswith("A person waits")
        heard = ear.first("audio_index")
        assert heard["rtstream_name"] == "door"
        for index in (scenes, words, asked):
            index.stop()
        stream.stop_transcript()
    for frame in (visual, heard):
        assert frame["rtstream_id"] == stream.id
        assert 1e12 < frame["data"]["start"] < frame["data"]["end"] < 1e13  # milliseconds
    with pytest.raises(InvalidRequestError, match="segmenter"):
        stream.index_audio(batch_config={"type": "verse", "value": 1})
    with pytest.raises(InvalidRequestError, match="time"):
        stream.index_visuals(batch_config={"type": "time", "value": 0, "frame_count": 1})


@drives(
    "RTStreamSceneIndex.create_alert",
    "RTStreamSceneIndex.list_alerts",
    "RTStreamSceneIndex.enable_alert",
    "RTStreamSceneIndex.disable_alert",
)
def test_an_alert_is_told_by_webhook_and_by_socket(conn, index):
    """Each in its own shape, with what is needed to look at the moment."""
    event = conn.create_event("A person is in the picture", "visitor")
    nobody = conn.create_event("A dog is in the picture", "dog")
    with hooks() as (url, heard), listening(conn) as ear:
        alert = index.create_alert(event, callback_url=url, ws_connection_id=ear.id)
        silent = index.create_alert(nobody, callback_url="", ws_connection_id=ear.id)
        assert is_id("hex", alert)
        body = until(lambda: heard)[0]
        frame = ear.first("alert")
        index.disable_alert(alert)
        listed = {item["alert_id"]: item for item in index.list_alerts()}
        assert listed[alert]["status"] == "disabled"
        assert (listed[alert]["event_id"], listed[alert]["label"]) == (event, "visitor")
        assert listed[alert]["callback_url"].startswith(url.rpartition("/")[0])
        assert (listed[silent]["status"], listed[silent]["fired"]) == ("enabled", 0)
        told = len(heard)
        index.enable_alert(alert)
        until(lambda: len(heard) > told)
        index.disable_alert(alert)
    check_webhook(body, event)
    assert (frame["rtstream_id"], frame["data"]["event_id"]) == (index.rtstream_id, event)
    assert frame["data"]["label"] == frame["data"]["event_label"] == "visitor"
    assert "person" in frame["data"]["text"]
    with pytest.raises(InvalidRequestError, match="no event"):
        index.create_alert("0123456789abcdef", callback_url="")
    with pytest.raises(InvalidRequestError, match="no alert"):
        index.enable_alert("0123456789abcdef")


def check_webhook(body, event):
    """As captured from the service: a prefix, ISO times with their offset, whole seconds."""
    assert body["event_id"] == f"event-{event}"
    assert body["label"] == "visitor"
    assert 0 < body["confidence"] <= 1
    assert "person" in body["explanation"]
    moments = [datetime.fromisoformat(body[name]) for name in ("start_time", "end_time")]
    told = datetime.fromisoformat(body["timestamp"])
    assert all(moment.tzinfo is not None for moment in (*moments, told))
    assert moments[0] < moments[1] <= told
    name = body["stream_url"].partition(".m3u8")[0].rpartition("/")[2]
    start, end = map(int, name.split("-"))
    assert start % 1_000_000 == end % 1_000_000 == 0
    assert start <= moments[0].timestamp() * 1e6 < moments[1].timestamp() * 1e6 <= end
    assert "/watch?v=" in body["player_url"]


def test_an_index_needs_the_track_that_it_works_on(coll):
    """Rather than stay silent for ever."""
    silent = coll.connect_rtstream("clip.mp4?loop=1", "lamp", media_types=["video"])
    with pytest.raises(InvalidRequestError, match="'audio' in media_types"):
        silent.index_audio(prompt="x", batch_config={"type": "word", "value": 5})
    silent.stop()
