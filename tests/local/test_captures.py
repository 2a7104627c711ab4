"""Capture sessions of the local server: over REST, on the socket, by webhook, by script."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from rtstream_async.local.pipelines.captures import CaptureOutcome
from rtstream_async.local.refusal import Refusal
from tests.local.harness import PATIENCE, Api, api_of, ear_of, until
from tests.loopback import answer, serve

SESSIONS = "/collection/default/capture/session"
NOBODY = "cap-00000000-0000-7000-8000-000000000000"


async def make(api: Api, **body: Any) -> dict[str, Any]:
    return await api.call("POST", SESSIONS, json={"end_user_id": "user-1", **body})


async def look(api: Api, session: dict[str, Any]) -> dict[str, Any]:
    return await api.call("GET", f"{SESSIONS}/{session['session_id']}")


async def test_a_new_session_is_what_was_asked_for(api):
    """And it can be read again, by the id or under the collection's real name."""
    made = await make(api, metadata={"app": {"deep": [1]}}, ws_connection_id="conn-x")
    assert made["session_id"].startswith("cap-")
    assert "id" not in made  # the official SDK can't take both
    assert (made["status"], made["end_user_id"]) == ("created", "user-1")
    assert (made["metadata"], made["ws_connection_id"]) == ({"app": {"deep": [1]}}, "conn-x")
    assert (made["channels"], made["rtstreams"]) == ([], [])
    assert await look(api, made) == made
    home = made["collection_id"]
    path = f"/collection/{home}/capture/session/{made['session_id']}"
    assert await api.call("GET", path) == made


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "end_user_id"),
        ({"end_user_id": " "}, "end_user_id"),
        ({"end_user_id": "u", "callback_url": "ftp://x/y"}, "callback_url"),
        ({"end_user_id": "u", "metadata": []}, "metadata"),
        ({"end_user_id": "u", "endUser": "u"}, "endUser"),
    ],
)
async def test_a_session_that_can_not_be_is_refused(api, body, said):
    """A misspelt argument must not pass for a missing one."""
    refusal = await api.refused("POST", SESSIONS, 400, json=body)
    assert said in refusal["message"]


async def test_what_is_not_there_is_not_found(api):
    """Also where it is there, in another collection."""
    made = await make(api)
    other = await api.call("POST", "/collection", json={"name": "other"})
    elsewhere = f"/collection/{other['id']}/capture/session"
    await api.refused("GET", f"{SESSIONS}/{NOBODY}", 404)
    await api.refused("GET", f"{elsewhere}/{made['session_id']}", 404)
    await api.refused("GET", "/collection/c-nobody/capture/session", 404)
    assert await api.call("GET", elsewhere) == {"sessions": [], "next_page": None}


async def test_sessions_are_listed_in_pages(api, server):
    """The official SDK drops the cursor, and all sessions behind it."""
    made = [await make(api, end_user_id=f"user-{n % 2}") for n in range(5)]
    ids = sorted((item["session_id"] for item in made), reverse=True)
    seen, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = await api.call("GET", SESSIONS, params=query)
        seen += [item["session_id"] for item in page["sessions"]]
        cursor = page["next_page"]
        if cursor is None:
            break
    assert seen == ids
    await server.control.capture(ids[0], "starting")
    starting = await api.call("GET", SESSIONS, params={"status": "starting"})
    assert [item["session_id"] for item in starting["sessions"]] == ids[:1]
    theirs = await api.call("GET", SESSIONS, params={"end_user_id": "user-1"})
    assert {item["end_user_id"] for item in theirs["sessions"]} == {"user-1"}
    assert len((await api.call("GET", SESSIONS, params={"status": ""}))["sessions"]) == 5
    await api.refused("GET", SESSIONS, 400, params={"status": "sleeping"})
    await api.refused("GET", SESSIONS, 400, params={"limit": 0})


