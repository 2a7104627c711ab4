from __future__ import annotations

import pytest_asyncio

import rtstream_async as rts
from rtstream_async.local import LocalServer


@pytest_asyncio.fixture
async def server(tmp_path):
    """A local server that a test can script."""
    async with LocalServer(tmp_path / "server", control=True, api_key="sk-test-key") as running:
        yield running


@pytest_asyncio.fixture
async def conn(server):
    """A connection to it."""
    async with rts.connect(server.api_key, base_url=server.url) as connection:
        yield connection


@pytest_asyncio.fixture
async def door(conn):
    """A stream that only the test feeds."""
    collection = await conn.get_collection()
    return await collection.connect_rtstream("scripted://door", "Front door")
