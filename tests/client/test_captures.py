"""Capture sessions over the whole client: scripted answers, and the local server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import rtstream_async as rts
from rtstream_async.local.pipelines.captures import CaptureOutcome
from tests.client.scripted import scripted_service

LONG = 30.0  # seconds until something that should happen counts as not happening
SESSIONS = "/collection/default/capture/session"
SESSION: dict[str, Any] = {
    "session_id": "cap-1",
    "end_user_id": "user-1",
    "client_id": "laptop",
    "status": "active",
    "collection_id": "c-1",
    "ws_connection_id": "conn-1",
    "callback_url": "https://example.com/cb",
    "metadata": {"app": "x"},
    "created_at": "2025-05-29T01:39:48Z",
    "channels": [
        {"channel_id": "mic:default", "name": "Mic", "type": "audio", "store": True},
        {"channel_id": "display:1", "name": "Display", "type": "video", "is_primary": True},
    ],
    "primary_video_channel_id": "display:1",
    "export_status": "exported",
    "exported_video_id": "m-1",
    "rtstreams": [
        {"rtstream_id": "rts-1", "name": "mic:default", "media_types": ["audio"]},
        {"rtstream_id": "rts-3", "name": "display:1", "status": "connected"},
    ],
    "brand_new": 1,
}


@pytest.fixture
async def service():
    async with scripted_service() as running:
        running.says(f"GET {SESSIONS}/cap-1", SESSION)
        yield running


async def test_a_sessions_properties_are_attributes_and_keys(service):
    """Row 33."""
    session = await service.conn.get_capture_session("cap-1")
    assert isinstance(session, rts.CaptureSession)
    for name in ("end_user_id", "client_id", "status", "callback_url", "ws_connection_id"):
        assert getattr(session, name) == session[name] == session.get(name) == SESSION[name]
    for name in ("metadata", "primary_video_channel_id", "export_status", "exported_video_id"):
        assert getattr(session, name) == session[name] == SESSION[name]
    assert (session.id, session.collection_id) == ("cap-1", "c-1")
    assert (session.created_at, session["brand_new"], session.raw) == (1748482788.0, 1, SESSION)
    assert [channel.id for channel in session.channels] == ["mic:default", "display:1"]
    assert [channel.id for channel in session.displays] == ["display:1"]
    assert isinstance(session.channels[0], rts.CaptureChannel)
    assert [stream.id for stream in session.rtstreams] == ["rts-1", "rts-3"]
    assert "cap-1" in repr(session)


async def test_a_stream_is_found_by_what_it_captures(service):
    """Reference: `session.get_rtstream("mic")`; `mic:default` is one, `display:1` a screen."""
    session = await service.conn.get_capture_session("cap-1")
    (mic,) = await session.get_rtstream("mic")
    (screen,) = await session.get_rtstream("Screen")
    assert isinstance(mic, rts.RTStream)
    assert (mic.id, mic.collection_id, mic.media_types) == ("rts-1", "c-1", ("audio",))
    assert (screen.id, screen.status, screen["rtstream_id"]) == ("rts-3", "connected", "rts-3")
    assert [item.id for item in await session.get_rtstream("display:1")] == ["rts-3"]
    assert await session.get_rtstream("system_audio") == []
    with pytest.raises(rts.InvalidArgumentError, match="mics"):
        await session.get_rtstream("mics")
    assert len(service.loopback.seen) == 1


async def test_a_session_that_was_not_active_yet_is_looked_at_again(service):
    """Whoever made it has a handle from before its streams were there."""
    before = {**SESSION, "status": "created", "rtstreams": [], "channels": []}
    service.says(f"GET {SESSIONS}/cap-1", before)
    session = await service.conn.get_capture_session("cap-1")
    assert session.rtstreams == []
    service.says("GET /collection/c-1/capture/session/cap-1", before, SESSION)
    assert await session.get_rtstream("mic") == []
    assert [item.id for item in await session.get_rtstream("mic")] == ["rts-1"]
    assert session.status == "active"


async def test_a_session_pushes_to_our_own_socket_unless_told_otherwise(service):
    """The one thing that every user of the official SDK has to do by hand."""
    created = f"POST {SESSIONS}"
    service.says(created, {"session_id": "cap-1", "status": "created"})
    await service.live()
    await service.conn.create_capture_session("user-1", metadata={"a": 1})
    assert service.body(created) == {
        "end_user_id": "user-1",
        "ws_connection_id": "conn-1",
        "metadata": {"a": 1},
    }
    await service.conn.create_capture_session("user-1", ws_connection_id=None)
    assert service.body(created) == {"end_user_id": "user-1"}
    service.says("POST /collection/c-1/capture/session", {"session_id": "cap-2"})
    session = await service.collection().create_capture_session(
        "user-2", "https://example.com/cb", "conn-theirs"
    )
    assert service.body("POST /collection/c-1/capture/session") == {
        "end_user_id": "user-2",
        "callback_url": "https://example.com/cb",
        "ws_connection_id": "conn-theirs",
    }
    assert (session.id, session.collection_id) == ("cap-2", "c-1")


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"end_user_id": ""}, "end_user_id"),
        ({"end_user_id": None}, "end_user_id"),
        ({"end_user_id": "u", "callback_url": "example.com"}, "callback_url"),
        ({"end_user_id": "u", "metadata": [1]}, "metadata"),
    ],
)
async def test_a_session_that_can_not_be_is_refused_before_any_request(
    service, arguments, argument
):
    """Not even a socket is opened for it."""
    with pytest.raises(rts.InvalidArgumentError) as caught:
        await service.conn.create_capture_session(**arguments)
    assert caught.value.argument == argument
    assert service.loopback.seen == []


async def test_sessions_are_listed_page_by_page(service):
    """Row 36: the official SDK gives the first page and drops the rest."""
    pages = {
        None: {"sessions": [{"session_id": "cap-3"}, {"session_id": "cap-2"}], "next_page": "tok"},
        "tok": {"sessions": [{"session_id": "cap-1"}], "next_page": None},
    }
    listed = f"GET {SESSIONS}"
    service.says(listed, lambda seen: pages["tok" if "cursor=tok" in seen.path else None])
    page = await service.conn.list_capture_sessions(status="active", limit=2)
    assert service.query(listed) == {"status": "active", "limit": "2"}
    assert [session.id for session in page["sessions"]] == ["cap-3", "cap-2"]
    assert (page.next_page, page.cursor, page["next_page"]) == (True, "tok", True)
    found = [session.id async for session in service.conn.list_capture_sessions()]
    assert found == ["cap-3", "cap-2", "cap-1"]
    rest = [session.id async for session in service.conn.list_capture_sessions(cursor="tok")]
    assert rest == ["cap-1"]
    service.says("GET /collection/c-1/capture/session", {"sessions": []})
    assert list(await service.collection().list_capture_sessions("stopped", end_user_id="u")) == []
    assert service.query("GET /collection/c-1/capture/session") == {
        "status": "stopped",
        "end_user_id": "u",
    }
    with pytest.raises(rts.InvalidArgumentError):
        service.conn.list_capture_sessions(limit=0)


async def test_a_token_is_issued_with_its_end(service):
    """Row 39: the official SDK loses it."""
    issued = {"token": "st-x", "expires_at": 1700000000, "expires_in": 60}
    service.says("POST /capture/session/token", issued)
    token = await service.conn.generate_client_token(60)
    assert service.body("POST /capture/session/token") == {"expires_in": 60}
    assert token == "st-x"
    assert token.expires_at == 1700000000.0
    with pytest.raises(rts.InvalidArgumentError):
        await service.conn.generate_client_token(0)


async def made(conn, user="user-1"):
    return await conn.create_capture_session(user)


async def test_a_session_is_followed_from_its_first_frame_to_its_last(conn, server):
    """The reference's way from `capture_session.active` to the streams."""
    session = await made(conn)
    coll = await conn.get_collection()
    door = await coll.connect_rtstream("scripted://mic", "Front desk", media_types=["audio"])
    events = session.events()
    await server.control.capture(session.id, "active", channels={"mic:default": door.id})
    outcome = CaptureOutcome(exported_video_id="m-1", stream_url="https://s", duration=2.0)
    await server.control.capture(session.id, "exported", outcome=outcome)
    heard = [await events.receive(timeout=LONG) for _ in range(6)]
    assert all(isinstance(message, rts.CaptureMessage) for message in heard)
    words = ["created", "starting", "active", "stopping", "stopped", "exported"]
    assert [message.status for message in heard] == words
    assert {message.session_id for message in heard} == {session.id}
    assert {message["capture_session_id"] for message in heard} == {session.id}
    for rts_ in heard[2].rtstreams:
        stream = await coll.get_rtstream(rts_["rtstream_id"])
        assert (stream.id, stream.name) == (door.id, "Front desk")
        assert (rts_.name, rts_["media_types"]) == ("mic:default", ("audio",))
    end = heard[-1]
    assert (end.exported_video_id, end.stream_url, end.duration) == ("m-1", "https://s", 2.0)
    await session.refresh()
    assert (session.status, session.exported_video_id) == ("exported", "m-1")
    (mic,) = await session.get_rtstream("mic")
    assert mic.id == door.id


