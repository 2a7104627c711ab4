"""The reference's complete workflow on a real street with real speech: ours, and the official."""

from __future__ import annotations

import asyncio
import io
import socket
import time

import av
import httpx
import numpy as np
import pytest
import videodb
from videodb.exceptions import InvalidRequestError

import rtstream_async as rts
from rtstream_async.cli.hearing import words_of, wrong_words
from rtstream_async.local import LocalServer
from rtstream_async.local.media.publishing import publishing
from tests.local.harness import PATIENCE, until
from tests.local.recordings import play
from tests.walk.meeting import make_meeting

WINDOW = {"type": "time", "value": 4, "frame_count": 2}


@pytest.fixture(scope="module")
def meeting(tmp_path_factory):
    return make_meeting(tmp_path_factory.mktemp("film") / "meeting.mp4")


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"rtmp://127.0.0.1:{probe.getsockname()[1]}/live/meeting"


def errors_in(said, heard):
    """The word error rate."""
    return wrong_words(words_of(" ".join(said)), words_of(heard)) / len(words_of(" ".join(said)))


def pictures_of(source, count):
    """The first pictures of a film, grey."""
    with av.open(source) as film:
        return [
            frame.to_ndarray(format="gray")
            for frame, _ in zip(film.decode(video=0), range(count), strict=False)
        ]


async def fetched(url):
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        return (await http.get(url)).content


async def test_the_workflow_ported_by_await_alone(meeting):
    """This is the program that the whole package is for."""
    address = free_address()
    async with (
        LocalServer() as server,
        rts.connect(server.api_key, base_url=server.url) as conn,
    ):
        coll = await conn.get_collection()

        # 1. Connect and start recording
        rtstream = await coll.connect_rtstream(
            url=f"{address}?listen=1",
            name="Weekly Standup",
            media_types=["video", "audio"],
            store=True,
        )
        await rtstream.start()
        index = await rtstream.index_visuals(prompt="What is seen?", batch_config=WINDOW)
        await rtstream.index_audio(
            prompt="Summarise.", batch_config={"type": "sentence", "value": 2}
        )
        people = await conn.create_event(
            event_prompt="More than two people are in the street", label="crowd"
        )
        dogs = await conn.create_event(event_prompt="A dog is in the picture", label="dog")
        for event_id in (people, dogs):
            await index.create_alert(event_id)

        # 2. Record for the duration of the meeting
        channels = ("scene_index", "transcript", "audio_index", "alert")
        async with rtstream.events(*channels) as messages:
            start_ts = time.time()
            async with publishing(meeting.path, address) as publication:
                await publication.wait()
            end_ts = time.time()
            await rtstream.stop()
            await until(lambda: asyncio.sleep(0, messages.stats), lambda seen: seen.received > 12)
            heard = [await messages.receive() for _ in range(messages.stats.depth)]

        by_channel = {name: [m for m in heard if m.channel == name] for name in channels}
        assert {m.label for m in by_channel["alert"]} == {"crowd"}
        assert all(m.confidence and m.text for m in by_channel["alert"])
        finals = [m for m in by_channel["transcript"] if m.is_final]
        assert errors_in(meeting.said, " ".join(m.text for m in finals)) < 0.15
        assert by_channel["audio_index"]
        scenes = [scene async for scene in index.get_scenes()]
        assert len(scenes) >= len(by_channel["scene_index"]) >= 5
        assert all(3 <= scene.raw["metadata"]["people"] <= 9 for scene in scenes)
        paged = [segment async for segment in rtstream.get_transcript(page_size=2)]
        assert [segment.text for segment in paged] == [m.text for m in finals]

        # An immediate playback URL for the captured window
        await rtstream.refresh()
        played = await play(await rtstream.generate_stream(start=start_ts, end=end_ts))
        assert played.seconds >= meeting.seconds - 0.2

        await check_export(coll, rtstream, meeting)


