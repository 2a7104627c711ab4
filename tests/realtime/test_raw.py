"""`connect_websocket()`: the synchronous SDK's socket, for programs that are ported."""

from __future__ import annotations

import asyncio

import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from tests.local.harness import PATIENCE, until


@pytest.fixture
async def server():
    async with LocalServer(control=True) as running:
        yield running


@pytest.fixture
async def conn(server):
    async with rts.connect(server.api_key, base_url=server.url) as connection:
        yield connection


async def heard(socket, count):
    """The next frames."""
    frames = []
    async with asyncio.timeout(PATIENCE):
        async for frame in socket.receive():
            frames.append(frame)
            if len(frames) == count:
                return frames
    return frames


async def test_it_gives_frames_as_they_come(server, conn):
    """A ported reader looks into them by key."""
    async with await conn.connect_websocket() as socket:
        assert socket.connection_id.startswith("conn-")
        frame = {"channel": "scene_index", "data": {"text": "a", "start": 1, "end": 2}}
        for sent in (frame, "not json", b"\xff\xfe", "[1, 2]", '"text"'):
            await server.control.emit(sent, connection_id=socket.connection_id)
        assert await heard(socket, 5) == [
            frame,
            {"raw": "not json"},
            {"raw": b"\xff\xfe"},
            [1, 2],
            "text",
        ]
        await socket.send({"hello": "there"})  # the server ignores what it gets
    assert socket.connection_id is None


@pytest.mark.parametrize(("code", "is_well"), [(1000, True), (1001, True), (1011, False)])
async def test_its_end_is_the_end_of_the_iteration(server, conn, code, is_well):
    """The official one leaks the errors of its library."""
    socket = await (await conn.connect_websocket()).connect()
    await server.control.emit("last", connection_id=socket.connection_id)
    server.control.close(socket.connection_id, code=code)
    if is_well:
        assert await heard(socket, 9) == [{"raw": "last"}]
    else:
        with pytest.raises(rts.LinkClosedError, match="1011"):
            await heard(socket, 9)
    with pytest.raises(rts.LinkClosedError):
        await socket.send({})


async def test_a_cut_is_no_end_in_silence(server, conn):
    """What a broken network did must not look like the end of the data."""
    async with await conn.connect_websocket() as socket:
        server.control.cut(socket.connection_id)
        with pytest.raises(rts.LinkClosedError, match="gone"):
            await heard(socket, 1)
        await socket.connect()  # with a fresh URL
        await server.control.emit("again", connection_id=socket.connection_id)
        assert await heard(socket, 1) == [{"raw": "again"}]


async def test_what_was_not_connected_can_not_be_read(conn):
    """A builtin ConnectionError in the official SDK."""
    socket = await conn.connect_websocket()
    assert "not connected" in repr(socket)
    with pytest.raises(rts.LinkClosedError, match="connect"):
        await heard(socket, 1)
    with pytest.raises(rts.LinkClosedError):
        await socket.send({})
    await socket.close()


async def test_an_id_that_never_comes_is_waited_for_in_bounds(server):
    """The official one waits for ever."""
    settings = rts.HubSettings(first_frame_timeout=0.1)
    async with rts.connect(server.api_key, base_url=server.url, realtime=settings) as conn:
        socket = await conn.connect_websocket()
        server.control.mute_hellos(1)
        with pytest.raises(rts.HandshakeError, match=r"0\.1 s"):
            await socket.connect()
        await until(lambda: asyncio.sleep(0, server.control.sockets()), lambda seen: not seen)


async def test_a_slow_reader_stops_the_sender_and_loses_nothing(server, conn):
    """The frames wait with the service, and not in an endless queue here."""
    async with await conn.connect_websocket() as socket:
        for number in range(3000):
            await server.control.emit(str(number), connection_id=socket.connection_id)
            if number % 100 == 0:
                await asyncio.sleep(0)
        await until(lambda: asyncio.sleep(0, len(socket._waiting)), lambda count: count >= 1024)
        frames = await heard(socket, 3000 - server.control.sockets()[0].dropped)
    assert frames == sorted(frames)
    assert frames[-1] == 2999
