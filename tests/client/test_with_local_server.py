"""Speech, alerts, search and export: the client and the local server, one against the other."""

from __future__ import annotations

import asyncio
import time

import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from rtstream_async.local.assets import clip_path

BATCH = {"type": "time", "value": 2, "frame_count": 1}
LONG = 60.0  # seconds until something that should happen counts as not happening


@pytest.fixture
async def room(conn):
    """A stream with sound that only the test feeds, and no transcript yet."""
    collection = await conn.get_collection()
    return await collection.connect_rtstream(
        "scripted://room", "Room", ["audio"], enable_transcript=False
    )


async def test_what_is_said_is_pushed_and_kept(room, server):
    """Partial and final messages, then records; and the record is what the last message said."""
    assert (await room.get_transcript_status()).is_running is False
    status = await room.start_transcript()
    assert status.is_running
    now = time.time()
    await server.control.add_utterance(room.id, "hel", start=now, end=now + 1, is_final=False)
    await server.control.add_utterance(room.id, "hello", start=now, end=now + 1)
    sub = room.events("transcript")
    partial, final = await sub.receive(timeout=LONG), await sub.receive(timeout=LONG)
    assert isinstance(final, rts.TranscriptMessage)
    assert [(m.text, m.is_final) for m in (partial, final)] == [("hel", False), ("hello", True)]
    page = await room.get_transcript()
    (segment,) = page["segments"]
    assert (segment.text, segment["text"]) == ("hello", "hello")
    assert abs(segment.start - final.start) < 0.001
    stopped = await room.stop_transcript()
    assert not stopped.is_running
    assert (await room.get_transcript_status()).status == stopped.status


async def test_a_transcript_is_read_by_pages_and_by_time(room, server):
    """Oldest first, each segment once, whatever the size of a page."""
    await room.start_transcript(None)
    for number in range(7):
        at = 1_700_000_000.0 + 10 * number
        await server.control.add_utterance(room.id, f"{number}", start=at, end=at + 2)
    texts = [segment.text async for segment in room.get_transcript(page_size=3)]
    assert texts == [str(number) for number in range(7)]
    page = await room.get_transcript(page=2, page_size=3)
    assert [segment.text for segment in page] == ["3", "4", "5"]
    assert page["next_page"] is True
    inside = room.get_transcript(start=1_700_000_020.0, end=1_700_000_042.0)
    assert [segment.text async for segment in inside] == ["2", "3", "4"]
    newer = [segment.text async for segment in room.get_transcript(since=1_700_000_045.0)]
    assert newer == ["5", "6"]


async def test_a_second_program_reads_along(room, server):
    """It armed nothing: what is said is polled for it."""
    await room.start_transcript(None)
    fast = rts.HubSettings(poll_interval=0.01, poll_idle_interval=0.02)
    async with rts.connect(server.api_key, base_url=server.url, realtime=fast) as watcher:
        same = await (await watcher.get_collection()).get_rtstream(room.id)
        sub = same.events("transcript")
        reading = asyncio.create_task(sub.receive(timeout=LONG))
        await sub.ready()
        at = time.time() + 5
        await server.control.add_utterance(room.id, "hello", start=at, end=at + 1)
        message = await reading
    assert (message.text, message.origin, message.is_final) == ("hello", "poll", True)


async def test_an_audio_index_sums_up_what_is_said(room, server):
    """Batches of words, sentences or seconds; without a transcript it starts one."""
    index = await room.index_audio("Summarise", {"type": "sentence", "value": 2}, name="talk")
    assert index.is_running
    assert index["extraction_config"] == {"segmenter": "sentence", "segmentation_value": 2}
    now = time.time()
    for number, said in enumerate(("The deploy is blocked.", "The tests fail on Friday.")):
        at = now + 3 * number
        await server.control.add_utterance(room.id, said, start=at, end=at + 2)
    message = await room.events("audio_index").receive(timeout=LONG)
    assert isinstance(message, rts.AudioMessage)
    assert message.text
    page = await index.get_scenes()
    assert [scene["text"] for scene in page["scenes"]] == [message.text]
    assert (await room.get_transcript_status()).is_running


async def test_spoken_words_are_the_words(room, server):
    """No prompt, no summary."""
    await room.index_spoken_words(segmenter="sentence", length=1)
    now = time.time()
    await server.control.add_utterance(room.id, "We ship on Monday.", start=now, end=now + 2)
    assert (await room.events("audio_index").receive(timeout=LONG)).text == "We ship on Monday."


