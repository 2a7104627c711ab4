"""The client as its users see it, against the real local server."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading

import httpx
import httpx2
import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from rtstream_async.models.records import StreamRecord
from tests.loopback import answer, serve

BATCH = {"type": "time", "value": 2, "frame_count": 3}
LONG = 30.0  # seconds until something that should happen counts as not happening


async def test_a_stream_is_watched_end_to_end(conn, door, server):
    """The one path that everything hangs on."""
    index = await door.index_visuals("Who is at the door?", BATCH, name="faces")
    assert index.is_running
    assert index["extraction_config"] == {"time": 2, "frame_count": 3}
    assert (index.prompt, index.name, index.extraction_type) == (
        "Who is at the door?",
        "faces",
        "time",
    )
    await server.control.add_scene(door.id, "a cat", start=1_710_000_000.25, end=1_710_000_002.25)
    async with asyncio.timeout(LONG):
        message = await anext(door.events("scene_index"))
    assert isinstance(message, rts.SceneMessage)
    assert (message.text, message.start, message.end) == ("a cat", 1710000000.25, 1710000002.25)
    assert message["data"]["start"] == 1710000000250
    page = await index.get_scenes()
    assert [scene["text"] for scene in page["scenes"]] == ["a cat"]
    assert page["next_page"] is False
    assert server.control.sockets()[0].connection_id == await conn.ws_connection_id()


async def test_one_socket_serves_all_subscriptions(conn, door, server):
    """Three consumers of three streams are one connection to the service."""
    collection = await conn.get_collection()
    gate = await collection.connect_rtstream("scripted://gate", "Gate")
    for stream in (door, gate):
        await stream.index_visuals(batch_config=BATCH)
    everything, at_gate, alerts = conn.events(), gate.events("visual_index"), door.events("alert")
    for stream in (door, gate):
        await server.control.add_scene(stream.id, stream.name, start=1, end=3)
    assert (await at_gate.receive(timeout=LONG)).text == "Gate"
    assert {(await everything.receive(timeout=LONG)).text for _ in range(2)} == {
        "Front door",
        "Gate",
    }
    assert len(server.control.sockets()) == 1
    with pytest.raises(TimeoutError):
        await alerts.receive(timeout=0)


async def test_a_lost_socket_is_opened_again_and_announced(conn, door, server):
    """A watcher must know what it may have missed."""
    await door.index_visuals(batch_config=BATCH)
    async with door.events("scene_index", control=True) as events:
        first = await events.ready()
        server.control.cut()
        seen = []
        async with asyncio.timeout(LONG):
            while not any(isinstance(item, rts.Gap) for item in seen):
                seen.append(await events.receive())
            while not isinstance(seen[-1], rts.GapClosed):
                seen.append(await events.receive())
        assert await conn.ws_connection_id() != first


async def test_pushing_is_the_callers_choice(door, server):
    """Without push, no socket is opened; a foreign id is passed on as it is."""
    quiet = await door.index_visuals(batch_config=BATCH, ws_connection_id=None)
    assert server.control.sockets() == []
    assert "ws_connection_id" not in quiet.raw or not quiet.raw["ws_connection_id"]
    await door.index_visuals(batch_config=BATCH, ws_connection_id="somebody-else")
    assert server.control.sockets() == []


async def test_what_only_sees_opens_no_socket(conn, server):
    """A transcript is all that a stream pushes by itself."""
    collection = await conn.get_collection()
    await collection.connect_rtstream("scripted://a", "a")
    await collection.connect_rtstream("scripted://b", "b", ["audio"], enable_transcript=False)
    assert server.control.sockets() == []
    await collection.connect_rtstream("scripted://c", "c", enable_transcript=True)
    assert len(server.control.sockets()) == 1


async def test_structured_output_is_decoded(door, server):
    """`output_type=` asks for JSON, and gives the type."""
    index = await door.index_visuals("Count", BATCH, output_type=dict[str, int])
    assert '"type":"object"' in index.prompt
    events = door.events("scene_index")
    await server.control.add_scene(door.id, '{"people": 2}', start=1, end=3)
    await server.control.add_scene(door.id, "two people", start=3, end=5)
    good, bad = await events.receive(timeout=LONG), await events.receive(timeout=LONG)
    assert (good.output, good.output_error) == ({"people": 2}, None)
    assert bad.output is None
    assert bad.output_error


async def test_scenes_are_paged_while_new_ones_come(door, server):
    """Each once, newest first, and no end that runs away."""
    index = await door.index_visuals(batch_config=BATCH, ws_connection_id=None)

    async def add(number):
        await server.control.add_scene(
            door.id, f"scene {number}", start=number * 2.0, end=number * 2.0 + 2
        )

    for number in range(1, 8):
        await add(number)
    seen = []
    async for scene in index.get_scenes(page_size=2):
        seen.append(scene.text)
        await add(100 + len(seen))
    assert seen == [f"scene {number}" for number in range(7, 0, -1)]
    window = [scene.text async for scene in index.get_scenes(start=4.0, end=8.0)]
    assert {"scene 2", "scene 3"} <= set(window)
    assert "scene 7" not in window
    second = await index.get_scenes(page=2, page_size=3, end=16.0)
    assert (second.page, len(second)) == (2, 3)


async def test_streams_are_listed_to_the_end(conn, door):
    """Defect 2 of the official SDK: the first page only."""
    collection = await conn.get_collection()
    for number in range(4):
        await collection.connect_rtstream(f"scripted://{number}", f"s{number}")
    names = [stream.name async for stream in collection.list_rtstreams(limit=2)]
    assert sorted(names) == ["Front door", "s0", "s1", "s2", "s3"]
    page = await collection.list_rtstreams(limit=2)
    assert (len(page), page["next_page"], page.total_count) == (2, True, 5)
    assert [stream.name async for stream in collection.list_rtstreams(name="door")] == [door.name]
    assert page["results"][0]["name"] == page.items[0].name


async def test_states_are_the_services(door, server):
    """Defect 8: a state that nobody asked for is a guess."""
    await door.start()
    assert door.status == "connected"
    await door.stop()
    assert door.status == "stopped"
    await door.stop()
    await door.start()
    await door.refresh()
    assert door.status in ("connecting", "connected")
    index = await door.index_visuals(batch_config=BATCH, ws_connection_id=None)
    await index.stop()
    await index.stop()
    assert (index.status, index.is_running) == ("stopped", False)
    await index.start()
    await index.start()
    await index.refresh()
    assert index.is_running
    found = await door.get_scene_index(index.rtstream_index_id)
    assert found.rtstream_index_id == index.rtstream_index_id
    assert [i.rtstream_index_id for i in await door.list_scene_indexes()] == [
        index.rtstream_index_id
    ]


async def test_a_second_start_is_no_error_where_the_service_refuses_it(tmp_path):
    """The real service does."""
    async with (
        LocalServer(tmp_path, control=True, strict_start=True) as server,
        rts.connect(server.api_key, base_url=server.url) as conn,
    ):
        collection = await conn.get_collection()
        stream = await collection.connect_rtstream("scripted://x", "x")
        await stream.start()
        assert stream.status == "connected"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda c, s: c.get_rtstream("rts-none"), rts.NotFoundError),
        (lambda c, s: s.get_scene_index("none"), rts.NotFoundError),
        (lambda c, s: s.generate_stream(1_710_000_000, 1_710_000_060), rts.NotFoundError),
        (lambda c, s: c.connect_rtstream("ftp://nowhere/x", "x"), rts.ValidationError),
    ],
)
async def test_a_refusal_says_what_where_and_which(conn, door, call, error):
    """And can be caught under the official SDK's name."""
    with pytest.raises(error) as caught:
        await call(await conn.get_collection(), door)
    assert isinstance(caught.value, rts.InvalidRequestError)
    assert caught.value.path
    assert caught.value.status >= 400
    assert not caught.value.is_retryable


