"""What an HTTP answer of the service means: a reply, a job that goes on, or an error.

The envelope is `{"success": true, "data": ...}` or `{"success": false, "message": ...}`; jobs
answer `{"status": "processing", "data": {"output_url": ...}}` and later, flat or wrapped in
`response`, the same with a final status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

import attrs
import msgspec

from rtstream_async.errors import (
    APIError,
    AsyncResponseError,
    ProtocolError,
    ValidationError,
    error_for_status,
)
from rtstream_async.protocol.codec.fields import real

__all__ = [
    "FINISHED",
    "UNFINISHED",
    "Pending",
    "Reply",
    "http_date",
    "read",
    "retry_after",
]

UNFINISHED = frozenset({"processing", "in progress", "in_progress", "pending", "queued"})
"""Words for a job that goes on, in lower case."""

FINISHED = frozenset({"done", "complete", "completed", "success", "succeeded", "ok"})
"""Words for a job that has come to something; any other word is a failure."""

_JOB_WORDS = UNFINISHED | FINISHED | {"failed", "error"}

_REQUEST_ID_HEADERS = (
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-correlation-id",
    "cf-ray",
)
_MESSAGE_KEYS = ("message", "error", "detail", "errors")

_HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d*)?")
_UNREADABLE = "a target that can't be read"

_REDIRECTS = range(300, 400)
_REFUSALS = 400
_NO_CONTENT = 204
_EXCERPT = 300
_PER_CENT = 100


@attrs.frozen
class Reply:
    """The service did what was asked; `data` is its answer, `None` if it gave none."""

    data: Any


@attrs.frozen
class Pending:
    """The service is still at it; the result will be at `output_url`, if it named one."""

    output_url: str | None
    status: str = "processing"  #: the service's word
    done: float | None = None  #: how much is done, from 0 to 1, if the service tells it


def read(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    polled: bool = False,
    whole: bool = False,
) -> Reply | Pending | APIError | ProtocolError:
    """Return what an answer means; errors are returned, for the caller to complete and raise.

    Args:
        status: HTTP status.
        headers: Headers, names in lower case.
        body: The whole body, decompressed.
        now: Unix time, seconds, for a `Retry-After` date when there is no `Date`.
        polled: Whether the answer is that of a job, where a refusal is the job's failure.
        whole: Whether the envelope itself was asked for: the reply has all of it, also when it
            tells of a failure or of a job that goes on.
    """
    if status in _REDIRECTS:
        return ProtocolError(_redirect_text(status, headers))
    if status == _NO_CONTENT:
        return Reply(None)
    answer = _Answer(status, headers, body, now)
    try:
        return _read(answer, polled=polled, whole=whole)
    except RecursionError:  # of the decoder, or of what looks at what was just not too deep for it
        if status >= _REFUSALS:
            return answer.refused(error_for_status(status), {})
        return ProtocolError(f"the answer is nested too deeply to be read: {_excerpt(body)}")


def _read(
    answer: _Answer, *, polled: bool, whole: bool
) -> Reply | Pending | APIError | ProtocolError:
    body = answer.body
    fields = _decode(body)
    if answer.status >= _REFUSALS:
        return answer.refused(error_for_status(answer.status), fields or {})
    if not body.strip():
        return Reply(None)
    if fields is None:
        return ProtocolError(f"the answer is not a JSON object: {_excerpt(body)}")
    if whole:
        return Reply(fields)
    found = _read_object(fields, polled=polled)
    return answer.refused(found, fields) if isinstance(found, type) else found


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return for how many seconds the service asks to wait, or `None` if it does not.

    The spellings are `retry-after-ms`, `Retry-After` in seconds (a fraction is taken too), and
    `Retry-After` as a date, which counts from the answer's own `Date`: clocks differ.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1_000
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None:
        return seconds
    until = http_date(text)
    if until is None:
        return None
    sent = http_date(headers.get("date"))
    return max(0.0, until - (now if sent is None else sent))


@lru_cache(maxsize=16)  # it changes once a second, and answers come more often
def http_date(text: str | None) -> float | None:
    """Return the Unix seconds of an HTTP date, or `None` if it is none."""
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None


def _read_object(
    document: dict[str, Any], *, polled: bool
) -> Reply | Pending | ProtocolError | type[APIError]:
    """Return what a JSON object with a good HTTP status means; a class: it is that refusal."""
    status = document.get("status")
    word = status.strip().lower() if isinstance(status, str) else None
    inner = _fields(document.get("response"))
    if document.get("success") is False:
        return AsyncResponseError if polled else ValidationError
    is_envelope = document.get("success") is True or "data" in document or bool(inner)
    if not is_envelope and word not in _JOB_WORDS:
        keys = ", ".join(sorted(document)) or "none"
        return ProtocolError(f"the answer has neither `success` nor `data`; its keys: {keys}")
    if word in UNFINISHED:
        return _unfinished(document, polled=polled)
    if word is not None and word not in FINISHED:
        return AsyncResponseError  # a failure, or a word we can't take for success
    if inner and "data" not in document:
        return _read_object(inner, polled=True)
    return Reply(document.get("data"))


def _unfinished(document: dict[str, Any], *, polled: bool) -> Reply | Pending:
    data = document.get("data")
    if document.get("request_type") == "async" and not polled:
        return Reply(data)  # the result goes to a callback URL: there is nothing to wait for
    url = _fields(data).get("output_url")
    return Pending(
        url if isinstance(url, str) and url else None,
        status=str(document["status"]),
        done=_share(real(_fields(data), "percentage")),
    )


def _share(percentage: float | None) -> float | None:
    return None if percentage is None else min(max(percentage / _PER_CENT, 0.0), 1.0)


@attrs.frozen
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    now: float

    def refused(self, kind: type[APIError], fields: Mapping[str, Any]) -> APIError:
        """Return the refusal, with all that the answer tells about it."""
        inner = _fields(fields.get("response"))
        if inner.get("success") is False:
            fields = inner
        code = fields.get("error_code")
        texts = [_message(fields), _status_text(fields)]
        if fields.get("success") is True:
            texts.reverse()  # the message praises the request; the job's state is the news
        return kind(
            texts[0] or texts[1] or _excerpt(self.body) or f"HTTP status {self.status}",
            status=self.status,
            error_code=str(code) if isinstance(code, str | int) else None,
            request_id=next(filter(None, map(self.headers.get, _REQUEST_ID_HEADERS)), None),
            retry_after=retry_after(self.headers, now=self.now),
        )


def _message(fields: Mapping[str, Any]) -> str:
    for key in _MESSAGE_KEYS:
        value = fields.get(key)
        value = _fields(value).get("message") or value
        if value:
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            return _shorten(text)
    return ""


def _status_text(fields: Mapping[str, Any]) -> str:
    status = fields.get("status")
    return f"the job's state is {_shorten(status)!r}" if isinstance(status, str) else ""


def _redirect_text(status: int, headers: Mapping[str, str]) -> str:
    return (
        f"redirected ({status}) to {_origin(headers.get('location', ''))}; redirects are not"
        " followed, because the key goes to the API's own origin only: check base_url"
    )


def _origin(location: str) -> str:
    """Return the target's origin only: its path and query may hold a secret."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return _UNREADABLE
    host = parts.netloc.rpartition("@")[2]
    if not parts.scheme and not parts.netloc and "\\" not in location:  # browsers take it for "/"
        return "the same origin"
    if not _HOST.fullmatch(host):
        return _UNREADABLE
    return f"{parts.scheme}://{host}" if parts.scheme else f"{host} (with the same scheme)"


def _fields(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _decode(body: bytes) -> dict[str, Any] | None:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else None


def _excerpt(body: bytes) -> str:
    return _shorten(body[: 4 * _EXCERPT].decode(errors="replace"))


def _shorten(text: str) -> str:
    flat = re.sub(r"\s+", " ", text).strip()
    return flat if len(flat) <= _EXCERPT else f"{flat[:_EXCERPT]}..."


def _number(text: str | None) -> float | None:
    """Return a finite number, not negative; `None` for any other text."""
    if text is None or not re.fullmatch(r"\s*\d{1,12}(\.\d+)?\s*", text, re.ASCII):
        return None
    return float(text)
