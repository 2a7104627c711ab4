"""Capture sessions that are pushed to the local server: real publishers, over RTMP and RTSP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import videodb

import rtstream_async as rts
from rtstream_async.local import LocalServer
from rtstream_async.local.media.publishing import publishing
from tests.local.harness import PATIENCE, Api, Ear, api_of, ear_of, until
from tests.local.recordings import play
from tests.local.test_crash import server_process
from tests.loopback import answer, serve
from tests.media.clips import Clip, make_clip

SESSIONS = "/collection/default/capture/session"
MIC = {"channel_id": "mic:default"}
SCREEN = {"channel_id": "display:1", "type": "video", "channel_name": "Left screen"}
NOBODY = "cap-00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    return make_clip(folder / "loop.mp4", Clip(seconds=4, gop=0.4, chirps=(0.5, 2.0)))


@pytest.fixture
async def server() -> AsyncIterator[LocalServer]:
    async with LocalServer(capture_settle=0.5) as running:
        yield running


@pytest.fixture
async def api(server: LocalServer) -> AsyncIterator[Api]:
    async with api_of(server) as speaking:
        yield speaking


async def start(api: Api, *channels: dict[str, Any], **body: Any) -> dict[str, Any]:
    made = await api.call("POST", SESSIONS, json={"end_user_id": "u", **body})
    given = {"session_id": made["session_id"], "channels": channels or [MIC, SCREEN]}
    return await api.call("POST", "/capture/session/start", json=given)


async def look(api: Api, id_: str) -> dict[str, Any]:
    return await api.call("GET", f"{SESSIONS}/{id_}")


async def become(api: Api, id_: str, status: str) -> dict[str, Any]:
    return await until(lambda: look(api, id_), lambda seen: seen["status"] == status)


@asynccontextmanager
async def pushing(clip: Path, run: dict[str, Any], *protocols: str) -> AsyncIterator[None]:
    """Publish to the channels of a session, each by its own protocol."""
    async with AsyncExitStack() as stack:
        for channel, protocol in zip(run["channels"], protocols, strict=True):
            only = channel["type"]
            url = channel[f"{protocol}_url"]
            await stack.enter_async_context(publishing(clip, url, loop=True, only=only))
        yield


async def heard_until(ear: Ear, status: str) -> list[dict[str, Any]]:
    frames = [await ear.hear()]
    while frames[-1].get("status") != status:
        frames.append(await ear.hear())
    return frames


@pytest.mark.parametrize("protocols", [("rtmp", "rtsp"), ("rtsp", "rtmp")])
async def test_a_session_is_pushed_stopped_and_exported(api, clip, protocols):
    """This is what a desktop program does; who waits for a state it never tells waits for ever."""
    bodies: list[dict[str, Any]] = []

    async def receive(seen, writer):
        bodies.append(seen.json)
        writer.write(answer(b"", status=503 if len(bodies) == 1 else 200))

    async with serve(receive) as hook, ear_of(api) as ear:
        run = await start(api, ws_connection_id=ear.id, callback_url=f"{hook.url}/hook")
        id_ = run["session_id"]
        assert (run["status"], run["export_status"]) == ("starting", "pending")
        assert [one["name"] for one in run["channels"]] == ["mic:default", "Left screen"]
        assert run["primary_video_channel_id"] == "display:1"
        assert await api.call("GET", f"/capture/session/{id_}") == run
        async with pushing(clip, run, *protocols):
            active = (await heard_until(ear, "active"))[-1]
            streams = {one["name"]: one["rtstream_id"] for one in active["data"]["rtstreams"]}
            assert streams.keys() == {"mic:default", "display:1"}
            for stream in streams.values():
                await until(
                    lambda id_=stream: api.stream(id_), lambda seen: seen["recorded_seconds"] > 1.5
                )
            refused = await api.refused("POST", f"{SESSIONS}/{id_}/export", 400)
            assert "stop it, then export" in refused["message"]
            stopped = await api.call("POST", f"/capture/session/{id_}/stop")
        assert stopped["status"] in {"stopped", "exported"}
        frames = await heard_until(ear, "exported")
        assert [frame["status"] for frame in frames] == ["stopping", "stopped", "exported"]
        async with asyncio.timeout(PATIENCE):
            await hook.saw(7)
    told = [body["status"] for body in bodies]
    first, *rest = told
    assert (first, rest) == (
        "created",
        ["created", "starting", "active", "stopping", "stopped", "exported"],
    )
    end = frames[-1]["data"]
    seen = await look(api, id_)
    assert (seen["export_status"], seen["exported_video_id"]) == (
        "exported",
        end["exported_video_id"],
    )
    video = await play(end["stream_url"])
    assert video.seconds > 1.0
    assert video.audio_seconds == pytest.approx(video.seconds, abs=0.2)  # of the microphone
    # The screen alone is its stream's own video.
    alone = await api.call("POST", f"/rtstream/{streams['display:1']}/export", json={})
    assert alone["video_id"] != end["exported_video_id"]
    assert (await play(alone["stream_url"])).audio_seconds == 0
    made = await api.call("POST", f"{SESSIONS}/{id_}/export", json={})
    assert (made["export_status"], made["video_id"]) == ("exported", end["exported_video_id"])
    # What the session is not exported to can be had by itself, and that is told where it is asked.
    async with ear_of(api) as ear:
        body = {"video_channel_id": "mic:default", "connection_id": ear.id}
        sound = await api.call("POST", f"{SESSIONS}/{id_}/export", json=body)
        assert (sound["video_channel_id"], sound["export_status"]) == ("mic:default", "exporting")
        told = await ear.hear()
        assert told["status"] == "exported"
        assert told["data"]["exported_video_id"].startswith("a-")
    assert (await look(api, id_))["exported_video_id"] == end["exported_video_id"]
    again = await api.call("POST", f"/capture/session/{id_}/stop")
    assert again["status"] == "exported"


async def test_a_session_goes_on_without_a_channel_that_never_comes(api, clip):
    """A user who keeps the microphone from the program still shows the screen."""
    run = await start(api)
    mic, screen = run["channels"]
    async with publishing(clip, screen["rtmp_url"], loop=True, only="video"):
        seen = await become(api, run["session_id"], "active")
        assert {one["name"] for one in seen["rtstreams"]} == {"mic:default", "display:1"}
    waiting = await api.stream(mic["rtstream_id"])
    assert waiting["waiting_for_publisher"] is True


async def test_its_streams_are_streams_as_any_other(api, clip):
    """Who has learned to index a camera has learned to index a screen."""
    run = await start(api, SCREEN)
    (channel,) = run["channels"]
    id_ = channel["rtstream_id"]
    async with publishing(clip, channel["rtsp_url"], loop=True, encode=True, only="video"):
        await become(api, run["session_id"], "active")
        index = await api.index(id_)
        scenes = await until(lambda: api.scenes(id_, index))
        assert scenes[0]["description"]
        seen = await api.stream(id_)
        assert (seen["name"], seen["media_types"], seen["store"]) == ("display:1", ["video"], True)
        now = seen["recorded_to"]
        query = {"start": now - 1, "end": now}
        clipped = await api.call("GET", f"/rtstream/{id_}/stream", params=query)
        assert (await play(clipped["stream_url"])).frames
        await api.call("POST", f"/capture/session/{run['session_id']}/stop")
    assert (await api.stream(id_))["status"] == "stopped"


async def test_a_session_that_nobody_pushes_to_fails_and_says_so():
    """A program that has crashed at its start must not look as if it captured."""
    async with LocalServer(capture_timeout=0.5) as server, api_of(server) as api:
        async with ear_of(api) as ear:
            run = await start(api, ws_connection_id=ear.id)
            frames = await heard_until(ear, "failed")
        assert "nobody has published" in frames[-1]["data"]["error"]
        seen = await look(api, run["session_id"])
        assert (seen["status"], seen["export_status"]) == ("failed", "failed")
        assert "nobody has published" in seen["error"]
        for channel in run["channels"]:
            assert (await api.stream(channel["rtstream_id"]))["status"] == "stopped"
            with socket.create_server(("127.0.0.1", urlsplit(channel["rtmp_url"]).port)):
                """The port is free again."""


async def test_a_session_that_is_left_is_stopped_and_exported(clip):
    """A laptop that is closed says no goodbye; what was captured is wanted all the same."""
    async with (
        LocalServer(capture_timeout=8.0, capture_settle=0.2) as server,
        api_of(server) as api,
        ear_of(api) as ear,
    ):
        run = await start(api, SCREEN, ws_connection_id=ear.id)
        (channel,) = run["channels"]
        async with publishing(clip, channel["rtmp_url"], loop=True, only="video"):
            await until(
                lambda: api.stream(channel["rtstream_id"]),
                lambda seen: seen["recorded_seconds"] > 1.0,
            )
        frames = await heard_until(ear, "exported")
    told = [frame["status"] for frame in frames]
    assert told == ["created", "starting", "active", "stopping", "stopped", "exported"]


async def test_a_publisher_may_come_back(api, clip):
    """A desktop program that reconnects must find its place, by the other protocol too."""
    run = await start(api, SCREEN)
    (channel,) = run["channels"]
    async with publishing(clip, channel["rtmp_url"], loop=True, only="video"):
        await become(api, run["session_id"], "active")
    async with publishing(clip, channel["rtsp_url"], loop=True, only="video"):
        await until(
            lambda: api.stream(channel["rtstream_id"]),
            lambda seen: seen["status"] == "connected" and seen["reconnects"] == 1,
        )
    assert (await look(api, run["session_id"]))["status"] == "active"


async def test_a_session_without_stored_channels_ends_with_its_stop(api, clip):
    """Nothing was to be kept, so there is nothing to export."""
    run = await start(api, {**SCREEN, "store": False})
    id_ = run["session_id"]
    assert run["export_status"] is None
    stopped = await api.call("POST", f"/capture/session/{id_}/stop")
    assert (stopped["status"], stopped["export_status"]) == ("stopped", None)
    refused = await api.refused("POST", f"{SESSIONS}/{id_}/export", 400)
    assert refused["error_code"] == "NOT_STORED"


async def test_a_session_of_which_nothing_came_is_not_exported(api):
    """Who polls the export must be told that none will come."""
    run = await start(api, SCREEN)
    await api.call("POST", f"/capture/session/{run['session_id']}/stop")
    seen = await become(api, run["session_id"], "failed")
    assert seen["export_status"] == "failed"
    assert "nothing of stream" in seen["error"]
    made = await api.call("POST", f"{SESSIONS}/{run['session_id']}/export")
    assert (made["export_status"], made["video_channel_id"]) == ("failed", "display:1")
    assert "nothing of stream" in made["error"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"channels": [MIC]}, "session_id"),
        ({"session_id": "?"}, "channels"),
        ({"session_id": "?", "channels": []}, "channels"),
        ({"session_id": "?", "channels": "mic"}, "channels"),
        ({"session_id": "?", "channels": ["mic"]}, "channels[0]"),
        ({"session_id": "?", "channels": [{"type": "audio"}]}, "channels[0].channel_id"),
        ({"session_id": "?", "channels": [{"channel_id": "x" * 201}]}, "longer than 200"),
        ({"session_id": "?", "channels": [MIC, MIC]}, "names 'mic:default' twice"),
        ({"session_id": "?", "channels": [MIC] * 17}, "more than 16"),
        ({"session_id": "?", "channels": [{**MIC, "type": "smell"}]}, "'smell' is not possible"),
        ({"session_id": "?", "channels": [{**MIC, "stored": True}]}, "channels[0].stored"),
        ({"session_id": "?", "channels": [{**MIC, "is_primary": True}]}, "must be of type video"),
        ({"session_id": "?", "channels": [MIC], "callback_url": "ftp://x"}, "callback_url"),
        ({"session_id": "?", "channels": [MIC], "channel": 1}, "channel"),
    ],
)
async def test_a_start_that_can_not_be_is_refused(api, body, said):
    """And leaves the session as it was, to be started rightly."""
    made = await api.call("POST", SESSIONS, json={"end_user_id": "u"})
    given = {**body, **({"session_id": made["session_id"]} if "session_id" in body else {})}
    refusal = await api.refused("POST", "/capture/session/start", 400, json=given)
    assert said in refusal["message"]
    seen = await look(api, made["session_id"])
    assert (seen["status"], seen["channels"]) == ("created", [])


async def test_only_what_can_follow_is_done(api):
    """A program that starts twice would push to listeners that nobody watches."""
    body = {"session_id": NOBODY, "channels": [MIC]}
    await api.refused("POST", "/capture/session/start", 404, json=body)
    await api.refused("GET", f"/capture/session/{NOBODY}", 404)
    await api.refused("POST", f"/capture/session/{NOBODY}/stop", 404)
    await api.refused("POST", f"{SESSIONS}/{NOBODY}/export", 404)
    made = await api.call("POST", SESSIONS, json={"end_user_id": "u"})
    id_ = made["session_id"]
    refusal = await api.refused("POST", f"/capture/session/{id_}/stop", 400)
    assert "not started yet" in refusal["message"]
    body = {"session_id": id_, "channels": [MIC]}
    starts = [api.http.post("/capture/session/start", json=body) for _ in range(2)]
    answered = await asyncio.gather(*starts)
    assert sorted(one.status_code for one in answered) == [200, 400]
    refusal = await api.refused("POST", "/capture/session/start", 400, json=body)
    assert "started already" in refusal["message"]
    unknown = {"video_channel_id": "display:9"}
    refusal = await api.refused("POST", f"{SESSIONS}/{id_}/export", 400, json=unknown)
    assert "allowed: mic:default" in refusal["message"]


async def test_a_client_token_is_enough_to_capture(server, api, clip):
    """The program on the user's machine must not have the key."""
    async with rts.connect(server.api_key, base_url=server.url) as owner:
        token = await owner.generate_client_token(600)
        session = await owner.create_capture_session("user-1")
        async with rts.connect(session_token=token, base_url=server.url) as conn:
            taken = await conn.get_capture_session(session.id)
            with pytest.raises(rts.InvalidArgumentError):
                await taken.start([])
            (channel,) = await taken.start([SCREEN])
            assert channel.rtmp_url not in repr(channel)
            async with publishing(clip, channel.rtmp_url, loop=True, only="video"):
                await until(
                    lambda: api.stream(taken.rtstreams[0].id),
                    lambda seen: seen["recorded_seconds"] > 1.0,
                )
                await taken.stop()
            assert taken.status in {"stopped", "exported"}
        looks: list[rts.JobProgress] = []
        made = await session.export(wait=PATIENCE, progress=looks.append)
        assert made.is_exported
        assert looks[-1].status == "exported"
        assert (session.export_status, session.exported_video_id) == ("exported", made.video_id)
        video = await (await owner.get_collection()).get_video(made.video_id)
        assert float(video.length) > 0.5


