"""What the reader needs of a WebSocket: the port, without the library behind it.

`opener()` gives the adapter; the library is loaded when the first socket is opened, so importing
this package does not load it.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

import attrs

from rtstream_async.protocol.checks import choice, count, seconds

__all__ = ["Closed", "OpenSocket", "Sink", "Socket", "SocketOptions", "opener"]

_MIB = 2**20


@attrs.frozen(kw_only=True)
class SocketOptions:
    """How sockets are opened and kept alive."""

    ssl: ssl.SSLContext | None = attrs.field(default=None, repr=False)
    """For `wss` URLs; `None`: the system's certificates."""
    proxy: str | Literal[True] | None = attrs.field(default=True, repr=False)
    """URL of a proxy, `True` for the system's, `None` for none."""
    compression: Literal["deflate"] | None = attrs.field(
        default="deflate", validator=choice("deflate", None)
    )
    """Offered to the service."""
    open_timeout: float = attrs.field(default=10.0, validator=seconds())
    """Seconds until TCP, TLS and the HTTP upgrade are done."""
    close_timeout: float = attrs.field(default=2.0, validator=seconds())
    """Seconds for the closing handshake."""
    ping_interval: float | None = attrs.field(default=20.0, validator=seconds(or_none=True))
    """Seconds between keepalive pings; `None`: none."""
    ping_timeout: float | None = attrs.field(default=20.0, validator=seconds(or_none=True))
    """Seconds until an unanswered ping ends the connection; `None`: it does not."""
    max_size: int = attrs.field(default=16 * _MIB, validator=count(1))
    """Bytes of a message; a larger one is not kept, and the socket lives on. Only a single frame
    of more than four times this ends the connection: it would have to be read to be skipped."""

    @property
    def dead_after(self) -> float:
        """Seconds within which a socket is ended whose other end is gone without a word.

        A ping is sent, not answered, and then the closing handshake is not answered either.
        Infinite without pings.
        """
        if self.ping_interval is None or self.ping_timeout is None:
            return math.inf
        return self.ping_interval + self.ping_timeout + self.close_timeout


@attrs.define
class Sink:
    """Where a socket puts what it reads, within the event loop's own callback.

    Both callables must be quick and must not raise. They may be replaced at any time, also from
    within: the next frame goes to the new one.
    """

    frame: Callable[[bytes], None]
    """Takes the payload of one complete data message, text or binary."""
    oversize: Callable[[int, int], None]
    """Is told the size of a message that was too large to keep, and the limit; both in bytes."""


@attrs.frozen(kw_only=True)
class Closed:
    """How a connection ended."""

    cause: str  #: for example `closed by the server (1001 going away)`
    code: int | None = None  #: the close code that the server sent, if it sent one
    reason: str = ""  #: the words that came with it
    is_clean: bool = False  #: whether both sides said goodbye


class Socket(Protocol):
    """An open WebSocket."""

    @property
    def closed(self) -> asyncio.Future[Closed]:
        """Is done when the connection has ended. For `asyncio.wait()`: not to be cancelled."""
        ...

    def pause(self) -> None:
        """Stop reading. What has been read already may still reach the sink."""
        ...

    def resume(self) -> None:
        """Read again."""
        ...

    async def send(self, text: str) -> None:
        """Send one text message.

        Raises:
            LinkClosedError: The connection has ended.
        """
        ...

    async def aclose(self) -> None:
        """Say goodbye, within the close timeout, and end the connection; never raises."""
        ...


OpenSocket = Callable[[str, Sink], Awaitable[Socket]]
"""Opens the URL. The URL is a secret: no error, log or repr has it.

Raises:
    AuthenticationError: The service refused the socket with 401.
    HandshakeError: It refused otherwise, or did not answer in time.
    TransportError: It could not be reached.
"""


def opener(options: SocketOptions) -> OpenSocket:
    """Return what opens sockets with `options`."""

    async def open_socket(url: str, sink: Sink) -> Socket:
        from rtstream_async.transport.websocket import open_websocket

        return await open_websocket(url, sink, options)

    return open_socket
