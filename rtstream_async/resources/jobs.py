"""Answers that come later, for those who have but their id."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtstream_async.models.jobs import AsyncResponse, JobStatus
    from rtstream_async.resources.context import Context

__all__ = ["Jobs"]


class Jobs:
    """Gives `Connection` a look at jobs."""

    _context: Context

    async def get_async_response(
        self,
        id: str,  # noqa: A002 - the reference's name
    ) -> AsyncResponse:
        """Return what has come of an answer that comes later, without waiting for it.

        Methods wait for such answers by themselves; this is for those whose id came by another
        way, as of a call with a `callback_url`. One that failed is no error here: `is_failed`.

        Raises:
            NotFoundError: No such answer is known.
        """
        from rtstream_async.api import jobs

        return await jobs.get_response(self._context.caller, id)

    async def get_job_status(self, job_id: str) -> JobStatus:
        """Return how a job stands; one that failed is no error here: `is_failed`.

        Raises:
            NotFoundError: No such job is known.
        """
        from rtstream_async.api import jobs

        return await jobs.get_status(self._context.caller, job_id)
