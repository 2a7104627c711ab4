"""Transcripts and audio indexes, over the whole client."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
import pytest

import rtstream_async as rts
from tests.client.scripted import scripted_service

SWITCH = "POST /rtstream/rts-1/transcription"
READ = "GET /rtstream/rts-1/transcription"
STATUS = "GET /rtstream/rts-1/transcription/status"
INDEX = "POST /rtstream/rts-1/index/scene"
MADE = {"rtstream_index_id": "i-1", "extraction_type": "transcript", "status": "running"}
PATIENCE = 20.0  # seconds until something that should happen counts as not happening


@attrs.frozen
class Mood:
    """What a summary is asked for."""

    mood: str
    people: int


@pytest.fixture
async def service():
    async with scripted_service() as running:
        running.says(SWITCH, {"status": "running", "engine": "moonshine"})
        running.says(INDEX, MADE)
        yield running


def said(text: str, *, channel: str = "transcript", **data: Any) -> dict[str, Any]:
    times = {"start": 1_710_000_000_000, "end": 1_710_000_001_000}
    return {"channel": channel, "rtstream_id": "rts-1", "data": {"text": text, **times, **data}}


def words(count: int, *, first: int = 0) -> list[dict[str, Any]]:
    return [{"start": n, "end": n + 1, "text": f"{n}"} for n in range(first, first + count)]


async def test_a_transcript_pushes_to_our_own_socket(service):
    """`start_transcript()` and `events()` are all that it takes."""
    peer = await service.live()
    stream = service.stream()
    status = await stream.start_transcript()
    assert (status.status, status["engine"], status.is_running) == ("running", "moonshine", True)
    assert service.body(SWITCH) == {"action": "start", "ws_connection_id": "conn-1"}
    await peer.send(said("hel", is_final=False), said("hello", is_final=True))
    sub = stream.events("transcript")
    partial, final = [await sub.receive(timeout=PATIENCE) for _ in range(2)]
    assert isinstance(partial, rts.TranscriptMessage)
    assert [(m.text, m.is_final) for m in (partial, final)] == [("hel", False), ("hello", True)]
    assert service.asked(STATUS) == []  # pushed, and not polled


async def test_a_transcript_may_push_to_nobody_or_to_somebody_else(service):
    """`None` and an id of one's own are the reference's."""
    stream = service.stream()
    await stream.start_transcript(None)
    assert service.body(SWITCH) == {"action": "start"}
    await stream.start_transcript("conn-x", "assemblyai")
    assert service.body(SWITCH) == {
        "action": "start",
        "engine": "assemblyai",
        "ws_connection_id": "conn-x",
    }
    assert service.sockets.requests == 0


async def test_our_own_connection_id_may_be_given_by_hand(service):
    """Every snippet of the reference does so; it is armed all the same."""
    peer = await service.live()
    stream = service.stream()
    await stream.start_transcript(ws_connection_id=await service.conn.ws_connection_id())
    await peer.send(said("hello"))
    async with stream.events("transcript", control=True) as sub:
        assert (await sub.receive(timeout=PATIENCE)).text == "hello"
    assert service.asked(STATUS) == []


async def test_a_transcript_is_stopped_gently_or_at_once(service):
    """What is being said at this moment is somebody's last sentence."""
    service.says(SWITCH, {"status": "stopped"})
    stream = service.stream()
    assert (await stream.stop_transcript()).status == "stopped"
    assert service.body(SWITCH) == {"action": "stop"}
    await stream.stop_transcript("assemblyai", mode="force")
    assert service.body(SWITCH) == {"action": "stop", "engine": "assemblyai", "mode": "force"}
    with pytest.raises(rts.InvalidArgumentError, match="graceful"):
        await stream.stop_transcript(mode="now")
    assert len(service.asked(SWITCH)) == 2


async def test_the_state_of_a_transcript_can_be_asked_for(service):
    """After a restart nobody knows who listens."""
    service.says(STATUS, {"status": "not_configured"})
    status = await service.stream().get_transcript_status("assemblyai")
    assert (status.status, status.is_running) == ("not_configured", False)
    assert service.query(STATUS) == {"engine": "assemblyai"}


async def test_a_page_of_a_transcript_is_awaited(service):
    """The reference's way: one page, read by key."""
    answered = {"transcription_records": words(2), "next_page": True, "total_count": 9}
    service.says(READ, answered)
    page = await service.stream().get_transcript(page=3, page_size=2, since=5.5, engine="x")
    assert service.query(READ) == {"page": "3", "page_size": "2", "since": "5.5", "engine": "x"}
    assert [segment["text"] for segment in page["segments"]] == ["0", "1"]
    assert (page["next_page"], page["total_count"], page["page"]) == (True, 9, 3)


