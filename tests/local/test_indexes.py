"""Indexes over an engine that is ill, slow or missing, and over streams that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rtstream_async.local import LocalServer
from rtstream_async.local.pipelines import visual
from tests.local.engines import PixelEngine, numbers
from tests.local.harness import Api, api_of, ear_of, until
from tests.media.clips import Clip, make_clip

FAST = {"extraction_config": {"time": 0.4, "frame_count": 2}}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    make_clip(folder / "loop.mp4", Clip(seconds=4, gop=4, audio=None))
    return folder


@pytest.fixture
def engine() -> PixelEngine:
    return PixelEngine()


@pytest.fixture
async def server(root: Path, engine: PixelEngine) -> AsyncIterator[LocalServer]:
    async with LocalServer(media_root=root, vision=lambda: engine, control=True) as running:
        yield running


async def look(api: Api, stream: str, index: str) -> dict[str, Any]:
    return await api.call("GET", f"/rtstream/{stream}/index/{index}")


async def test_an_ill_engine_shows_on_the_index_and_says_nothing(
    api: Api, engine: PixelEngine
) -> None:
    """An invented record is worse than none; an index that looks well and is silent too."""
    stream = await api.connect("loop.mp4?loop=1")
    engine.illness = "the model ran out of memory"
    index = await api.index(stream, **FAST)
    sick = await until(lambda: look(api, stream, index), lambda answer: answer["status"] == "error")
    assert sick["last_error"] == "the model ran out of memory"
    assert await api.scenes(stream, index) == []
    engine.illness = None
    well = await until(
        lambda: look(api, stream, index), lambda answer: answer["status"] == "running"
    )
    assert well["last_error"] is None
    assert well["engine"] == "pixels"
    assert await api.scenes(stream, index)


async def test_an_engine_that_can_not_be_loaded_refuses_the_index(
    api: Api, engine: PixelEngine
) -> None:
    """The caller must hear it, not wait for scenes that never come."""
    stream = await api.connect("loop.mp4?loop=1")
    engine.is_loadable = False
    refused = await api.refused("POST", f"/rtstream/{stream}/index/scene", 503, json={})
    assert "the weights are missing" in refused["message"]
    listed = await api.call("GET", f"/rtstream/{stream}/index/scene")
    assert listed["scene_indexes"] == []
    engine.is_loadable = True
    await api.index(stream, **FAST)


async def test_an_engine_that_can_not_follow_loses_the_oldest_windows_and_says_so(
    api: Api, engine: PixelEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old windows would make every later message later; losing them silently would lie."""
    monkeypatch.setattr(visual, "_LONGEST_WAIT", 1.0)  # half a minute is long for a test
    engine.gate.clear()
    stream = await api.connect("loop.mp4?loop=1")
    index = await api.index(stream, **FAST)
    await asyncio.sleep(3)
    engine.gate.set()
    behind = await until(
        lambda: look(api, stream, index), lambda answer: answer["dropped_windows"] > 0
    )
    assert behind["status"] == "running"
    scenes = await until(lambda: api.scenes(stream, index), lambda scenes: len(scenes) > 5)
    assert scenes[0]["start"] - scenes[-1]["start"] > 0.4 * len(scenes)


async def test_an_engine_that_is_slow_for_a_moment_loses_nothing(
    api: Api, engine: PixelEngine
) -> None:
    """A busy machine is no reason to miss what could be seen a little later."""
    engine.gate.clear()
    stream = await api.connect("loop.mp4?loop=1")
    index = await api.index(stream, **FAST)
    await until(  # ten windows
        lambda: api.stream(stream), lambda now: (now["recorded_seconds"] or 0) > 4.5
    )
    engine.gate.set()
    await until(lambda: api.scenes(stream, index), lambda scenes: len(scenes) > 10)
    assert (await look(api, stream, index))["dropped_windows"] == 0


async def test_two_indexes_of_one_stream_have_their_own_windows_and_listeners(
    api: Api, engine: PixelEngine
) -> None:
    """One stream is asked two questions by two people."""
    async with ear_of(api) as first, ear_of(api) as second:
        stream = await api.connect("loop.mp4?loop=1")
        quick = await api.index(stream, first.id, **FAST)
        slow = await api.index(stream, second.id, extraction_config={"time": 1, "frame_count": 1})
        heard = [(await first.hear())["data"], (await second.hear())["data"]]
        assert len(numbers(heard[0]["text"])) == 2
        assert len(numbers(heard[1]["text"])) == 1
        assert heard[1]["end"] - heard[1]["start"] == 1000
        assert {item["rtstream_index_id"] for item in (await _indexes(api, stream))} == {
            quick,
            slow,
        }


async def _indexes(api: Api, stream: str) -> list[dict[str, Any]]:
    return (await api.call("GET", f"/rtstream/{stream}/index/scene"))["scene_indexes"]


