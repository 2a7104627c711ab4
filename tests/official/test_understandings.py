"""Understandings and the indexes made of them (v2), by the official SDK."""

from __future__ import annotations

import time

import pytest
from videodb.exceptions import InvalidRequestError

from tests.official.driving import drives, hooks, is_id, until

SEGMENTATION = {"type": "time", "window": "1s"}
ANALYZERS = [
    {
        "type": "vlm",
        "name": "scene",
        "sampling": {"frame_count": 2},
        "config": {"prompt": "Who is there?", "model": "basic"},
    }
]


@pytest.fixture(scope="module")
def understanding(stream):
    return stream.understand(segmentation=SEGMENTATION, analyzers=ANALYZERS)


@drives(
    "RTStream.understand",
    "RTStream.get_understanding",
    "RTStream.list_understanding",
    "RTStreamUnderstanding.refresh",
    "RTStreamUnderstanding.start",
    "RTStreamUnderstanding.stop",
    "RTStreamUnderstanding.get_records",
)
def test_a_stream_is_understood(stream):
    """Window by window, until it is stopped."""
    made = stream.understand(segmentation=SEGMENTATION, analyzers=ANALYZERS)
    assert is_id("und", made.id)
    assert (made.rtstream_id, made.status, made.store) == (stream.id, "running", True)
    assert (made.segmentation, made.analyzers) == (SEGMENTATION, ANALYZERS)
    assert list(made.outputs) == ["scene"]
    assert stream.get_understanding(made.id).id == made.id
    assert made.id in [item.id for item in stream.list_understanding()]
    now = time.time()

    def look():
        return made.get_records(start=now - 60, end=now + 60)

    page = until(look, lambda page: len(page["records"]) >= 2)
    newest, oldest = page["records"][0], page["records"][-1]
    assert newest["start"] > oldest["start"]
    assert newest["text"] == newest["data"]["text"]
    assert newest["text"].startswith("A person waits")
    small = made.get_records(now - 60, now + 60, output="scene", page=1, page_size=1)
    assert (len(small["records"]), small["next_page"]) == (1, True)
    made.stop()
    assert made.refresh().status == "stopped"
    made.start()
    assert made.refresh().status == "running"
    made.stop()
    with pytest.raises(InvalidRequestError, match="no understanding"):
        stream.get_understanding("und-nobody")
    with pytest.raises(InvalidRequestError, match="output"):
        made.get_records(now - 60, now, output="faces")


@drives(
    "RTStream.index",
    "RTStream.get_index",
    "RTStream.list_indexes",
    "RTStreamIndex.refresh",
    "RTStreamIndex.start",
    "RTStreamIndex.stop",
    "RTStreamIndex.get_records",
)
def test_an_index_is_made_of_an_output(stream, understanding):
    """The description of the output is handed back as it came."""
    index = stream.index(source=understanding.outputs["scene"], name="people", use_for=["semantic"])
    assert is_id("idx", index.id)
    assert (index.rtstream_id, index.name, index.status) == (stream.id, "people", "running")
    assert (index.source_understanding_id, index.output) == (understanding.id, "scene")
    assert index.use_for == ["semantic"]
    page = until(index.get_records, lambda page: len(page["records"]) >= 2)
    record = page["records"][-1]
    assert record["text"].startswith("A person waits")
    assert record in index.get_records(start=record["start"], end=record["end"])["records"]
    assert len(index.get_records(page=1, page_size=1)["records"]) == 1
    assert stream.get_index(index.id).name == "people"
    assert [item.id for item in stream.list_indexes()] == [index.id]
    index.stop()
    assert index.refresh().status == "stopped"
    index.start()
    assert index.refresh().status == "running"
    with pytest.raises(InvalidRequestError, match="no index"):
        stream.get_index("idx-nobody")


@drives(
    "RTStreamIndex.create_alert",
    "RTStreamIndex.list_alerts",
    "RTStreamIndex.enable_alert",
    "RTStreamIndex.disable_alert",
)
def test_such_an_index_is_watched_too(conn, stream, understanding):
    """Alerts are the same for both kinds."""
    index = stream.index(understanding.outputs["scene"])
    event = conn.create_event("A person is in the picture", "visitor")
    with hooks() as (url, heard):
        alert = index.create_alert(event, url)
        assert until(lambda: heard)[0]["event_id"] == f"event-{event}"
        index.disable_alert(alert)
        assert [item["status"] for item in index.list_alerts()] == ["disabled"]
        index.enable_alert(alert)
        assert [item["alert_id"] for item in index.list_alerts()] == [alert]
        index.disable_alert(alert)
