from __future__ import annotations

import pytest
import pytest_asyncio

import rtstream_async as rts
from rtstream_async.local import LocalServer
from tests.local.engines import PixelEngine


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The media root, which has a neighbour that nobody may read."""
    folder = tmp_path_factory.mktemp("media") / "root"
    folder.mkdir()
    return folder


@pytest_asyncio.fixture
async def server(root):
    """A server that says of every frame which one it is."""
    async with LocalServer(media_root=root, vision=PixelEngine) as running:
        yield running


@pytest_asyncio.fixture
async def collection(server):
    """What a program has after its first two lines."""
    async with rts.connect(server.api_key, base_url=server.url) as conn:
        yield await conn.get_collection()