async def test_each_step_is_told_on_the_socket(api, server):
    """In the words of the documents, under both names of the id."""
    mic, screen = await api.connect("scripted://mic"), await api.connect("scripted://screen")
    async with ear_of(api) as ear:
        id_ = (await make(api, ws_connection_id=ear.id))["session_id"]
        channels = {"mic:default": mic, "display:1": screen}
        assert await server.control.capture(id_, "active", channels=channels) == "active"
        outcome = CaptureOutcome(exported_video_id="m-1", stream_url="http://s", duration=2.5)
        assert await server.control.capture(id_, "exported", outcome=outcome) == "exported"
        frames = [await ear.hear() for _ in range(6)]
    words = ["created", "starting", "active", "stopping", "stopped", "exported"]
    assert [frame["status"] for frame in frames] == words
    assert [frame["event"] for frame in frames] == [f"capture_session.{word}" for word in words]
    for frame in frames:
        assert frame["channel"] == "capture_session"
        assert frame["capture_session_id"] == frame["session_id"] == id_
        assert frame["data"]["status"] == frame["status"]
        assert ("rtstreams" in frame["data"]) is (frame["status"] == "active")
    assert frames[2]["data"]["rtstreams"] == [
        {"rtstream_id": mic, "name": "mic:default", "media_types": ["audio"]},
        {"rtstream_id": screen, "name": "display:1", "media_types": ["video"]},
    ]
    end = frames[-1]["data"]
    assert (end["exported_video_id"], end["stream_url"], end["duration"]) == (
        "m-1",
        "http://s",
        2.5,
    )
    seen = await api.call("GET", f"{SESSIONS}/{id_}")
    assert (seen["status"], seen["export_status"]) == ("exported", "exported")
    assert seen["exported_video_id"] == "m-1"
    assert seen["primary_video_channel_id"] == "display:1"
    assert [(c["channel_id"], c["type"], c["is_primary"]) for c in seen["channels"]] == [
        ("mic:default", "audio", False),
        ("display:1", "video", True),
    ]
    assert [(s["rtstream_id"], s["channel_id"], s["name"]) for s in seen["rtstreams"]] == [
        (mic, "mic", "mic:default"),
        (screen, "screen", "display:1"),
    ]


async def test_a_webhook_is_told_of_each_step_in_order(api, server):
    """Back ends without a socket live on these; the first attempt may well fail."""
    statuses = [503]

    async def receive(seen, writer):
        writer.write(answer(b"", status=statuses.pop() if statuses else 200))

    async with serve(receive) as target:
        url = f"{target.url}/hook?secret=s"
        id_ = (await make(api, callback_url=url))["session_id"]
        error = CaptureOutcome(error="the microphone is gone")
        await server.control.capture(id_, "starting")
        await server.control.capture(id_, "failed", outcome=error)
        async with asyncio.timeout(PATIENCE):
            await target.saw(4)
    bodies = [seen.json for seen in target.seen]
    events = [body["event"].removeprefix("capture_session.") for body in bodies]
    assert events == ["created", "created", "starting", "failed"]
    last = bodies[-1]
    assert (last["version"], last["capture_session_id"], last["end_user_id"]) == (
        "2",
        id_,
        "user-1",
    )
    assert last["data"] == {"status": "failed", "error": "the microphone is gone"}
    assert target.seen[0].path == "/hook?secret=s"
    assert (await api.call("GET", f"{SESSIONS}/{id_}"))["error"] == "the microphone is gone"


async def test_a_webhook_that_nobody_takes_is_given_up_and_said(api, server, caplog):
    """An operator looks for it in the log; the session goes on without."""

    async def refuse(seen, writer):
        writer.write(answer(b"", status=404))

    async def log():
        return caplog.text

    async with serve(refuse) as target:
        id_ = (await make(api, callback_url=f"{target.url}/hook?secret=s"))["session_id"]
        await until(log, lambda text: "could not be posted" in text)
    assert f"capture_session.created of {id_}" in caplog.text
    assert "answered 404" in caplog.text
    assert "secret" not in caplog.text
    assert len(target.seen) == 1
    assert await server.control.capture(id_, "active") == "active"


async def test_a_webhook_keeps_to_what_is_allowed():
    """A tenant's callback must not reach into the operator's network."""
    async with LocalServer(webhook_allow=["hooks.example.com"]) as server, api_of(server) as api:
        body = {"end_user_id": "u", "callback_url": "http://127.0.0.1:1/x"}
        refusal = await api.refused("POST", SESSIONS, 400, json=body)
        assert "callback_url" in refusal["message"]


async def test_a_script_can_not_go_where_no_session_goes(api, server):
    """A test must not pass on a session that the service could not have."""
    id_ = (await make(api))["session_id"]
    await server.control.capture(id_, "stopped")
    with pytest.raises(Refusal, match="can't become active"):
        await server.control.capture(id_, "active")
    with pytest.raises(Refusal, match="sleeping"):
        await server.control.capture(id_, "sleeping")
    with pytest.raises(Refusal, match="no capture session"):
        await server.control.capture(NOBODY, "active")
    with pytest.raises(Refusal, match="no stream"):
        await server.control.capture(id_, channels={"mic:default": "rts-nobody"})
    assert await server.control.capture(id_) == "stopped"


