"""What a REST call costs on top of httpx, counted: no clock, so that it holds on any machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable

import httpx

from rtstream_async import connect
from tests.loopback import answer, serve

CALLS = 20


async def say_collection(seen, writer):
    writer.write(answer({"success": True, "data": {"id": "c-1"}}))


async def functions_called(call: Callable[[], Awaitable[object]]) -> float:
    """Return how many Python functions a call runs, the server's in this process included."""
    await call()  # connects, and loads what is loaded once
    count = 0

    def note(frame, event, arg):
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        for _ in range(CALLS):
            await call()
    finally:
        sys.setprofile(None)
    return count / CALLS


async def test_a_call_is_little_more_than_what_httpx_does():
    """Ten thousand streams are looked after by one process: each look is a call."""
    async with serve(say_collection) as server:
        url = f"{server.url}/collection/default"
        async with httpx.AsyncClient(trust_env=False) as client:
            bare = await functions_called(lambda: client.get(url))
        async with connect("k", base_url=server.url, proxy=False) as connection:
            ours = await functions_called(connection.get_collection)
    assert ours <= 1.3 * bare  # 1.24 when this was written


def test_connecting_loads_neither_streams_nor_messages():
    """A command that starts, asks once and ends pays for each module that it does not need."""
    program = (
        "import sys; from rtstream_async import connect; connect('k');"
        "print(*(name for name in sys.modules if name.startswith('rtstream_async.')))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    loaded = set(told.stdout.split())
    assert "rtstream_async.client" in loaded
    assert not loaded & {
        "rtstream_async.models.messages",
        "rtstream_async.models.videos",
        "rtstream_async.realtime.hub",
        "rtstream_async.resources.capture_session",
        "rtstream_async.resources.collection",
        "rtstream_async.resources.rtstream",
    }
    assert len(loaded) <= 48  # there are more than 200
