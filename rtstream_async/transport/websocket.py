"""The one door to the `websockets` library: frames go straight from its parser to a sink.

The library's own queue, and a task that reads from it, would cost as much as all the rest. So its
connection is subclassed where parsed frames arrive. That leaves three things to do here that
`recv()` does otherwise: put fragments together, bound their size, and stop reading on demand.
UTF-8 is checked by the codec, which has to look at the bytes anyway.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Any, Protocol, cast, runtime_checkable

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)
from websockets.frames import CLOSE_CODE_EXPLANATIONS, Close, Frame, Opcode
from websockets.protocol import Event, State

from rtstream_async.errors import (
    AuthenticationError,
    HandshakeError,
    LinkClosedError,
    ProtocolError,
    RTStreamError,
    TransportError,
)
from rtstream_async.transport.shortcut import Shortcut
from rtstream_async.transport.socket import Closed, Sink, Socket, SocketOptions

__all__ = ["open_websocket"]

_TEXT, _BINARY, _CONT = Opcode.TEXT, Opcode.BINARY, Opcode.CONT
_UNAUTHORIZED = 401
_SHORTCUT_UP_TO = (
    0xFFFF  # bytes: what is larger comes in pieces, and the library puts them together
)
_READ = 2**16
"""Bytes of one read, where the loop's own transports take 2**18: a thousand messages that are
handed out before the first of them is read do not stay in the processor's cache, and the garbage
collector looks at them."""
_HARD_LIMIT = 4  # times `max_size`: what a single frame may have and still be skipped

# The library logs the request line and the headers at DEBUG, and the URL is a secret. This logger
# is nobody's child, so no configuration of the user's can open it.
_SILENT = logging.Logger("rtstream_async.transport.websocket", level=logging.CRITICAL + 1)  # noqa: LOG001  (see above)


async def open_websocket(url: str, sink: Sink, options: SocketOptions) -> Socket:
    """Open `url` and put what comes into `sink`; see `OpenSocket`."""
    try:
        return await _connect(url, sink, options)
    except (OSError, WebSocketException, ValueError, ImportError) as exc:
        error = _translate(exc, options)
        cause = exc if isinstance(exc, OSError | InvalidStatus) else None
    # Outside of the handler: what is not the cause may have the URL in its text, and would
    # otherwise be printed as the context.
    raise error from cause


async def _connect(url: str, sink: Sink, options: SocketOptions) -> Socket:
    def create(*args: Any, **kwargs: Any) -> _Connection:
        return _Connection(sink, options.max_size, *args, **kwargs)

    tls: dict[str, Any] = {}
    if options.ssl is not None and url.lower().startswith("wss:"):
        tls["ssl"] = options.ssl
    connection = await connect(
        url,
        create_connection=create,  # type: ignore[arg-type]  # a factory is what it is called as
        compression=options.compression,
        proxy=options.proxy,
        open_timeout=options.open_timeout,
        close_timeout=options.close_timeout,
        ping_interval=options.ping_interval,
        ping_timeout=options.ping_timeout,
        max_size=(None, options.max_size * _HARD_LIMIT),
        max_queue=None,
        logger=_SILENT,
        **tls,
    )
    return _WebSocket(cast("_Connection", connection), options.close_timeout)


class _UnusableError(TransportError):
    """What no repetition mends: a certificate that isn't trusted, a proxy that can't be used."""

    @property
    def is_retryable(self) -> bool:
        return False


def _translate(exc: Exception, options: SocketOptions) -> RTStreamError:  # noqa: PLR0911  (a table)
    match exc:
        case InvalidStatus():
            return _refused(exc.response.status_code)
        case InvalidProxy() | ProxyError() | ImportError():
            return _UnusableError(f"the proxy can't be used ({type(exc).__name__})")
        case InvalidMessage():
            return HandshakeError("the server ended the connection before the socket was open")
        case ssl.SSLCertVerificationError():  # before ValueError, which it is too
            return _UnusableError(f"the socket's certificate: {exc.verify_message}")
        case InvalidURI() | ValueError():
            return ProtocolError("the service gave an address that is no WebSocket URL")
        case TimeoutError(errno=None):
            return HandshakeError(f"the socket was not open after {options.open_timeout:g} s")
        case OSError():
            return TransportError(f"the socket could not be opened: {exc.strerror or exc}")
        case _:
            return HandshakeError(f"the socket could not be opened ({type(exc).__name__})")


def _refused(status: int) -> RTStreamError:
    if status == _UNAUTHORIZED:
        return AuthenticationError("the service refused the socket", status=status)
    return HandshakeError(f"the service refused the socket (HTTP {status})")


@runtime_checkable
class _ReadsAtMost(Protocol):
    """A transport that can be told how much to read; not all can, such as those of TLS."""

    max_size: int


class _Connection(ClientConnection):
    """Hands complete messages to a sink, instead of queueing frames."""

    def __init__(self, sink: Sink, max_size: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.failure: Exception | None = None
        self.closed: asyncio.Future[Closed] = self.loop.create_future()
        self._sink = sink
        self._max_size = max_size
        self._parts: list[bytes] | None = None
        self._size = 0
        self._shortcut = Shortcut(
            sink=sink,
            leave=super().data_received,
            is_open=self._is_between_messages,
            limit=min(max_size, _SHORTCUT_UP_TO),
        )

    def data_received(self, data: bytes) -> None:
        """Take what the transport has received; never raises."""
        try:
            self._shortcut.feed(data)
        except Exception as exc:  # noqa: BLE001  (an exception from here would be the loop's)
            self.failure = exc
            self.transport.abort()

    def process_event(self, event: Event) -> None:
        """Take one event of the library's parser; never raises."""
        if self.response is None or not isinstance(event, Frame):
            super().process_event(event)
            return
        opcode = event.opcode
        try:
            if event.fin and (opcode is _TEXT or opcode is _BINARY):
                data = event.data
                if len(data) > self._max_size:
                    self._sink.oversize(len(data), self._max_size)
                else:
                    self._sink.frame(bytes(data))
            elif opcode is _TEXT or opcode is _BINARY or opcode is _CONT:
                self._collect(event)
            else:
                super().process_event(event)
        except Exception as exc:  # noqa: BLE001  (an exception from here would be the loop's)
            self.failure = exc
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport, and have it read less at a time than the loop would."""
        super().connection_made(transport)
        if isinstance(transport, _ReadsAtMost):
            transport.max_size = _READ

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection."""
        super().connection_lost(exc)
        self.closed.set_result(_how(self))

    def _is_between_messages(self) -> bool:
        return self.protocol.state is State.OPEN and self.protocol.current_size is None

    def _collect(self, fragment: Frame) -> None:
        if fragment.opcode is not _CONT:
            self._parts, self._size = [], 0
        self._size += len(fragment.data)
        if self._size > self._max_size:
            self._parts = None
        if self._parts is not None:
            self._parts.append(bytes(fragment.data))
        if not fragment.fin:
            return
        parts, self._parts = self._parts, None
        if parts is None:
            self._sink.oversize(self._size, self._max_size)
        else:
            self._sink.frame(b"".join(parts))


