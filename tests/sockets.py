"""A real WebSocket server that does what a test tells it, one connection at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

__all__ = ["SECRET", "Peer", "ScriptedServer", "scene", "scripted_server", "transcript"]

SECRET = "s3cr3t-t0k3n"


def scene(text: str = "x", *, stream: str = "rts-1", at: int = 1_710_000_000_000) -> dict[str, Any]:
    """Return a frame of a scene index."""
    return {
        "channel": "scene_index",
        "rtstream_id": stream,
        "data": {"text": text, "start": at, "end": at + 1000},
    }


def transcript(text: str = "x", *, stream: str = "rts-1") -> dict[str, Any]:
    """Return a frame of a transcript."""
    return {**scene(text, stream=stream), "channel": "transcript"}


class Peer:
    """The server's end of one connection."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket

    async def hello(self, connection_id: str = "conn-1") -> None:
        """Send the first frame."""
        await self.send({"connection_id": connection_id})

    async def send(self, *frames: Any) -> None:
        """Send each as a text frame: text as it is, all else as JSON."""
        for frame in frames:
            await self.socket.send(frame if isinstance(frame, str) else json.dumps(frame))

    async def send_binary(self, data: bytes) -> None:
        await self.socket.send(data)

    async def send_text_bytes(self, data: bytes) -> None:
        """Send a text frame that need not be UTF-8."""
        async with self.socket.send_context():
            self.socket.protocol.send_text(data)

    async def send_in_fragments(self, *parts: str | bytes) -> None:
        await self.socket.send(parts)

    async def send_at_once(self, *frames: Any) -> None:
        """Send all in one write, so that they arrive in one read."""
        async with self.socket.send_context():
            for frame in frames:
                self.socket.protocol.send_text(json.dumps(frame).encode())

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self.socket.close(code, reason)

    def cut(self) -> None:
        """Reset the TCP connection."""
        self.socket.transport.abort()

    async def closed(self) -> int:
        """Wait for the end; return the close code that the client sent."""
        await self.socket.wait_closed()
        code = self.socket.protocol.close_rcvd
        return code.code if code is not None else 1006


class ScriptedServer:
    """A server on a port of its own; `accept()` gives the next connection."""

    def __init__(self) -> None:
        self.refusals: list[int] = []  #: HTTP status for each of the next handshakes
        self.urls: list[str] = []  #: given out so far
        self.requests = 0
        self.port = 0
        self.scheme = "ws"
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()

    async def fetch_url(self) -> str:
        """Return a fresh URL, as REST would."""
        self.urls.append(f"{self.scheme}://127.0.0.1:{self.port}/{SECRET}?n={len(self.urls)}")
        return self.urls[-1]

    async def accept(self) -> Peer:
        """Wait for the next connection."""
        return await self._peers.get()

    async def accept_live(self, connection_id: str = "conn-1") -> Peer:
        """Wait for the next connection, and send it its id."""
        peer = await self.accept()
        await peer.hello(connection_id)
        return peer

    async def handle(self, socket: ServerConnection) -> None:
        self._peers.put_nowait(Peer(socket))
        await socket.wait_closed()

    def refuse(self, socket: ServerConnection, request: Request) -> Response | None:
        self.requests += 1
        if self.refusals:
            return socket.respond(HTTPStatus(self.refusals.pop(0)), "no\n")
        return None


@asynccontextmanager
async def scripted_server(**options: Any) -> AsyncIterator[ScriptedServer]:
    """Run a `ScriptedServer`."""
    scripted = ScriptedServer()
    options.setdefault("compression", None)
    server: Server
    async with serve(
        scripted.handle, "127.0.0.1", 0, process_request=scripted.refuse, close_timeout=1, **options
    ) as server:
        scripted.port = server.sockets[0].getsockname()[1]
        if "ssl" in options:
            scripted.scheme = "wss"
        yield scripted
