"""Indexes by shots: what is seen is told from cut to cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from tests.local.engines import PixelEngine
from tests.local.harness import PATIENCE
from tests.media.clips import Clip, make_clip

CUTS = (1.6, 3.2, 5.0)
LENGTH = 6.4
FRAME = 1 / 25


@pytest.fixture
async def collection(tmp_path: Path) -> AsyncIterator[rts.Collection]:
    make_clip(tmp_path / "cuts.mp4", Clip(seconds=LENGTH, gop=2, audio=None, cuts=CUTS))
    async with (
        LocalServer(media_root=tmp_path, vision=PixelEngine) as server,
        rts.connect(server.api_key, base_url=server.url) as conn,
    ):
        yield await conn.get_collection()


async def _scenes(index: rts.RTStreamSceneIndex) -> list[rts.Scene]:
    """Return the records of an index, the oldest first."""
    return sorted([scene async for scene in index.get_scenes()], key=lambda scene: scene.start)


async def test_a_record_begins_and_ends_with_the_picture(collection: rts.Collection) -> None:
    """A window across a cut tells of two scenes as if they were one."""
    stream = await collection.connect_rtstream("cuts.mp4", "film", store=True)
    quick = await stream.index_visuals(batch_config={"type": "shot", "frame_count": 3})
    plain = await stream.index_scenes(  # so does the official SDK, when it is given a type only
        "shot_based", {"time": 2, "frame_count": 5}, ws_connection_id=None
    )
    assert (await stream.index_scenes("shot")).extraction_config == plain.extraction_config
    bounded = await stream.index_scenes(
        "shot", {"threshold": 20, "max_length": 1.0, "min_length": 0.5}, ws_connection_id=None
    )
    assert {quick.extraction_type, plain.extraction_type} == {"shot"}
    assert quick.extraction_config == {
        "threshold": 20.0,
        "frame_count": 3,
        "min_length": 1.0,
        "max_length": 30.0,
    }
    async with asyncio.timeout(PATIENCE):
        while stream.status != "stopped":
            await asyncio.sleep(0.1)
            await stream.refresh()
    for index in (quick, plain):
        scenes = await _scenes(index)
        assert len(scenes) == len(CUTS) + 1
        for scene, cut in zip(scenes, (*CUTS, LENGTH), strict=True):
            left = scenes[-1].end - scene.end  # of the stream, which ends where the film does
            assert left == pytest.approx(LENGTH - cut, abs=1.5 * FRAME)
        for before, after in pairwise(scenes):
            assert after.start == before.end
    assert [len(scene.text.split()) for scene in await _scenes(quick)] == [3] * 4
    short = await _scenes(bounded)
    assert len(short) >= 7
    assert all(scene.end - scene.start <= 1.001 for scene in short)
