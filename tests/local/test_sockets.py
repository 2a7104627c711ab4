"""Sockets: opened by a URL that does not last, greeted, fed, and never waited for."""

from __future__ import annotations

import asyncio
import json
import logging
import time

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rtstream_async.local import LocalServer
from rtstream_async.models.messages import SceneMessage
from tests.local.harness import Api, api_of, ear_of, until

SCENE = SceneMessage(channel="scene_index", rtstream_id="rts-1", start=1000.5, end=1002.5, text="x")


async def test_the_first_frame_tells_the_connection_id(api: Api, server: LocalServer) -> None:
    """Everything else is addressed by it."""
    async with ear_of(api) as first, ear_of(api) as second:
        assert first.id != second.id
        assert {state.connection_id for state in server.control.sockets()} == {first.id, second.id}


async def test_a_url_expires(caplog: pytest.LogCaptureFixture) -> None:
    """A URL that leaked into a log must not be a way in for ever."""
    async with (
        LocalServer(control=True, socket_url_lifetime=-1) as server,
        api_of(server) as api,
    ):
        url = (await api.call("GET", "/collection/default/websocket"))["websocket_url"]
        with pytest.raises(InvalidStatus) as caught:
            await connect(url)
        assert caught.value.response.status_code == 403
        assert json.loads(caught.value.response.body or b"")["error_code"] == "EXPIRED"


@pytest.mark.parametrize("change", ["?token=", "?token=abc.def", "", "?token=%C3%A4.%C3%A4"])
async def test_no_socket_without_a_good_token(api: Api, change: str) -> None:
    """The key is not asked for here, so the token is all there is."""
    url = (await api.call("GET", "/collection/default/websocket"))["websocket_url"]
    with pytest.raises(InvalidStatus) as caught:
        await connect(url.partition("?")[0] + change)
    assert caught.value.response.status_code == 403


async def test_a_foreign_page_can_not_open_a_socket(api: Api) -> None:
    """The Host header of a rebound name is not ours."""
    url = (await api.call("GET", "/collection/default/websocket"))["websocket_url"]
    address = url.removeprefix("ws://").partition("/")[0]
    foreign = url.replace("127.0.0.1", "evil.example")
    with pytest.raises(InvalidStatus) as caught:
        await connect(foreign, host=address.partition(":")[0], port=int(address.partition(":")[2]))
    assert caught.value.response.status_code == 421


async def test_a_record_is_readable_before_it_is_pushed(api: Api, server: LocalServer) -> None:
    """Whoever hears of a scene and asks for it must find it."""
    async with ear_of(api) as ear:
        stream = await api.connect(name="porch")
        index = await api.index(stream, ear.id)
        await server.control.add_scene(stream, "a cat", start=1000.25, end=1002.25)
        frame = await ear.hear()
        (scene,) = await api.scenes(stream, index)
        assert frame == {
            "channel": "scene_index",
            "rtstream_id": stream,
            "rtstream_name": "porch",
            "data": {"text": "a cat", "start": 1000250, "end": 1002250, "engine": "scripted"},
        }
        assert (scene["start"], scene["end"], scene["text"]) == (1000.25, 1002.25, "a cat")


async def test_frames_for_a_socket_that_is_gone_are_counted(api: Api, server: LocalServer) -> None:
    """A pipeline outlives its listener, and what nobody heard must show."""
    stream = await api.connect()
    async with ear_of(api) as ear:
        index = await api.index(stream, ear.id)
    await until(lambda: _nothing_open(server))
    await server.control.add_scene(stream, "unheard", start=1, end=2)
    answer = await api.call("GET", f"/rtstream/{stream}/index/{index}")
    assert answer["undelivered_frames"] == 1
    assert [scene["text"] for scene in await api.scenes(stream, index)] == ["unheard"]


async def _nothing_open(server: LocalServer) -> bool:
    return not server.control.sockets()


async def test_a_slow_reader_loses_the_oldest_and_nobody_waits() -> None:
    """One stalled laptop must not stop the cameras of all others."""
    async with (
        LocalServer(control=True, socket_queue=10) as server,
        api_of(server) as api,
        ear_of(api, max_queue=1) as slow,
        ear_of(api) as quick,
    ):
        slow.socket.transport.pause_reading()
        text = "x" * 200_000
        for number in range(100):
            frame = {"channel": "noise", "data": {"number": number, "text": text}}
            await server.control.emit(frame, connection_id=slow.id)
        await server.control.emit({"channel": "noise"}, connection_id=quick.id)
        assert await quick.hear() == {"channel": "noise"}
        (state,) = [s for s in server.control.sockets() if s.connection_id == slow.id]
        assert state.dropped > 0
        assert state.queued <= 10
        slow.socket.transport.resume_reading()
        last = -1
        while last < 99:
            last = (await slow.hear())["data"]["number"]


async def test_what_clients_say_is_ignored(api: Api, server: LocalServer) -> None:
    """The contract knows no client message; a talkative client must not be cut off."""
    async with ear_of(api) as ear:
        for message in ("hello", b"\x00\x01", '{"subscribe": true}'):
            await ear.socket.send(message)
        await asyncio.wait_for(await ear.socket.ping(), 10)
        await server.control.emit(SCENE, connection_id=ear.id)
        assert (await ear.hear())["data"]["text"] == "x"


async def test_a_huge_client_frame_ends_the_socket(api: Api) -> None:
    """Memory is not the client's to take."""
    async with ear_of(api) as ear:
        await ear.socket.send("x" * 1_000_000)
        with pytest.raises(ConnectionClosed) as caught:
            await ear.hear()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1009


