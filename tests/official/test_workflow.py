"""The reference's complete workflow, as users of the official SDK have it: real engines."""

from __future__ import annotations

import time

import pytest
from videodb.exceptions import InvalidRequestError

from rtstream_async.local.media.publishing import publishing
from tests.official.driving import is_id, serving
from tests.walk.meeting import errors_in, free_address, make_meeting

WINDOW = {"type": "time", "value": 4, "frame_count": 2}


@pytest.fixture(scope="module")
def meeting(tmp_path_factory):
    return make_meeting(tmp_path_factory.mktemp("film") / "meeting.mp4", sentences=3)


async def publish(meeting, address):
    """Play the meeting to its end."""
    async with publishing(meeting.path, address) as publication:
        await publication.wait()


def test_every_step_of_it(meeting):
    """Programs of today must run against the local server as they are."""
    with serving() as site:
        address = free_address()
        conn = site.connect()
        coll = conn.get_collection()

        # 1. Connect and start recording
        rtstream = coll.connect_rtstream(
            url=f"{address}?listen=1",
            name="Weekly Standup",
            media_types=["video", "audio"],
            store=True,
        )
        rtstream.start()
        scenes = rtstream.index_visuals(prompt="What is seen?", batch_config=WINDOW, name="s")
        audio = rtstream.index_audio(
            prompt="Summarise.", batch_config={"type": "sentence", "value": 2}, name="a"
        )
        event_id = conn.create_event(event_prompt="A person is in the picture", label="person")
        scenes.create_alert(event_id, callback_url="")
        rtstream.start_transcript()

        # 2. Record for the duration of the meeting
        start_ts = time.time()
        site.do(publish, meeting, address)
        end_ts = time.time()
        rtstream.stop()
        assert rtstream.generate_stream(start=start_ts, end=end_ts).startswith(site.url)
        assert len(scenes.get_scenes()["scenes"]) >= meeting.seconds // 4
        assert audio.get_scenes()["scenes"]
        assert scenes.list_alerts()[0]["fired"] >= 1
        segments = rtstream.get_transcript(page=1, page_size=100)["transcription_records"]
        assert errors_in(meeting.said, " ".join(one["text"] for one in segments)) < 0.15
        assert rtstream.search("people in a street").shots

        # 3. Export to a permanent video
        export_result = rtstream.export(name="Weekly Standup Recording")
        assert is_id("m", export_result.video_id)
        assert export_result.duration == pytest.approx(meeting.seconds, abs=0.1)

        # 4. Index the exported video for search
        video = coll.get_video(export_result.video_id)
        video.index_spoken_words(force=True)
        assert errors_in(meeting.said, video.get_transcript_text()) < 0.15

        # 5. Search
        for search in (video.search, video.legacy_search):
            results = search("a cold hearted, selfish person")
            assert "selfish" in results.get_shots()[0].text
            assert results.compile().startswith(site.url)
        assert results.shots[0].start == pytest.approx(meeting.starts[2], abs=0.6)
        with pytest.raises(InvalidRequestError, match="No results found"):
            video.legacy_search("action items and next steps")