async def test_a_stopped_index_keeps_its_records_and_can_go_on(
    api: Api, engine: PixelEngine
) -> None:
    """Stopping saves money; it must not cost history."""
    stream = await api.connect("loop.mp4?loop=1")
    index = await api.index(stream, **FAST)
    path = f"/rtstream/{stream}/index/scene/{index}/status"
    await until(lambda: api.scenes(stream, index))
    stopped = await api.call("PATCH", path, json={"action": "stop"})
    assert stopped["status"] == "stopped"
    kept = await api.scenes(stream, index)
    described = engine.described
    await asyncio.sleep(1)
    assert engine.described == described
    assert await api.scenes(stream, index) == kept
    assert (await api.call("PATCH", path, json={"action": "start"}))["status"] == "running"
    assert (await api.call("PATCH", path, json={"action": "start"}))["status"] == "running"
    more = await until(
        lambda: api.scenes(stream, index), lambda scenes: len(scenes) > len(kept) + 1
    )
    assert more[-len(kept) :] == kept
    starts = [scene["start"] for scene in more]
    assert len(set(starts)) == len(starts)
    await api.refused("PATCH", path, 400, json={"action": "pause"})
    await api.refused(
        "PATCH",
        f"/rtstream/{stream}/index/scene/{'0' * 16}/status",
        404,
        json={"action": "stop"},
    )


async def test_an_index_of_a_stopped_stream_works_when_it_starts(
    api: Api, engine: PixelEngine
) -> None:
    """Whoever sets things up in another order must not end with a dead index."""
    stream = await api.connect("loop.mp4?loop=1")
    path = f"/rtstream/{stream}/status"
    await api.call("PATCH", path, json={"action": "stop"})
    index = await api.index(stream, **FAST)
    await api.call("PATCH", path, json={"action": "start"})
    assert await until(lambda: api.scenes(stream, index))


async def test_all_comes_back_after_a_restart(root: Path, tmp_path: Path) -> None:
    """A machine that reboots at night must be watching in the morning."""
    engines = [PixelEngine(), PixelEngine()]
    async with (
        LocalServer(tmp_path, media_root=root, vision=lambda: engines[0]) as server,
        api_of(server) as api,
    ):
        stream = await api.connect("loop.mp4?loop=1", store=True)
        resting = await api.connect("loop.mp4?loop=1")
        await api.call("PATCH", f"/rtstream/{resting}/status", json={"action": "stop"})
        index = await api.index(stream, **FAST)
        await until(lambda: api.scenes(stream, index))
    assert engines[0].is_closed
    async with (
        LocalServer(tmp_path, media_root=root, vision=lambda: engines[1]) as server,
        api_of(server) as api,
    ):
        old = await api.scenes(stream, index)
        before = await api.stream(stream)
        assert old
        more = await until(
            lambda: api.scenes(stream, index), lambda scenes: len(scenes) > len(old) + 1
        )
        assert more[-len(old) :] == old
        assert more[-len(old) - 1]["start"] >= old[0]["end"]
        after = await api.stream(stream)
        assert after["status"] == "connected"
        assert after["recorded_from"] == before["recorded_from"]
        assert (await api.stream(resting))["status"] == "stopped"


async def test_a_source_that_is_no_longer_allowed_shows_after_a_restart(
    root: Path, tmp_path: Path
) -> None:
    """A stream that silently stays away is found out when its recording is needed."""
    data = tmp_path / "data"
    async with LocalServer(data, media_root=root) as server, api_of(server) as api:
        stream = await api.connect("loop.mp4?loop=1")
    async with LocalServer(data) as server, api_of(server) as api:
        record = await until(lambda: api.stream(stream), lambda record: record["status"] == "error")
        assert "reads no files" in record["last_error"]


async def test_forgetting_all_leaves_nothing(api: Api, server: LocalServer) -> None:
    """Tests that share a server must not see each other's streams."""
    stream = await api.connect("loop.mp4?loop=1")
    await api.index(stream, **FAST)
    await server.control.reset()
    assert (await api.call("GET", "/rtstream"))["count"] == 0
    assert list((server.data_dir / "segments").iterdir()) == []


async def test_a_server_stops_though_its_engine_hangs(root: Path, tmp_path: Path) -> None:
    """A stuck model must not keep the machine from shutting down, nor look like an ill index."""
    engine = PixelEngine()
    async with (
        LocalServer(tmp_path, media_root=root, vision=lambda: engine, drain=0.5) as server,
        api_of(server) as api,
    ):
        engine.gate.clear()
        stream = await api.connect("loop.mp4?loop=1")
        index = await api.index(stream, **FAST)
        await until(lambda: api.stream(stream), lambda seen: seen["recorded_seconds"] > 1)
    assert engine.is_closed
    engine.gate.set()
    async with (
        LocalServer(tmp_path, media_root=root, vision=PixelEngine) as server,
        api_of(server) as api,
    ):
        assert (await look(api, stream, index))["status"] == "running"
        assert await until(lambda: api.scenes(stream, index))
