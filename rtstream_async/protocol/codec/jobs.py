"""Reading how a job stands, and what it has come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rtstream_async.errors import ProtocolError
from rtstream_async.models.jobs import AsyncResponse, JobStatus
from rtstream_async.protocol.codec.fields import as_object, real, text
from rtstream_async.protocol.envelope import FINISHED, UNFINISHED

__all__ = ["async_response", "job_status"]

_PER_CENT = 100


def job_status(envelope: object) -> JobStatus:
    """Return how a job stands, of the whole answer.

    Raises:
        ProtocolError: The answer tells nothing of it.
    """
    whole = as_object(envelope, "a job")
    return JobStatus(**_said(whole), raw=whole)


def async_response(envelope: object) -> AsyncResponse:
    """Return what has come of an answer that comes later, of the whole answer.

    Raises:
        ProtocolError: The answer tells nothing of it.
    """
    whole = as_object(envelope, "an answer that comes later")
    said = _said(whole)
    return AsyncResponse(**said, raw=whole if said["data"] is None else said["data"])


def _said(whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that both have; flat, or wrapped in `response`."""
    inner = _object(whole.get("response")) or {}
    told = {**whole, **inner}
    data = _object(told.get("data"))
    success = told.get("success") is True
    status = text(whole, "status") or text(data or {}, "status")
    if status is None and "success" not in told and "data" not in told:
        raise ProtocolError("the answer says neither how the job stands nor what came of it")
    status = status or ("done" if success or "success" not in told else "failed")
    word = status.strip().lower()
    is_failed = told.get("success") is False or word not in UNFINISHED | FINISHED
    share = real(data or {}, "percentage")
    return {
        "success": success,
        "status": status,
        "is_running": word in UNFINISHED and not is_failed,
        "is_failed": is_failed,
        "fraction": None if share is None else min(max(share / _PER_CENT, 0.0), 1.0),
        "message": text(told, "message"),
        "data": data,
    }


def _object(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
