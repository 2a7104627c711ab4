"""The official SDK's own socket against the local server's."""

from __future__ import annotations

import asyncio

import pytest

from tests.official.driving import PATIENCE, drives


async def take(socket, count):
    """The next frames; the SDK has no way to take one."""
    frames = []
    async with asyncio.timeout(PATIENCE):
        async for frame in socket.receive():
            frames.append(frame)
            if len(frames) == count:
                break
    return frames


@drives(
    "Connection.connect_websocket",
    "WebSocketConnection.connect",
    "WebSocketConnection.receive",
    "WebSocketConnection.send",
    "WebSocketConnection.close",
)
def test_the_socket_says_who_it_is_and_gives_what_comes(site, conn):
    """What a client sends is read and ignored: no client message is documented."""

    async def listen():
        socket = await conn.connect_websocket().connect()
        assert socket.connection_id.startswith("conn-")
        await socket.send({"subscribe": "everything"})
        await asyncio.to_thread(
            site.do, site.control.emit, {"n": 1}, connection_id=socket.connection_id
        )
        await asyncio.to_thread(
            site.do, site.control.emit, "no JSON", connection_id=socket.connection_id
        )
        frames = await take(socket, 2)
        await socket.close()
        with pytest.raises(ConnectionError):
            await socket.send({})
        return frames

    assert asyncio.run(listen()) == [{"n": 1}, {"raw": "no JSON"}]


def test_a_goodbye_ends_the_stream_and_a_new_socket_has_a_new_id(site, conn):
    """`ws_listener.py` opens another one then, and prints the new id."""

    async def listen():
        seen = []
        for _ in range(2):
            async with conn.connect_websocket() as socket:
                seen.append(socket.connection_id)
                await asyncio.to_thread(site.do, goodbye, site, socket.connection_id)
                async with asyncio.timeout(PATIENCE):
                    assert [frame async for frame in socket.receive()] == [{"last": True}]
        return seen

    first, second = asyncio.run(listen())
    assert first != second


async def goodbye(site, connection_id):
    """Send a last frame, and close as a restarting service does."""
    await site.control.emit({"last": True}, connection_id=connection_id)
    assert site.control.close(connection_id, code=1001) == 1


def test_two_programs_hear_what_is_theirs(site, coll, conn):
    """One socket may serve many pipelines, and no other hears them."""
    stream = coll.connect_rtstream("scripted://door", "door")
    theirs = coll.connect_rtstream("scripted://gate", "gate")

    async def listen():
        async with conn.connect_websocket() as one, conn.connect_websocket() as other:
            for source, socket in ((stream, one), (theirs, other)):
                await asyncio.to_thread(
                    source.index_visuals,
                    batch_config={"type": "time", "value": 1, "frame_count": 1},
                    ws_connection_id=socket.connection_id,
                )
            for source in (stream, theirs):
                await asyncio.to_thread(
                    site.do, site.control.add_scene, source.id, source.name, start=1, end=2
                )
            return [await take(one, 1), await take(other, 1)]

    heard = asyncio.run(listen())
    assert [[frame["rtstream_name"] for frame in frames] for frames in heard] == [
        ["door"],
        ["gate"],
    ]


def test_a_client_token_opens_a_socket(site, conn):
    """meeting-copilot listens with a token, and works with the key."""
    theirs = site.connect(api_key=None, session_token=conn.generate_client_token())

    async def listen():
        async with theirs.connect_websocket() as socket:
            return socket.connection_id

    assert asyncio.run(listen()).startswith("conn-")
