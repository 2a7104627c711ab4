"""The reader, against the package's own server: two programs, one stream."""

from __future__ import annotations

import asyncio
import time

import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer

BATCH = {"type": "time", "value": 2, "frame_count": 1}
FAST = rts.HubSettings(poll_interval=0.01, poll_idle_interval=0.02)


@pytest.fixture
async def server(tmp_path):
    async with LocalServer(tmp_path, control=True) as running:
        yield running


async def test_a_second_program_sees_the_index_of_the_first(server):
    """The one makes the index, the other watches: the service pushes to the first alone."""
    async with (
        rts.connect(server.api_key, base_url=server.url) as maker,
        rts.connect(server.api_key, base_url=server.url, realtime=FAST) as watcher,
        asyncio.timeout(60),
    ):
        door = await (await maker.get_collection()).connect_rtstream("scripted://door", "Door")
        index = await door.index_visuals("Who?", BATCH)
        elsewhere = await (await watcher.get_collection()).get_rtstream(door.id)
        sub = elsewhere.events("scene_index")
        reading = asyncio.create_task(sub.receive())
        await sub.ready()
        at = time.time() + 5
        await server.control.add_scene(door.id, "a cat", start=at, end=at + 2)
        pushed = await door.events("scene_index").receive()
        polled = await reading
        assert (pushed.origin, polled.origin) == ("push", "poll")
        assert (polled.text, polled.index_id) == ("a cat", index.rtstream_index_id)
        assert abs(polled.start - pushed.start) < 0.001


async def test_a_program_that_arms_nothing_is_told_so(server):
    """`events("alert")` without an alert is a wait for nothing."""
    async with (
        rts.connect(server.api_key, base_url=server.url, realtime=FAST) as conn,
        asyncio.timeout(60),
    ):
        door = await (await conn.get_collection()).connect_rtstream("scripted://door", "Door")
        for channel in ("alert", "scene_index"):
            async with door.events(channel, control=True) as sub:
                while not isinstance(item := await sub.receive(), rts.NotArmed):
                    assert isinstance(item, rts.StateChange)
                assert (item.channel, item.rtstream_id) == (channel, door.id)
