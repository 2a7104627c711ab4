"""Whether, and when, a failed attempt is made again.

Two questions. May it help? (The failure is transient.) May it harm? (The service may have acted
already, and the route is not repeatable.) There is no idempotency key, so the second question
decides.
"""

from __future__ import annotations

import math

import attrs

from rtstream_async.errors import (
    APIError,
    InvalidArgumentError,
    RequestTimeoutError,
    RTStreamError,
    TransportError,
)

__all__ = ["GiveUp", "Retry", "RetryPolicy", "again", "decide"]

# The service refused before it did anything: too early (425), too many (429). A 503 says no such
# thing, with or without Retry-After: a gateway sends it as well when the service behind it broke
# down in the middle of the work.
_NOT_ACTED = frozenset({425, 429})
_TRANSIENT = frozenset({408, 500, 502, 503, 504}) | _NOT_ACTED


@attrs.frozen
class Retry:
    """Try again `after` seconds."""

    after: float


@attrs.frozen
class GiveUp:
    """Raise the error; `reason` is for the log."""

    reason: str


def _positive(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise InvalidArgumentError(attribute.name, f"must be a number above 0, not {value!r}")


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often, how fast and for how long one call is tried.

    Before attempt n + 1 it waits a random time up to `base * 2 ** (n - 1)`, at most `cap` (full
    jitter: clients that failed together don't come back together). When the service asks for a
    wait, it is never less than that; a wait above `retry_after_cap` ends the call with the error,
    which carries `retry_after`.
    """

    attempts: int = 4  #: in all, the first included
    base: float = attrs.field(default=0.5, validator=_positive)  #: seconds
    cap: float = attrs.field(default=8.0, validator=_positive)  #: seconds
    retry_after_cap: float = attrs.field(default=60.0, validator=_positive)  #: seconds
    deadline: float = attrs.field(default=120.0, validator=_positive)
    """Seconds for one call with all its attempts and waits, answers of jobs not included."""

    def __attrs_post_init__(self) -> None:
        if type(self.attempts) is not int or self.attempts < 1:
            raise InvalidArgumentError("attempts", f"must be at least 1, not {self.attempts!r}")

    @classmethod
    def of(cls, retries: int | RetryPolicy) -> RetryPolicy:
        """Return the policy that `connect(retries=)` means: a number of retries, or a policy."""
        if isinstance(retries, RetryPolicy):
            return retries
        if type(retries) is not int or retries < 0:
            raise InvalidArgumentError(
                "retries", f"must be 0, a positive int or a RetryPolicy, not {retries!r}"
            )
        return cls(attempts=retries + 1)


def decide(
    error: RTStreamError,
    *,
    policy: RetryPolicy,
    repeatable: bool,
    attempt: int,
    elapsed: float,
    jitter: float,
) -> Retry | GiveUp:
    """Return whether a call that failed with `error` is tried again, and when.

    Args:
        error: How the attempt failed.
        policy: The limits.
        repeatable: Whether a second delivery does no harm.
        attempt: Which attempt failed, from 1.
        elapsed: Seconds since the call began.
        jitter: A random number, 0 to 1.
    """
    refusal = _no_retry(error, repeatable=repeatable)
    if refusal:
        return GiveUp(refusal)
    if attempt >= policy.attempts:
        return GiveUp("no attempts left")
    backoff = _backoff(policy, attempt, jitter)
    asked = error.retry_after if isinstance(error, APIError) else None
    if asked is not None and asked > policy.retry_after_cap:
        return GiveUp(f"the service asks to wait {asked:g} s")
    after = backoff if asked is None else asked + backoff
    if elapsed + after >= policy.deadline:
        return GiveUp("no time left")
    return Retry(after)


def again(*, policy: RetryPolicy, attempt: int, elapsed: float, jitter: float) -> Retry | GiveUp:
    """Return whether and when a piece of the user's own work, which raised, is done again.

    Only its caller knows what may help and what may harm: so any error is worth the attempts.

    Args:
        policy: The limits.
        attempt: Which attempt failed, from 1.
        elapsed: Seconds since the first one began.
        jitter: A random number, 0 to 1.
    """
    if attempt >= policy.attempts:
        return GiveUp("no attempts left")
    after = _backoff(policy, attempt, jitter)
    if elapsed + after >= policy.deadline:
        return GiveUp("no time left")
    return Retry(after)


def _backoff(policy: RetryPolicy, attempt: int, jitter: float) -> float:
    return min(policy.cap, policy.base * 2.0 ** min(attempt - 1, 60)) * jitter


def _no_retry(error: RTStreamError, *, repeatable: bool) -> str:
    """Return why an attempt that failed so must not be repeated; empty: it may."""
    match error:
        case APIError(status=status):
            transient, acted = status in _TRANSIENT, status not in _NOT_ACTED
        case TransportError() | RequestTimeoutError():
            transient, acted = error.is_retryable, error.may_have_acted
        case _:
            transient, acted = False, True
    if not transient:
        return "not transient"
    return "the service may have acted" if acted and not repeatable else ""
