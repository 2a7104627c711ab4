from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rtstream_async.local import LocalServer
from tests.local.harness import Api, api_of


@pytest.fixture
async def server() -> AsyncIterator[LocalServer]:
    async with LocalServer(control=True) as running:
        yield running


@pytest.fixture
async def api(server: LocalServer) -> AsyncIterator[Api]:
    async with api_of(server) as speaking:
        yield speaking
