"""Calls endpoints: attempts, waits, answers that come later, and errors that say all this."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import urljoin, urlsplit

import anyio
import attrs

from rtstream_async.errors import (
    APIError,
    AsyncResponseError,
    ProtocolError,
    RequestTimeoutError,
    TransportError,
)
from rtstream_async.protocol import envelope, retry
from rtstream_async.protocol.envelope import Pending, Reply
from rtstream_async.protocol.retry import GiveUp, Retry, RetryPolicy
from rtstream_async.protocol.routes import Method, Route
from rtstream_async.transport.http import HttpRequest, HttpResponse, HttpTransport

if TYPE_CHECKING:  # told to those who ask to be told
    from rtstream_async.models.jobs import JobProgress

__all__ = ["CallSettings", "Caller"]

logger = logging.getLogger("rtstream_async.http")

_DATE_RESOLUTION: Final = 1.0  # an HTTP Date has whole seconds
_CLOCK_ERROR: Final = 2.0  # seconds: of a `Date`, and how long a busy server may repeat one

T = TypeVar("T")
_CallError = APIError | ProtocolError | RequestTimeoutError | TransportError
_E = TypeVar("_E", bound=_CallError)


@attrs.frozen(kw_only=True)
class CallSettings:
    """How long calls may take."""

    timeout: float = 30.0  #: seconds for one attempt
    retries: RetryPolicy = attrs.field(factory=RetryPolicy)
    poll_first: float = 1.0  #: seconds before the first look at a job
    poll_interval: float = 5.0  #: seconds between later looks; each time up to a quarter less
    poll_deadline: float = 500.0  #: seconds for a job in all


@attrs.frozen(kw_only=True)
class _Call:
    """One request as it will be sent, as often as needed."""

    method: Method
    url: str = attrs.field(repr=False)
    path: str  #: for errors and logs: no query, no host
    repeatable: bool
    query: Mapping[str, str] = attrs.field(repr=False)
    body: Any = attrs.field(default=None, repr=False)  #: has the passwords of sources in it
    polled: bool = False
    whole: bool = False


class Caller:
    """Calls the endpoints of the service over an `HttpTransport`."""

    def __init__(
        self,
        transport: HttpTransport,
        settings: CallSettings | None = None,
        *,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._transport = transport
        self._settings = settings or CallSettings()
        self._sleep = sleep
        self._dice = dice
        self._clock_offset: float | None = None

    @property
    def clock_offset(self) -> float | None:
        """The service's clock minus ours, in seconds, to about one; `None` before any answer."""
        return self._clock_offset

    def now(self) -> float:
        """Return the service's Unix time, seconds; the local one until it has answered once."""
        offset = self._clock_offset or 0.0
        # It tells its time in whole seconds, and late: so little is nothing that was measured.
        return time.time() + (offset if abs(offset) > _CLOCK_ERROR else 0.0)

    async def call(
        self,
        route: Route,
        read: Callable[[Any], T],
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        progress: Callable[[JobProgress], object] | None = None,
        patience: float | None = None,
        **ids: str,
    ) -> T:
        """Return what `read` makes of the `data` of the endpoint's answer.

        Answers that come later are waited for. Cancelling is safe for the connection; what the
        service makes of a request that was sent is unknown.

        Args:
            route: The endpoint.
            read: Gets the answer's `data`, `None` if it gave none.
            query: Query parameters; those that are `None` are left out.
            body: What is sent as JSON.
            progress: Told how an answer that comes later is getting on, at each look at it.
            patience: Seconds to wait for such an answer; `None`: as `CallSettings` say.
            ids: What the route's path names.

        Raises:
            InvalidArgumentError: An id is empty.
            APIError: The service refused.
            RequestTimeoutError: No answer in time.
            TransportError: No connection.
            ProtocolError: An answer that can't be understood.
        """
        path = route.path(**ids)
        call = _Call(
            method=route.method,
            url=path,
            path=path,
            repeatable=route.repeatable,
            query=_encode(query or {}),
            body=body,
        )
        answer = await self._answer(call)
        if isinstance(answer, Pending):
            answer = await self._poll(call, answer, progress, patience)
        try:
            return read(answer.data)
        except ProtocolError as exc:
            raise _complete(exc, call) from None

    async def look(self, route: Route, read: Callable[[Any], T], **ids: str) -> T:
        """Return what `read` makes of the endpoint's whole answer, envelope and all.

        What it tells of a job, be it a failure, is for `read`: nothing is waited for. Cancelling
        is safe.

        Args:
            route: The endpoint.
            read: Gets the answer, `None` if it is empty.
            ids: What the route's path names.

        Raises:
            InvalidArgumentError: An id is empty.
            APIError: The service refused to tell.
            RequestTimeoutError: No answer in time.
            TransportError: No connection.
            ProtocolError: An answer that can't be understood.
        """
        path = route.path(**ids)
        call = _Call(
            method=route.method,
            url=path,
            path=path,
            repeatable=route.repeatable,
            query={},
            whole=True,
        )
        answer = cast("Reply", await self._answer(call))  # nothing is pending in an envelope
        try:
            return read(answer.data)
        except ProtocolError as exc:
            raise _complete(exc, call) from None

    async def _poll(
        self,
        call: _Call,
        pending: Pending,
        progress: Callable[[JobProgress], object] | None,
        patience: float | None,
    ) -> Reply:
        """Ask for the result of a job until there is one. A foreign address gets no key."""
        url = urljoin(call.url, pending.output_url or "")
        if pending.output_url is None or urlsplit(url).scheme not in ("", "http", "https"):
            raise _complete(
                AsyncResponseError("the answer is to come later, and no `output_url` says where"),
                call,
            )
        look = _Call(
            method="GET",
            url=url,
            path=urlsplit(url).path,
            repeatable=True,
            query={},
            polled=True,
        )
        limits = self._settings
        longest = limits.poll_deadline if patience is None else patience
        began = time.monotonic()
        interval = min(limits.poll_first, limits.poll_interval)
        while True:
            if progress is not None:
                progress(_progress(pending, time.monotonic() - began))
            await self._sleep(interval * (1 - self._dice() / 4))
            answer = await self._answer(look)
            if isinstance(answer, Reply):
                return answer
            pending = answer
            if time.monotonic() - began >= longest:
                raise _complete(RequestTimeoutError(f"no result after {longest:g} s"), look)
            interval = min(interval * 2, limits.poll_interval)

    async def _answer(self, call: _Call) -> Reply | Pending:
        """Return the answer to a call, tried as often as it helps and does no harm."""
        policy = self._settings.retries
        started = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            left = started + policy.deadline - time.monotonic()
            answer = await self._attempt(call, timeout=max(0.001, left))
            if isinstance(answer, Reply | Pending):
                return answer
            verdict = retry.decide(
                answer,
                policy=policy,
                repeatable=call.repeatable,
                attempt=attempt,
                elapsed=time.monotonic() - started,
                jitter=self._dice(),
            )
            match verdict:
                case GiveUp(reason=reason):
                    logger.debug("%s %s: giving up: %s", call.method, call.path, reason)
                    raise _complete(answer, call, attempts=attempt)
                case Retry(after=seconds):
                    logger.info(
                        "%s %s: attempt %d failed (%s), next in %.2f s",
                        *(call.method, call.path, attempt, answer.message, seconds),
                    )
                    await self._sleep(seconds)

    async def _attempt(self, call: _Call, *, timeout: float) -> Reply | Pending | _CallError:  # noqa: ASYNC109 - the transport holds it, also when we are cancelled
        request = HttpRequest(
            method=call.method,
            url=call.url,
            query=call.query,
            json=call.body,
            timeout=min(self._settings.timeout, timeout),
        )
        try:
            response = await self._transport.send(request)
        except (RequestTimeoutError, TransportError, ProtocolError) as exc:
            return exc
        logger.debug(
            "%s %s: %d in %.3f s", call.method, call.path, response.status, response.elapsed
        )
        self._note_clock(response, call)
        answer = _read(response, call, response.body)
        if not isinstance(answer, Reply | Pending):
            answer = self._conceal(answer, response, call)
        return answer

    def _conceal(
        self, error: APIError | ProtocolError, response: HttpResponse, call: _Call
    ) -> APIError | ProtocolError:
        """Return the error without the key, which services quote."""
        conceal = self._transport.conceal
        # A text is cut where it is too long, which can leave half a key that nothing would find.
        again = _read(response, call, self._transport.conceal_body(response.body))
        told = again if isinstance(again, type(error)) else error
        told.message = conceal(told.message)
        told.args = (told.message,)  # what its repr shows
        if isinstance(told, APIError):
            told.error_code = told.error_code and conceal(told.error_code)
            told.request_id = told.request_id and conceal(told.request_id)
        return told

    def _note_clock(self, response: HttpResponse, call: _Call) -> None:
        if call.polled:
            return  # maybe another host, with another clock
        told = envelope.http_date(response.headers.get("date"))
        if told is not None:
            midpoint = response.received_at - response.elapsed / 2
            self._clock_offset = told + _DATE_RESOLUTION / 2 - midpoint


def _read(
    response: HttpResponse, call: _Call, body: bytes
) -> Reply | Pending | APIError | ProtocolError:
    return envelope.read(
        response.status,
        response.headers,
        body,
        now=response.received_at,
        polled=call.polled,
        whole=call.whole,
    )


def _progress(pending: Pending, elapsed: float) -> JobProgress:
    from rtstream_async.models.jobs import JobProgress

    return JobProgress(status=pending.status, fraction=pending.done, elapsed=elapsed)


def _complete(error: _E, call: _Call, *, attempts: int = 1) -> _E:
    error.method, error.path, error.attempts = call.method, call.path, attempts
    return error


def _encode(query: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value is not None}
