"""`rtstream serve`, killed at work and started again, with its clients none the wiser."""

from __future__ import annotations

import asyncio

import rtstream_async as rts
from tests.cli.program import running
from tests.local.harness import PATIENCE, until
from tests.local.recordings import play
from tests.media.servers import free_port
from tests.walk.footage import make_street_h264

BATCH = {"type": "time", "value": 1, "frame_count": 1}


async def test_a_killed_command_resumes_all_and_keeps_what_it_told(root, tmp_path):
    """A power cut is when the recording is needed, and nobody is there to start it anew."""
    await asyncio.to_thread(make_street_h264, root / "street.mp4", seconds=15)
    port, key = free_port(), "a-key-for-the-walk"
    words = (
        *("serve", "--json", "--port", port, "--api-key", key),
        *("--data-dir", tmp_path / "data", "--media-root", root),
    )
    base_url = f"http://127.0.0.1:{port}"
    with running(*words) as first:
        await asyncio.to_thread(first.object)
        async with rts.connect(key, base_url=base_url) as conn:
            collection = await conn.get_collection()
            stream = await collection.connect_rtstream("street.mp4?loop=1", "street")
            async with stream.events("scene_index") as sub:
                index = await stream.index_visuals(batch_config=BATCH)
                told = [await sub.receive(timeout=PATIENCE) for _ in range(2)]
            first.kill()
            await asyncio.to_thread(first.wait)
            with running(*words) as second:
                await asyncio.to_thread(second.object)
                found = await scenes_after(index, told[-1].end)
                texts = [scene.text for scene in found]
                assert [message.text in texts for message in told] == [True, True]
                await stream.refresh()
                assert stream.status == "connected"
                assert [i.status for i in await stream.list_scene_indexes()] == ["running"]
                newest, oldest = found[0], found[-1]
                manifest = await stream.generate_stream(oldest.start, newest.end)
                # What was filmed on both sides of the kill, less what nobody filmed.
                assert (await play(manifest)).seconds > told[-1].end - told[0].start + 0.9
                await asyncio.to_thread(second.end)


async def scenes_after(index, time):
    """Return all scenes, newest first, once there is one of a window after `time`."""

    async def look():
        scenes = [scene async for scene in index.get_scenes()]
        return scenes if scenes[0].start > time + 0.1 else None

    return await until(look)
