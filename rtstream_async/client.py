"""`connect()` and `Connection`: where the parts are put together."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import ssl as ssl_module
from collections.abc import AsyncIterator, Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self
from urllib.parse import urlsplit

import anyio
import attrs

from rtstream_async.api.caller import Caller, CallSettings
from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol import settings as checked
from rtstream_async.protocol.retry import RetryPolicy
from rtstream_async.resources.account import Account
from rtstream_async.resources.capturing import ConnectionSessions
from rtstream_async.resources.consuming import Consuming
from rtstream_async.resources.context import Context
from rtstream_async.resources.events import Events
from rtstream_async.resources.jobs import Jobs
from rtstream_async.resources.monitoring import Monitoring
from rtstream_async.supervisor import Supervisor
from rtstream_async.transport.http import HttpSettings, HttpTransport

if TYPE_CHECKING:
    from rtstream_async.models.announcements import StateChange
    from rtstream_async.realtime.hub import Hub
    from rtstream_async.realtime.raw import WebSocketConnection
    from rtstream_async.realtime.settings import HubSettings
    from rtstream_async.transport.http import AnyClient
    from rtstream_async.transport.socket import OpenSocket, SocketOptions

__all__ = ["Connection", "connect"]

_STOPPING = 15.0  # seconds, for all that is stopped at the end
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
_OWN_ARGUMENTS: Final = (
    "api_key",
    "session_token",
    "base_url",
    "timeout",
    "retries",
    "http_client",
    "http2",
    "proxy",
    "ssl",
    "headers",
    "websocket",
    "realtime",
    "log_level",
    "stop_on_close",
)


def connect(  # noqa: PLR0913 - what users set; all have defaults, most are keyword-only
    api_key: str | None = None,
    session_token: str | None = None,
    base_url: str | None = None,
    *,
    timeout: float = 30.0,
    retries: int | RetryPolicy = 3,
    http_client: AnyClient | None = None,
    http2: bool = False,
    proxy: str | Literal[False] | None = None,
    ssl: ssl_module.SSLContext | None = None,
    headers: Mapping[str, str] | None = None,
    websocket: SocketOptions | None = None,
    realtime: HubSettings | None = None,
    log_level: int | None = None,
    stop_on_close: bool = False,
    **options: object,
) -> Connection:
    """Return a `Connection` to the service; nothing is sent before its first use.

    Args:
        api_key: The key. Not given: `session_token`, then `VIDEO_DB_API_KEY`.
        session_token: A token to use in place of a key.
        base_url: Address of the service. Not given: `VIDEO_DB_BASE_URL`, then the public one.
        timeout: Seconds for one attempt of a REST call.
        retries: How often a call that failed is tried again, where that can do no harm; a
            `RetryPolicy` says more.
        http_client: Your own `httpx.AsyncClient` or `httpx2.AsyncClient` for REST; it is not closed
            here. Its TLS and proxy settings are its own: `ssl` and `proxy` are the socket's then.
        http2: Speak HTTP/2 where the service does; needs the extra `rtstream-async[http2]`.
        proxy: Address of a proxy for REST and socket. `None`: as the environment says. `False`:
            none.
        ssl: TLS settings for REST and socket.
        headers: Further headers of every REST call.
        websocket: How sockets are opened and kept alive; `ssl` and `proxy` are set from above.
        realtime: Deadlines and bounds of the link and the subscriptions.
        log_level: Level of the logger `rtstream_async`.
        stop_on_close: Whether closing also stops the transcripts, indexes and understandings that
            this connection started, and disables its alerts. Otherwise they go on, and cost what
            they cost, until somebody stops them.
        options: Further headers: `org_id="o-1"` is sent as `x-org-id: o-1`.

    Raises:
        AuthenticationError: There is no key.
        InvalidArgumentError: An argument can't be used.
        TypeError: An option looks like a misspelt argument.
    """
    extra = checked.extra_headers(headers, options, _OWN_ARGUMENTS)
    address = checked.base_url(base_url, os.environ)
    key = checked.api_key(api_key, session_token, os.environ)
    _check_http(timeout, http_client, proxy, http2=http2)
    if log_level is not None:
        logging.getLogger("rtstream_async").setLevel(log_level)
    return Connection(
        HttpSettings(
            base_url=address,
            key=key,
            headers=extra,
            client=http_client,
            proxy=proxy,
            ssl=ssl,
            http2=http2,
        ),
        CallSettings(timeout=timeout, retries=RetryPolicy.of(retries)),
        websocket,
        realtime,
        stop_on_close=stop_on_close,
    )


class Connection(Account, ConnectionSessions, Consuming, Monitoring, Jobs, Events):
    """The service: its REST calls over one pool, and its messages over one socket.

    An async context manager; or call `aclose()`. Opening and closing may happen in different
    tasks of the event loop that it is first used in; another event loop needs its own.
    """

    def __init__(
        self,
        http: HttpSettings,
        calls: CallSettings,
        websocket: SocketOptions | None = None,
        realtime: HubSettings | None = None,
        *,
        stop_on_close: bool = False,
    ) -> None:
        self._http = http
        self._stop_on_close = stop_on_close
        self._supervisor = Supervisor("rtstream-connection")
        self._transport = HttpTransport(http, self._supervisor)
        self._websocket = websocket
        self._realtime = realtime
        self._context = Context(
            Caller(self._transport, calls),
            self._make_hub,
            realtime=realtime,
            spawn=self._supervisor.start_soon,
        )

    def __repr__(self) -> str:
        state = " closed" if self._supervisor.is_closed else ""
        return f"<Connection {self._http.base_url}{state}>"

    async def __aenter__(self) -> Self:
        try:
            await self._supervisor.start()
        except asyncio.CancelledError:  # `__aexit__()` will not be called
            with anyio.CancelScope(shield=True):
                await self._supervisor.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Say goodbye to the service, end all that runs, and close the pool; again is no error.

        Subscriptions give what they have queued, and end. What the service runs goes on, unless
        `connect(stop_on_close=True)` said otherwise. Cancelling does not stop it.

        Raises:
            WrongEventLoopError: Called in another event loop than the one it was used in.
            ExceptionGroup: A background task had failed.
        """
        self._supervisor.check_loop()
        try:
            if self._stop_on_close and not self._supervisor.is_closed:
                from rtstream_async.resources.lifetimes import stop_started  # few ask for it

                await stop_started(self._context, seconds=_STOPPING)
            with anyio.CancelScope(shield=True):  # the hub's goodbye has a deadline of its own
                await self._context.aclose()
        finally:
            try:
                await self._supervisor.aclose()
            finally:
                with anyio.CancelScope(shield=True):
                    await self._transport.aclose()

    async def connect_websocket(self, collection_id: str = "default") -> WebSocketConnection:
        """Return a socket of your own, not connected yet, that gives raw frames.

        For programs that are ported from the synchronous SDK. `events()` shares one socket,
        survives its loss, and gives typed messages.
        """
        from rtstream_async.api import collections
        from rtstream_async.realtime.raw import WebSocketConnection
        from rtstream_async.realtime.settings import HubSettings

        fetch_url = partial(collections.get_websocket_url, self._context.caller, collection_id)
        settings = self._realtime or HubSettings()
        return WebSocketConnection(
            await fetch_url(),
            fetch_url=fetch_url,
            open_socket=self._opener(),
            first_frame_timeout=settings.first_frame_timeout,
        )

    async def ws_connection_id(self) -> str:
        """Return the id that pipelines push to, for use by hand; opens the socket if need be.

        It changes whenever the socket is opened anew. Cancelling changes nothing.

        Raises:
            AuthenticationError: The service refuses the key.
            HandshakeError: The socket opened, and no id came.
            TransportError: The service can't be reached.
        """
        return await self._context.hub.connection_id()

    def states(self) -> AsyncIterator[StateChange]:
        """Return the changes of the socket's state from now on; does not open it."""
        return self._context.hub.states()

    def force_reconnect(self) -> None:
        """Drop the present socket for a new one, or try again at once."""
        self._context.hub.force_reconnect()

    def _source(self) -> tuple[Hub, None]:
        return self._context.hub, None

    def _make_hub(self) -> Hub:
        # Half of this package's modules, and none of it is needed for REST alone.
        from rtstream_async.api import collections
        from rtstream_async.api.polling import RecordPoller
        from rtstream_async.api.rearming import Rearmer
        from rtstream_async.protocol.rearm import Arms
        from rtstream_async.realtime.hub import Hub
        from rtstream_async.realtime.settings import HubSettings

        caller, arms = self._context.caller, Arms()
        return Hub(
            fetch_url=partial(collections.get_websocket_url, caller),
            open_socket=self._opener(),
            settings=self._realtime or HubSettings(),
            supervisor=self._supervisor,
            poller=RecordPoller(caller),
            arms=arms,
            rearmer=Rearmer(caller, arms),
        )

    def _opener(self) -> OpenSocket:
        from rtstream_async.transport.socket import SocketOptions, opener

        return opener(
            attrs.evolve(
                self._websocket or SocketOptions(),
                ssl=self._http.ssl,
                proxy=_socket_proxy(self._http.proxy),
            )
        )


