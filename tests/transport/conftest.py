"""Sockets are the loop's: each test runs on all that there are."""

from __future__ import annotations

from tests.loops import LOOPS


def pytest_asyncio_loop_factories():
    """Run every test here on each of them."""
    return LOOPS
