"""What the service tells about an answer that comes later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from rtstream_async.models.base import Keyed, raw_field

__all__ = ["AsyncResponse", "JobProgress", "JobStatus"]


@attrs.frozen(kw_only=True)
class JobProgress:
    """How the service is getting on with something that takes a while."""

    status: str  #: the service's word: `processing`, `queued`, ...
    fraction: float | None = None  #: how much is done, from 0 to 1; `None`: it does not say
    elapsed: float = 0.0  #: seconds since the service took it on


@attrs.frozen(kw_only=True)
class JobStatus(Keyed):
    """How a job stood when the service was asked."""

    success: bool  #: whether the service says so; of a job that goes on, it says it as well
    status: str  #: the service's word: `processing`, `done`, `failed`, ...
    is_running: bool  #: there is no result yet, and there may be one
    is_failed: bool  #: there will be no result: `message` says why
    fraction: float | None = None  #: how much is done, from 0 to 1; `None`: it does not say
    message: str | None = None
    data: Mapping[str, Any] | None = None  #: what the service tells of the job, as it came
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class AsyncResponse(Keyed):
    """An answer that comes later, as far as it has come.

    Read by key it is what the synchronous SDK gives: the data if there is some, else all that the
    service said. A key that is a field's name too gives the field.
    """

    success: bool  #: whether the service says so; of a job that goes on, it says it as well
    status: str  #: the service's word: `processing`, `done`, `failed`, ...
    is_running: bool  #: there is no result yet, and there may be one
    is_failed: bool  #: there will be no result: `message` says why
    fraction: float | None = None  #: how much is done, from 0 to 1; `None`: it does not say
    message: str | None = None
    data: Mapping[str, Any] | None = None  #: the result, as it came; while there is none, how far
    raw: Mapping[str, Any] = raw_field()
