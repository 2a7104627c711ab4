from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.search.site import Site, site


@pytest.fixture
async def here() -> AsyncIterator[Site]:
    async with site() as running:
        yield running
