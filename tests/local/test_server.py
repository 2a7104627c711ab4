"""The server as a part of somebody's process: what it loads, owns, and leaves behind."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import httpx
import pytest

from rtstream_async.local import LocalServer
from tests.local.harness import api_of

LIGHT = """
import asyncio, sys
from rtstream_async.local import LocalServer

async def main():
    async with LocalServer(control=True):
        heavy = {"av", "numpy", "onnxruntime", "cv2", "rapidocr"} & set(sys.modules)
        assert not heavy, heavy

asyncio.run(main())
"""

WITHOUT = """
import sys
sys.modules["starlette"] = None
from rtstream_async import local
try:
    local.LocalServer
except ModuleNotFoundError as exc:
    print(exc)
try:
    local.Nothing
except AttributeError as exc:
    print(exc)
"""


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_server_without_media_loads_no_media() -> None:
    """It is the test double of client tests, hundreds of times a run."""
    run(LIGHT)


def test_a_missing_extra_is_named() -> None:
    """`No module named 'starlette'` does not tell what to install."""
    said = run(WITHOUT)
    assert "pip install 'rtstream-async[local]'" in said
    assert "starlette" in said
    assert "no attribute 'Nothing'" in said


async def test_starting_and_stopping_may_happen_in_different_tasks() -> None:
    """Web frameworks open and close their resources in different tasks."""
    server = LocalServer()
    await asyncio.create_task(server.start())
    url, data_dir = server.url, server.data_dir
    async with api_of(server) as api:
        await api.call("GET", "/collection")
    await asyncio.create_task(server.aclose())
    await server.aclose()
    assert not data_dir.exists()
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_a_server_can_be_started_again(tmp_path: Path) -> None:
    """A test that restarts the server finds everything as it was."""
    server = LocalServer(tmp_path, control=True)
    async with server, api_of(server) as api:
        stream = await api.connect()
    async with server, api_of(server) as api:
        assert (await api.stream(stream))["name"] == "door"


async def test_signals_stay_with_the_application() -> None:
    """Ctrl-C belongs to the program around the server."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with LocalServer():
        during = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert during == before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize("steps", range(0, 40, 3))
async def test_a_cancelled_start_leaves_nothing_behind(
    steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that times out must not keep a port, a thread or a directory."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tasks, threads = len(asyncio.all_tasks()), stores()
    server = LocalServer()
    starting = asyncio.create_task(server.start())
    for _ in range(steps):
        await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await server.aclose()
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 - nothing else runs any more
    assert stores() == threads
    assert len(asyncio.all_tasks()) == tasks


def stores() -> int:
    return sum(thread.name == "rtstream-store" for thread in threading.enumerate())


async def test_answers_are_not_held_back() -> None:
    """With Nagle's algorithm on, every body waits 40 ms for the head's acknowledgement."""
    async with LocalServer() as server, api_of(server) as api:
        await api.call("GET", "/collection")
        http = server._running._http
        (kept,) = [each.transport for each in http.server_state.connections]
        nodelay = kept.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert nodelay
