"""The server's own requests: webhooks, and endpoints of engines. Its only importer of httpx.

httpx loses a place in its pool when a request is cancelled while it waits for a connection. So no
request runs in its caller's task: it runs in one of its own, for which the caller only waits, and
which ends by itself, or is ended a little after its caller went away. Their number is bounded
before the pool, so that nothing ever waits inside of it.

Redirects are not followed: what may be called was decided for this address and no other, and a key
is meant for this host and no other. Cookies are not kept. The environment's proxies are used,
except for this machine's own addresses, which no proxy could reach.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import metadata
from typing import Any, Final, Literal

import anyio
import anyio.to_thread
import attrs
import httpx
import msgspec

from rtstream_async.errors import InvalidArgumentError, RTStreamError
from rtstream_async.local.domain.targets import Targets, parse_targets
from rtstream_async.local.errand import Errand
from rtstream_async.supervisor import Supervisor

__all__ = ["Answer", "Form", "Outbound", "OutboundError", "check_allow"]

_LANE: Final = 50  # requests at a time, of webhooks and of endpoints: neither takes the other's
_WEBHOOK_BODY: Final = 64 * 1024  # nobody reads more of what a webhook answers
_ENDPOINT_BODY: Final = 32 * 2**20
_LONGEST_CONNECT: Final = 10.0  # seconds
_SECOND_WAIT: Final = 1.0  # seconds: the phases of a request end by themselves before it is ended
_HERE: Final = ("localhost", "127.0.0.1", "[::1]")
_MAX_PORT: Final = 65535
_PORTS: Final = {"http": 80, "https": 443}

Kind = Literal["refused", "timeout", "connection", "protocol", "closed"]


class OutboundError(Exception):
    """There is no answer; the text says why, and has no more of the URL than host and port.

    Attributes:
        kind: `refused`: this address may not be called, or is none; `timeout`; `connection`: it
            can't be made, or was lost; `protocol`: what came is no HTTP; `closed`: the server ends.
        is_transient: Whether the same request may well succeed later.
    """

    def __init__(self, message: str, *, kind: Kind, is_transient: bool | None = None) -> None:
        self.kind = kind
        usual = kind in ("timeout", "connection", "protocol")
        self.is_transient = usual if is_transient is None else is_transient
        super().__init__(message)


@attrs.frozen(kw_only=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    body: bytes = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)  #: names in lower case
    is_cut: bool = False  #: the body was longer than what is read of one
    elapsed: float = 0.0  #: seconds


@attrs.frozen(kw_only=True)
class Form:
    """A multipart form with one file."""

    fields: Mapping[str, str | list[str]]
    name: str  #: of the file's field
    file_name: str
    content: bytes = attrs.field(repr=False)
    content_type: str


@attrs.frozen(kw_only=True)
class _Order:
    url: httpx.URL = attrs.field(repr=False)
    body: Mapping[str, Any] = attrs.field(repr=False)  #: what httpx takes
    headers: Mapping[str, str] = attrs.field(repr=False)
    timeout: float
    max_body: int

    @property
    def where(self) -> str:
        return _shown(self.url)


def check_allow(allow: Iterable[str] | None) -> tuple[str, ...] | None:
    """Return what `Outbound` takes as `allow`, checked.

    Raises:
        InvalidArgumentError: One of them is no pattern.
    """
    if isinstance(allow, str):
        raise InvalidArgumentError("webhook_allow", "must be a list of hosts, not one text")
    patterns = None if allow is None else tuple(allow)
    _targets(patterns)
    return patterns


def _targets(allow: Iterable[str] | None) -> Targets:
    try:
        return parse_targets(allow)
    except ValueError as exc:
        raise InvalidArgumentError("webhook_allow", str(exc)) from None


class Outbound:
    """Sends what the server itself has to say to others."""

    def __init__(self, allow: Sequence[str] | None = None) -> None:
        """Keep what webhooks may call; nothing is opened before the first request.

        Args:
            allow: Hosts that webhooks may call: `host`, `host:port`, `*.example.com`, or a network
                such as `10.0.0.0/8`. `None`: all.

        Raises:
            InvalidArgumentError: One of them is none of these.
        """
        self._targets = _targets(allow)
        self._supervisor = Supervisor("rtstream-outbound")
        self._client: httpx.AsyncClient | None = None
        self._making = asyncio.Lock()
        self._webhooks = asyncio.Semaphore(_LANE)
        self._endpoints = asyncio.Semaphore(_LANE)
        logging.getLogger("httpx").addFilter(_is_not_ours)

    def check(self, url: str) -> None:
        """Check that a webhook may call `url`.

        Raises:
            OutboundError: It may not, or `url` is no address; nothing was sent.
        """
        self._checked(url)

    async def post_json(
        self,
        url: str,
        body: Any,
        *,
        timeout: float,  # noqa: ASYNC109 - other tasks keep to it as well
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer to a webhook's `body` (sent as JSON), whatever its status.

        Only the first 64 KiB of an answer are read. Cancelling returns at once; whether the
        target has acted is unknown then.

        Args:
            url: `http` or `https`; its user and password go as basic authentication.
            body: What msgspec encodes; `bytes` are JSON already.
            timeout: Seconds, for all of it.
            headers: More headers.

        Raises:
            OutboundError: There is no answer, or `url` may not be called.
        """
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        order = _Order(
            url=self._checked(url),
            body={"content": content},
            headers={"content-type": "application/json", **(headers or {})},
            timeout=timeout,
            max_body=_WEBHOOK_BODY,
        )
        return await self._send(order, self._webhooks)

    async def post_to_endpoint(
        self,
        url: str,
        body: Any | Form,
        *,
        timeout: float,  # noqa: ASYNC109 - other tasks keep to it as well
        headers: Mapping[str, str],
    ) -> Answer:
        """Return the answer of an engine's endpoint to a JSON `body`, or a form.

        Like `post_json()`, but for addresses that the server's owner chose: they are not limited
        by `allow`, and up to 32 MiB are read.

        Raises:
            OutboundError: There is no answer.
        """
        if isinstance(body, Form):
            file = (body.file_name, body.content, body.content_type)
            content: dict[str, Any] = {"data": body.fields, "files": {body.name: file}}
        else:
            content = {"content": msgspec.json.encode(body)}
            headers = {"content-type": "application/json", **headers}
        order = _Order(
            url=_read_url(url),
            body=content,
            headers=headers,
            timeout=timeout,
            max_body=_ENDPOINT_BODY,
        )
        return await self._send(order, self._endpoints)

    async def aclose(self) -> None:
        """End all requests and close the pool; who waits for one gets `OutboundError`."""
        await self._supervisor.aclose()
        if self._client is not None:
            await self._client.aclose()

    def _checked(self, url: str) -> httpx.URL:
        read = _read_url(url)
        # By what httpx will connect to: it may read an odd address in another way than others do.
        host = read.raw_host.decode("ascii").strip("[]")
        if not self._targets.allow(host, _port(read)):
            raise OutboundError(
                f"webhooks may not call {_shown(read)}; the server was started with"
                " webhook_allow (--webhook-allow), which does not have it",
                kind="refused",
            )
        return read

    async def _send(self, order: _Order, lane: asyncio.Semaphore) -> Answer:
        try:
            await self._supervisor.start()
            async with asyncio.timeout(order.timeout):
                await lane.acquire()
                errand = Errand[Answer](timeout=order.timeout)
                try:
                    self._supervisor.start_soon(self._carry, order, errand, lane, name="outbound")
                except RTStreamError:
                    lane.release()
                    raise
                return await errand.outcome
        except TimeoutError:
            raise _late(order) from None
        except RTStreamError as exc:
            raise OutboundError("the server is stopping", kind="closed") from exc

    async def _carry(self, order: _Order, errand: Errand[Answer], lane: asyncio.Semaphore) -> None:
        """Run one request to its end; whatever happens is told to the caller, if it still waits."""
        _OURS.set(True)
        try:
            if errand.outcome.done():
                return  # the caller went away before anything was sent
            with errand.scope:
                errand.succeed(await self._exchange(order))
            errand.fail(_late(order))  # no effect, unless the scope has ended it
        except Exception as exc:  # noqa: BLE001 - a raise here would end all other requests
            errand.fail(_translate(exc, order))
        finally:
            lane.release()
            # No effect, unless we are being cancelled.
            errand.fail(OutboundError("the server is stopping", kind="closed"))

    async def _exchange(self, order: _Order) -> Answer:
        client = await self._get_client()
        started = time.monotonic()
        phase = order.timeout + _SECOND_WAIT
        request = client.build_request(
            "POST",
            order.url,
            headers={**_public_headers(), **order.headers},
            timeout=httpx.Timeout(phase, connect=min(phase, _LONGEST_CONNECT)),
            **order.body,
        )
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            body, is_cut = await _read(response, order.max_body)
        finally:
            await response.aclose()
        return Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=body,
            is_cut=is_cut,
            elapsed=time.monotonic() - started,
        )

    async def _get_client(self) -> httpx.AsyncClient:
        async with self._making:
            if self._client is None:
                # It reads all certificates, for which the event loop would stand still.
                self._client = await anyio.to_thread.run_sync(_make_client)
            return self._client