class _WebSocket:
    """`Socket` over the library's connection."""

    def __init__(self, connection: _Connection, close_timeout: float) -> None:
        self._connection = connection
        self._close_timeout = close_timeout

    @property
    def closed(self) -> asyncio.Future[Closed]:
        return self._connection.closed

    def pause(self) -> None:
        self._connection.transport.pause_reading()

    def resume(self) -> None:
        self._connection.transport.resume_reading()

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as exc:
            raise LinkClosedError(f"the socket is gone: {_how(self._connection).cause}") from exc

    async def aclose(self) -> None:
        # A goodbye that is not read, or can't be sent, must not hold up the user's.
        self.resume()
        try:
            async with asyncio.timeout(self._close_timeout + 1):
                await self._connection.close()
        except TimeoutError:
            self._connection.transport.abort()
        except asyncio.CancelledError:
            self._connection.transport.abort()
            raise


def _how(connection: _Connection) -> Closed:
    protocol = connection.protocol
    received, sent = protocol.close_rcvd, protocol.close_sent
    if connection.failure is not None:
        return Closed(cause=f"the reader failed: {connection.failure!r}")
    if received is None:
        if sent is not None:
            return Closed(cause=f"given up by the client ({_words(sent)})")
        exc = connection.connection_exc
        return Closed(cause=f"connection lost ({exc})" if exc else "connection lost")
    who = "client" if protocol.close_rcvd_then_sent is False else "server"
    return Closed(
        cause=f"closed by the {who} ({_words(received)})",
        code=int(received.code),
        reason=received.reason,
        is_clean=sent is not None,
    )


def _words(close: Close) -> str:
    # Of a close code beyond the registered ones only the number is known.
    meaning = CLOSE_CODE_EXPLANATIONS.get(close.code, "")
    said = f"{int(close.code)} {meaning}".rstrip()
    return f"{said}: {close.reason}" if close.reason else said
