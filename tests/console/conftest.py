"""One browser for all tests of this folder, and a site of its own for each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import pytest
import pytest_asyncio

from tests.browser import Browser, open_browser
from tests.console.site import Site, serve


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncGenerator[Browser]:
    async with open_browser() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def browser(chromium: Browser) -> AsyncGenerator[Browser]:
    yield chromium
    await chromium.close_pages()


@pytest.fixture
def site() -> Generator[Site]:
    with serve() as running:
        yield running
