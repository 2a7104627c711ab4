"""A socket as the synchronous SDK's: raw frames, one reader, no reconnect; for those who port."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self

import anyio
import msgspec

from rtstream_async.errors import LinkClosedError
from rtstream_async.realtime.greeting import Greeter
from rtstream_async.transport.socket import OpenSocket, Socket

__all__ = ["WebSocketConnection"]

_MOST_WAITING = 1024  # frames; then reading stops until half of them are taken
_NORMAL = frozenset({1000, 1001})


class WebSocketConnection:
    """One socket of one's own: `receive()` gives each frame as it came.

    `events()` of a stream or a connection does more with less: it shares one socket, opens it
    anew when it is lost, and gives typed messages. This one ends when its socket ends.

    Attributes:
        connection_id: What pipelines can push to; `None` before `connect()` and after the end.
    """

    def __init__(
        self,
        url: str,
        *,
        fetch_url: Callable[[], Awaitable[str]],
        open_socket: OpenSocket,
        first_frame_timeout: float,
    ) -> None:
        """Keep how to connect; `Connection.connect_websocket()` makes these.

        Args:
            url: Where to, once; it holds a credential.
            fetch_url: Gives another, for connecting again.
            open_socket: Opens it.
            first_frame_timeout: Seconds that the connection id may take.
        """
        self.connection_id: str | None = None
        self._url: str | None = url
        self._fetch_url = fetch_url
        self._open_socket = open_socket
        self._first_frame_timeout = first_frame_timeout
        self._socket: Socket | None = None
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._is_paused = False

    def __repr__(self) -> str:
        return f"<WebSocketConnection {self.connection_id or 'not connected'}>"

    async def connect(self) -> Self:
        """Open the socket, wait for its connection id, and return this object.

        Cancelling leaves nothing open. Connected already, it does nothing.

        Raises:
            AuthenticationError: The service refuses the key.
            HandshakeError: The socket opened, or was refused, and no connection id came.
            TransportError: The service can't be reached.
        """
        if self._socket is not None and not self._socket.closed.done():
            return self
        url, self._url = self._url or await self._fetch_url(), None
        self._waiting.clear()
        greeter = Greeter(self, on_greeted=self._greeted)
        socket = await self._open_socket(url, greeter.sink)
        try:
            await greeter.wait(socket, self._first_frame_timeout)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await socket.aclose()
            raise
        finally:
            greeter.stop()
        self._socket = socket
        socket.closed.add_done_callback(lambda _: self._ended())
        return self

    async def close(self) -> None:
        """Say goodbye, within a deadline; again is no error."""
        socket, self._socket = self._socket, None
        self._ended()
        if socket is not None:
            await socket.aclose()

    async def receive(self) -> AsyncIterator[Any]:
        """Iterate over the frames, decoded from JSON, until the service ends the connection well.

        What is no JSON comes as `{"raw": text}`, or bytes where it is no text either. Cancelling
        loses no frame.

        Raises:
            LinkClosedError: It was not connected, or the connection broke off.
        """
        if self._socket is None:
            raise LinkClosedError("the socket is not connected; call connect() first")
        socket = self._socket
        while True:
            while self._waiting:
                frame = self._waiting.popleft()
                self._resume()
                yield _decoded(frame)
            if socket.closed.done() or self._socket is not socket:
                break
            self._wake.clear()
            await self._wake.wait()
        if self._socket is socket and (closed := socket.closed.result()).code not in _NORMAL:
            raise LinkClosedError(f"the socket is gone: {closed.cause}")

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send a message as JSON. The service documents none, and its own clients send none.

        Raises:
            LinkClosedError: It is not connected.
        """
        if self._socket is None or self._socket.closed.done():
            raise LinkClosedError("the socket is not connected")
        await self._socket.send(json.dumps(message))

    async def __aenter__(self) -> Self:
        return await self.connect()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # The socket's side.

    def on_frame(self, data: bytes) -> None:
        """Take one frame; stop reading when too many wait."""
        self._waiting.append(data)
        self._wake.set()
        if len(self._waiting) >= _MOST_WAITING and self._socket is not None:
            self._is_paused = True
            self._socket.pause()

    def on_oversize(self, size: int, limit: int) -> None:
        """Tell of a frame that was too large to keep, in its place."""
        told = {"raw": None, "error": f"a frame of {size} bytes is over the limit of {limit}"}
        self.on_frame(msgspec.json.encode(told))

    def _greeted(self, connection_id: str) -> None:
        self.connection_id = connection_id

    def _ended(self) -> None:
        self.connection_id = None
        self._wake.set()

    def _resume(self) -> None:
        if self._is_paused and self._socket is not None and len(self._waiting) <= _MOST_WAITING / 2:
            self._is_paused = False
            self._socket.resume()


def _decoded(frame: bytes) -> Any:
    try:
        return msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            return {"raw": frame.decode()}
        except UnicodeDecodeError:
            return {"raw": frame}
