"""What every handle holds: the way to the service and to the socket."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from rtstream_async.api.caller import Caller
from rtstream_async.errors import APIError
from rtstream_async.models.base import Unset

if TYPE_CHECKING:
    from rtstream_async.protocol.paging import ByNumber
    from rtstream_async.protocol.rearm import Arm, Arms
    from rtstream_async.realtime.follow import Fetch, Follow
    from rtstream_async.realtime.hub import Hub
    from rtstream_async.realtime.settings import HubSettings

__all__ = ["Context"]


class Context:
    """The parts of one `Connection` that its handles use.

    Attributes:
        started: What was started by its handles and not stopped since; by its first id.
    """

    def __init__(
        self,
        caller: Caller,
        make_hub: Callable[[], Hub],
        *,
        realtime: HubSettings | None = None,
        spawn: Callable[..., None] | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            caller: Calls the service.
            make_hub: Makes the one reader of the socket.
            realtime: How often to look for what is not pushed; `None`: as usual.
            spawn: Starts a task that the connection owns: `spawn(work, *args, name=...)`.
        """
        self.caller = caller
        self.spawn = spawn
        self._realtime = realtime
        self._follows: WeakKeyDictionary[Follow[Any], tuple[str, str]] = WeakKeyDictionary()
        self._make_hub = make_hub
        self._hub: Hub | None = None
        self._stopped_with: dict[str, set[str]] = {}  # what rests because its stream does

    @cached_property
    def started(self) -> Arms:
        """What this connection has started; made when first asked for."""
        from rtstream_async.protocol.rearm import Arms

        return Arms()

    @property
    def hub(self) -> Hub:
        """The one reader; made when first asked for, so that REST alone does not load it."""
        if self._hub is None:
            self._hub = self._make_hub()
            for follow, (rtstream_id, channel) in self._follows.items():
                self._hub.listen(rtstream_id, channel, follow)
        return self._hub

    async def aclose(self) -> None:
        """End what follows lists, and the reader, if there is one."""
        for follow in list(self._follows):
            follow.end()
        if self._hub is not None:
            await self._hub.aclose()

    def follow(
        self, fetch: Fetch[Any], first: ByNumber, *, rtstream_id: str, channel: str
    ) -> Follow[Any]:
        """Return all records of a list, and what is added to it, in order of time.

        Args:
            fetch: Returns a page, and the place of the next one.
            first: From when on, and how long pages are.
            rtstream_id: The stream; what is pushed of it says when to look.
            channel: Where that is pushed.
        """
        from rtstream_async.realtime.follow import Follow
        from rtstream_async.realtime.settings import HubSettings

        follow: Follow[Any] = Follow(
            fetch,
            first,
            now=self.caller.now,
            settings=self._realtime or HubSettings(),
        )
        self._follows[follow] = (rtstream_id, channel)
        if self._hub is not None:
            self._hub.listen(rtstream_id, channel, follow)
        return follow

    async def push_target(self, ws_connection_id: str | Unset | None) -> str | None:
        """Return the connection id to push to, `None` for no push.

        Args:
            ws_connection_id: The caller's choice, where empty means none. When there is no choice,
                it is this connection's own socket, which is opened if it is not open yet.
        """
        if isinstance(ws_connection_id, Unset):
            return await self.hub.connection_id()
        return ws_connection_id or None

    def note_armed(self, arm: Arm) -> None:
        """Note that something was started, which may publish to our socket.

        The id of our own socket may have been given by hand, as every snippet of the reference
        does; the hub knows which ids are ours, and who never asked for one has no hub.
        """
        self.started.add(arm)
        if arm.connection_id and self._hub is not None:
            self._hub.note_armed(arm)

    @contextmanager
    def stopping(self, rtstream_id: str, source: str) -> Generator[None, None, None]:
        """Note that something is stopped by hand, so that a new connection id does not start it.

        It is noted before the service is asked: what is being armed again in this very moment is
        undone. When the service refuses, all is as it was.
        """
        self.started.remove(self.lineage(source)[0], rtstream_id=rtstream_id)
        self._stopped_with.get(rtstream_id, set()).discard(source)
        self._disarm(rtstream_id, source)
        try:
            yield
        except APIError:
            self.note_resumed(rtstream_id, source)
            raise

    def note_resumed(self, rtstream_id: str, source: str) -> None:
        """Note that something runs again; it publishes to where it did before."""
        started = self.started.wake(self.lineage(source)[0], rtstream_id=rtstream_id)
        if started is not None:
            self.started.add(started)
        self._arm_again(rtstream_id, source)

    @contextmanager
    def stopping_stream(self, rtstream_id: str) -> Generator[None, None, None]:
        """Note that a stream is stopped by hand, and with it all that works on it."""
        armed = () if self._hub is None else self._hub.arms.of_stream(rtstream_id)
        self._stopped_with.setdefault(rtstream_id, set()).update(arm.source for arm in armed)
        for arm in armed:
            self._disarm(rtstream_id, arm.source)
        try:
            yield
        except APIError:
            self.note_stream_resumed(rtstream_id)
            raise

    def note_stream_resumed(self, rtstream_id: str) -> None:
        """Note that a stream runs again, and with it what worked on it when it was stopped."""
        for source in self._stopped_with.pop(rtstream_id, ()):
            self._arm_again(rtstream_id, source)

    def noted(self, rtstream_id: str, source: str) -> Arm | None:
        """Return what is noted of something that was started here, also when it was stopped."""
        if self._hub is not None:
            arm = self._hub.arms.known(source, rtstream_id=rtstream_id)
            if arm is not None:
                return arm
        return self.started.known(self.lineage(source)[0], rtstream_id=rtstream_id)

    def lineage(self, id_: str) -> Sequence[str]:
        """Return all ids that an index or alert has had, the present one last."""
        return (id_,) if self._hub is None else self._hub.arms.lineage(id_)

    def current(self, id_: str) -> str:
        """Return the present id of an index or alert."""
        return self.lineage(id_)[-1]

    def _disarm(self, rtstream_id: str, source: str) -> None:
        if self._hub is not None:
            self._hub.note_disarmed(rtstream_id, source)

    def _arm_again(self, rtstream_id: str, source: str) -> None:
        arm = None if self._hub is None else self._hub.arms.wake(source, rtstream_id=rtstream_id)
        if self._hub is not None and arm is not None:
            self._hub.note_armed(arm)