async def test_a_wrong_key_is_told_for_rest_and_socket(server):
    """And is not in the error."""
    async with rts.connect("sk-wrong", base_url=server.url) as conn:
        for call in (conn.get_collection, conn.ws_connection_id):
            with pytest.raises(rts.AuthenticationError) as caught:
                await call()
            assert "sk-wrong" not in str(caught.value)


async def test_no_secret_shows(server, caplog):
    """In no repr, and in no log of ours."""
    caplog.set_level(logging.DEBUG, "rtstream_async")
    async with rts.connect(server.api_key, base_url=server.url, headers={"x-s": "hush"}) as conn:
        collection = await conn.get_collection()
        stream = await collection.connect_rtstream("scripted://x", "x")
        events = stream.events()
        await events.ready()
        shown = f"{conn!r} {collection!r} {stream!r} {events!r} {stream.events('alert')!r}"
        assert collection.list_rtstreams().__class__.__name__ in repr(collection.list_rtstreams())
    for text in (shown, caplog.text):
        assert server.api_key not in text
        assert "hush" not in text
    assert repr(conn) == f"<Connection {server.url} closed>"


async def test_it_may_be_opened_and_closed_in_different_tasks(server):
    """As web frameworks do; and with no `async with` at all."""
    conn = rts.connect(server.api_key, base_url=server.url)
    await asyncio.create_task(conn.get_collection())
    events = conn.events()
    await asyncio.create_task(events.ready())
    await asyncio.create_task(conn.aclose())
    await conn.aclose()
    with pytest.raises(rts.ConnectionClosedError):
        await conn.get_collection()
    with pytest.raises(rts.ConnectionClosedError):
        conn.events()
    with pytest.raises(rts.ConnectionClosedError):
        await conn.ws_connection_id()
    with pytest.raises(rts.LinkClosedError):
        await events.receive(timeout=LONG)