async def check_export(coll, rtstream, meeting):
    # 3. Export to a permanent video
    export_result = await rtstream.export(name="Weekly Standup Recording")
    assert (await rtstream.export()).video_id == export_result.video_id
    assert export_result.duration == pytest.approx(rtstream["recorded_seconds"], abs=0.1)

    # 4. Index the exported video for search
    video = await coll.get_video(export_result.video_id)
    film = await fetched(video.raw["download_url"])
    with av.open(io.BytesIO(film)) as opened:
        assert opened.duration / av.time_base == pytest.approx(meeting.seconds, abs=0.1)
    original = pictures_of(str(meeting.path), 3)
    for ours, theirs in zip(pictures_of(io.BytesIO(film), 3), original, strict=True):
        assert np.array_equal(ours, theirs)  # it was not encoded again
    await video.index_spoken_words(force=True)
    assert errors_in(meeting.said, await video.get_transcript_text()) < 0.15

    # 5. Search
    results = await video.search("a cold hearted, selfish person")
    assert "selfish" in results.shots[0].text
    assert results.shots[0].start == pytest.approx(meeting.starts[2], abs=0.6)
    clip = await play(await results.compile())
    assert clip.seconds >= results.shots[0].end - results.shots[0].start - 0.2
    with pytest.raises(rts.InvalidRequestError, match="No results found"):
        await video.search("action items and next steps")


def drive(url, key, address, publish):
    """The same program as its users have it today."""
    conn = videodb.connect(api_key=key, base_url=url)
    coll = conn.get_collection()
    rtstream = coll.connect_rtstream(
        url=f"{address}?listen=1",
        name="Weekly Standup",
        media_types=["video", "audio"],
        store=True,
    )
    rtstream.start()
    scene_index = rtstream.index_visuals(prompt="What is seen?", batch_config=WINDOW, name="s")
    audio_index = rtstream.index_audio(
        prompt="Summarise.", batch_config={"type": "sentence", "value": 2}, name="a"
    )
    event_id = conn.create_event(event_prompt="A person is in the picture", label="person")
    alert_id = scene_index.create_alert(event_id, callback_url="")
    rtstream.start_transcript()
    start_ts = time.time()
    publish()
    end_ts = time.time()
    rtstream.stop()
    told = {
        "events": conn.list_events(),
        "alerts": scene_index.list_alerts(),
        "alert_id": alert_id,
        "indexes": [one.rtstream_index_id for one in rtstream.list_scene_indexes()],
        "made": [scene_index.rtstream_index_id, audio_index.rtstream_index_id],
        "scenes": scene_index.get_scenes()["scenes"],
        "summaries": audio_index.get_scenes()["scenes"],
        "transcript": rtstream.get_transcript(page=1, page_size=100),
        "player": rtstream.generate_stream(start=start_ts, end=end_ts),
        "found": rtstream.search("people in a street").shots,
        "everywhere": coll.search("people in a street", namespace="rtstream").shots,
    }
    scene_index.disable_alert(alert_id)
    scene_index.enable_alert(alert_id)
    export_result = rtstream.export(name="Weekly Standup Recording")
    video = coll.get_video(export_result.video_id)
    video.index_spoken_words(force=True)
    told |= {
        "export": export_result,
        "text": video.get_transcript_text(),
        "results": video.search("a cold hearted, selfish person"),
        "legacy": video.legacy_search("a cold hearted, selfish person"),
        "clip": video.generate_stream(timeline=[(1.0, 5.0)]),
    }
    told["compiled"] = told["legacy"].compile()
    with pytest.raises(InvalidRequestError, match="No results found"):
        video.legacy_search("action items and next steps")
    video.delete()
    with pytest.raises(InvalidRequestError, match="no video"):
        coll.get_video(export_result.video_id)
    return told


async def test_the_official_sdk_does_every_step_of_it(meeting):
    """Programs of today must run against the local server as they are."""
    address = free_address()
    loop = asyncio.get_running_loop()

    async def published():
        async with publishing(meeting.path, address) as publication:
            await publication.wait()

    def publish():
        asyncio.run_coroutine_threadsafe(published(), loop).result(PATIENCE)

    async with LocalServer() as server:
        told = await asyncio.to_thread(drive, server.url, server.api_key, address, publish)
    assert [event["label"] for event in told["events"]] == ["person"]
    assert [alert["alert_id"] for alert in told["alerts"]] == [told["alert_id"]]
    assert set(told["indexes"]) == set(told["made"])
    assert len(told["scenes"]) >= 5
    assert told["summaries"]
    segments = told["transcript"]["transcription_records"]
    assert errors_in(meeting.said, " ".join(one["text"] for one in segments)) < 0.15
    assert errors_in(meeting.said, told["text"]) < 0.15
    assert told["export"].duration == pytest.approx(meeting.seconds, abs=0.1)
    assert told["found"]
    assert told["everywhere"]
    assert "selfish" in told["legacy"].shots[0].text
    assert "selfish" in str(told["results"].shots[0].text)
    for url in (told["player"], told["clip"], told["compiled"]):
        assert url.startswith("http")
