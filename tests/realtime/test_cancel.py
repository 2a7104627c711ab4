"""Cancelled at every turn of the loop: no lost message, no leaked task, no open socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import anyio
import pytest

from rtstream_async.protocol.link import LinkState
from rtstream_async.realtime.hub import Hub
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.supervisor import Supervisor
from rtstream_async.transport.socket import SocketOptions, opener
from tests.sockets import scene

TURNS = 30  # more than opening, reading or closing takes


@pytest.fixture
async def greeting(server):
    """The server's ends of all connections, each greeted as it comes."""
    peers = []

    async def greet():
        while True:
            peer = await server.accept()
            peers.append(peer)
            await peer.hello(f"conn-{len(peers)}")

    task = asyncio.create_task(greet())
    yield peers
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def a_hub(server):
    """Yield a hub; afterwards it is closed, and nothing of it may be left."""
    before = asyncio.all_tasks()
    supervisor = Supervisor("test")
    hub = Hub(
        fetch_url=server.fetch_url,
        open_socket=opener(SocketOptions(proxy=None)),
        settings=HubSettings(),
        supervisor=supervisor,
    )
    try:
        yield hub
    finally:
        await hub.aclose()
        await supervisor.aclose()
        assert not [t for t in asyncio.all_tasks() - before if "rtstream" in t.get_name()]


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def cancelled_after(count: int, work) -> asyncio.Task:
    """Start `work`, cancel it after so many turns of the loop, and see it end."""
    task = asyncio.create_task(work)
    await turns(count)
    task.cancel()
    await asyncio.wait((task,), timeout=20)
    assert task.done()
    return task


async def all_closed(peers) -> None:
    async with asyncio.timeout(20):
        for peer in peers:
            await peer.closed()


@pytest.mark.parametrize("count", range(TURNS))
async def test_a_cancelled_connect_leaves_a_link_that_works(server, greeting, count):
    """The one who gave up must not take the socket with him, nor leave it half open."""
    async with a_hub(server) as hub:
        await cancelled_after(count, hub.connection_id())
        async with asyncio.timeout(20):
            assert (await hub.connection_id()).startswith("conn-")
        assert hub.state is LinkState.LIVE
    await all_closed(greeting)


@pytest.mark.parametrize("count", range(TURNS))
async def test_a_close_at_any_moment_of_connecting_leaves_nothing(server, greeting, count):
    """Ctrl-C comes when it comes."""
    async with a_hub(server) as hub:
        connecting = asyncio.create_task(hub.connection_id())
        await turns(count)
    await asyncio.wait((connecting,), timeout=20)
    assert connecting.done()
    connecting.exception()
    await all_closed(greeting)


@pytest.mark.parametrize("count", range(TURNS))
async def test_the_end_of_the_supervisor_at_any_moment_leaves_nothing(server, greeting, count):
    """Another background task may fail while the link is being opened."""
    async with a_hub(server) as hub:
        connecting = asyncio.create_task(hub.connection_id())
        await turns(count)
        await hub._supervisor.aclose()
    await asyncio.wait((connecting,), timeout=20)
    assert connecting.done()
    connecting.exception()
    await all_closed(greeting)


@pytest.mark.parametrize("count", range(TURNS))
async def test_a_cancelled_close_can_be_finished(server, greeting, count):
    """A second Ctrl-C during the goodbye must not leave readers hanging."""
    async with a_hub(server) as hub:
        sub = hub.subscribe(streams=None, channels=None)
        async with asyncio.timeout(20):
            await hub.connection_id()
        reading = asyncio.create_task(anext(sub, None))
        await anyio.wait_all_tasks_blocked()
        await cancelled_after(count, hub.aclose())
        await hub.aclose()
        async with asyncio.timeout(20):
            assert await reading is None
        assert hub.state is LinkState.CLOSED
    await all_closed(greeting)


@pytest.mark.parametrize("count", range(1, 12))
async def test_no_message_is_lost_by_readers_that_are_cancelled(server, greeting, count):
    """Timeouts, `select`s and restarts cancel readers all day long."""
    async with a_hub(server) as hub, asyncio.timeout(60):
        sub = hub.subscribe(streams=None, channels=None)
        await hub.connection_id()
        expected = [str(n) for n in range(60)]
        seen = []
        sending = asyncio.create_task(greeting[0].send(*map(scene, expected)))
        while len(seen) < len(expected):
            readers = [asyncio.create_task(sub.receive()) for _ in range(2)]
            await turns(count)
            for reader in readers:
                reader.cancel()
            done = await asyncio.gather(*readers, return_exceptions=True)
            seen += [r.text for r in done if not isinstance(r, asyncio.CancelledError)]
        await sending
        assert seen == expected
        assert sub.stats.delivered == len(expected)
    await all_closed(greeting)


@pytest.mark.parametrize("count", range(0, TURNS, 3))
async def test_a_cancelled_wait_for_readiness_changes_nothing(server, greeting, count):
    """`ready()` is often raced against a timeout."""
    async with a_hub(server) as hub:
        sub = hub.subscribe(streams=None, channels=None)
        await cancelled_after(count, sub.ready())
        async with asyncio.timeout(20):
            assert await sub.ready() == await hub.connection_id()
    await all_closed(greeting)
