"""What the answers of an OpenAI-compatible endpoint mean: success, or which failure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import attrs
import msgspec

from rtstream_async.protocol.envelope import retry_after

__all__ = ["Failure", "decode", "failure_of", "retry_delay"]

_TRANSIENT: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_SPENT: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_LONGEST_SAID: Final = 240  # characters of what the endpoint said
_BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f]+")
_FORMAT: Final = re.compile(
    r"response.?format|json.?schema|json.?object|structured|guided|grammar|granularit",
    re.IGNORECASE,
)
_BASE, _CAP = 0.5, 8.0  # seconds
_LONGEST_WAIT: Final = 30.0  # seconds that an endpoint may ask for within one call


@attrs.frozen(kw_only=True)
class Failure:
    """Why there is no answer."""

    text: str  #: for the status of an index
    status: int = 0  #: of HTTP; 0: none came
    is_transient: bool = False  #: the same request may succeed later
    blames_format: bool = False  #: it is the form of the answer that was not to be had
    retry_after: float | None = None  #: seconds that the endpoint asks to wait

    @property
    def is_general(self) -> bool:
        """Whether the next request, whatever is in it, will most likely fail likewise."""
        return self.is_transient or self.status in (0, 401, 402, 403, 404)


def failure_of(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    model: str,
    key_name: str,
    has_key: bool,
    now: float,
) -> Failure | None:
    """Return which failure an answer is; `None`: it is a success.

    Args:
        status: Of HTTP.
        headers: Names in lower case.
        body: As it came.
        model: Which model was asked for.
        key_name: The variable of the environment that the key is read from.
        has_key: Whether one was sent.
        now: Unix time, seconds.
    """
    error = _error_in(body)
    if 200 <= status < 300 and error is None:  # noqa: PLR2004 - HTTP
        return None
    said, code = _said(error) if error is not None else (_plain(body), "")
    hint = _hint(status, model=model, key_name=key_name, has_key=has_key)
    spent = code in _SPENT
    return Failure(
        text=f"{hint} ({status})" + (f": {said}" if said else ""),
        status=status,
        is_transient=status in _TRANSIENT and not spent,
        blames_format=status in (400, 415, 422, 500, 501) and bool(_FORMAT.search(said)),
        retry_after=retry_after(headers, now=now) if status in _TRANSIENT else None,
    )


def decode(body: bytes, type_: type[Any]) -> Any:
    """Return what a successful answer says.

    Raises:
        ValueError: It can't be understood; the text says why, and quotes nothing of it.
    """
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError as exc:
        raise ValueError(f"answers with JSON that is not of OpenAI's kind: {exc}") from None
    except (msgspec.DecodeError, UnicodeError):
        kind = "HTML" if body.lstrip()[:1] == b"<" else "what is not JSON"
        raise ValueError(f"answers with {kind}; is this the address of an API?") from None


def retry_delay(
    failure: Failure, *, attempt: int, attempts: int, left: float, jitter: float
) -> float | None:
    """Return seconds until the next attempt; `None`: there is none.

    Args:
        failure: Of the last attempt.
        attempt: Its number, from 1.
        attempts: How many may be made.
        left: Seconds that are left for the whole call.
        jitter: A random number, 0 to 1.
    """
    if not failure.is_transient or attempt >= attempts:
        return None
    wait = min(_CAP, _BASE * 2.0 ** (attempt - 1)) * (0.5 + 0.5 * jitter)
    asked = failure.retry_after or 0.0
    wait = max(wait, asked)
    return wait if wait < left and asked <= _LONGEST_WAIT else None


def _hint(status: int, *, model: str, key_name: str, has_key: bool) -> str:
    if status == 401:  # noqa: PLR2004 - HTTP
        return f"refuses the key in {key_name}" if has_key else f"wants a key, in {key_name}"
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP
        return "answers with a redirect, which is not followed; give its target's address"
    return _HINTS.get(status, "answers with an error").format(model=model)


_HINTS: Final = {
    402: "wants to be paid",
    403: "forbids the use of {model!r} to this key",
    404: "has no model {model!r}, or is not at this address",
    405: "is not at this address",
    413: "takes no request as large as this; use fewer frames",
    429: "takes no more requests for now",
}


def _error_in(body: bytes) -> object:
    """Return the `error` of a JSON object, or the like; some send it with a status of 200."""
    try:
        found: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        return None
    if not isinstance(found, dict):
        return None
    fields = cast("dict[str, Any]", found)
    if fields.keys() & {"choices", "data", "text"}:
        return None
    return next((fields[key] for key in ("error", "message", "detail") if fields.get(key)), None)


def _said(error: object) -> tuple[str, str]:
    """Return message and code of an error: OpenAI's object, a text, or whatever it is."""
    if isinstance(error, dict):
        fields = cast("dict[str, Any]", error)
        said = fields.get("message") or fields.get("type") or ""
        return _short(said if isinstance(said, str) else ""), str(fields.get("code") or "")
    said = error if isinstance(error, str) else msgspec.json.encode(error).decode()
    return _short(said), ""


def _plain(body: bytes) -> str:
    text = body[: 4 * _LONGEST_SAID].decode(errors="replace")
    return "" if text.lstrip()[:1] in ("<", "{", "[") else _short(text)


def _short(text: str) -> str:
    line = _BLANK.sub(" ", text).strip()
    return line if len(line) <= _LONGEST_SAID else f"{line[:_LONGEST_SAID]}..."
