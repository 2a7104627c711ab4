"""The official SDK, unmodified, against the local server: that is what "compatible" means."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import videodb
from videodb.exceptions import AuthenticationError, InvalidRequestError

from rtstream_async.local import LocalServer
from tests.local.engines import PixelEngine, numbers
from tests.local.recordings import play
from tests.media.clips import Clip, make_clip


def drive(url: str, key: str) -> dict[str, Any]:
    """What a user of the synchronous SDK writes."""
    conn = videodb.connect(api_key=key, base_url=url)
    coll = conn.get_collection()
    stream = coll.connect_rtstream(
        url="clip.mp4?loop=1", name="door", media_types=["video"], sample_rate=30, store=True
    )
    stream.start()
    index = stream.index_visuals(
        prompt="who?", batch_config={"type": "time", "value": 1, "frame_count": 2}, name="people"
    )
    scenes: dict[str, Any] = {"scenes": []}
    deadline = time.monotonic() + 60
    while len(scenes["scenes"]) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
        scenes = index.get_scenes()
    newest, oldest = scenes["scenes"][0], scenes["scenes"][-1]
    player = stream.generate_stream(start=oldest["start"], end=newest["end"])
    seen = {
        "stream": stream,
        "again": coll.get_rtstream(stream.id),
        "listed": coll.list_rtstreams(name="doo"),
        "index": index,
        "indexes": stream.list_scene_indexes(),
        "one": stream.get_scene_index(index.rtstream_index_id),
        "scenes": scenes,
        "page": index.get_scenes(start=oldest["start"], end=oldest["end"], page=1, page_size=1),
        "player": player,
    }
    index.stop()
    index.start()
    with pytest.raises(InvalidRequestError, match="recorded"):
        stream.generate_stream(start=1000, end=1010)
    with pytest.raises(InvalidRequestError, match="'audio' in media_types"):
        stream.index_audio(prompt="x", batch_config={"type": "word", "value": 5})
    stream.stop()
    with pytest.raises(InvalidRequestError, match="no stream"):
        coll.get_rtstream("rts-nobody")
    return seen


def drive_socket(url: str, key: str) -> str:
    conn = videodb.connect(api_key=key, base_url=url)

    async def listen() -> str:
        socket = await conn.connect_websocket().connect()
        try:
            return socket.connection_id
        finally:
            await socket.close()

    return asyncio.run(listen())


async def test_the_official_sdk_works_against_the_local_server(tmp_path: Path) -> None:
    """Apps written for the service must run here, or the server is a toy."""
    make_clip(tmp_path / "clip.mp4", Clip(seconds=4, gop=1, audio=None))
    async with LocalServer(media_root=tmp_path, vision=PixelEngine) as server:
        seen = await asyncio.to_thread(drive, server.url, server.api_key)
        stream = seen["stream"]
        assert stream.id.startswith("rts-")
        assert seen["again"].status == "connected"
        assert seen["again"].name == "door"
        assert [item.id for item in seen["listed"]] == [stream.id]
        assert seen["one"].status == "running"
        assert seen["one"].prompt == "who?"
        assert [item.rtstream_index_id for item in seen["indexes"]] == [
            seen["index"].rtstream_index_id
        ]
        assert all(numbers(scene["description"]) for scene in seen["scenes"]["scenes"])
        assert len(seen["page"]["scenes"]) == 1
        assert seen["player"].startswith(f"{server.url}/player?")
        (manifest,) = parse_qs(urlsplit(seen["player"]).query)["url"]
        assert (await play(manifest)).frames
        connection_id = await asyncio.to_thread(drive_socket, server.url, server.api_key)
        assert connection_id.startswith("conn-")
        with pytest.raises(AuthenticationError):
            await asyncio.to_thread(drive, server.url, "sk-wrong")