async def test_sessions_are_scripted_over_rest_as_well(api):
    """Programs in other languages test against this server too."""
    id_ = (await make(api))["session_id"]
    mic = await api.connect("scripted://mic", store=True)
    body = {"session_id": id_, "status": "active", "channels": {"mic:default": mic}}
    assert await api.call("POST", "/_local/captures", json=body) == {"status": "active"}
    seen = await api.call("GET", f"{SESSIONS}/{id_}")
    assert (seen["rtstreams"][0]["rtstream_id"], seen["export_status"]) == (mic, "pending")
    body = {"session_id": id_, "status": "failed", "error": "gone", "duration": 1.5}
    assert await api.call("POST", "/_local/captures", json=body) == {"status": "failed"}
    await api.refused("POST", "/_local/captures", 400, json={"session_id": id_, "state": "x"})
    await api.call("POST", "/_local/reset", json={})
    await api.refused("GET", f"{SESSIONS}/{id_}", 404)


async def test_a_stream_says_which_channel_it_is(api, server):
    """Who gets a stream by its id, or from a list, has no session at hand to look that up in."""
    made = await make(api)
    streams = {
        "mic:default": await api.connect("scripted://mic"),
        "camera": await api.connect("scripted://camera"),
    }
    await server.control.capture(made["session_id"], channels=streams)
    assert (await api.stream(streams["mic:default"]))["channel_id"] == "mic"  # as the session says
    listed = (await api.call("GET", "/rtstream"))["results"]
    assert [item["channel_id"] for item in listed] == ["camera", "mic"]
    other = await api.stream(await api.connect("scripted://door"))
    assert "channel_id" not in other  # the official SDK's own answer of a camera has none


async def test_a_stream_that_is_gone_is_none_of_the_sessions(api, server):
    """Nobody can be handed the id of nothing."""
    other = await api.call("POST", "/collection", json={"name": "other"})
    made = await api.call(
        "POST", f"/collection/{other['id']}/capture/session", json={"end_user_id": "u"}
    )
    mic = await api.connect("scripted://mic", collection_id=other["id"])
    kept = (await make(api))["session_id"]
    for id_ in (made["session_id"], kept):
        await server.control.capture(id_, channels={"mic:default": mic})
    await api.call("PATCH", f"/rtstream/{mic}/status", json={"action": "stop"})
    await api.call("DELETE", f"/collection/{other['id']}")
    seen = await api.call("GET", f"{SESSIONS}/{kept}")
    assert seen["rtstreams"] == []
    assert [channel["channel_id"] for channel in seen["channels"]] == ["mic:default"]
    with pytest.raises(Refusal, match="no capture session"):
        await server.control.capture(made["session_id"])


async def test_sessions_survive_a_restart(tmp_path):
    """A server that is updated at night must know its sessions in the morning."""
    async with LocalServer(tmp_path, control=True) as server, api_of(server) as api:
        made = await make(api)
        await server.control.capture(made["session_id"], "active")
    async with LocalServer(tmp_path) as server, api_of(server) as api:
        assert (await look(api, made))["status"] == "active"


async def test_a_client_token_opens_the_account_until_it_ends(server, api):
    """An end user's machine must not have the key."""
    issued = await api.call("POST", "/capture/session/token", json={"expires_in": 60})
    assert issued["token"].startswith("st-")
    assert issued["expires_in"] == 60
    async with rts.connect(session_token=issued["token"], base_url=server.url) as conn:
        assert (await conn.create_capture_session("user-1")).status == "created"
        with pytest.raises(rts.PermissionDeniedError, match="API key"):
            await conn.generate_client_token()
    for token in (issued["token"][:-2], "st-", "st-\xff.x"):
        headers = {"x-access-token": token.encode("latin-1")}
        refusal = await api.refused("GET", "/collection", 401, headers=headers)
        assert refusal["error_code"] == "WRONG_TOKEN"
    await api.refused("POST", "/capture/session/token", 400, json={"expires_in": 0})


async def test_a_client_token_ends(api):
    """A token that leaked is worth nothing the day after."""
    issued = await api.call("POST", "/capture/session/token", json={"expires_in": 1})
    headers = {"x-access-token": issued["token"]}

    async def look():
        return (await api.http.get("/collection", headers=headers)).json()

    refusal = await until(look, lambda answered: not answered["success"])
    assert (refusal["error_code"], "has expired" in refusal["message"]) == ("WRONG_TOKEN", True)