async def test_two_sessions_of_one_connection_do_not_hear_each_other(conn, server):
    """A recorder of twenty users must not stop all when one of them leaves."""
    first, second = await made(conn, "user-1"), await made(conn, "user-2")
    everything = conn.events("capture_session")
    await server.control.capture(second.id, "failed", outcome=CaptureOutcome(error="gone"))
    theirs = [await everything.receive(timeout=LONG) for _ in range(3)]
    assert sorted(message.status for message in theirs) == ["created", "created", "failed"]
    events = first.events(where=lambda message: message.status != "starting")
    failed = second.events()
    await server.control.capture(first.id, "active")
    assert (await events.receive(timeout=LONG)).status == "active"
    with pytest.raises(TimeoutError):
        await failed.receive(timeout=0)
    with pytest.raises(rts.InvalidArgumentError, match="overflow"):
        first.events(overflow="drop_all")  # type: ignore[arg-type]
    with pytest.raises(rts.InvalidArgumentError, match="maxsize"):
        first.events(maxsize=0)


async def test_a_session_of_another_connection_says_that_it_is_silent(conn, server, caplog):
    """A loop that waits for nothing looks like a session that never starts."""
    other = rts.connect(server.api_key, base_url=server.url)
    async with other:
        theirs = await made(other)
    session = await conn.get_capture_session(theirs.id)
    async with asyncio.timeout(LONG):
        async for told in session.events(control=True):
            if isinstance(told, rts.NotArmed):
                break
    assert (told.channel, told.rtstream_id) == ("capture_session", theirs.id)
    assert theirs.id in caplog.text


async def test_the_newest_state_alone_can_be_kept(conn, server):
    """A dashboard shows where a session is, not where it was."""
    everything = conn.events("capture_session")
    session = await made(conn)
    assert (await everything.receive(timeout=LONG)).status == "created"
    events = session.events(overflow="latest")
    await server.control.capture(session.id, "stopped")
    for _ in ("starting", "stopping", "stopped"):
        await everything.receive(timeout=LONG)
    assert (await events.receive(timeout=0)).status == "stopped"
    assert (events.stats.received, events.stats.dropped) == (3, 2)


async def test_all_sessions_of_the_server_are_listed(conn):
    """Across pages."""
    ids = [(await made(conn, f"user-{n}")).id for n in range(5)]
    found = [session.id async for session in conn.list_capture_sessions(limit=2)]
    assert sorted(found) == sorted(ids)
    coll = await conn.get_collection()
    assert (await coll.get_capture_session(ids[0])).end_user_id == "user-0"
    with pytest.raises(rts.NotFoundError):
        await conn.get_capture_session("cap-nobody")
    with pytest.raises(rts.InvalidArgumentError):
        await conn.get_capture_session("")