async def test_scenes_are_found_by_what_they_say(conn, door, server):
    """By word and by meaning, in one stream, in one index and in all streams."""
    index = await door.index_visuals("Who is there?", BATCH)
    for number, text in enumerate(
        ("A red car is parked.", "A dog runs over the lawn.", "Two people talk at a desk.")
    ):
        at = 1_700_000_000.25 + 10 * number
        await server.control.add_scene(door.id, text, start=at, end=at + 2.5)
    result = await door.search("dog", result_threshold=1)
    (shot,) = result
    assert (shot.text, shot.rtstream_id, shot.rtstream_name) == (
        "A dog runs over the lawn.",
        door.id,
        "Front door",
    )
    assert (shot.start, shot.end) == (1_700_000_010.25, 1_700_000_012.75)
    assert shot.search_score is not None
    assert shot.scene_index_id == index.rtstream_index_id
    collection = await conn.get_collection()
    everywhere = await collection.search("dog", namespace="rtstream", result_threshold=1)
    assert [found.text for found in everywhere] == [shot.text]
    assert everywhere[0].rtstream_id == door.id
    with pytest.raises(rts.NotFoundError):
        await door.search("dog", index_id="0000000000000000")


async def test_an_index_is_asked_something_else(door):
    """Its records go on; what they tell is new."""
    index = await door.index_visuals("Who is there?", BATCH)
    await index.update(prompt="Only cats")
    assert index.prompt == "Only cats"
    assert (await door.get_scene_index(index.rtstream_index_id)).prompt == "Only cats"


async def test_a_stream_is_renamed(conn, door):
    """The page, the search and the list show its name."""
    await door.update(name="Back door")
    assert door.name == "Back door"
    collection = await conn.get_collection()
    assert (await collection.get_rtstream(door.id)).name == "Back door"


async def test_a_recording_is_exported_and_a_shot_of_it_played(tmp_path):
    """From a running stream to one file: refused while it runs, then made once."""
    clips = clip_path().parent
    async with (
        LocalServer(tmp_path / "server", media_root=clips) as server,
        rts.connect(server.api_key, base_url=server.url) as conn,
    ):
        collection = await conn.get_collection()
        stream = await collection.connect_rtstream(str(clip_path()), "Street", store=True)
        with pytest.raises(rts.InvalidRequestError):
            await stream.export()
        index = await stream.index_visuals(batch_config={**BATCH, "value": 1})
        message = await stream.events("scene_index").receive(timeout=LONG)
        await stream.stop()
        told: list[rts.JobProgress] = []
        result = await stream.export("Morning", progress=told.append)
        assert (result.video_id[:2], result.name) == ("m-", "Morning")
        assert result.duration
        assert result.stream_url
        assert (await stream.export()).video_id == result.video_id
        (shot, *_) = await stream.search(message.text, index_id=index.rtstream_index_id)
        assert (await shot.generate_stream()).startswith(server.url)
        assert shot.player_url is not None


async def test_what_was_not_stored_is_not_exported(door):
    """It says what to do instead."""
    await door.stop()
    with pytest.raises(rts.InvalidRequestError, match=r"record|store"):
        await door.export()


async def test_an_event_is_told_of(conn, door, server):
    """The reference's own: an event, an index, an alert; by name and by number."""
    event_id = await conn.create_event("A person is in the picture", label="visitor")
    assert [event["label"] for event in await conn.list_events()] == ["visitor"]
    index = await door.index_visuals("Who is there?", BATCH)
    alert_id = await index.create_alert(event_id)
    (alert,) = await index.list_alerts()
    assert (alert["alert_id"], alert.event_id, alert.label) == (alert_id, event_id, "visitor")
    assert alert.is_enabled
    now = time.time()
    await server.control.add_scene(door.id, "An empty room.", start=now, end=now + 2)
    await server.control.add_scene(
        door.id,
        "1 person.",
        start=now + 2,
        end=now + 4,
        metadata={"objects": {"person": 1}},
    )
    message = await door.events("alert").receive(timeout=LONG)
    assert isinstance(message, rts.AlertMessage)
    assert (message.label, message.event_id) == ("visitor", event_id)
    assert abs(message.start - (now + 2)) < 0.01
    await index.disable_alert(alert_id)
    assert [found.is_enabled for found in await index.list_alerts()] == [False]
    await index.enable_alert(alert_id)
    assert [found.is_enabled for found in await index.list_alerts()] == [True]


async def test_an_alert_on_nothing_is_refused(conn, door):
    """A typing error in an id would watch for ever, and never tell."""
    index = await door.index_visuals("Who is there?", BATCH)
    with pytest.raises(rts.InvalidRequestError, match="event"):
        await index.create_alert("0000000000000000")
    with pytest.raises(rts.NotFoundError):
        await index.enable_alert("0000000000000000")
