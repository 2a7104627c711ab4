"""One HTTP attempt a call, over one shared pool; the only importer of httpx.

httpx 0.28.1 leaks a pool slot when a request is cancelled between the moment when the pool gives
it a new connection and the moment when it begins to connect: the slot then waits for a connect
that nobody makes, and after enough of these no request gets through. Cancellation is everyday
business in asyncio, so a request never runs in its caller's task. It runs in its own, which the
caller only waits for; a caller that goes away leaves it behind, and it ends by itself or is ended
a little later, when it has long left the place where slots are lost. Their number is bounded by
the size of the pool, so that nothing ever waits inside of the pool.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import platform
import re
import ssl as ssl_module
import sys
import time
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote, quote_plus, urlsplit

import anyio
import attrs
import httpx
import msgspec

from rtstream_async.errors import (
    ConnectionClosedError,
    InvalidArgumentError,
    ProtocolError,
    RequestTimeoutError,
    RTStreamError,
    TransportError,
)
from rtstream_async.supervisor import Supervisor

if TYPE_CHECKING:
    import httpx2  # only for its users: never imported by this package

    AnyClient = httpx.AsyncClient | httpx2.AsyncClient

__all__ = ["HttpRequest", "HttpResponse", "HttpSettings", "HttpTransport", "origin"]

# httpcore asks for this module several times in each call; where it is not installed, the whole
# path is searched in vain each time. With `None` in its place it fails at once, as it would anyway.
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

_KEY_HEADER: Final = "x-access-token"
_REDACTED: Final = "***"
_REFUSALS: Final = 400
_LONGEST_CONNECT: Final = 10.0


@attrs.frozen(kw_only=True)
class HttpRequest:
    """One request; `url` is absolute, or a path of the API."""

    method: str
    url: str = attrs.field(repr=False)  #: one that the service names may be signed
    query: Mapping[str, str] = attrs.field(factory=dict[str, str])
    json: Any = attrs.field(default=None, repr=False)  #: the body; `None`: no body
    timeout: float = 30.0  #: seconds, for the whole exchange


@attrs.frozen(kw_only=True)
class HttpResponse:
    """What came back."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)  #: names in lower case
    body: bytes = attrs.field(repr=False)
    received_at: float  #: Unix time, seconds, of the local clock
    elapsed: float  #: seconds from the request's start to the end of its answer


@attrs.frozen(kw_only=True)
class HttpSettings:
    """What `connect()` says about HTTP."""

    base_url: str
    key: str = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    client: AnyClient | None = None  #: the user's own; never closed here
    proxy: str | Literal[False] | None = attrs.field(default=None, repr=False)
    ssl: ssl_module.SSLContext | None = None
    http2: bool = False
    max_connections: int = 100
    max_body: int = 64 * 2**20  #: bytes, decompressed
    abandoned_after: float = 2.0  #: seconds that a request lives on after its caller went away


