"""A hub on a real socket, and a check that it leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from rtstream_async.realtime.hub import Hub
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.supervisor import Supervisor
from rtstream_async.transport.socket import SocketOptions, opener
from tests.loops import LOOPS
from tests.sockets import SECRET, ScriptedServer, scripted_server


def pytest_asyncio_loop_factories():
    """Run every test here on each of them."""
    return LOOPS


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as scripted:
        yield scripted


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    """Take the lowest jitter: the delays themselves are the pure policy's tests."""
    monkeypatch.setattr("rtstream_async.realtime.link.random.random", lambda: 0.0)


@pytest.fixture
async def make_hub(server: ScriptedServer, caplog) -> AsyncIterator[Callable[..., Hub]]:
    """Return what makes hubs; at the end they are closed, and nothing may be left of them."""
    caplog.set_level("DEBUG")
    before = asyncio.all_tasks()
    async with AsyncExitStack() as stack:

        def make(**settings: Any) -> Hub:
            supervisor = Supervisor("test")
            options = {
                name: settings.pop(name)
                for name in ("max_size", "open_timeout", "compression", "ssl", "ping_interval")
                if name in settings
            }
            ports = {
                name: settings.pop(name)
                for name in ("fetch_url", "open_socket", "poller")
                if name in settings
            }
            hub = Hub(
                **{
                    "fetch_url": server.fetch_url,
                    "open_socket": opener(SocketOptions(proxy=None, close_timeout=1, **options)),
                    **ports,
                },
                settings=HubSettings(**settings),
                supervisor=supervisor,
            )
            stack.push_async_callback(supervisor.aclose)
            stack.push_async_callback(hub.aclose)
            return hub

        yield make
    left = {task for task in asyncio.all_tasks() - before if "rtstream" in task.get_name()}
    assert not left
    ours = [record for record in caplog.records if not record.name.startswith("websockets.server")]
    assert not [record for record in ours if SECRET in record.getMessage()]