async def test_closing_what_was_never_used_is_no_matter():
    """`finally: await conn.aclose()`."""
    await rts.connect("sk-x").aclose()
    async with rts.connect("sk-x"):
        pass


async def test_another_event_loop_is_an_error(conn, door):
    """A thread with a loop of its own is the usual way to get there."""
    errors = []

    def elsewhere():
        for call in (conn.get_collection, door.refresh, conn.ws_connection_id, conn.aclose):
            try:
                asyncio.run(call())
            except rts.WrongEventLoopError as exc:
                errors.append(exc)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    await asyncio.to_thread(thread.join)
    assert len(errors) == 4
    await conn.get_collection()


async def test_states_of_the_link_can_be_followed(conn, server):
    """Dashboards show them."""
    states = conn.states()
    await conn.ws_connection_id()
    conn.force_reconnect()
    seen = []
    async with asyncio.timeout(LONG):
        async for change in states:
            seen.append(change.state)
            if seen.count("LIVE") == 2:
                break
    assert "RECONNECTING" in seen
    assert all(state in repr(seen) for state in ("CONNECTING", "LIVE"))


async def test_a_channel_that_does_not_exist_is_named(door):
    """`events("scenes")` would wait for ever."""
    for names in (("scenes",), ("scene_index", "alerts")):
        with pytest.raises(rts.InvalidArgumentError, match="scene_index"):
            door.events(*names)
    for wrong in ({"overflow": "drop"}, {"maxsize": 0}, {"maxsize": 1.5}):
        with pytest.raises(rts.InvalidArgumentError):
            door.events("alert", **wrong)
    assert door.events("understanding", "spoken_index")