async def test_a_whole_transcript_is_iterated(service):
    """Pages are the service's business; a reader wants what was said, in order, once."""

    def listed(seen):
        number = int(seen.path.partition("page=")[2].partition("&")[0])
        records = words(3, first=2 * (number - 1))  # the last of a page comes again
        return {"transcription_records": records, "next_page": number < 3}

    service.says(READ, listed)
    stream = service.stream()
    read = [segment.text async for segment in stream.get_transcript(page_size=3, start=0, end=99)]
    assert read == ["0", "1", "2", "3", "4", "5", "6"]
    asked = [dict(parse_qsl(urlsplit(seen.path).query)) for seen in service.asked(READ)]
    pages = [query for query in asked if query["start"] == "0"]  # and not a look at what came again
    # Who waits for a page has the next one on its way: the last time, one that is not there.
    assert [query["page"] for query in pages][:3] == ["1", "2", "3"]
    assert pages[2] == {"page": "3", "page_size": "3", "start": "0", "end": "99"}


@pytest.mark.parametrize(
    "arguments",
    [{"page": 0}, {"page_size": 0}, {"start": "x"}, {"start": 2, "end": 1}, {"since": 1e12}],
)
async def test_a_bad_bound_is_refused_before_anything_is_asked(service, arguments):
    """Milliseconds for seconds would give an empty page, and no reason."""
    with pytest.raises(rts.InvalidArgumentError):
        service.stream().get_transcript(**arguments)
    assert service.loopback.seen == []


async def test_an_audio_index_pushes_to_our_own_socket(service):
    """The channel is the one that the reference names."""
    peer = await service.live()
    stream = service.stream()
    index = await stream.index_audio("Summarise", {"type": "sentence", "value": 2}, name="talk")
    assert service.body(INDEX) == {
        "extraction_type": "transcript",
        "extraction_config": {"segmenter": "sentence", "segmentation_value": 2},
        "prompt": "Summarise",
        "name": "talk",
        "ws_connection_id": "conn-1",
    }
    assert index.rtstream_index_id == "i-1"
    await peer.send(said("they plan", channel="audio_index"))
    message = await stream.events("audio_index").receive(timeout=PATIENCE)
    assert isinstance(message, rts.AudioMessage)
    assert message.text == "they plan"


async def test_an_audio_index_can_be_asked_for_json(service):
    """What was said, as values that a program can count."""
    peer = await service.live()
    stream = service.stream()
    await stream.index_audio(output_type=Mood)
    assert service.body(INDEX)["prompt"].startswith("Summarise what is said.")
    await peer.send(
        said('{"mood": "calm", "people": 2}', channel="audio_index"),
        said("no JSON", channel="audio_index"),
    )
    sub = stream.events("audio_index")
    assert (await sub.receive(timeout=PATIENCE)).output == Mood("calm", 2)
    assert (await sub.receive(timeout=PATIENCE)).output_error


async def test_spoken_words_and_scenes_push_on_their_channels(service):
    """`index_scenes(extraction_type="transcript")` listens; it must not be taken for a watcher."""
    peer = await service.live()
    stream = service.stream()
    await stream.index_spoken_words(segmenter="time", length=2.5)
    config = {"segmenter": "time", "segmentation_value": 2.5}
    assert service.body(INDEX)["extraction_config"] == config
    await stream.index_scenes(output_type=Mood)
    assert service.body(INDEX)["extraction_type"] == "time"
    assert service.body(INDEX)["extraction_config"] == {"time": 2, "frame_count": 5}
    assert service.body(INDEX)["prompt"].startswith("Describe the scene\n")
    await peer.send(said("heard", channel="audio_index"), said("seen", channel="scene_index"))
    both = stream.events("audio_index", "scene_index")
    got = [await both.receive(timeout=PATIENCE) for _ in range(2)]
    assert [(message.channel, message.text) for message in got] == [
        ("audio_index", "heard"),
        ("scene_index", "seen"),
    ]


async def test_a_stream_with_sound_pushes_its_transcript(service):
    """`enable_transcript` starts one, so it is armed."""
    service.says("POST /rtstream", {"id": "rts-1", "status": "connected"})
    peer = await service.live()
    stream = await service.collection().connect_rtstream(
        "rtsp://x", "Talk", ["audio", "video"], enable_transcript=True
    )
    body = service.body("POST /rtstream")
    assert (body["enable_transcript"], body["ws_connection_id"]) == (True, "conn-1")
    await peer.send(said("hello"))
    assert (await stream.events("transcript").receive(timeout=PATIENCE)).text == "hello"


async def test_a_transcript_that_somebody_else_started_is_polled():
    """A second program reads along."""
    fast = rts.HubSettings(poll_interval=0.01, poll_idle_interval=0.02)
    async with scripted_service(realtime=fast) as service, asyncio.timeout(PATIENCE):
        service.says(STATUS, {"status": "running"})
        record = {"start": 4_000_000_000, "end": 4_000_000_001, "text": "polled"}
        service.says(READ, {"transcription_records": [record], "next_page": False})
        sub = service.stream().events("transcript")
        reading = asyncio.create_task(sub.receive())
        await service.sockets.accept_live()
        message = await reading
        assert (message.text, message.origin, message.is_final) == ("polled", "poll", True)
