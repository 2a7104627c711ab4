"""The official SDK, unmodified, records, exports, indexes, searches, cuts and deletes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import videodb
from videodb.exceptions import InvalidRequestError

from rtstream_async.local import LocalServer
from tests.local.engines import BeepEngine
from tests.local.recorded import record, serving
from tests.local.recordings import play
from tests.media.clips import Clip, make_clip
from tests.media.flashes import make_flashes


def drive(url: str, key: str, stream_id: str) -> dict[str, Any]:
    """What a user of the synchronous SDK writes, from step 3 of the reference's workflow on."""
    conn = videodb.connect(api_key=key, base_url=url)
    coll = conn.get_collection()
    stream = coll.get_rtstream(stream_id)
    exported = stream.export(name="Weekly Standup Recording")
    again = stream.export()
    video = coll.get_video(exported.video_id)
    with pytest.raises(InvalidRequestError, match="not written down"):
        video.get_transcript()
    video.index_spoken_words(force=True)
    with pytest.raises(InvalidRequestError, match="already exists"):
        video.index_spoken_words()
    seen: dict[str, Any] = {
        "exported": exported,
        "again": again,
        "video": video,
        "listed": [one.id for one in coll.get_videos()],
        "whole": video.generate_stream(),
        "words": video.get_transcript(),
        "pairs": video.get_transcript(segmenter="time", length=2, force=True),
        "text": video.get_transcript_text(),
        "written": video.generate_transcript(),
        "parts": video.generate_stream(timeline=[(0, 1.5), (3, 4)]),
    }
    results = video.search("beep3", search_type="keyword", index_type="spoken_word")
    seen["shots"] = results.get_shots()
    seen["compiled"] = results.compile()
    seen["embedded"] = results.get_embed_code()
    with pytest.raises(InvalidRequestError, match="No results found"):
        video.search("zebra", search_type="keyword")
    with pytest.raises(InvalidRequestError, match="not described here"):
        video.get_scenes() or video.index_scenes(prompt="who?")
    video.update(name="Standup")
    seen["renamed"] = coll.get_video(video.id).name
    with pytest.raises(InvalidRequestError, match="is 5"):
        video.generate_stream(timeline=[(4, 9)])
    video.delete()
    with pytest.raises(InvalidRequestError, match="no video"):
        coll.get_video(exported.video_id)
    return seen


async def test_the_official_sdk_takes_a_recording_from_export_to_clip(tmp_path: Path) -> None:
    """Apps written for the service must run here, or the server is a toy."""
    clip = make_flashes(tmp_path / "clip.mp4", seconds=5)
    made = await record(tmp_path / "data", clip)
    async with serving(made, speech=BeepEngine) as (server, api):
        url = server.url
        seen = await asyncio.to_thread(drive, url, server.api_key, made.stream)
        assert seen["exported"].duration == pytest.approx(5, abs=0.1)
        assert seen["exported"].name == "Weekly Standup Recording"
        assert seen["exported"].player_url.startswith(f"{url}/player")
        assert seen["again"].video_id == seen["exported"].video_id
        assert seen["listed"] == [seen["exported"].video_id]
        assert seen["video"].length == pytest.approx(5, abs=0.1)
        assert seen["whole"].startswith(f"{url}/manifests/m-")
        assert [word["text"] for word in seen["words"]] == [f"beep{n}." for n in range(1, 6)]
        assert len(seen["pairs"]) == 3
        assert seen["text"] == "beep1. beep2. beep3. beep4. beep5."
        assert seen["written"]["success"] is True
        (shot,) = seen["shots"]
        assert shot.start == pytest.approx(2.48, abs=0.1)
        assert shot.video_id == seen["exported"].video_id
        assert shot.stream_url.startswith(url)
        assert seen["renamed"] == "Standup"
        assert url in seen["embedded"]
        assert (await api.call("GET", "/video"))["videos"] == []


def drive_sound(url: str, key: str, stream_id: str) -> dict[str, Any]:
    conn = videodb.connect(api_key=key, base_url=url)
    coll = conn.get_collection()
    exported = coll.get_rtstream(stream_id).export()
    audio = coll.get_audio(exported.video_id)
    seen = {
        "exported": exported,
        "audio": audio,
        "audios": [one.id for one in coll.get_audios()],
        "videos": coll.get_videos(),
        "url": audio.generate_url(),
        "written": audio.generate_transcript(),
        "text": audio.get_transcript_text(),
    }
    with pytest.raises(ValueError, match="audio-only"):
        exported.get_embed_code()
    audio.delete()
    return seen


async def test_the_official_sdk_takes_sound_alone(tmp_path: Path) -> None:
    """A meeting without a screen is an `Audio` there."""
    clip = make_clip(tmp_path / "mic.mp4", Clip(seconds=2, video=None))
    made = await record(tmp_path / "data", clip, media_types=["audio"])
    async with serving(made, speech=BeepEngine) as (server, _):
        seen = await asyncio.to_thread(drive_sound, server.url, server.api_key, made.stream)
    assert seen["exported"].video_id == seen["audio"].id
    assert seen["exported"].stream_url is None
    assert seen["audios"] == [seen["audio"].id]
    assert seen["videos"] == []
    assert seen["audio"].length == pytest.approx(2, abs=0.1)
    assert seen["url"].endswith(seen["url"].rpartition("/files/")[2])
    assert seen["text"] == "beep1."


async def test_the_official_sdk_waits_for_what_takes_a_while(tmp_path: Path) -> None:
    """It gives a request 30 seconds, and looks again every five where it was told to."""
    clip = make_clip(tmp_path / "clip.mp4", Clip(seconds=1, gop=0.4))
    made = await record(tmp_path / "data", clip)

    def export(url: str, key: str) -> Any:
        conn = videodb.connect(api_key=key, base_url=url)
        return conn.get_collection().get_rtstream(made.stream).export()

    async with serving(made, job_patience=0) as (server, _):
        exported = await asyncio.to_thread(export, server.url, server.api_key)
    assert exported.duration == pytest.approx(1, abs=0.1)


def drive_early(url: str, key: str) -> None:
    conn = videodb.connect(api_key=key, base_url=url)
    stream = conn.get_collection().connect_rtstream(url="clip.mp4?loop=1", name="d", store=True)
    with pytest.raises(InvalidRequestError, match="stop it"):
        stream.export()


async def test_the_official_sdk_is_told_to_stop_first(tmp_path: Path) -> None:
    """Step 3 before step 2 is the mistake that everyone makes once."""
    make_clip(tmp_path / "clip.mp4", Clip(seconds=2, gop=0.4))
    async with LocalServer(media_root=tmp_path) as server:
        await asyncio.to_thread(drive_early, server.url, server.api_key)


async def test_what_the_official_sdk_compiles_plays(tmp_path: Path) -> None:
    """The address is all that it gives."""
    clip = make_flashes(tmp_path / "clip.mp4", seconds=5)
    made = await record(tmp_path / "data", clip)

    def compile_it(url: str, key: str) -> tuple[str, str]:
        coll = videodb.connect(api_key=key, base_url=url).get_collection()
        video = coll.get_video(coll.get_rtstream(made.stream).export().video_id)
        video.index_spoken_words()
        results = video.search("beep1 beep5", search_type="semantic", score_threshold=0.0)
        return results.compile(), results.get_shots()[0].generate_stream()

    async with serving(made, speech=BeepEngine) as (server, _):
        compiled, shot = await asyncio.to_thread(compile_it, server.url, server.api_key)
        assert (await play(compiled)).frames
        assert (await play(shot)).frames
