"""The consumer's half of a subscription: async iterator and async context manager in one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

import attrs

from rtstream_async.errors import LinkClosedError, SlowConsumerError
from rtstream_async.models.announcements import Dropped
from rtstream_async.models.messages import Message
from rtstream_async.protocol.overflow import SLOW, Mark

if TYPE_CHECKING:
    from rtstream_async.protocol.router import Key
    from rtstream_async.realtime.hub import Hub
    from rtstream_async.realtime.inbox import Inbox

__all__ = ["Subscription", "SubscriptionStats"]

M_co = TypeVar("M_co", covariant=True)


@attrs.frozen(kw_only=True)
class SubscriptionStats:
    """What has become of a subscription's messages so far."""

    received: int  #: messages that matched, those dropped included
    delivered: int  #: messages that the consumer has taken
    dropped: int  #: messages given up by the overflow policy
    depth: int  #: messages queued now
    high_water: int  #: the most that were ever queued
    lag: float  #: seconds that the oldest queued message has waited
    gaps: int  #: how often messages may have been lost
    recovered: int  #: messages fetched after gaps
    duplicates: int  #: messages taken out because they had been delivered before
    unreadable: int  #: frames of its channels that could not be read and were not delivered


class Subscription(Generic[M_co]):
    """The messages that match, as they come.

    Read it with `async for`, or with `receive()`; several tasks may read one subscription, and
    each message goes to one of them. The socket is opened when the first of them waits. The hub
    holds it weakly: to drop the last reference, as a `break` out of a bare `async for` does, is
    enough to unsubscribe.
    """

    __slots__ = ("__weakref__", "_hub", "_inbox", "_wants_link")

    def __init__(self, hub: Hub, inbox: Inbox, *, wants_link: bool = True) -> None:
        self._hub = hub
        self._inbox = inbox
        # Until it has asked for the link: to ask again would start anew what has given up.
        self._wants_link = wants_link

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Coroutine[Any, Any, M_co]:
        return self._next(StopAsyncIteration)

    async def receive(self, timeout: float | None = None) -> M_co:  # noqa: ASYNC109  (the official SDK's receive() has no cancel scopes either)
        """Return the next message; with `control=True`, the next message or announcement.

        Cancelling is safe: the message stays queued.

        Args:
            timeout: Seconds to wait at most; 0 takes only what is there.

        Raises:
            TimeoutError: Nothing came in time.
            LinkClosedError: Nothing is queued, and nothing more comes: the subscription or the
                connection is closed, or the link gave up (then `force_reconnect()` may help).
            AuthenticationError: Nothing is queued, and the service refuses the key.
            SlowConsumerError: Here messages were lost; the next call goes on behind the loss.
        """
        if timeout is None:
            return await self._next(_closed)
        async with asyncio.timeout(timeout):
            return await self._next(_closed)

    def put_back(self, messages: Sequence[Any]) -> None:
        """Have messages that were taken and not used given again: in this order, before others."""
        self._inbox.put_back(messages)
        if not self._inbox.is_empty:
            self._inbox.wake_all()

    @property
    def keys(self) -> tuple[Key, ...]:
        """Streams and channels; `None` stands for all of them."""
        return self._inbox.keys

    def wants(self, message: Message) -> bool:
        """Whether its `where` is true for `message`."""
        return self._inbox.where is None or bool(self._inbox.where(message))

    async def ready(self) -> str:
        """Return the connection id once the link is live; opens it if need be.

        Cancelling changes nothing. Raises what `Hub.connection_id()` raises.
        """
        return await self._hub.connection_id()

    @property
    def stats(self) -> SubscriptionStats:
        """The counters, as of now."""
        inbox = self._inbox
        oldest = inbox.oldest
        return SubscriptionStats(
            received=inbox.received,
            delivered=inbox.delivered,
            dropped=inbox.dropped,
            depth=inbox.depth,
            high_water=inbox.high_water,
            lag=max(0.0, time.time() - oldest.received_at) if isinstance(oldest, Message) else 0.0,
            gaps=inbox.gaps,
            recovered=inbox.recovered,
            duplicates=inbox.duplicates,
            unreadable=inbox.unreadable,
        )

    async def aclose(self) -> None:
        """Unsubscribe, and end the iteration; what is queued is dropped. Never waits."""
        self._hub.unsubscribe(self._inbox)

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

    def __del__(self) -> None:
        # Not `weakref.finalize`, which takes more memory than all the rest of this object.
        if not self._inbox.is_ended:
            self._inbox.keeper.abandoned(self._inbox)

    def __repr__(self) -> str:
        keys = (f"{stream or '*'}/{channel or '*'}" for stream, channel in self._inbox.keys)
        return f"<Subscription {', '.join(keys)}>"

    async def _ask(self) -> None:
        await self._hub.open()
        self._wants_link = False
        self._hub.watch(self._inbox)

    async def _next(self, ended: Callable[[], Exception]) -> M_co:
        """Return what is next; when there is nothing more, raise what `ended()` returns."""
        # One coroutine for each message, and no call on the usual way: this is the consumer's whole
        # cost. There is no await behind the pop, so a cancelled caller loses nothing.
        inbox = self._inbox
        while not inbox.items or inbox.is_special:
            if not inbox.is_empty or (inbox.tells and inbox.untold):
                return self._take()
            if self._wants_link and not inbox.is_ended:
                await self._ask()
                continue  # meanwhile something may have come
            if inbox.failure is not None:
                raise inbox.failure.with_traceback(None)
            if inbox.is_ended:
                raise ended()
            loop = asyncio.get_running_loop()
            if loop is not self._hub.loop:
                self._hub.check()
            waiter: asyncio.Future[None] = asyncio.Future(loop=loop)
            inbox.queue_up(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                inbox.leave(waiter)
                raise
        inbox.delivered += 1
        return cast("M_co", inbox.items.popleft())

    def _take(self) -> M_co:
        inbox = self._inbox
        if inbox.tells and inbox.untold:
            dropped = Dropped(at=time.time(), count=inbox.tell(), policy=inbox.policy)
            return cast("M_co", dropped)
        was_holding = inbox.is_holding
        item = inbox.take()
        if was_holding and not inbox.is_holding:
            inbox.keeper.drained(inbox)
        if type(item) is not Mark:
            return cast("M_co", item)
        if item.value is SLOW:
            inbox.tell()
            raise SlowConsumerError(maxsize=inbox.maxsize, dropped=inbox.dropped)
        if isinstance(item.value, Exception):
            raise item.value
        return cast("M_co", item.value)


def _closed() -> LinkClosedError:
    return LinkClosedError("the subscription is closed")
