"""What becomes of a webhook after an attempt: delivered, tried again, or given up."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

import attrs

__all__ = ["ATTEMPTS", "OLDEST", "Delivered", "GivenUp", "Retry", "decide", "target_of", "visible"]

ATTEMPTS = 16
"""After so many a webhook is given up: some four hours after the first."""
OLDEST = 86_400.0
"""Seconds after which it is given up, for example when the server was away meanwhile."""

_FIRST = 1.0  # seconds until the second attempt; doubles with each
_LONGEST = 3600.0  # seconds
_WAIT_AND_SEE = frozenset({408, 425, 429})  # of the 4xx: these may be another answer next time
_DEFAULT_PORTS = {"http": 80, "https": 443}


@attrs.frozen
class Delivered:
    """It was taken."""


@attrs.frozen
class Retry:
    """It is to be tried again."""

    after: float  #: seconds
    reason: str


@attrs.frozen
class GivenUp:
    """It will not be taken."""

    reason: str


def decide(
    status: int | None,
    *,
    problem: str = "",
    is_transient: bool = True,
    attempts: int,
    age: float,
    jitter: float,
    headers: Mapping[str, str] | None = None,
) -> Delivered | Retry | GivenUp:
    """Return what becomes of a webhook.

    Args:
        status: The HTTP status of the answer; `None`: there was none.
        problem: Why there was none.
        is_transient: Whether the same request may well get one later.
        attempts: Attempts so far, this one included.
        age: Seconds since the webhook was made.
        jitter: 0 to 1; spreads attempts over the upper half of the delay.
        headers: Of the answer, names in lower case.
    """
    reason = problem if status is None else f"the target answered {status}"
    if status is not None:
        if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own classes
            return Delivered()
        if 300 <= status < 400:  # noqa: PLR2004
            return GivenUp(f"{reason}, and redirects are not followed")
        is_transient = status >= 500 or status in _WAIT_AND_SEE  # noqa: PLR2004
    if not is_transient:
        return GivenUp(reason)
    if attempts >= ATTEMPTS or age >= OLDEST:
        return GivenUp(f"{reason}; given up after {attempts} attempts in {age:.0f} s")
    delay = min(_LONGEST, _FIRST * 2 ** (attempts - 1)) * (0.5 + 0.5 * jitter)
    return Retry(max(delay, _asked_for(headers or {})), reason)


def target_of(url: str) -> str:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)}"


def visible(url: str) -> str:
    """Return a URL without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _asked_for(headers: Mapping[str, str]) -> float:
    """Return how long the target asks us to wait, in seconds; a date is not read."""
    text = headers.get("retry-after", "").strip()
    return min(_LONGEST, float(text)) if text.isascii() and text.isdecimal() else 0.0
