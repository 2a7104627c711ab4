"""Every error that this package raises.

    RTStreamError
    ├── InvalidArgumentError (also ValueError)    the caller's mistake, found before any I/O
    ├── WrongEventLoopError (also RuntimeError)   used from a second event loop
    ├── ConnectionClosedError                     used after aclose()
    ├── APIError                                  the service answered, and the answer is no
    │   ├── AuthenticationError                   401
    │   ├── RateLimitError                        429, `retry_after`
    │   ├── ServerError                           5xx
    │   ├── AsyncResponseError                    a job failed, or its state is unknown
    │   └── InvalidRequestError                   refused as sent; repeating is no use
    │       ├── ValidationError                   400, 422 and 200 with `success: false`
    │       │   └── NoResultsError (also SearchError)   nothing was found
    │       ├── OutOfCreditsError                 402
    │       ├── PermissionDeniedError             403
    │       ├── NotFoundError                     404, 410
    │       └── ConflictError                     409
    ├── RequestTimeoutError (also TimeoutError)   no answer within the deadline
    ├── TransportError                            no answer: refused, reset, DNS, TLS, proxy
    ├── ProtocolError                             an answer that can't be understood
    ├── SearchError                               a search, or its result, is of no use
    ├── LocalServerError                          the local server can't start or go on
    ├── HandlerError                              the handler given to `consume()` failed
    ├── CheckpointError                           a checkpoint can't be read or written
    │   └── CheckpointInUseError                  somebody else writes it
    └── LinkError                                 the WebSocket
        ├── HandshakeError                        no connection id came
        ├── LinkClosedError                       the link has ended for good
        └── SlowConsumerError                     this subscription fell behind

`InvalidRequestError`, `AuthenticationError`, `RequestTimeoutError` and `SearchError` are the
official SDK's names.
No error carries the key: paths have no query, and URLs with a credential are never kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = [
    "APIError",
    "AsyncResponseError",
    "AuthenticationError",
    "CheckpointError",
    "CheckpointInUseError",
    "ConflictError",
    "ConnectionClosedError",
    "HandlerError",
    "HandshakeError",
    "InvalidArgumentError",
    "InvalidRequestError",
    "LinkClosedError",
    "LinkError",
    "LocalServerError",
    "NoResultsError",
    "NotFoundError",
    "OutOfCreditsError",
    "PermissionDeniedError",
    "ProtocolError",
    "RTStreamError",
    "RateLimitError",
    "RequestTimeoutError",
    "SearchError",
    "ServerError",
    "SlowConsumerError",
    "TransportError",
    "ValidationError",
    "WrongEventLoopError",
    "error_for_status",
]


class RTStreamError(Exception):
    """The root of everything that this package raises."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        # The default calls the class with `args` alone, which fails for every class that has
        # keyword arguments: errors must come back from worker processes whole.
        return _rebuild, (type(self), self.args, self.__dict__.copy())

    @property
    def is_retryable(self) -> bool:
        """Whether the same call may well succeed later."""
        return False


class InvalidArgumentError(RTStreamError, ValueError):
    """An argument can't be used; found before any request was made."""

    def __init__(
        self, argument: str, problem: str, *, allowed: Sequence[object] | None = None
    ) -> None:
        self.argument = argument
        self.problem = problem
        self.allowed = tuple(allowed) if allowed is not None else None
        choices = "" if allowed is None else f"; allowed: {', '.join(map(repr, allowed))}"
        super().__init__(f"{argument}: {problem}{choices}")


class WrongEventLoopError(RTStreamError, RuntimeError):
    """A connection was used from another event loop than the one that it lives in."""

    def __init__(self) -> None:
        super().__init__(
            "this Connection belongs to another event loop; call connect() once per event loop"
        )


class ConnectionClosedError(RTStreamError):
    """The `Connection` was used after `aclose()`."""

    def __init__(self) -> None:
        super().__init__("the Connection is closed; call connect() for a new one")


class _RequestError(RTStreamError):
    """What errors of one REST call have in common: which call, and how often it was tried."""

    def __init__(
        self, message: str, *, method: str = "", path: str = "", attempts: int = 1
    ) -> None:
        self.message = message
        self.method = method
        self.path = path
        self.attempts = attempts
        super().__init__(message)

    def __str__(self) -> str:
        # Composed when asked for: who finds the error does not know the number of attempts.
        where = f" [{self.method} {self.path}]" if self.path else ""
        tries = f" after {self.attempts} attempts" if self.attempts > 1 else ""
        return f"{self.message}{where}{tries}"


class _NoAnswerError(_RequestError):
    """What errors without an answer have in common: what became of the request.

    Attributes:
        may_have_acted: False if the request certainly never reached the service.
    """

    def __init__(
        self,
        message: str,
        *,
        may_have_acted: bool = True,
        method: str = "",
        path: str = "",
        attempts: int = 1,
    ) -> None:
        self.may_have_acted = may_have_acted
        super().__init__(message, method=method, path=path, attempts=attempts)

    @property
    def is_retryable(self) -> bool:
        """True: later it may work."""
        return True


