"""What lies below ASGI: uvicorn without signals, and sockets whose transport can be reached."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import struct
import sys
from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import anyio
import uvicorn
from starlette.types import ASGIApp, Scope
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

__all__ = ["QuietServer", "Wire", "make_server", "query_of", "reset", "wire_of"]

_EXTENSION = "rtstream.wire"
_CLIENT_FRAME_BYTES = 64 * 1024  # no client message is part of the contract
_BACKLOG = 128
_NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
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


class Wire(WebSocketsSansIOProtocol):
    """One socket below ASGI; the query of its URL goes to the application, and to nobody else.

    uvicorn logs the path of every handshake with its query, websockets logs the whole of it
    when debugging, and ours has a token in it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.debug = False
        self._is_frozen = False
        self._is_full = False  # what was written waits for the client to read

    @property
    def is_frozen(self) -> bool:
        """Whether it is open and dead."""
        return self._is_frozen

    def abort(self) -> None:
        """End the connection as a broken network does: no goodbye."""
        self.transport.abort()

    def freeze(self) -> None:
        """Leave the connection open, and neither write nor read any more: pings get no answer."""
        self._is_frozen = True
        self.writable.clear()
        self.stop_keepalive()
        self.read_paused = False  # so that nobody below resumes it
        self.transport.pause_reading()

    def thaw(self) -> None:
        """Go on where `freeze()` has stopped."""
        self._is_frozen = False
        if self.disconnected:
            return
        if not self._is_full:
            self.writable.set()
        self.start_keepalive()
        self.transport.resume_reading()

    async def send_raw_text(self, data: bytes) -> None:
        """Write a text frame of these bytes, be they UTF-8 or not.

        Raises:
            WebSocketDisconnect: The socket is gone, or going.
        """
        await self.writable.wait()
        if self.disconnected or self.close_sent or self.conn.state.name != "OPEN":
            raise WebSocketDisconnect(1006)
        self.conn.send_text(data)
        self.transport.write(b"".join(self.conn.data_to_send()))

    def pause_writing(self) -> None:
        """Note that the client does not read as fast as we write."""
        self._is_full = True
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that the client has read what it was sent."""
        self._is_full = False
        if not self._is_frozen:
            super().resume_writing()

    def handle_connect(self, event: Any) -> None:
        """Begin with a handshake."""
        super().handle_connect(event)
        if not hasattr(self, "scope"):
            return  # the handshake was refused
        extensions = self.scope.get("extensions") or {}
        extensions[_EXTENSION] = {
            "wire": self,
            "query": dict(parse_qsl(self.scope["query_string"].decode("latin-1"))),
        }
        self.scope["extensions"] = extensions
        self.scope["query_string"] = b""


class _HttpProtocol(H11Protocol):
    """Hands the transport to the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.app_state = {**self.app_state, _EXTENSION: transport}


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
        http=_HttpProtocol,
        ws=Wire,
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


def wire_of(websocket: WebSocket) -> Wire:
    """Return what is below a socket."""
    wire: Wire = websocket.scope["extensions"][_EXTENSION]["wire"]
    return wire


def reset(scope: Scope) -> None:
    """Reset the connection that an HTTP request came by, as a host does that was switched off."""
    transport: asyncio.Transport = scope["state"][_EXTENSION]
    peer: socket.socket | None = transport.get_extra_info("socket")
    if peer is not None:  # else it is closed already
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


def query_of(websocket: WebSocket) -> Mapping[str, str]:
    """Return the query of a socket's URL."""
    query: Mapping[str, str] = websocket.scope["extensions"][_EXTENSION]["query"]
    return query
