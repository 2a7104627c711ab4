"""Understandings on the local server: what they put out, and the indexes made of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from tests.local.engines import PixelEngine, numbers
from tests.local.harness import PATIENCE, Api, api_of, ear_of, until
from tests.media.clips import Clip, make_clip

VLM = {"type": "vlm", "name": "scene", "sampling": {"frame_count": 1}, "config": {"prompt": "p"}}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    make_clip(folder / "clip.mp4", Clip(seconds=4, gop=1, audio=None))
    return folder


async def test_an_understanding_is_read_and_indexed(root: Path) -> None:
    """The path that the service recommends for new programs."""
    async with (
        LocalServer(media_root=root, vision=PixelEngine) as server,
        rts.connect(server.api_key, base_url=server.url) as conn,
    ):
        coll = await conn.get_collection()
        stream = await coll.connect_rtstream(url="clip.mp4?loop=1", name="door")
        made = await stream.understand(
            segmentation={"type": "time", "window": "1s"}, analyzers=[VLM], ws_connection_id=None
        )
        assert made.id.startswith("und-")
        assert made.is_running
        index = await stream.index(made.outputs["scene"], name="found")
        assert (index.name, index.source_understanding_id) == ("found", made.id)
        records = await until(lambda: _texts(index), lambda seen: len(seen) >= 2)
        assert all(numbers(text) for text in records)
        await index.stop()
        assert index.status == "stopped"
        kept = await _texts(index)
        more = await until(lambda: _texts(made), lambda seen: len(seen) > len(kept) + 1)
        assert await _texts(index) == kept
        assert set(kept) <= set(more)
        await made.stop()
        assert [one.id for one in await stream.list_understanding()] == [made.id]
        assert [one.id for one in await stream.list_indexes()] == [index.id]
        assert (await stream.get_index(index.id)).output == "scene"
        assert await stream.list_scene_indexes() == []  # of another family
        with pytest.raises(rts.NotFoundError):
            await stream.get_scene_index(made.id)
        await made.start()
        assert (await stream.get_understanding(made.id)).is_running


async def test_a_source_in_the_words_of_the_node_sdk_is_understood(api: Api) -> None:
    """That SDK renames all that it is answered, and hands it back like that."""
    stream = await api.connect()
    made = await api.call("POST", f"/rtstream/{stream}/understand", json={})
    descriptor = dict(made["outputs"]["scene"])
    renamed = {"understandingId": descriptor.pop("understanding_id"), **descriptor}
    path = f"/rtstream/{stream}/indexes"
    index = await api.call("POST", path, json={"source": renamed})
    assert index["source_understanding_id"] == made["id"]
    refusal = await api.refused("POST", path, 400, json={"source": {"output": "scene"}})
    assert "source.understanding_id" in refusal["message"]


async def _texts(source: rts.RTStreamUnderstanding | rts.RTStreamIndex) -> list[str]:
    return [record.text async for record in source.get_records(page_size=2)]


@pytest.mark.parametrize("pushes", [False, True])
async def test_it_is_pushed_only_when_asked_for(root: Path, pushes: bool) -> None:
    """Nobody knows what the service sends, so ours must not pass for it."""
    async with (
        LocalServer(media_root=root, vision=PixelEngine, push_understandings=pushes) as server,
        api_of(server) as api,
        ear_of(api) as ear,
    ):
        stream = await api.connect("clip.mp4?loop=1")
        body: dict[str, Any] = {"segmentation": {"window": 0.5}, "ws_connection_id": ear.id}
        made = await api.call("POST", f"/rtstream/{stream}/understand", json=body)
        index = await api.index(stream, ear.id, extraction_config={"time": 0.5, "frame_count": 1})
        path = f"/rtstream/{stream}/understand/{made['id']}/records"
        await until(lambda: api.call("GET", path), lambda page: len(page["records"]) >= 2)
        heard = [await ear.hear() for _ in range(4)]
        channels = {frame["channel"] for frame in heard}
        assert channels == ({"scene_index", "understanding"} if pushes else {"scene_index"})
        for frame in heard:
            if frame["channel"] == "understanding":
                assert frame["data"]["understanding_id"] == made["id"]
                assert frame["data"]["end"] > frame["data"]["start"] > 1e12
        assert index


async def test_what_is_not_stored_is_pushed_and_nothing_else(root: Path) -> None:
    """`store=False` is asked for where nothing may be kept."""
    async with (
        LocalServer(media_root=root, vision=PixelEngine, push_understandings=True) as server,
        api_of(server) as api,
        ear_of(api) as ear,
    ):
        stream = await api.connect("clip.mp4?loop=1")
        body = {"segmentation": {"window": "500ms"}, "store": False, "ws_connection_id": ear.id}
        made = await api.call("POST", f"/rtstream/{stream}/understand", json=body)
        async with asyncio.timeout(PATIENCE):
            assert (await ear.hear())["channel"] == "understanding"
        path = f"/rtstream/{stream}/understand/{made['id']}/records"
        assert "store=false" in (await api.refused("GET", path, 400))["message"]
        source = {"source": made["outputs"]["scene"]}
        refused = await api.refused("POST", f"/rtstream/{stream}/indexes", 400, json=source)
        assert "can't be indexed" in refused["message"]


BAD_REQUESTS = {
    "another analyzer": ("understand", {"analyzers": [{"type": "asr"}]}, "analyzers[0].type"),
    "too many frames": (
        "understand",
        {
            "segmentation": {"window": "1s"},
            "analyzers": [{"type": "vlm", "sampling": {"frame_count": 50}}],
        },
        "analyzers[0].sampling.frame_count",
    ),
    "analyzers are no list": ("understand", {"analyzers": {"type": "vlm"}}, "analyzers"),
    "no source": ("indexes", {}, "source.understanding_id"),
    "unknown source": ("indexes", {"source": {"understanding_id": "und-0"}}, "no understanding"),
}


@pytest.mark.parametrize("what", BAD_REQUESTS)
async def test_what_can_not_be_done_is_refused(what: str) -> None:
    """The refusal is all that its caller has to find the mistake by."""
    path, body, said = BAD_REQUESTS[what]
    async with LocalServer(control=True) as server, api_of(server) as api:
        stream = await api.connect()
        status = 404 if what == "unknown source" else 400
        refused = await api.refused("POST", f"/rtstream/{stream}/{path}", status, json=body)
        assert said in refused["message"]
