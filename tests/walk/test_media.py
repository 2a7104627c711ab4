"""The media that exist in the world, each taken through the SDK from connecting to playing."""

from __future__ import annotations

import asyncio

import attrs
import httpx
import pytest

import rtstream_async as rts
from rtstream_async.local.media.publishing import publishing
from tests.local.engines import numbers
from tests.local.harness import PATIENCE, until
from tests.local.recordings import play
from tests.media.clips import Clip, append_ts, make_clip
from tests.media.servers import nginx_rtmp

BATCH = {"type": "time", "value": 1, "frame_count": 5}

PLAIN = Clip(seconds=3, gop=1)

MEDIA = {
    "reordered.mp4": attrs.evolve(PLAIN, bframes=3),
    "rare-keys.mp4": attrs.evolve(PLAIN, gop=25),
    "mute.mp4": attrs.evolve(PLAIN, audio=None),
    "web.webm": attrs.evolve(PLAIN, video="libvpx-vp9", audio="libopus"),
    "old.avi": attrs.evolve(PLAIN, video="mpeg4", audio="libmp3lame"),
    "stills.mkv": attrs.evolve(PLAIN, video="mjpeg", audio=None, pix_fmt="yuvj420p"),
}
"""One whole clip each; what is not H.264 must be transcoded."""

BREAKS = {
    "jump.ts": (attrs.evolve(PLAIN, shift=1000), attrs.evolve(PLAIN, shift=5000)),
    "back.ts": (attrs.evolve(PLAIN, shift=5000), attrs.evolve(PLAIN, shift=1000)),
    "larger.ts": (PLAIN, attrs.evolve(PLAIN, size=(640, 360), shift=3)),
}
"""Two clips end to end, with a break between them."""


async def watched(collection, url):
    """Return a stream that ran to its end, what was said of it, and what it plays."""
    stream = await collection.connect_rtstream(url, url)
    index = await stream.index_visuals(batch_config=BATCH)

    await until_status(stream, "stopped")
    scenes = [scene async for scene in index.get_scenes()]
    said = [number for scene in reversed(scenes) for number in numbers(scene.text)]
    start, end = stream["recorded_from"], stream["recorded_to"]
    return stream, said, await play(await stream.generate_stream(start, end))


async def test_every_kind_of_clip_is_recorded_described_and_played_whole(collection, root):
    """A camera that nobody tried is a camera that fails at the customer's."""
    await asyncio.gather(*(check_clip(name, collection, root) for name in MEDIA))


async def check_clip(name, collection, root):
    clip = MEDIA[name]
    await asyncio.to_thread(make_clip, root / name, clip)
    stream, said, played = await watched(collection, name)
    assert stream["ingested"]["transcoded"] is (clip.video != "libx264")
    assert played.frames == list(range(clip.frames))
    assert played.seconds == pytest.approx(clip.seconds, abs=0.1)
    assert bool(played.audio_seconds) is bool(clip.audio)
    check_said(said, clip.frames)


async def test_a_break_in_the_media_breaks_nothing_else(collection, root):
    """Encoders restart, switch resolution and wrap their clocks in the middle of the night."""
    await asyncio.gather(*(check_break(name, collection, root) for name in BREAKS))


async def check_break(name, collection, root):
    first, second = BREAKS[name]
    second = attrs.evolve(second, first_index=first.frames)
    parts = [
        await asyncio.to_thread(make_clip, root / f"{number}-{name}", clip)
        for number, clip in enumerate((first, second))
    ]
    append_ts(root / name, parts)
    _, said, played = await watched(collection, name)
    assert played.frames == list(range(first.frames + second.frames))
    check_said(said, first.frames + second.frames)


def check_said(said, frames):
    """Frames in order, none twice, from near the begin to near the end."""
    assert said == sorted(set(said))
    assert said[0] <= frames / 2
    assert said[-1] >= frames - 10


async def test_sound_alone_is_recorded_and_no_eye_is_promised(collection, root):
    """An index without a picture would be silent for ever, and look like a quiet street."""
    await asyncio.to_thread(make_clip, root / "sound.mp4", Clip(video=None, seconds=4))
    stream = await collection.connect_rtstream("sound.mp4", "sound")
    with pytest.raises(rts.ValidationError, match="no picture"):
        await stream.index_visuals(batch_config=BATCH)
    assert await stream.list_scene_indexes() == []

    await until_status(stream, "stopped")
    url = await stream.generate_stream(stream["recorded_from"], stream["recorded_to"])
    assert (await play(url)).audio_seconds == pytest.approx(4, abs=0.2)


async def test_a_publisher_behind_a_server_goes_and_comes_back(collection, root, tmp_path):
    """The camera loses its network: the server stays, answers, and has nothing to give."""
    clip = await asyncio.to_thread(make_clip, root / "cam.mp4", attrs.evolve(PLAIN, seconds=12))
    async with nginx_rtmp(tmp_path / "nginx") as base:
        url = f"{base}/cam"
        async with publishing(clip, url, loop=True) as publication:
            stream = await collection.connect_rtstream(url, "cam")
            sub = stream.events("scene_index")
            await stream.index_visuals(batch_config=BATCH)
            before = await sub.receive(timeout=PATIENCE)
            publication.kill()
            await until_status(stream, "reconnecting")
            assert stream["last_error"]
        async with publishing(clip, url, loop=True):
            await until_status(stream, "connected")
            assert (stream["reconnects"], stream["last_error"]) == (1, None)
            back = stream["recorded_to"]
            while (after := await sub.receive(timeout=PATIENCE)).start < back:
                pass
        manifest = await stream.generate_stream(before.start, after.end)
        assert len((await play(manifest)).frames) > 25
        assert await discontinuities(manifest) >= 1
        await stream.stop()


async def until_status(stream, status):
    async def reached():
        await stream.refresh()
        return stream.status == status

    await until(reached)


async def discontinuities(manifest):
    """How often the manifest tells a player that the clock starts anew."""
    async with httpx.AsyncClient() as http:
        return (await http.get(manifest)).text.count("#EXT-X-DISCONTINUITY\n")
