"""The reference's complete workflow on a real street with real speech."""

from __future__ import annotations

import asyncio
import io
import time

import av
import httpx
import numpy as np
import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from rtstream_async.local.media.publishing import publishing
from tests.local.harness import PATIENCE, until
from tests.local.recordings import play
from tests.walk.meeting import errors_in, free_address, make_meeting

WINDOW = {"type": "time", "value": 4, "frame_count": 2}


@pytest.fixture(scope="module")
def meeting(tmp_path_factory):
    return make_meeting(tmp_path_factory.mktemp("film") / "meeting.mp4")


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