# httpx logs every request with its whole URL, and a webhook's may hold a token. Only what is
# logged in tasks of ours is left out: the user's own requests are not our business.
_OURS: contextvars.ContextVar[bool] = contextvars.ContextVar("rtstream-outbound", default=False)


def _is_not_ours(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or not _OURS.get()


def _make_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
        mounts={f"all://{host}": None for host in _HERE},
        limits=httpx.Limits(max_connections=2 * _LANE, max_keepalive_connections=20),
    )


def _public_headers() -> dict[str, str]:
    return {
        "accept": "application/json",
        "accept-encoding": "identity",  # a few bytes can't grow to many
        "user-agent": f"rtstream-async/{metadata.version('rtstream-async')}",
    }


async def _read(response: httpx.Response, limit: int) -> tuple[bytes, bool]:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            return bytes(body[:limit]), True
    return bytes(body), False


def _read_url(url: str) -> httpx.URL:
    try:
        read = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError, TypeError):
        raise OutboundError("this is no URL that can be called", kind="refused") from None
    if read.scheme not in _PORTS or not read.host or not 0 < _port(read) <= _MAX_PORT:
        raise OutboundError("a URL that is called begins with http:// or https://", kind="refused")
    return read


def _port(url: httpx.URL) -> int:
    return _PORTS[url.scheme] if url.port is None else url.port