async def test_a_stopping_server_says_goodbye() -> None:
    """1001 tells a client to come back; a cut line would look like a fault."""
    server = LocalServer(control=True)
    await server.start()
    async with api_of(server) as api, ear_of(api) as ear:
        closing = asyncio.create_task(server.aclose())
        with pytest.raises(ConnectionClosed) as caught:
            await ear.hear()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1001
        await closing


async def test_a_server_stops_though_a_client_does_not_listen() -> None:
    """A client that hangs must not keep the server from ending."""
    server = LocalServer(control=True)
    await server.start()
    async with api_of(server) as api, ear_of(api) as ear:
        ear.socket.transport.pause_reading()
        for _ in range(50):
            await server.control.emit("x" * 1_000_000, connection_id=ear.id)
        async with asyncio.timeout(30):
            await server.aclose()
        ear.socket.transport.resume_reading()


async def test_control_closes_cuts_mutes_and_refuses(api: Api, server: LocalServer) -> None:
    """Client tests need a server that fails on demand, in exactly one way."""
    control = server.control
    async with ear_of(api) as ear:
        assert control.close(ear.id, code=1011, reason="tired") == 1
        with pytest.raises(ConnectionClosed) as caught:
            await ear.hear()
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1011, "tired")
    async with ear_of(api) as ear:
        assert control.cut(ear.id) == 1
        with pytest.raises(ConnectionClosed) as caught:
            await ear.hear()
        assert caught.value.rcvd is None
    control.refuse_handshakes(1, status=502)
    url = (await api.call("GET", "/collection/default/websocket"))["websocket_url"]
    with pytest.raises(InvalidStatus) as refused:
        await connect(url)
    assert refused.value.response.status_code == 502
    control.mute_hellos(1)
    async with connect(url) as mute:
        state = await until(lambda: _open_sockets(server))
        await control.emit(b"\xff", connection_id=state[0].connection_id)
        assert await mute.recv() == b"\xff"
    assert control.close("conn-nobody") == 0


async def _open_sockets(server: LocalServer) -> list[object]:
    return list(server.control.sockets())


async def test_control_speaks_rest_too(api: Api, server: LocalServer) -> None:
    """A test in another language, or another process, has only REST."""
    stream = await api.connect()
    async with ear_of(api) as ear:
        index = await api.index(stream, ear.id)
        sent = await api.call(
            "POST", "/_local/emit", json={"rtstream_id": stream, "frame": {"channel": "x"}}
        )
        assert sent == {"sent": {ear.id: "queued"}}
        assert await ear.hear() == {"channel": "x"}
        await api.call("POST", "/_local/emit", json={"frame": "not json"})
        assert await ear.socket.recv() == "not json"
        scene = {"rtstream_id": stream, "text": "t", "start": 5, "end": 6, "index_id": index}
        assert await api.call("POST", "/_local/scenes", json=scene) == {"records": 1}
        assert (await ear.hear())["data"]["text"] == "t"
        listed = (await api.call("GET", "/_local/sockets"))["sockets"]
        assert [item["connection_id"] for item in listed] == [ear.id]
        await api.refused("POST", "/_local/emit", 400, json={"frame": 5})
        await api.refused("POST", "/_local/scenes", 404, json={**scene, "index_id": "0" * 16})
        await api.refused("POST", "/_local/scenes", 404, json={**scene, "rtstream_id": "rts-0"})
        assert await api.call("POST", "/_local/sockets/close", json={"code": 1012}) == {
            "sockets": 1
        }
        with pytest.raises(ConnectionClosed):
            await ear.hear()
    await api.call("POST", "/_local/handshakes", json={"refuse": 1, "mute": 1})
    url = (await api.call("GET", "/collection/default/websocket"))["websocket_url"]
    with pytest.raises(InvalidStatus):
        await connect(url)
    await api.call("POST", "/_local/reset", json={})
    assert (await api.call("GET", "/rtstream"))["count"] == 0
    async with ear_of(api) as ear:
        assert await api.call("POST", "/_local/sockets/cut", json={}) == {"sockets": 1}


async def test_no_secret_comes_into_a_log(caplog: pytest.LogCaptureFixture) -> None:
    """Logs are sent around; keys, tokens and camera passwords must not be in them."""
    caplog.set_level(logging.DEBUG)
    async with LocalServer(control=True, open_timeout=5) as server, api_of(server) as api:
        url = (await api.call("GET", "/collection/default/websocket"))["websocket_url"]
        async with connect(url) as socket:
            await socket.recv()
        body = {"url": "rtsp://admin:hunter2@127.0.0.1:1/cam"}
        refused = await api.refused("POST", "/rtstream", 400, json=body)
        assert "hunter2" not in refused["message"]
        key, token = server.api_key, url.partition("token=")[2]
    ours = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(("rtstream_async", "uvicorn"))
    ]
    assert ours
    for secret in (key, token, "hunter2"):
        assert not any(secret in line for line in ours)


async def test_the_date_header_is_right(api: Api) -> None:
    """Clients correct their clock by it before they ask for what they missed."""
    response = await api.http.get("/collection")
    told = httpx.Headers(response.headers)["date"]
    from email.utils import parsedate_to_datetime

    assert abs(parsedate_to_datetime(told).timestamp() - time.time()) < 30


async def test_scenes_can_be_pushed_under_their_other_name() -> None:
    """Some apps listen to `visual_index` only; never are both sent."""
    async with (
        LocalServer(control=True, scene_channel="visual_index") as server,
        api_of(server) as api,
        ear_of(api) as ear,
    ):
        stream = await api.connect()
        await api.index(stream, ear.id)
        await server.control.add_scene(stream, "x", start=1, end=2)
        await server.control.emit({"channel": "end"})
        assert [(await ear.hear())["channel"] for _ in range(2)] == ["visual_index", "end"]
