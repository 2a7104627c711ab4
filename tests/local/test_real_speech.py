"""Real speech, heard by the real engine: recorded books over the footage of a street."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rtstream_async.local import LocalServer
from rtstream_async.local.media.publishing import publishing
from tests.engines.sounds import word_error_rate
from tests.local.harness import Api, until
from tests.media.servers import free_port
from tests.walk.meeting import Meeting, make_meeting

SOUND = {"media_types": ["audio", "video"]}


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Meeting:
    return make_meeting(tmp_path_factory.mktemp("film") / "meeting.mp4")


@pytest.fixture
async def server(meeting: Meeting) -> AsyncIterator[LocalServer]:
    async with LocalServer(media_root=meeting.path.parent) as running:
        yield running


async def said(api: Api, stream: str) -> list[dict[str, Any]]:
    page = await api.call("GET", f"/rtstream/{stream}/transcription")
    return page["transcription_records"]


def text(records: list[dict[str, Any]]) -> str:
    return " ".join(record["text"] for record in records)


async def test_what_is_read_aloud_is_written_down_where_it_was_read(
    api: Api, meeting: Meeting
) -> None:
    """Words that are wrong are not found; words at another time show another picture."""
    url = f"rtmp://127.0.0.1:{free_port()}/live"
    stream = await api.connect(f"{url}?listen=1", **SOUND)
    config = {"segmenter": "time", "segmentation_value": 8}
    heard = {"extraction_type": "transcript", "extraction_config": config}
    plain = await api.index(stream, **heard)
    short = await api.index(stream, **heard, prompt="Who is rich?")
    async with publishing(meeting.path, url) as publication:
        await publication.wait()
    await api.call("PATCH", f"/rtstream/{stream}/status", json={"action": "stop"})
    records = await said(api, stream)
    assert word_error_rate([(" ".join(meeting.said), text(records))]) < 0.15
    begins = (await api.stream(stream))["recorded_from"]
    for start in meeting.starts:
        assert min(abs(record["start"] - begins - start) for record in records) < 0.5
    spoken = (await api.scenes(stream, plain))[::-1]
    assert text(spoken).split() == text(records).split()
    assert {record["engine"] for record in spoken} == {records[0]["engine"]}
    for record in await api.scenes(stream, short):
        assert record["engine"] != records[0]["engine"]
        sentences = record["metadata"]["spoken"]
        assert record["text"]
        assert all(word in sentences for word in record["text"].split())


async def test_an_engine_that_dies_is_there_for_the_next_sentence(
    api: Api, server: LocalServer, meeting: Meeting
) -> None:
    """A crash in native code costs a sentence, not the rest of the meeting."""
    stream = await api.connect(f"{meeting.path.name}?loop=1", **SOUND)
    before = await until(lambda: said(api, stream))
    engines: Any = server._up._director
    for pid in engines._engines._speech._engine.pids:
        os.kill(pid, signal.SIGKILL)
    after = await until(lambda: said(api, stream), lambda seen: len(seen) > len(before) + 1)
    assert after[: len(before)] == before
    status = await api.call("GET", f"/rtstream/{stream}/transcription/status")
    assert (status["status"], status["last_error"]) == ("running", None)
