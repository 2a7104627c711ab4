"""A server whose vision is a model behind an endpoint: real media, a scripted model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from tests.engines.endpoints import KEY, Stub, failing, hang, real_embeddings, stub
from tests.local.harness import PATIENCE, Api, api_of, until
from tests.media.clips import Clip, make_clip

FAST = {"extraction_config": {"time": 0.4, "frame_count": 2}}


@attrs.frozen
class Door:
    color: str
    is_open: bool


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    make_clip(folder / "loop.mp4", Clip(seconds=4, gop=1, audio=None))
    return folder


@pytest.fixture
async def model() -> AsyncIterator[Stub]:
    async with stub() as running:
        yield running


@pytest.fixture
async def server(
    root: Path, model: Stub, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LocalServer]:
    monkeypatch.setenv("RTSTREAM_VISION_API_KEY", KEY)
    vision = f"openai:{model.url}?timeout=2&retries=0#vl,pro=missing"
    async with LocalServer(media_root=root, vision=vision) as running:
        yield running


@asynccontextmanager
async def client_of(server: LocalServer) -> AsyncIterator[rts.Connection]:
    async with rts.connect(server.api_key, base_url=server.url) as conn:
        yield conn


async def look(api: Api, stream: str, index: str) -> dict[str, Any]:
    return await api.call("GET", f"/rtstream/{stream}/index/{index}")


async def becomes(api: Api, stream: str, index: str, status: str) -> dict[str, Any]:
    return await until(lambda: look(api, stream, index), lambda answer: answer["status"] == status)


async def test_frames_of_a_stream_become_records_of_the_model(
    api: Api, model: Stub, server: LocalServer
) -> None:
    """The whole way: camera, window, request, answer, record."""
    stream = await api.connect("loop.mp4?loop=1")
    index = await api.index(stream, prompt="Which door?", model_config={"seed": 4}, **FAST)
    await until(lambda: api.scenes(stream, index), lambda found: len(found) >= 3)
    shown = await look(api, stream, index)
    host = model.url.removeprefix("http://")
    assert shown["engine"] == f"openai:vl@{host}"
    scene = (await api.scenes(stream, index))[0]
    assert scene["metadata"]["total_tokens"] == 107
    assert scene["metadata"]["model"] == "vl-2"
    assert "Which door?" in json.dumps(model.bodies[0])
    assert model.bodies[0]["seed"] == 4
    for pictures in model.pictures:
        assert len(pictures) == 2
        gap = (pictures[1] - pictures[0]) % 100  # the clip has 100 frames and begins anew
        assert 3 <= gap <= 7

    report = (await api.call("GET", "/local/engines"))["engines"]
    assert [row["kind"] for row in report] == ["vision", "speech", "language", "embedding"]
    assert report[0]["engine"] == shown["engine"]
    assert report[0]["usage"]["images"] == 2 * report[0]["usage"]["requests"] >= 6
    assert KEY not in json.dumps(report)
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{server.url}/local/engines")).status_code == 401


async def test_a_typed_index_gives_objects(server: LocalServer, model: Stub) -> None:
    """`output_type=` asks the model for JSON of the type, and the client decodes it."""
    model.says = lambda body: '```json\n{"color": "red", "is_open": false}\n```'
    async with client_of(server) as conn, asyncio.timeout(PATIENCE):
        collection = await conn.get_collection()
        door = await collection.connect_rtstream("loop.mp4?loop=1", name="door")
        await door.index_visuals(
            "Which door?",
            batch_config={"type": "time", "value": 0.4, "frame_count": 2},
            output_type=Door,
        )
        async with door.events("scene_index") as events:
            message = await events.receive()
        assert message.output == Door("red", is_open=False)
        assert message.output_error is None
        # What is no JSON, twice, is told as it was said, and flagged.
        model.says = lambda body: "A red door."
        async for message in door.events("scene_index"):
            if message.text == "A red door.":
                break
        assert message.output is None
        assert message.output_error
    assert model.bodies[0]["response_format"]["type"] == "json_schema"


async def test_a_failing_endpoint_shows_on_the_index_and_nothing_else_stops(
    api: Api, model: Stub
) -> None:
    """Silence would look like an empty street; and a recording must not need a model."""
    stream = await api.connect("loop.mp4?loop=1")
    index = await api.index(stream, **FAST)
    await until(lambda: api.scenes(stream, index))

    async def recorded() -> float:
        return (await api.stream(stream))["recorded_seconds"]

    for failure, reason in [
        (failing(500, {"error": {"message": "out of memory"}}), r"out of memory"),
        (failing(200, b"<html>Welcome"), "answers with HTML"),
        (hang, "has not answered within 2 s"),
    ]:
        model.always = failure
        sick = await until(
            lambda: look(api, stream, index),
            lambda answer, reason=reason: reason in (answer["last_error"] or ""),
        )
        assert sick["status"] == "error"
        assert KEY not in json.dumps(sick)
        before = await recorded()
        await until(recorded, lambda now, before=before: now > before)
        model.always = None
        well = await becomes(api, stream, index, "running")
        assert well["last_error"] is None
    assert (await api.stream(stream))["status"] == "connected"


async def test_an_index_whose_model_is_missing_leaves_the_others_alone(
    api: Api, model: Stub
) -> None:
    """Two indexes on one endpoint are two users."""
    stream = await api.connect("loop.mp4?loop=1")
    good = await api.index(stream, model_name="basic", **FAST)
    bad = await api.index(stream, model_name="pro", **FAST)
    sick = await becomes(api, stream, bad, "error")
    assert (
        "has no model 'missing', or is not at this address (404): no such model"
        in (sick["last_error"])
    )
    count = len(await api.scenes(stream, good))
    await until(lambda: api.scenes(stream, good), lambda found: len(found) >= count + 3)
    assert (await look(api, stream, good))["status"] == "running"
    assert await api.scenes(stream, bad) == []


async def test_a_setting_that_is_not_known_is_refused_with_the_index(api: Api) -> None:
    """Found at once, and not in the status of an index that never says anything."""
    stream = await api.connect("loop.mp4?loop=1")
    body = {"extraction_type": "time", "model_config": {"messages": []}}
    refusal = await api.refused("POST", f"/rtstream/{stream}/index/scene", 400, json=body)
    assert "'messages' is not known here; allowed: detail" in refusal["message"]


async def test_an_endpoint_that_comes_later_is_found_by_an_index_that_was_resumed(
    root: Path, tmp_path: Path
) -> None:
    """After a power cut the server is up before the machine with the graphics card."""
    async with stub(key=None) as model:
        url = model.url
        options: dict[str, Any] = {
            "data_dir": tmp_path / "data",
            "media_root": root,
            "vision": f"openai:{url}?retries=0#vl",
        }
        model.always = failing(503)
        async with LocalServer(**options) as server, api_of(server) as api:
            stream = await api.connect("loop.mp4?loop=1")
            index = await api.index(stream, **FAST)
            await becomes(api, stream, index, "error")
        async with LocalServer(**options) as server, api_of(server) as api:
            await becomes(api, stream, index, "error")
            model.always = None
            await becomes(api, stream, index, "running")
            assert await until(lambda: api.scenes(stream, index))


async def test_records_are_found_by_a_real_model_behind_an_endpoint() -> None:
    """Search is as good as the vectors; these come over HTTP."""
    texts = {
        "a red car is parked in front of the garage": "an automobile near a house",
        "two people are talking in the kitchen": "a conversation",
        "the screen shows a failing unit test in an editor": "broken build",
    }
    async with real_embeddings() as url:
        embedding = f"openai:{url}#query=e5-query,passage=e5-passage"
        async with LocalServer(control=True, embedding=embedding) as server, api_of(server) as api:
            stream = await api.connect()
            await api.index(stream)
            for number, text in enumerate(texts):
                start = 1_700_000_000.0 + number
                await server.control.add_scene(stream, text, start=start, end=start + 1)

            async def find(query: str) -> list[str]:
                body = {"query": query}
                found = await api.call("POST", f"/rtstream/{stream}/search", json=body)
                return [hit["text"] for hit in found["results"]]

            for text, query in texts.items():
                assert (await until(lambda query=query: find(query)))[0] == text
            report = (await api.call("GET", "/local/engines"))["engines"][3]
    assert report["engine"] == f"openai:e5-passage@{url.removeprefix('http://')}"
    assert report["usage"]["texts"] >= 6
    assert report["usage"]["failures"] == 0