async def test_mistakes_are_found_before_any_request(door, server):
    """The service would answer with something else, or with nothing."""
    await server.aclose()  # whoever asks now gets a TransportError
    for call, argument in [
        (lambda: door.index_visuals("p", {"type": "scene", "value": 2}), "batch_config['type']"),
        (lambda: door.index_visuals("p", output_type=complex), "output_type"),
        (lambda: door.generate_stream(5, 5), "end"),
        (lambda: door.generate_stream(1, 2, {"heading": "x"}), "player_config"),
        (lambda: door.get_scene_index(""), "index_id"),
    ]:
        with pytest.raises(rts.InvalidArgumentError) as caught:
            await call()
        assert caught.value.argument == argument
    collection = rts.Collection(door._context, door._record)
    for args in [
        ("", "n"),
        ("u", "n", []),
        ("u", "n", "video"),
        ("u", "n", ["image"]),
    ]:
        with pytest.raises(rts.InvalidArgumentError):
            await collection.connect_rtstream(*args)
    for page in ({"limit": 0}, {"offset": -1}):
        with pytest.raises(rts.InvalidArgumentError):
            collection.list_rtstreams(**page)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"base_url": "api.videodb.io"}, rts.InvalidArgumentError),
        ({"timeout": 0}, rts.InvalidArgumentError),
        ({"timeout": True}, rts.InvalidArgumentError),
        ({"timeout": float("inf")}, rts.InvalidArgumentError),
        ({"timeout": None}, rts.InvalidArgumentError),
        ({"retries": -1}, rts.InvalidArgumentError),
        ({"proxy": "localhost:3128"}, rts.InvalidArgumentError),
        ({"http2": True, "http_client": object()}, rts.InvalidArgumentError),
        ({"time_out": 5}, TypeError),
    ],
)
def test_what_connect_is_given_is_checked(options, error):
    """Where it is written."""
    with pytest.raises(error):
        rts.connect("sk-x", **options)


def test_a_missing_key_is_told_with_the_way_out(monkeypatch):
    """Row 8: the class is the official SDK's."""
    monkeypatch.delenv("VIDEO_DB_API_KEY", raising=False)
    with pytest.raises(rts.AuthenticationError, match="VIDEO_DB_API_KEY"):
        rts.connect()


def test_http2_without_its_extra_is_told(monkeypatch):
    """Before any request, and with the name of the extra."""
    monkeypatch.setitem(sys.modules, "h2", None)
    with pytest.raises(rts.InvalidArgumentError, match=r"http2\]"):
        rts.connect("sk-x", http2=True)


def test_the_log_level_can_be_set():
    """As with the official SDK."""
    logger = logging.getLogger("rtstream_async")
    before = logger.level
    try:
        rts.connect("sk-x", log_level=logging.ERROR)
        assert logger.level == logging.ERROR
    finally:
        logger.setLevel(before)


async def test_http2_is_spoken_on_request(server):
    """To a server that only speaks HTTP/1.1 it is a no-op."""
    async with rts.connect(server.api_key, base_url=server.url, http2=True) as conn:
        assert (await conn.get_collection()).id


def run(code):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True
    ).stdout


