"""The recorded conversations over a socket, beside the official SDK's `WebSocketConnection`."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext

import pytest

import rtstream_async as rts
from tests.conformance.tables import sockets
from tests.loopback import answer, serve
from tests.sockets import scripted_server


@asynccontextmanager
async def connected(**settings):
    """Give a connection, and the server of its sockets."""
    async with scripted_server() as peers:

        async def handler(_seen, writer):
            data = {"websocket_url": await peers.fetch_url()}
            writer.write(answer({"success": True, "data": data}))

        realtime = rts.HubSettings(**settings)
        async with (
            serve(handler) as rest,
            rts.connect("sk-secret", base_url=rest.url, realtime=realtime) as conn,
        ):
            yield conn, peers


async def say(peer, frames):
    for frame in frames:
        await (peer.send_binary(frame) if isinstance(frame, bytes) else peer.send(frame))


async def opened(conn, peers, frames=(sockets.HELLO,)):
    """Open a socket whose server says `frames`; return both ends."""
    socket = await conn.connect_websocket()
    async with asyncio.TaskGroup() as tasks:
        opening = tasks.create_task(socket.connect())
        peer = await peers.accept()
        await say(peer, frames)
    assert opening.result() is socket
    return socket, peer


@pytest.mark.parametrize("row", sockets.SCRIPTS)
async def test_every_frame_is_delivered_and_a_loss_is_told(row):
    """The official SDK swallows the first, leaks its library's errors, and ends in silence."""
    frames, code = sockets.SCRIPTS[row]
    received = []
    async with connected() as (conn, peers):
        socket, peer = await opened(conn, peers, frames)
        assert socket.connection_id == "conn-123"

        async def read():
            async for frame in socket.receive():
                received.append(frame)
                if received == sockets.RECEIVED[row]:
                    await end()

        async def end():
            await peer.close(code) if code else peer.cut()

        if not sockets.RECEIVED[row]:
            await end()
        error = sockets.BROKEN.get(row)
        with pytest.raises(error) if error else nullcontext():
            await read()
    assert received == sockets.RECEIVED[row]


@pytest.mark.parametrize("row", sockets.NO_GREETING)
async def test_without_a_connection_id_there_is_no_connection(row):
    """The official SDK waits for ever, or is connected as nobody."""
    async with connected(first_frame_timeout=0.3) as (conn, peers):
        socket = await conn.connect_websocket()
        async with asyncio.TaskGroup() as tasks:
            opening = tasks.create_task(_refused(socket))
            await say(await peers.accept(), sockets.NO_GREETING[row])
        assert isinstance(opening.result(), rts.HandshakeError)
        assert socket.connection_id is None


async def _refused(socket):
    with pytest.raises(rts.RTStreamError) as caught:
        await socket.connect()
    return caught.value


async def test_what_is_not_connected_says_so():
    """Row 329: a builtin ConnectionError in the official SDK."""
    async with connected() as (conn, _):
        socket = await conn.connect_websocket()
        with pytest.raises(rts.LinkClosedError, match="connect"):
            await anext(socket.receive())


async def test_two_readers_lose_nothing():
    """Row 330: an error of the library in the official SDK."""
    async with connected() as (conn, peers):
        socket, peer = await opened(conn, peers)
        received = []

        async def read():
            received.extend([frame async for frame in socket.receive()])

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(read())
            tasks.create_task(read())
            await say(peer, [{"n": n} for n in range(50)])
            await peer.close()
    assert sorted(frame["n"] for frame in received) == list(range(50))


async def test_a_message_is_sent_as_json():
    """Row 331: what a ported program says must be what it said."""
    async with connected() as (conn, peers):
        socket, peer = await opened(conn, peers)
        await socket.send({"action": "subscribe", "x": 1})
        assert await peer.socket.recv() == '{"action": "subscribe", "x": 1}'


async def test_leaving_closes_and_no_stale_id_is_shown():
    """Rows 332 and 333: an id that is gone would arm pipelines for nobody."""
    async with connected() as (conn, peers):
        socket = await conn.connect_websocket()
        async with asyncio.TaskGroup() as tasks:
            entering = tasks.create_task(socket.__aenter__())
            peer = await peers.accept()
            await peer.hello("conn-123")
        assert entering.result() is socket
        assert socket.connection_id == "conn-123"
        await socket.__aexit__(None, None, None)
        assert await peer.closed() == 1000
        assert socket.connection_id is None


async def test_asking_for_a_socket_blocks_nobody():
    """Row 334: the official SDK stops the whole event loop for as long as the service takes."""
    others_ran = asyncio.Event()

    async def handler(_seen, writer):
        await others_ran.wait()  # for ever, if the asking task had stopped the loop
        data = {"websocket_url": "ws://127.0.0.1:1/s"}
        writer.write(answer({"success": True, "data": data}))

    async with (
        serve(handler) as rest,
        rts.connect("sk-secret", base_url=rest.url) as conn,
        asyncio.TaskGroup() as tasks,
    ):
        asking = tasks.create_task(conn.connect_websocket())
        await rest.saw(1)
        others_ran.set()
    assert asking.result().connection_id is None


async def test_the_key_is_not_sent_to_the_socket():
    """Row 336: the address is the credential, and may be another host's."""
    async with connected() as (conn, peers):
        _, peer = await opened(conn, peers)
        headers = peer.socket.request.headers
        assert "x-access-token" not in headers
        assert "sk-secret" not in str(headers)
    options = rts.SocketOptions()
    assert options.max_size == 16 * 1024 * 1024