def export_by_sdk(url: str, key: str, id_: str, told: str) -> dict[str, Any]:
    """What a user of the official SDK writes, who polls."""
    session = videodb.connect(api_key=key, base_url=url).get_capture_session(id_)
    seen = [session.export(), session.export("display:1", ws_connection_id=told)]
    while seen[-1]["export_status"] == "exporting":
        seen.append(session.export())
    return {"made": seen[-1], "streams": [one.id for one in session.get_rtstream("screen")]}


async def test_the_official_sdk_hears_of_a_session_and_exports_it(server, api, clip):
    """Unmodified programs are the judge of what is on the wire."""
    connection = await asyncio.to_thread(
        lambda: videodb.connect(api_key=server.api_key, base_url=server.url).connect_websocket()
    )
    await connection.connect()
    try:
        run = await start(api, SCREEN, ws_connection_id=connection.connection_id)
        (channel,) = run["channels"]
        states: list[str] = []
        async with (
            publishing(clip, channel["rtmp_url"], loop=True, only="video"),
            asyncio.timeout(PATIENCE),
        ):
            async for frame in connection.receive():
                states.append(frame["status"])
                if frame["status"] == "active":
                    assert frame["data"]["rtstreams"][0]["rtstream_id"] == channel["rtstream_id"]
                    break
            await until(
                lambda: api.stream(channel["rtstream_id"]),
                lambda seen: seen["recorded_seconds"] > 1.0,
            )
            await api.call("POST", f"/capture/session/{run['session_id']}/stop")
        told = connection.connection_id
        given = (server.url, server.api_key, run["session_id"], told)
        seen = await asyncio.to_thread(export_by_sdk, *given)
        assert seen["made"]["export_status"] == "exported"
        assert seen["made"]["video_id"].startswith("m-")
        assert seen["streams"] == [channel["rtstream_id"]]
        async with asyncio.timeout(PATIENCE):
            async for frame in connection.receive():
                states.append(frame["status"])
                if frame["status"] == "exported":
                    assert frame["data"]["exported_video_id"] == seen["made"]["video_id"]
                    break
        assert states == ["created", "starting", "active", "stopping", "stopped", "exported"]
    finally:
        await connection.close()


