"""The capture sessions of any collection, asked for through the connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rtstream_async.models.base import UNSET, Unset

if TYPE_CHECKING:
    from rtstream_async.models.captures import ClientToken
    from rtstream_async.resources.capture_session import CaptureSession
    from rtstream_async.resources.context import Context
    from rtstream_async.resources.pages import Pages

__all__ = ["ConnectionSessions"]

_DAY = 86_400  # seconds

# The functions of a session are imported where they are used: with it come streams, indexes,
# transcripts and more, and not every program has captures.


class ConnectionSessions:
    """Gives a connection the capture sessions of any of its collections."""

    _context: Context

    async def create_capture_session(
        self,
        end_user_id: str,
        collection_id: str = "default",
        callback_url: str | None = None,
        ws_connection_id: str | Unset | None = UNSET,
        metadata: Mapping[str, Any] | None = None,
    ) -> CaptureSession:
        """Return a new capture session, for a program on a user's machine to capture into.

        Args:
            end_user_id: Whose machine it is, in your own words.
            collection_id: Where its streams will be.
            callback_url: Where the service is to tell each change of its state, besides the socket.
            ws_connection_id: Where these messages go. Not given: to this connection's own socket,
                so that `events()` has them. `None`: nowhere.
            metadata: What you want to find in it again.

        Raises:
            InvalidArgumentError: An argument can't be used.
        """
        from rtstream_async.resources.capture_session import create_session

        return await create_session(
            self._context,
            collection_id,
            end_user_id=end_user_id,
            callback_url=callback_url,
            ws_connection_id=ws_connection_id,
            metadata=metadata,
        )

    async def get_capture_session(
        self, session_id: str, collection_id: str = "default"
    ) -> CaptureSession:
        """Return the capture session with this id.

        Raises:
            InvalidArgumentError: An id is empty.
            NotFoundError: There is none.
        """
        from rtstream_async.resources.capture_session import get_session

        return await get_session(self._context, collection_id, session_id)

    def list_capture_sessions(
        self,
        collection_id: str = "default",
        status: str | None = None,
        *,
        end_user_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Pages[CaptureSession]:
        """Return capture sessions: `await` it for one page, `async for` it for all.

        Args:
            collection_id: The collection that they are in.
            status: Only those in this state.
            end_user_id: Only those of this user.
            limit: Sessions of a page; `None`: the service's own.
            cursor: Where to go on: what an earlier page had as `cursor`.

        Raises:
            InvalidArgumentError: `limit` can't be used.
        """
        from rtstream_async.resources.capture_session import list_sessions

        return list_sessions(
            self._context,
            collection_id,
            status=status,
            end_user_id=end_user_id,
            limit=limit,
            cursor=cursor,
        )

    async def generate_client_token(self, expires_in: int = _DAY) -> ClientToken:
        """Return a token in place of the key, for a user's machine; it is text.

        Args:
            expires_in: Seconds until it ends.

        Raises:
            InvalidArgumentError: `expires_in` is no whole number above 0.
        """
        from rtstream_async.api import captures
        from rtstream_async.protocol.bounds import at_least

        return await captures.issue_token(
            self._context.caller, expires_in=at_least("expires_in", expires_in, 1)
        )