class HttpTransport:
    """Sends requests; the key goes to the API's own origin and nowhere else."""

    def __init__(self, settings: HttpSettings, supervisor: Supervisor) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._key = _spellings(settings.key)
        self._origin = origin(settings.base_url)
        self._client: AnyClient | None = settings.client
        self._slots = asyncio.Semaphore(settings.max_connections)
        for name in _LOUD:
            logging.getLogger(name).addFilter(_is_warning)
        version = _version()
        self._client_headers = {
            "accept": "application/json",
            "user-agent": f"rtstream-async/{version} python/{platform.python_version()}",
        }
        # Ours has them already, which is quicker; the user's own is not changed.
        self._public_headers = {} if settings.client is None else self._client_headers
        self._own_headers = {
            **{name.lower(): value for name, value in settings.headers.items()},
            "x-videodb-client": f"rtstream-async/{version}",
            _KEY_HEADER: settings.key,
        }
        self._all_headers = {**self._public_headers, **self._own_headers}

    def __repr__(self) -> str:
        return f"<HttpTransport {self._origin}>"

    def conceal(self, text: str) -> str:
        """Return `text` with the key in it made unreadable: services quote it."""
        return self._key.sub(_REDACTED, text)

    def conceal_body(self, body: bytes) -> bytes:
        """Return `body` with the key in it made unreadable; other bytes stay as they are."""
        return self.conceal(body.decode(errors="surrogateescape")).encode(errors="surrogateescape")

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Return the answer to `request`, whatever its status.

        Cancelling returns at once; the request itself ends in the background, and whether the
        service acts on it is unknown.

        Raises:
            RequestTimeoutError: No whole answer within `request.timeout`.
            TransportError: The connection could not be made, or was lost.
            ProtocolError: What came is not HTTP, or is too large.
            ConnectionClosedError: Closed before or meanwhile.
            WrongEventLoopError: Called in another event loop than the first call.
        """
        await self._supervisor.start()
        sent = False
        try:
            async with asyncio.timeout(request.timeout):
                await self._slots.acquire()
                exchange = _Exchange(abandoned_after=self._settings.abandoned_after)
                try:
                    self._supervisor.start_soon(self._carry, request, exchange, name="http")
                except RTStreamError:
                    self._slots.release()
                    raise
                sent = True
                return await exchange.outcome
        except TimeoutError as exc:
            if isinstance(exc, RTStreamError):
                raise
            raise RequestTimeoutError(
                f"no answer within {request.timeout:g} s", may_have_acted=sent
            ) from exc

    async def aclose(self) -> None:
        """Close the pool, unless it is the user's own. The supervisor is closed before."""
        if self._settings.client is None and self._client is not None:
            await self._client.aclose()

    async def _carry(self, request: HttpRequest, exchange: _Exchange) -> None:
        """Run one request to its end; whatever happens is told to the caller, if it still waits."""
        try:
            if exchange.outcome.done():
                return  # the caller went away before anything was sent
            with exchange.scope:
                exchange.succeed(await self._exchange(request))
        except Exception as exc:  # noqa: BLE001 - a raise here would end the supervisor's other tasks
            exchange.fail(_translate(exc, self._settings.key))
        finally:
            self._slots.release()
            if not exchange.outcome.done():  # we are being cancelled
                exchange.fail(ConnectionClosedError())

    async def _exchange(self, request: HttpRequest) -> HttpResponse:
        client: Any = self._client
        if client is None:
            client = self._client = _make_client(self._settings, self._client_headers)
        if client.is_closed:
            raise InvalidArgumentError("http_client", "is closed")
        started = time.monotonic()
        response: Any = await client.send(
            self._build(client, request), stream=True, follow_redirects=False
        )
        try:
            body = await self._read(response)
        finally:
            await response.aclose()
        if response.status_code >= _REFUSALS:
            # Refusals end in error messages and logs, and a service may quote the key in them.
            body = self.conceal_body(body)
        return HttpResponse(
            status=response.status_code,
            headers=_headers(response.headers.raw),
            body=body,
            received_at=time.time(),
            elapsed=time.monotonic() - started,
        )

    def _build(self, client: Any, request: HttpRequest) -> Any:
        is_absolute = "://" in request.url
        url = request.url if is_absolute else self._settings.base_url + request.url
        # Whatever begins with a slash ends the address before it, which is the API's own.
        is_own = request.url.startswith("/")
        headers = self._all_headers.copy() if is_own else self._public_headers.copy()
        content = None
        if request.json is not None:
            content = msgspec.json.encode(request.json)
            headers.setdefault("content-type", "application/json")  # a user's own is kept
        built: Any = client.build_request(
            request.method,
            url,
            params=request.query or None,  # an empty mapping would strip the URL's own query
            headers=headers,
            content=content,
            # Phases have their own limits, so that a slow request ends by itself, not cancelled.
            # As a tuple (connect, read, write, pool): the libraries' own classes differ.
            timeout=(
                min(request.timeout / 2, _LONGEST_CONNECT),
                request.timeout,
                request.timeout,
                request.timeout,
            ),
        )
        # By the address that the library will connect to, not by the text that led to it: an
        # `output_url` of `http:@elsewhere/` looks like a path.
        if not is_own and origin(str(built.url)) == self._origin:
            built.headers.update(self._own_headers)
        return built

    async def _read(self, response: Any) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._settings.max_body:
                raise ProtocolError(f"the answer is larger than {self._settings.max_body} bytes")
        return bytes(body)


class _Exchange:
    """What the caller of a request and the task that runs it share.

    Attributes:
        outcome: What the caller waits for.
        scope: Ends the request, a bit after its caller has given up on it.
    """

    def __init__(self, *, abandoned_after: float) -> None:
        self.outcome: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()
        self.scope = anyio.CancelScope()
        self._abandoned_after = abandoned_after
        self.outcome.add_done_callback(self._on_done)

    def succeed(self, response: HttpResponse) -> None:
        if not self.outcome.done():
            self.outcome.set_result(response)

    def fail(self, error: Exception) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)

    def _on_done(self, outcome: asyncio.Future[HttpResponse]) -> None:
        if outcome.cancelled():
            self.scope.deadline = anyio.current_time() + self._abandoned_after
        else:
            outcome.exception()  # seen, even when the caller has gone in the meantime


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Return headers by their names in lower case, those of one name joined (RFC 9110, 5.3).

    The library's own mapping tries several encodings for each name and value that is asked for.
    """
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.lower().decode("latin-1"), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def origin(url: str) -> str:
    """Return scheme, host and port of `url`, the default port left out; empty if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if not parts.scheme or not parts.hostname:
        return ""
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    suffix = "" if port in (None, default) else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"


