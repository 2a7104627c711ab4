"""What every consumer's half has: taking, waiting, being told, and opening the link."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from rtstream_async.errors import LinkClosedError, SlowConsumerError
from rtstream_async.models.announcements import Dropped
from rtstream_async.protocol.overflow import SLOW, Mark
from rtstream_async.realtime.waiting import Waiter

if TYPE_CHECKING:
    from rtstream_async.realtime.hub import Hub
    from rtstream_async.realtime.inbox import Inbox

__all__ = ["Reader"]

M_co = TypeVar("M_co", covariant=True)


class Reader(ABC, Generic[M_co]):
    """Async iterator and async context manager over what the hub puts into inboxes.

    No await is behind the taking of a message, so a cancelled caller loses nothing.
    """

    __slots__ = ("_hub", "_wants_link")

    def __init__(self, hub: Hub, *, wants_link: bool = True) -> None:
        self._hub = hub
        # Until it has asked for the link: to ask again would start anew what has given up.
        self._wants_link = wants_link

    @abstractmethod
    async def _next(self, ended: Callable[[], Exception] = StopAsyncIteration) -> M_co:
        """Return what is next; when there is nothing more, raise what `ended()` returns."""

    @abstractmethod
    def _inboxes(self) -> Iterable[Inbox]:
        """Return what is to be kept from being silent without a reason."""

    @abstractmethod
    async def aclose(self) -> None:
        """Unsubscribe, and end the iteration; what is queued is dropped. Never waits."""

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Coroutine[Any, Any, M_co]:
        return self._next()

    async def receive(self, timeout: float | None = None) -> M_co:  # noqa: ASYNC109  (the official SDK's receive() has no cancel scopes either)
        """Return the next message; with `control=True`, the next message or announcement.

        Cancelling is safe: the message stays queued.

        Args:
            timeout: Seconds to wait at most; 0 takes only what is there.

        Raises:
            TimeoutError: Nothing came in time.
            LinkClosedError: Nothing is queued, and nothing more comes: this or the connection is
                closed, or the link gave up (then `force_reconnect()` may help).
            AuthenticationError: Nothing is queued, and the service refuses the key.
            SlowConsumerError: Here messages were lost; the next call goes on behind the loss.
        """
        if timeout is None:
            return await self._next(self._closed)
        async with asyncio.timeout(timeout):
            return await self._next(self._closed)

    async def ready(self) -> str:
        """Return the connection id once the link is live; opens it if need be.

        Cancelling changes nothing. Raises what `Hub.connection_id()` raises.
        """
        return await self._hub.connection_id()

    async def __aenter__(self) -> Self:
        if self._wants_link:
            await self._hub.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _wait(self, inbox: Inbox, ended: Callable[[], Exception]) -> None:
        """Return when there may be something to read; raise if nothing will come."""
        if self._wants_link and not inbox.is_ended:
            await self._ask()
            return  # meanwhile something may have come
        if inbox.failure is not None:
            raise inbox.failure.with_traceback(None)
        if inbox.is_ended:
            raise ended()
        waiter = self._waiter(inbox)
        try:
            await waiter
        except asyncio.CancelledError:
            inbox.leave(waiter)
            raise
        inbox.spare = waiter

    def _waiter(self, inbox: Inbox) -> Waiter:
        """Return what is woken when there may be something to read; `leave()` it if cancelled."""
        hub = self._hub
        if asyncio.get_running_loop() is not hub.loop:
            hub.check()
        waiter = inbox.spare
        if waiter is None:
            waiter = Waiter(hub.waker)
        else:
            inbox.spare = None
        if inbox.waiter is None:
            inbox.waiter = waiter
        else:
            inbox.queue_up(waiter)
        return waiter

    async def _ask(self) -> None:
        await self._hub.open()
        self._wants_link = False
        for inbox in list(self._inboxes()):
            self._hub.watch(inbox)

    def _take(self, inbox: Inbox) -> M_co:
        """Return what is next in `inbox`, which has news."""
        if not inbox.is_special:
            inbox.delivered += 1
            return cast("M_co", inbox.items.popleft())
        if inbox.tells and inbox.untold:
            dropped = Dropped(
                at=time.time(), count=inbox.tell(), policy=inbox.policy, rtstream_id=inbox.subject
            )
            return cast("M_co", dropped)
        was_holding = inbox.is_holding
        item = inbox.take()
        if was_holding and not inbox.is_holding:
            inbox.keeper.drained(inbox)
        if type(item) is not Mark:
            return cast("M_co", item)
        if item.value is SLOW:
            inbox.tell()
            raise SlowConsumerError(
                maxsize=inbox.maxsize, dropped=inbox.dropped, rtstream_id=inbox.subject
            )
        if isinstance(item.value, Exception):
            raise item.value
        return cast("M_co", item.value)

    def _closed(self) -> LinkClosedError:
        return LinkClosedError(f"the {type(self).__name__.lower()} is closed")
