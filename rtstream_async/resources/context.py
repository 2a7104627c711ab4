"""What every handle holds: the way to the service and to the socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rtstream_async.api.caller import Caller
from rtstream_async.models.base import Unset

if TYPE_CHECKING:
    from rtstream_async.realtime.hub import Hub

__all__ = ["Context"]


class Context:
    """The parts of one `Connection` that its handles use."""

    def __init__(self, caller: Caller, make_hub: Callable[[], Hub]) -> None:
        self.caller = caller
        self._make_hub = make_hub
        self._hub: Hub | None = None

    @property
    def hub(self) -> Hub:
        """The one reader; made when first asked for, so that REST alone does not load it."""
        if self._hub is None:
            self._hub = self._make_hub()
        return self._hub

    async def aclose(self) -> None:
        """End the reader, if there is one."""
        if self._hub is not None:
            await self._hub.aclose()

    async def push_target(self, ws_connection_id: str | Unset | None) -> str | None:
        """Return the connection id to push to, `None` for no push.

        Args:
            ws_connection_id: The caller's choice, where empty means none. When there is no choice,
                it is this connection's own socket, which is opened if it is not open yet.
        """
        if isinstance(ws_connection_id, Unset):
            return await self.hub.connection_id()
        return ws_connection_id or None

    def note_armed(self, target: str | None, *, stream_id: str, channel: str) -> None:
        """Tell the hub that something now makes messages for `target`, which may be our socket.

        The id of our own socket may have been given by hand, as every snippet of the reference
        does; the hub knows which ids are ours, and who never asked for one has no hub.
        """
        if target is not None and self._hub is not None:
            self._hub.note_armed(rtstream_id=stream_id, channel=channel, connection_id=target)
