"""The consumer's half of a subscription: async iterator and async context manager in one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from rtstream_async.models.messages import Message
from rtstream_async.realtime.reader import Reader

if TYPE_CHECKING:
    from rtstream_async.protocol.router import Key
    from rtstream_async.realtime.hub import Hub
    from rtstream_async.realtime.inbox import Inbox

__all__ = ["Subscription", "SubscriptionStats", "lag_of", "stats_of"]

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


class Subscription(Reader[M_co]):
    """The messages that match, as they come.

    Read it with `async for`, or with `receive()`; several tasks may read one subscription, and
    each message goes to one of them. The socket is opened when the first of them waits. The hub
    holds it weakly: to drop the last reference, as a `break` out of a bare `async for` does, is
    enough to unsubscribe.
    """

    __slots__ = ("__weakref__", "_inbox")

    def __init__(self, hub: Hub, inbox: Inbox, *, wants_link: bool = True) -> None:
        super().__init__(hub, wants_link=wants_link)
        self._inbox = inbox

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

    @property
    def stats(self) -> SubscriptionStats:
        """The counters, as of now."""
        return stats_of(self._inbox)

    async def aclose(self) -> None:
        """Unsubscribe, and end the iteration; what is queued is dropped. Never waits."""
        self._hub.unsubscribe(self._inbox)

    def __del__(self) -> None:
        # Not `weakref.finalize`, which takes more memory than all the rest of this object.
        if not self._inbox.is_ended:
            self._inbox.keeper.abandoned(self._inbox)

    def __repr__(self) -> str:
        keys = (f"{stream or '*'}/{channel or '*'}" for stream, channel in self._inbox.keys)
        return f"<Subscription {', '.join(keys)}>"

    def _inboxes(self) -> tuple[Inbox]:
        return (self._inbox,)

    async def _next(self, ended: Callable[[], Exception] = StopAsyncIteration) -> M_co:
        # One coroutine for each message, and on the usual way hardly a call: this is the consumer's
        # whole cost.
        inbox = self._inbox
        while not inbox.items or inbox.is_special:
            if inbox.is_special and inbox.has_news:
                return self._take(inbox)
            if self._wants_link or inbox.is_ended or inbox.failure is not None:
                await self._wait(inbox, ended)
                continue
            waiter = self._waiter(inbox)
            try:
                await waiter
            except asyncio.CancelledError:
                inbox.leave(waiter)
                raise
            inbox.spare = waiter
        inbox.delivered += 1
        message: M_co = inbox.items.popleft()  # and no `cast()`, which is a call
        return message

    __anext__ = _next  # without a call between them


def stats_of(inbox: Inbox) -> SubscriptionStats:
    """Return the counters of `inbox`, as of now."""
    return SubscriptionStats(
        received=inbox.received,
        delivered=inbox.delivered,
        dropped=inbox.dropped,
        depth=inbox.depth,
        high_water=inbox.high_water,
        lag=lag_of(inbox),
        gaps=inbox.gaps,
        recovered=inbox.recovered,
        duplicates=inbox.duplicates,
        unreadable=inbox.unreadable,
    )


def lag_of(inbox: Inbox) -> float:
    """Return how many seconds the oldest message of `inbox` has waited."""
    oldest = inbox.oldest if inbox.items else None
    return max(0.0, time.time() - oldest.received_at) if isinstance(oldest, Message) else 0.0
