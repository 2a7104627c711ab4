"""The capture sessions of a collection, asked for by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rtstream_async.models.base import UNSET, Unset
from rtstream_async.models.records import CollectionRecord
from rtstream_async.resources.handle import Handle

if TYPE_CHECKING:
    from rtstream_async.resources.capture_session import CaptureSession
    from rtstream_async.resources.pages import Pages

__all__ = ["CollectionSessions"]


class CollectionSessions(Handle[CollectionRecord]):
    """Gives a collection its capture sessions."""

    async def create_capture_session(
        self,
        end_user_id: str,
        callback_url: str | None = None,
        ws_connection_id: str | Unset | None = UNSET,
        metadata: Mapping[str, Any] | None = None,
    ) -> CaptureSession:
        """Return a new capture session; see `Connection.create_capture_session()`."""
        from rtstream_async.resources.capture_session import create_session

        return await create_session(
            self._context,
            self._record.id,
            end_user_id=end_user_id,
            callback_url=callback_url,
            ws_connection_id=ws_connection_id,
            metadata=metadata,
        )

    async def get_capture_session(self, session_id: str) -> CaptureSession:
        """Return the capture session with this id.

        Raises:
            InvalidArgumentError: `session_id` is empty.
            NotFoundError: There is none.
        """
        from rtstream_async.resources.capture_session import get_session

        return await get_session(self._context, self._record.id, session_id)

    def list_capture_sessions(
        self,
        status: str | None = None,
        *,
        end_user_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Pages[CaptureSession]:
        """Return capture sessions: `await` it for one page, `async for` it for all.

        See `Connection.list_capture_sessions()` for the arguments.
        """
        from rtstream_async.resources.capture_session import list_sessions

        return list_sessions(
            self._context,
            self._record.id,
            status=status,
            end_user_id=end_user_id,
            limit=limit,
            cursor=cursor,
        )
