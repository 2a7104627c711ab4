"""A real street over every road, and films of nothing: what is said of them, and what plays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from rtstream_async.local.media.publishing import publishing
from tests.browser import open_browser
from tests.local.harness import PATIENCE
from tests.local.recordings import play
from tests.media.servers import nginx_rtmp, rtsp_server
from tests.walk.footage import EMPTY, make_empty, make_street, make_street_h264

BATCH = {"type": "time", "value": 3, "frame_count": 1}
SEGMENT = 2.1  # seconds, the longest that these sources make


@asynccontextmanager
async def seeing(root) -> AsyncIterator[rts.Collection]:
    """The whole product: server, offline vision and SDK."""
    async with (
        LocalServer(media_root=root) as server,
        rts.connect(server.api_key, base_url=server.url) as conn,
    ):
        yield await conn.get_collection()


async def described(stream, *, count):
    """Return the first scenes of a new index: as pushed, and what the record says was measured."""
    async with stream.events("scene_index") as sub:
        index = await stream.index_visuals(batch_config=BATCH)
        pushed = [await sub.receive(timeout=PATIENCE) for _ in range(count)]
    page = await index.get_scenes(start=pushed[0].start, end=pushed[-1].end, page_size=100)
    measured = [scene.raw["metadata"] for scene in reversed(page["scenes"])]
    return list(zip(pushed, measured, strict=True))


async def check_street(stream):
    """Nothing but what is in the street is said, and the window plays."""
    scenes = await described(stream, count=3)
    # By eye there are three to eight, and in these first seconds five at least.
    assert max(measured["people"] for _, measured in scenes) >= 5
    for message, measured in scenes:
        assert 3 <= measured["people"] <= 9
        assert set(measured["objects"]) <= {"person", "car", "truck"}
        assert measured["words"] == []
        assert measured["prompt_followed"] is False
        assert " people" in message.text
        assert message.end - message.start == pytest.approx(3, abs=0.002)
    start, end = scenes[0][0].start, scenes[-1][0].end
    played = await play(await stream.generate_stream(start, end))
    await stream.refresh()
    # An index may be there before the first key frame is.
    length = end - max(start, stream["recorded_from"])
    assert length > 9 - SEGMENT
    assert length - 0.11 <= played.seconds <= length + 2 * SEGMENT


async def test_a_street_is_seen_over_every_road(root, tmp_path):
    """Old file, RTMP server, RTSP camera: the people must not depend on the road."""
    make_street(root / "vtest.avi")
    copy = await asyncio.to_thread(make_street_h264, root / "street.mp4", seconds=25)
    async with (
        seeing(root) as collection,
        nginx_rtmp(tmp_path / "nginx") as rtmp,
        rtsp_server(root) as rtsp,
        publishing(copy, f"{rtmp}/street", loop=True),
    ):
        urls = ("vtest.avi", f"{rtmp}/street", f"{rtsp}/{copy.name}")
        connected = (collection.connect_rtstream(url, url) for url in urls)
        streams = await asyncio.gather(*connected)
        await asyncio.gather(*map(check_street, streams))
        assert [s["ingested"]["transcoded"] for s in streams] == [True, False, False]
        async with open_browser() as browser:
            for stream in streams:
                page = await browser.open(stream.player_url)
                await page.wait_for("video.currentTime > 1 && !video.paused")
                assert await page.evaluate("video.videoWidth") == 768
                assert await page.evaluate("video.duration") >= 9 - SEGMENT
                assert page.complaints == []
                await browser.close_pages()


async def test_nothing_is_not_given_a_person(root):
    """An alarm at every dark night is an alarm that nobody believes."""
    for name in EMPTY:
        await asyncio.to_thread(make_empty, root / f"{name}.mp4", seconds=3)
    async with seeing(root) as collection:
        urls = [f"{name}.mp4?loop=1" for name in EMPTY]
        streams = await asyncio.gather(*(collection.connect_rtstream(u, u) for u in urls))
        for scenes in await asyncio.gather(*(described(s, count=2) for s in streams)):
            for _, measured in scenes:
                assert measured["people"] == 0
                assert measured["objects"] == {}
                assert measured["words"] == []


async def test_a_stream_with_rare_key_frames_is_seen_at_once(root):
    """An index that starts in the middle of 25 s without a key frame must not wait for one."""
    clip = await asyncio.to_thread(make_street_h264, root / "rare.mp4", seconds=26, gop=25)
    async with seeing(root) as collection:
        stream = await collection.connect_rtstream(clip.name, "rare")
        scenes = await described(stream, count=2)
        await stream.refresh()
        # The recording is still in its first group: nothing waited for a second key frame.
        assert scenes[-1][0].end < stream["recorded_from"] + 25
        assert all(measured["people"] >= 3 for _, measured in scenes)
        played = await play(await stream.generate_stream(scenes[0][0].start, scenes[0][0].end))
        assert played.seconds >= 2.9
