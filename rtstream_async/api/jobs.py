"""Endpoints of answers that come later, for those who ask for them by hand."""

from __future__ import annotations

from rtstream_async.api.caller import Caller
from rtstream_async.models.jobs import AsyncResponse, JobStatus
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import jobs

__all__ = ["get_response", "get_status"]


async def get_response(caller: Caller, response_id: str) -> AsyncResponse:
    """Return what has come of an answer, without waiting for it."""
    return await caller.look(routes.ASYNC_RESPONSE, jobs.async_response, response_id=response_id)


async def get_status(caller: Caller, job_id: str) -> JobStatus:
    """Return how a job stands."""
    return await caller.look(routes.JOB, jobs.job_status, job_id=job_id)
