"""Answers that take a while: given later, at an address of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.handlers.asset_replies import exported, indexed
from rtstream_async.local.handlers.asset_urls import find_asset
from rtstream_async.local.pipelines.export import EXPORT, EXPORT_MIXED
from rtstream_async.local.pipelines.jobs import Job
from rtstream_async.local.pipelines.spoken import INDEX
from rtstream_async.local.refusal import Refusal, not_found
from rtstream_async.local.store.jobs import DONE, FAILED, PROCESSING, JobRow, get_job
from rtstream_async.protocol import routes

__all__ = ["ENDPOINTS", "answer_of", "later"]


async def answer_of(call: Call, job: Job) -> Reply:
    """Answer what came of a job; when that takes too long, where it can be asked for.

    Raises:
        Refusal: It failed.
    """
    row = await job.wait(call.services.settings.job_patience)
    if row.status == FAILED:
        raise Refusal(
            int(row.answer["status"]), str(row.answer["code"]), str(row.answer["message"])
        )
    if row.status == DONE:
        return await _result(call, row)
    if not job.is_running:
        raise Refusal(400, "CANCELLED", "what was worked on was deleted meanwhile")
    return later(call, job)


def later(call: Call, job: Job, *, is_awaited: bool = True) -> Reply:
    """Answer that a job goes on, and where its outcome will be.

    Args:
        call: The request.
        job: What goes on.
        is_awaited: Whether the client is to look there; else it is called back.
    """
    return Reply(
        message="this takes a while; ask for the result at output_url",
        data=_progress(call, job.row, job),
        envelope={
            "status": PROCESSING,
            "request_type": "sync" if is_awaited else "async",
        },
    )


async def get_async_response(call: Call) -> Reply:
    """Answer what came of a job, or how it gets on."""
    row, job = await _find(call, call.ids["response_id"])
    if row.status == PROCESSING:
        return Reply(data=_progress(call, row, job), envelope={"status": PROCESSING})
    if row.status == FAILED:
        return _failure(row)
    reply = await _result(call, row)
    return Reply(data=reply.data, message=reply.message, envelope={"status": DONE})


async def get_job_status(call: Call) -> Reply:
    """Answer how a job gets on, and what it is."""
    row, job = await _find(call, call.ids["job_id"])
    about: dict[str, Any] = {"id": row.id, "job_type": row.kind, "video_id": row.asset_id}
    if row.status == FAILED:
        failure = _failure(row)
        return Reply(data=about, envelope=failure.envelope)
    share = 100.0 if row.status == DONE else _share(job)
    return Reply(data={**about, "percentage": share}, envelope={"status": row.status})


async def _find(call: Call, id_: str) -> tuple[JobRow, Job | None]:
    job = call.services.jobs.get(id_)
    row = await call.services.store.run(get_job, id_)
    if row is None:
        raise not_found("answer", id_)
    return row, job


def _progress(call: Call, row: JobRow, job: Job | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "output_url": f"{call.base_url}{routes.ASYNC_RESPONSE.path(response_id=row.id)}",
        "job_type": row.kind,
        "percentage": _share(job),
    }


def _share(job: Job | None) -> float:
    return 0.0 if job is None else round(100 * job.share, 1)


def _failure(row: JobRow) -> Reply:
    return Reply(
        envelope={
            "success": False,
            "status": FAILED,
            "message": row.answer["message"],
            "error_code": row.answer["code"],
        }
    )


_RESULTS: Mapping[str, Callable[..., Awaitable[Reply]]] = {
    EXPORT: exported,
    EXPORT_MIXED: exported,
    INDEX: indexed,
}


async def _result(call: Call, row: JobRow) -> Reply:
    assert row.asset_id is not None  # noqa: S101 - known at the end of every job
    asset = await find_asset(call, row.asset_id)
    return await _RESULTS[row.kind](call, asset, row.details)


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.ASYNC_RESPONSE, get_async_response),
    (routes.JOB, get_job_status),
)