def _check_http(
    timeout: object, client: AnyClient | None, proxy: str | Literal[False] | None, *, http2: bool
) -> None:
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise InvalidArgumentError("timeout", f"must be a number of seconds above 0: {timeout!r}")
    if not math.isfinite(timeout):
        raise InvalidArgumentError("timeout", "must be finite: a call must end")
    if http2 and client is not None:
        raise InvalidArgumentError("http2", "is up to your `http_client`; set it there")
    if http2:
        try:
            import h2  # noqa: F401  # pyright: ignore[reportMissingImports, reportUnusedImport] - an extra
        except ImportError as exc:
            problem = "needs the extra `rtstream-async[http2]`"
            raise InvalidArgumentError("http2", problem) from exc
    if isinstance(proxy, str) and not _is_proxy(proxy):
        # Not quoted: it may hold a password.
        raise InvalidArgumentError("proxy", "is no proxy address", allowed=_PROXY_SCHEMES)


def _is_proxy(address: str) -> bool:
    try:
        parts = urlsplit(address)
        # Asking for the port checks it. A `/` in a password ends up there, and others quote it.
        return parts.scheme in _PROXY_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _socket_proxy(proxy: str | Literal[False] | None) -> str | Literal[True] | None:
    """Say it in the words of the socket: there, the environment is `True`, and none is `None`."""
    if proxy is None:
        return True
    return proxy or None