def test_importing_and_connecting_loads_only_what_is_needed():
    """Start-up time is paid by every command line tool and every serverless call."""
    loaded = run(
        "import sys, rtstream_async as rts\n"
        "rts.connect('sk-x')\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    ).split()
    needed = run(
        "import sys, asyncio, httpx, anyio, attrs, msgspec, importlib.metadata\n"
        "import anyio.abc\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    ).split()
    assert set(loaded) - set(needed) <= {"rtstream_async", "sniffio"}


def test_rest_alone_loads_no_websocket():
    """And the local server is nobody's burden but its own."""
    loaded = run(
        "import sys, rtstream_async as rts\n"
        "rts.connect('sk-x')\n"
        "print(*(n for n in sys.modules if n.startswith(('websockets', 'rtstream_async.'))))"
    ).split()
    assert "rtstream_async.client" in loaded
    assert not [name for name in loaded if ".realtime" in name or ".local" in name]
    assert not [name for name in loaded if name.startswith("websockets")]


def test_every_public_name_can_be_had():
    """The table of names and the list of names are two lists."""
    assert sorted(rts.__all__, key=str) == sorted(dir(rts), key=str)
    for name in rts.__all__:
        assert getattr(rts, name) is not None
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        rts.nothing_of_ours  # noqa: B018
    listed = [name for names in rts._HOMES.values() for name in names]
    assert sorted(listed) == sorted(rts.__all__)


async def test_a_refusal_that_is_none_of_the_state_is_raised():
    """A start that did not work must not look like one that did."""

    async def service(seen, writer):
        if seen.method == "PATCH":
            writer.write(answer({"success": False, "message": "no credits left"}, status=400))
        else:
            writer.write(answer({"success": True, "data": {"id": "rts-1", "status": "stopped"}}))

    async with serve(service) as backend, rts.connect("sk-x", base_url=backend.url) as conn:
        stream = await rts.Collection(conn._context, None).get_rtstream("rts-1")
        with pytest.raises(rts.ValidationError, match="no credits left"):
            await stream.start()
        await stream.stop()
        assert stream.status == "stopped"


async def test_a_player_can_be_described():
    """Row 88; empty values are left out."""

    async def service(seen, writer):
        writer.write(answer({"success": True, "data": {"stream_url": "s", "player_url": "p"}}))

    async with serve(service) as backend, rts.connect("sk-x", base_url=backend.url) as conn:
        stream = rts.RTStream(conn._context, StreamRecord(id="rts-1"))
        assert stream.stream_url is stream.player_url is None
        config = {"title": "Door", "description": "", "slug": "d"}
        assert await stream.generate_stream(1, 2.5, config) == "s"
        assert (stream.stream_url, stream.player_url, stream["player_url"]) == ("s", "p", "p")
    assert backend.seen[0].path == (
        "/rtstream/rts-1/stream?start=1&end=2.5&player_title=Door&player_slug_prefix=d"
    )


async def test_rest_and_socket_go_through_the_proxy():
    """Where there is one, nothing else gets out."""

    async def proxy(seen, writer):
        if seen.method == "CONNECT":
            writer.write(answer(b"", status=403))
        else:
            data = {"websocket_url": "ws://socket.videodb.test/ws"}
            writer.write(answer({"success": True, "data": data}))

    async with (
        serve(proxy) as server,
        rts.connect("sk-x", base_url="http://videodb.test", proxy=server.url) as conn,
    ):
        with pytest.raises(rts.TransportError, match="proxy"):
            await conn.ws_connection_id()
    assert [(seen.method, seen.path) for seen in server.seen[:2]] == [
        ("GET", "http://videodb.test/collection/default/websocket"),
        ("CONNECT", "socket.videodb.test:80"),
    ]


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_a_client_of_the_users_own_is_used_and_left_open(server, library):
    """They have pools, proxies and hooks of their own."""
    async with library.AsyncClient() as client:
        async with rts.connect(server.api_key, base_url=server.url, http_client=client) as conn:
            assert (await conn.get_collection()).id
            assert await conn.ws_connection_id()
        assert not client.is_closed


async def test_unknown_options_are_headers():
    """Row 5."""

    async def service(seen, writer):
        writer.write(answer({"success": True, "data": {"id": "c-1"}}))

    async with (
        serve(service) as backend,
        rts.connect("sk-x", base_url=backend.url, org_id="o-1") as conn,
    ):
        await conn.get_collection()
    assert backend.seen[0].headers["x-org-id"] == "o-1"


async def test_the_environment_is_read_when_it_is_called(server, monkeypatch):
    """And not when the package is imported."""
    monkeypatch.setenv("VIDEO_DB_API_KEY", server.api_key)
    monkeypatch.setenv("VIDEO_DB_BASE_URL", server.url + "/")
    async with rts.connect() as conn:
        assert (await conn.get_collection()).id