async def test_a_killed_server_listens_again_for_its_sessions(tmp_path, clip):
    """After a power cut the desktop program only has to push on."""
    data = tmp_path / "data"
    async with server_process(data, tmp_path) as (api, _):
        run = await start(api, SCREEN)
        (channel,) = run["channels"]
        async with publishing(clip, channel["rtmp_url"], loop=True, only="video"):
            await become(api, run["session_id"], "active")
            await until(
                lambda: api.stream(channel["rtstream_id"]),
                lambda seen: seen["recorded_seconds"] > 2.5,
            )
    async with server_process(data, tmp_path) as (api, _):  # the first one was killed
        assert (await look(api, run["session_id"]))["status"] == "active"
        before = (await api.stream(channel["rtstream_id"]))["recorded_seconds"]
        async with publishing(
            clip, channel["rtsp_url"], loop=True, only="video", patience=PATIENCE
        ):
            await until(
                lambda: api.stream(channel["rtstream_id"]),
                lambda seen: seen["recorded_seconds"] > before + 1.0,
            )
            await api.call("POST", f"/capture/session/{run['session_id']}/stop")
        await become(api, run["session_id"], "exported")


@pytest.fixture
def squatter() -> Iterator[socket.socket]:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        yield taken


async def test_a_session_whose_port_is_gone_after_a_restart_fails_and_says_so(tmp_path, squatter):
    """Else the desktop program would push its user's screen to a stranger."""
    async with LocalServer(tmp_path) as server, api_of(server) as api:
        run = await start(api, SCREEN)
    (channel,) = run["channels"]
    squatter.bind(("127.0.0.1", urlsplit(channel["rtmp_url"]).port))
    squatter.listen()
    async with LocalServer(tmp_path) as server, api_of(server) as api:
        seen = await become(api, run["session_id"], "failed")
    assert "the listener of display:1 can't come back" in seen["error"]
    assert "in use" in seen["error"]


