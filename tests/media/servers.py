"""Real media servers on loopback, each a process of its own, gone with the test."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

__all__ = ["free_port", "http_server", "nginx_rtmp", "rtsp_server"]

_NGINX = """
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log warn;
events {{ worker_connections 64; }}
rtmp {{
    server {{
        listen 127.0.0.1:{port};
        application live {{ live on; wait_key on; }}
    }}
}}
"""


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.asynccontextmanager
async def nginx_rtmp(directory: Path) -> AsyncIterator[str]:
    """Run nginx as an RTMP server; gives the URL of an application to push to and pull from."""
    await asyncio.to_thread(directory.mkdir)
    port = free_port()
    config = directory / "nginx.conf"
    config.write_text(_NGINX.format(directory=directory, port=port))
    command = ["/usr/sbin/nginx", "-p", str(directory), "-c", str(config), "-e", "stderr"]
    async with _running(command, port):
        yield f"rtmp://127.0.0.1:{port}/live"


@contextlib.asynccontextmanager
async def rtsp_server(directory: Path) -> AsyncIterator[str]:
    """Serve the files of a directory over RTSP."""
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("rtsp-server")),
        *("-d", str(directory), "-H", "127.0.0.1"),
        *("-p", str(port), "-cp", str(free_port())),
    ]
    async with _running(command, port):
        yield f"rtsp://127.0.0.1:{port}"


@contextlib.asynccontextmanager
async def http_server(directory: Path) -> AsyncIterator[str]:
    """Serve the files of a directory over HTTP."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "http.server", "--bind", "127.0.0.1"),
        *("--directory", str(directory), str(port)),
    ]
    async with _running(command, port):
        yield f"http://127.0.0.1:{port}"


@contextlib.asynccontextmanager
async def _running(command: list[str], port: int) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await _until_listening(process, port)
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until_listening(process: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            assert process.returncode is None, "the server ended at once"
            with contextlib.suppress(ConnectionError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.05)