class APIError(_RequestError):
    """The service answered the call with a refusal.

    Attributes:
        message: The service's own words.
        status: HTTP status.
        error_code: The service's `error_code`, if it sent one.
        request_id: The id of the request in the service's logs, if it sent one.
        method: HTTP method of the call.
        path: Path of the call, without query.
        attempts: How often the call was tried.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        error_code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        method: str = "",
        path: str = "",
        attempts: int = 1,
    ) -> None:
        self.status = status
        self.error_code = error_code
        self.request_id = request_id
        self.retry_after = retry_after
        super().__init__(message, method=method, path=path, attempts=attempts)


class AuthenticationError(APIError):
    """The key or token is missing, wrong or expired."""


class RateLimitError(APIError):
    """Too many requests; `retry_after` has the service's wish in seconds, if it gave one."""

    @property
    def is_retryable(self) -> bool:
        """True: later it may work."""
        return True


class ServerError(APIError):
    """The service failed."""

    @property
    def is_retryable(self) -> bool:
        """True: later it may work."""
        return True


class AsyncResponseError(APIError):
    """An asynchronous answer ended in failure, or in a state that is not known to be success."""


class InvalidRequestError(APIError):
    """The service refuses the request as it was sent; the same request will be refused again."""


class ValidationError(InvalidRequestError):
    """The service finds the request invalid, or answers it with `success: false`."""


class SearchError(RTStreamError):
    """A search, or what is made of its result, is of no use."""


class NoResultsError(SearchError, ValidationError):
    """A search found nothing, or there is nothing in its result to play."""


class OutOfCreditsError(InvalidRequestError):
    """The account has no credits left."""


class PermissionDeniedError(InvalidRequestError):
    """The key is good and may not do this."""


class NotFoundError(InvalidRequestError):
    """There is no such stream, index, collection or path."""


class ConflictError(InvalidRequestError):
    """The object is in a state that does not allow this."""


class RequestTimeoutError(_NoAnswerError, TimeoutError):
    """No answer came within the deadline; see `may_have_acted`."""


class TransportError(_NoAnswerError):
    """No answer came: the connection was refused, reset or could not be made."""


class ProtocolError(_RequestError):
    """An answer came that is not what the service's contract says."""


class LocalServerError(RTStreamError):
    """The local server can't start, or can't go on; the text says what to change."""


class HandlerError(RTStreamError):
    """The handler given to `consume()` failed; `__cause__` is what it raised.

    The message, and what came after it under the same key, is not committed.

    Attributes:
        item: The message that was being handled.
        key: Its key: what came after it under that key was not handled.
        attempts: How often the handler was tried with it.
    """

    def __init__(self, item: object, *, key: object, attempts: int, problem: str) -> None:
        self.item = item
        self.key = key
        self.attempts = attempts
        tries = "once" if attempts == 1 else f"{attempts} times"
        super().__init__(
            f"the handler failed {tries} on a {type(item).__name__} of {key!r}: {problem};"
            " with dead_letter=, consume() goes on behind it"
        )


class CheckpointError(RTStreamError):
    """A checkpoint can't be opened, read or written; the text says what to change."""


class CheckpointInUseError(CheckpointError):
    """Somebody else writes this checkpoint: one consumer at a time may."""

    @property
    def is_retryable(self) -> bool:
        """True: once the other has ended."""
        return True


class LinkError(RTStreamError):
    """The WebSocket could not do what was asked."""


class HandshakeError(LinkError):
    """The socket opened, or refused to, and no connection id came."""

    @property
    def is_retryable(self) -> bool:
        """True: a fresh URL may work."""
        return True


class LinkClosedError(LinkError):
    """The link has ended; nothing more will come."""


class SlowConsumerError(LinkError):
    """This subscription's queue was full, and its policy is not to drop in silence.

    Attributes:
        maxsize: The bound of the queue that was full.
        dropped: How many messages this queue has lost so far.
        rtstream_id: In a monitor, the stream whose queue it was.
    """

    def __init__(self, *, maxsize: int, dropped: int, rtstream_id: str | None = None) -> None:
        self.maxsize = maxsize
        self.dropped = dropped
        self.rtstream_id = rtstream_id
        whose = "its queue" if rtstream_id is None else f"the queue of {rtstream_id}"
        super().__init__(
            f"the consumer fell behind: {whose} of {maxsize} messages was full"
            f" ({dropped} dropped); read faster, or choose a larger maxsize or another overflow"
        )


_BY_STATUS: dict[int, type[APIError]] = {
    400: ValidationError,
    401: AuthenticationError,
    402: OutOfCreditsError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    422: ValidationError,
    429: RateLimitError,
}

_SERVER_ERRORS = 500


def _rebuild(
    kind: type[RTStreamError], args: tuple[Any, ...], fields: dict[str, Any]
) -> RTStreamError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


def error_for_status(status: int) -> type[APIError]:
    """Return the class of error that an HTTP `status` stands for."""
    if status >= _SERVER_ERRORS:
        return ServerError
    return _BY_STATUS.get(status, InvalidRequestError)
