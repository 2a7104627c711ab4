"""What lies below ASGI: uvicorn without signals, and sockets whose transport can be reached."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import anyio
import uvicorn
from starlette.types import ASGIApp
from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

__all__ = ["QuietServer", "make_server", "query_of", "wire_of"]

_EXTENSION = "rtstream.wire"
_CLIENT_FRAME_BYTES = 64 * 1024  # no client message is part of the contract
_BACKLOG = 128
_KEEP_ALIVE = 75  # seconds; a pooled connection that closes under a POST can't be tried again


class QuietServer(uvicorn.Server):
    """A uvicorn that leaves the process's signal handlers to the application around it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()
        self._stopping = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.is_up.set()

    async def main_loop(self) -> None:
        """Keep the Date header right until `stop()`."""
        for second in itertools.count():
            if await self.on_tick(10 * second):
                return
            with anyio.move_on_after(1):
                await self._stopping.wait()

    def stop(self) -> None:
        """Have `serve()` finish what it answers, close all connections, and return."""
        self.should_exit = True
        self._stopping.set()


class _SocketProtocol(WebSocketsSansIOProtocol):
    """Hands the transport and the query to the application, and the query to nobody else.

    uvicorn logs the path of every handshake with its query, websockets logs the whole of it
    when debugging, and ours has a token in it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.debug = False

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not hasattr(self, "scope"):
            return  # the handshake was refused
        extensions = self.scope.get("extensions") or {}
        extensions[_EXTENSION] = {
            "transport": self.transport,
            "query": dict(parse_qsl(self.scope["query_string"].decode("latin-1"))),
        }
        self.scope["extensions"] = extensions
        self.scope["query_string"] = b""


class _QuietConfig(uvicorn.Config):
    def load(self) -> None:
        super().load()
        # Without the layer that logs every request at TRACE: with its query, where tokens are.
        self.loaded_app = self.app


def make_server(app: ASGIApp, *, shutdown_grace: float) -> QuietServer:
    """Return a server for `app`, not started; give its `serve()` a bound socket."""
    config = _QuietConfig(
        app,
        interface="asgi3",
        http="h11",
        ws=_SocketProtocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        ws_max_size=_CLIENT_FRAME_BYTES,
        ws_per_message_deflate=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(shutdown_grace)),
    )
    return QuietServer(config)


def wire_of(websocket: WebSocket) -> asyncio.Transport:
    """Return the transport below a socket."""
    transport: asyncio.Transport = websocket.scope["extensions"][_EXTENSION]["transport"]
    return transport


def query_of(websocket: WebSocket) -> Mapping[str, str]:
    """Return the query of a socket's URL."""
    query: Mapping[str, str] = websocket.scope["extensions"][_EXTENSION]["query"]
    return query
