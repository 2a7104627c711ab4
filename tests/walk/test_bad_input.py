"""What people get wrong, through the SDK and the command: told in one typed error, nothing left."""

from __future__ import annotations

import asyncio
import math
import os
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from tests.cli.program import rtstream
from tests.local.engines import PixelEngine
from tests.media.clips import Clip, make_clip

BATCH = {"type": "time", "value": 1, "frame_count": 1}

REFUSED, OUTSIDE = "the source can't be opened", "outside of the server's media root"

SOURCES = [
    ("rtmp://127.0.0.1:1/live/a", rts.ValidationError, REFUSED),
    ("rtsp://127.0.0.1:1/a", rts.ValidationError, REFUSED),
    ("http://127.0.0.1:{silent}/a.mp4", rts.ValidationError, REFUSED),
    ("rtmp://127.0.0.1:{silent}/live/a", rts.ValidationError, REFUSED),
    ("rtsp://nowhere.invalid/a", rts.ValidationError, REFUSED),
    ("rtmp://nowhere.invalid/live/a", rts.ValidationError, REFUSED),
    ("{outside}", rts.PermissionDeniedError, OUTSIDE),
    ("../outside.mp4", rts.PermissionDeniedError, OUTSIDE),
    ("link.mp4", rts.PermissionDeniedError, OUTSIDE),
    ("linked/outside.mp4", rts.PermissionDeniedError, OUTSIDE),
    ("file://{root}/%2e%2e/outside.mp4", rts.PermissionDeniedError, OUTSIDE),
    ("file://{root}/..%2foutside.mp4", rts.PermissionDeniedError, OUTSIDE),
    ("list.m3u8", rts.ValidationError, REFUSED),
    ("list.ffconcat", rts.ValidationError, REFUSED),
    ("concat:{outside}", rts.ValidationError, "no source for a stream"),
    ("folder.mp4", rts.ValidationError, "there is no file"),
    ("corrupt.mp4", rts.ValidationError, REFUSED),
    ("empty.mp4", rts.ValidationError, REFUSED),
    ("cut-short.mp4", rts.ValidationError, REFUSED),
    (f"{'x' * 300}.mp4", rts.ValidationError, "too long"),
    (f"{'x/' * 3000}.mp4", rts.ValidationError, "too long"),
    ("", rts.InvalidArgumentError, "is empty"),
]


@pytest.fixture(scope="module")
def bad_root(root):
    """A media root where much is wrong."""
    outside = make_clip(root.parent / "outside.mp4", Clip(seconds=3))
    whole = outside.read_bytes()
    (root / "good.mp4").write_bytes(whole)
    (root / "cut-short.mp4").write_bytes(whole[:400])
    (root / "corrupt.mp4").write_bytes(os.urandom(50_000))
    (root / "empty.mp4").write_bytes(b"")
    (root / "folder.mp4").mkdir()
    (root / "link.mp4").symlink_to(outside)
    (root / "linked").symlink_to(outside.parent)
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://{outside}\n#EXT-X-ENDLIST\n"
    (root / "list.m3u8").write_text(playlist)
    (root / "list.ffconcat").write_text(f"ffconcat version 1.0\nfile '{outside}'\n")
    return root


@asynccontextmanager
async def silent_port():
    """A port that takes a connection and never says a word."""
    callers = []
    listening = await asyncio.start_server(lambda _, w: callers.append(w), "127.0.0.1", 0)
    async with listening:
        try:
            yield listening.sockets[0].getsockname()[1]
        finally:
            for writer in callers:
                writer.close()
            ended = (writer.wait_closed() for writer in callers)
            await asyncio.gather(*ended, return_exceptions=True)  # they may have hung up first


def children():
    """The processes that this one has started and that still run."""
    found = set()
    for path in Path("/proc/self/task").glob("*/children"):
        found.update(path.read_text().split())
    return found


async def test_a_source_that_can_not_be_had_is_one_typed_error(bad_root):
    """Half a stream, or a process that reads it, would stay until the machine is full."""
    async with (
        silent_port() as silent,
        LocalServer(media_root=bad_root, vision=PixelEngine, open_timeout=3.0) as server,
        rts.connect(server.api_key, base_url=server.url) as conn,
    ):
        collection = await conn.get_collection()
        before = children()
        places = {"silent": silent, "root": bad_root, "outside": bad_root.parent / "outside.mp4"}
        for url, kind, told in SOURCES:
            with pytest.raises(kind, match=told):
                await collection.connect_rtstream(url.format(**places), "bad")
        assert [stream async for stream in collection.list_rtstreams()] == []
        assert children() == before
        stream = await collection.connect_rtstream("good.mp4?loop=1", "good")
        index = await stream.index_visuals(batch_config=BATCH)
        assert (await stream.events("scene_index").receive(timeout=60)).text
        await check_wrong_calls(collection, stream, index)
        assert len(await stream.list_scene_indexes()) == 1


async def check_wrong_calls(collection, stream, index):
    """What is wrong with a call is said, and the next call is none the worse."""
    now = time.time()
    calls = [
        (stream.index_visuals, ("x", BATCH | {"type": "shot"}), "value.*allowed: 'type', 'thr"),
        (stream.index_visuals, ("x", BATCH | {"value": math.nan}), "value"),
        (stream.index_visuals, ("x", BATCH | {"frames": 1}), "frames.*allowed"),
        (stream.index_visuals, ("x", BATCH | {"frame_count": 10**6}), "frame_count"),
        (stream.generate_stream, (now - 9000, now - 8000), "is recorded"),
        (stream.generate_stream, (now, now - 5), "after start"),
        (stream.generate_stream, (now - 1, now + 3600), "in the future"),
        (stream.generate_stream, (math.nan, now), "start"),
        (stream.generate_stream, (now - 5, math.inf), "end"),
        (stream.generate_stream, (now * 1000, now * 1000 + 5), "seconds"),
        (stream.get_scene_index, ("nothing",), "there is no index"),
        (collection.get_rtstream, ("rts-nothing",), "there is no stream"),
        (fetch_page, (index, 0), "page"),
    ]
    for call, arguments, told in calls:
        with pytest.raises(rts.RTStreamError, match=told):
            await call(*arguments)


async def fetch_page(index, page):
    await index.get_scenes(page=page)


@pytest.mark.parametrize("url", ["corrupt.mp4", "empty.mp4", "folder.mp4", "link.mp4"])
async def test_the_command_says_it_in_one_line(url, bad_root, server):
    """A traceback tells a user of the command line nothing."""
    words = ("watch", f"file://{bad_root}/{url}", "--server", server.url)
    ran = await asyncio.to_thread(rtstream, *words, VIDEO_DB_API_KEY=server.api_key)
    assert ran.code in {1, 2}
    assert ran.complaint