# HTTP/2's header compression logs every header with its value at DEBUG. Its loggers exist before
# it is loaded; to add the same filter again does nothing.
_LOUD = ("hpack.hpack", "hpack.table")


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def _version() -> str:
    from importlib import metadata  # it loads a dozen modules of the standard library

    return metadata.version("rtstream-async")


def _make_client(settings: HttpSettings, headers: Mapping[str, str]) -> httpx.AsyncClient:
    limits = httpx.Limits(
        max_connections=settings.max_connections,
        # Not all: httpcore 1.0.9 polls each idle one for each request.
        max_keepalive_connections=min(20, settings.max_connections),
    )
    try:
        return httpx.AsyncClient(
            headers=headers,
            verify=settings.ssl or True,
            http2=settings.http2,
            proxy=settings.proxy or None,
            trust_env=settings.proxy is None,
            limits=limits,
        )
    except (httpx.InvalidURL, ValueError):
        problem = "the environment names one whose address can't be used"
    # Outside of the handler: what was caught quotes the address, which may hold a password.
    raise InvalidArgumentError("proxy", problem)


# Names and not classes: httpx2 has its own classes under the same names, and is not imported here.
# The first name that an error's classes have decides. The flag: may the service have acted?
_TIMEOUTS = {"ConnectTimeout": False, "PoolTimeout": False, "TimeoutException": True}
_LOSSES = {"ConnectError": False, "ProxyError": False, "NetworkError": True}
_NOT_HTTP = frozenset({"DecodingError", "LocalProtocolError", "UnsupportedProtocol", "InvalidURL"})
_FOREIGN = frozenset({"httpx", "httpx2"})


def _spellings(key: str) -> re.Pattern[str]:
    """Return what finds the key as it is, and as it is written in URLs, JSON and HTML."""
    found = sorted({key, quote(key), quote_plus(key), escape(key)}, key=len, reverse=True)
    # JSON puts a backslash before some signs, and JSON in JSON puts more of them.
    spelled = (r"\\*".join(map(re.escape, text)) for text in found)
    return re.compile("|".join(spelled), re.IGNORECASE)


class _UntrustedError(TransportError):
    """The service's certificate is not trusted: no repetition will mend that."""

    @property
    def is_retryable(self) -> bool:
        return False


def _translate(exc: Exception, key: str) -> Exception:
    """Return our error for what httpx or httpx2 raised; the key is never part of it."""
    names = [kind.__name__ for kind in type(exc).__mro__ if _module(kind) in _FOREIGN]
    if isinstance(exc, RTStreamError) or not (names or isinstance(exc, OSError)):
        return exc  # ours; or a bug, of which no name of ours would tell more
    error = _named(names, _explain(exc).replace(key, _REDACTED))
    if any(isinstance(cause, ssl_module.SSLCertVerificationError) for cause in _causes(exc)):
        error = _UntrustedError(f"{error}; see connect(ssl=...)", may_have_acted=False)
    # A traceback prints causes too. One that quotes the key is no use without it.
    if not any(key in str(cause) for cause in (exc, *_causes(exc))):
        error.__cause__ = exc
    return error


def _named(names: list[str], text: str) -> RTStreamError:
    for name in names:
        if name in _TIMEOUTS:
            return RequestTimeoutError(text, may_have_acted=_TIMEOUTS[name])
        if name in _LOSSES:
            return TransportError(text, may_have_acted=_LOSSES[name])
        if name in _NOT_HTTP:
            return ProtocolError(text)
    return TransportError(text)


def _module(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _explain(exc: Exception) -> str:
    """Say which kind of failure it was, and what the system said about it."""
    text = str(exc) or next((str(c) for c in _causes(exc) if str(c)), "")
    return f"{type(exc).__name__}: {text}" if text else type(exc).__name__


def _causes(exc: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause = exc.__cause__ or exc.__context__
    while cause is not None and cause not in found:
        found.append(cause)
        cause = cause.__cause__ or cause.__context__
    return found