def _shown(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _late(order: _Order) -> OutboundError:
    return OutboundError(
        f"{order.where} has not answered within {order.timeout:g} s", kind="timeout"
    )


def _translate(exc: Exception, order: _Order) -> Exception:
    """Return our error for what httpx raised; its own texts may hold the URL."""
    if not isinstance(exc, httpx.HTTPError | httpx.InvalidURL | OSError | ValueError):
        return exc  # a bug, of which no name of ours would tell more
    causes = _causes(exc)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            text = f"the certificate of {order.where} is not trusted: {cause.verify_message}"
            return OutboundError(text, kind="connection", is_transient=False)
    for kinds, kind, text in _STORIES:
        if isinstance(exc, kinds):
            said = next((_said(c) for c in causes if isinstance(c, OSError) and c.errno), "")
            return OutboundError(f"{order.where} {text}" + (f": {said}" if said else ""), kind=kind)
    return OutboundError(
        f"no request can be made for {order.where} ({type(exc).__name__}); look at the URL, the"
        " key, and the proxies of the environment",
        kind="refused",
    )


# The first that fits counts.
_STORIES: Final[tuple[tuple[tuple[type[Exception], ...], Kind, str], ...]] = (
    ((httpx.ConnectTimeout,), "timeout", "takes no connection"),
    ((httpx.TimeoutException,), "timeout", "has not answered in time"),
    ((httpx.ConnectError, httpx.ProxyError), "connection", "can't be reached"),
    ((httpx.NetworkError, OSError), "connection", "has cut the connection"),
    ((httpx.RemoteProtocolError,), "protocol", "has sent no whole HTTP answer"),
    ((httpx.DecodingError,), "protocol", "has sent an answer that can't be decompressed"),
)


def _said(error: OSError) -> str:
    """Return the system's word for an error; Python's own, for a name, has a negative number."""
    code = error.errno or 0
    return os.strerror(code) if code > 0 else str(error.strerror)


def _causes(exc: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause: BaseException | None = exc
    while cause is not None and cause not in found:
        found.append(cause)
        if isinstance(cause, BaseExceptionGroup):
            found.extend(cause.exceptions)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - of any type
        cause = cause.__cause__ or cause.__context__
    return found