@pytest.mark.parametrize(
    ("died", "after", "said"),
    [
        ("created", "created", None),  # in the middle of the start: it can be started anew
        ("stopping", "failed", "nothing of stream"),
        ("stopped", "failed", "nothing of stream"),
    ],
)
async def test_what_a_crash_has_interrupted_is_finished(tmp_path, died, after, said):
    """A session that hangs between two states is polled for ever."""
    async with LocalServer(tmp_path) as server, api_of(server) as api:
        run = await start(api, SCREEN)
        id_, stream = run["session_id"], run["channels"][0]["rtstream_id"]
    with contextlib.closing(sqlite3.connect(tmp_path / "rtstream.db")) as db, db:
        db.execute("UPDATE captures SET status = ?", (died,))
        if died == "stopped":  # its streams were stopped before it was
            db.execute("UPDATE streams SET wanted = 0")
    async with LocalServer(tmp_path) as server, api_of(server) as api:
        if after == "created":
            await until(lambda: look(api, id_), lambda seen: not seen["channels"])
            await api.refused("GET", f"/rtstream/{stream}", 404)
            body = {"session_id": id_, "channels": [SCREEN]}
            again = await api.call("POST", "/capture/session/start", json=body)
            assert again["status"] == "starting"
            return
        seen = await become(api, id_, after)
        assert said in seen["error"]
        assert (await api.stream(stream))["status"] == "stopped"
