"""The messages of many streams, fair between them: `conn.monitor()`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from rtstream_async.models.announcements import Announcement, StateChange
from rtstream_async.models.health import ChannelState, StreamHealth, channel_state, stream_state
from rtstream_async.models.messages import Message, UnknownMessage
from rtstream_async.protocol.overflow import Overflow
from rtstream_async.protocol.router import Key, keys_of
from rtstream_async.protocol.turns import Turns
from rtstream_async.realtime.inbox import Inbox, Keeper
from rtstream_async.realtime.reader import Reader
from rtstream_async.realtime.subscription import SubscriptionStats, lag_of

if TYPE_CHECKING:
    from rtstream_async.realtime.hub import Hub

__all__ = ["Monitor", "MonitorSettings"]

M_co = TypeVar("M_co", covariant=True)


@attrs.frozen(kw_only=True)
class MonitorSettings:
    """What a monitor was told, checked."""

    channels: frozenset[str]
    maxsize: int  #: messages queued of each stream
    overflow: Overflow
    where: Callable[[Any], bool] | None
    control: bool
    ids: Callable[[Iterable[Any]], Sequence[str]]
    """Returns the ids of streams, each once; raises `InvalidArgumentError` for what is none."""


class _Front(Inbox):
    """Where the readers of a monitor wait, and what is told of the link rather than of a stream.

    It has no keys, so nothing that is of a stream gets here.
    """

    __slots__ = ("is_in_line", "turns")

    def __init__(self, keeper: Keeper, *, control: bool) -> None:
        super().__init__(keeper, keys=(), maxsize=1, policy="drop_oldest", control=control)
        self.turns: Turns[_Front | _StreamInbox] = Turns()
        self.is_in_line = False

    @property
    def is_readable(self) -> bool:
        return bool(self.turns)

    def announce(self, announcement: Announcement | UnknownMessage) -> None:
        super().announce(announcement)
        self.turns.enter(self)


class _StreamInbox(Inbox):
    """The queue of one stream of a monitor: what comes into it puts it in line."""

    __slots__ = ("front", "is_in_line", "last_end", "last_message_at")

    def __init__(self, front: _Front, stream: str, settings: MonitorSettings) -> None:
        super().__init__(
            front.keeper,
            keys=keys_of((stream,), settings.channels),
            maxsize=settings.maxsize,
            policy=settings.overflow,
            where=settings.where,
            key=_channel if settings.overflow == "latest" else None,
            control=settings.control,
        )
        self.front = front
        self.is_in_line = False
        self.last_message_at: float | None = None
        self.last_end: float | None = None

    @property
    def subject(self) -> str | None:
        return self.keys[0][0]

    def deliver(self, message: Message | StateChange) -> None:
        if self.is_ended:
            return  # removed, by somebody who got this very message before
        if isinstance(message, Message):
            self.last_message_at = message.received_at
            end: float | None = getattr(message, "end", None)
            if end is not None and (self.last_end is None or end > self.last_end):
                self.last_end = end
        super().deliver(message)
        self.wake()

    def announce(self, announcement: Announcement | UnknownMessage) -> None:
        if _stream_of(announcement) == self.subject:
            super().announce(announcement)
            self.wake()

    def wake(self) -> None:
        """Stand in line, and wake one who waits for the monitor."""
        front = self.front
        front.turns.enter(self)
        if front.waiter is not None and self.is_in_line:
            front.wake()


class Monitor(Reader[M_co]):
    """The messages of many streams, as they come, and fair between the streams.

    Each stream has a bounded queue of its own, and the queues are served in turn: a stream that
    has much to say neither delays the others by more than a message each, nor takes their room.
    Within a stream the order is kept. In all else it is as a `Subscription`: read it with `async
    for` or `receive()`, in several tasks if you like; to drop the last reference is enough to
    unsubscribe.
    """

    __slots__ = ("__weakref__", "_front", "_gone", "_settings", "_streams")

    def __init__(self, hub: Hub, streams: Sequence[str], settings: MonitorSettings) -> None:
        super().__init__(hub)
        self._settings = settings
        self._front = _Front(hub, control=settings.control)
        self._streams: dict[str, _StreamInbox] = {}
        self._gone = _Counts()
        hub.attach(self._front)
        self._add(streams)

    def add(self, *streams: Any) -> None:
        """Give the messages of these too, from now on; those that are in it stay as they are.

        What came early for them, since they were armed, is given as well.

        Args:
            streams: Handles or ids.

        Raises:
            InvalidArgumentError: One is neither; none was added.
            LinkClosedError: The monitor is closed.
            ConnectionClosedError: The connection is closed.
            WrongEventLoopError: It lives in another event loop.
        """
        ids = self._settings.ids(streams)
        self._hub.check()
        if self._front.is_ended:
            raise self._closed()
        self._add(ids)

    def remove(self, *streams: Any) -> None:
        """Give nothing more of these; those that are not in it are no matter.

        What is queued of them is dropped: after this, nothing of them is read. As with a
        subscription that is closed, that is not counted among `stats.dropped`.

        Args:
            streams: Handles or ids.

        Raises:
            InvalidArgumentError: One is neither; none was removed.
            WrongEventLoopError: It lives in another event loop.
        """
        ids = self._settings.ids(streams)
        if self._front.is_ended:
            return
        self._hub.check()
        self._remove([stream for stream in ids if stream in self._streams])

    @property
    def streams(self) -> tuple[str, ...]:
        """The ids of its streams, in the order in which they were added."""
        return tuple(self._streams)

    def health(self, *streams: Any) -> Mapping[str, StreamHealth]:
        """Return how each stream is, as of now, by id.

        Args:
            streams: Handles or ids; those that are not in it are left out. None: all.

        Raises:
            InvalidArgumentError: One is neither.
        """
        wanted = self._settings.ids(streams) if streams else self._streams
        return {
            stream: self._health_of(stream, self._streams[stream])
            for stream in wanted
            if stream in self._streams
        }

    @property
    def stats(self) -> SubscriptionStats:
        """The counters of all its streams, those that were removed included, as of now.

        `high_water` is that of the fullest queue, and `lag` that of the oldest message of all.
        """
        counts = self._gone.with_those_of(self._streams.values())
        depth = sum(inbox.depth for inbox in self._streams.values())
        return SubscriptionStats(
            received=counts.delivered + counts.dropped + depth,
            depth=depth,
            lag=max(map(lag_of, self._streams.values()), default=0.0),
            gaps=self._front.gaps,
            **attrs.asdict(counts),
        )

    @property
    def keys(self) -> tuple[Key, ...]:
        """Streams and channels."""
        return tuple(key for inbox in self._streams.values() for key in inbox.keys)

    def wants(self, message: Message) -> bool:
        """Whether its `where` is true for `message`."""
        return self._settings.where is None or bool(self._settings.where(message))

    def put_back(self, messages: Sequence[Any]) -> None:
        """Have messages that were taken and not used given again: before others of their stream.

        Those of streams that were removed meanwhile are dropped.
        """
        by_stream: dict[str | None, list[Any]] = {}
        for message in messages:
            by_stream.setdefault(_stream_of(message), []).append(message)
        for stream, own in by_stream.items():
            inbox = self._front if stream is None else self._streams.get(stream)
            if inbox is not None:
                inbox.put_back(own)
                self._front.turns.enter(inbox)
        if self._front.is_readable:
            self._front.wake_all()

    async def aclose(self) -> None:
        """Unsubscribe, and end the iteration; what is queued is dropped. Never waits."""
        self._remove(list(self._streams))
        self._hub.unsubscribe(self._front)

    def __del__(self) -> None:
        if not self._front.is_ended:
            self._front.keeper.abandoned(self._front, *self._streams.values())

    def __repr__(self) -> str:
        channels = ", ".join(sorted(self._settings.channels))
        return f"<Monitor of {len(self._streams)} streams: {channels}>"

    def _inboxes(self) -> Iterable[Inbox]:
        return self._streams.values()

    async def _next(self, ended: Callable[[], Exception] = StopAsyncIteration) -> M_co:
        turns = self._front.turns
        while (inbox := turns.begin()) is None:
            await self._wait(self._front, ended)
        try:
            return self._take(inbox)
        finally:
            turns.end(inbox)

    def _add(self, streams: Iterable[str]) -> None:
        for stream in streams:
            if stream in self._streams:
                continue
            inbox = self._streams[stream] = _StreamInbox(self._front, stream, self._settings)
            self._hub.attach(inbox)
            if not self._wants_link:
                self._hub.watch(inbox)

    def _remove(self, streams: Iterable[str]) -> None:
        removed = [self._streams.pop(stream) for stream in streams]
        self._gone = self._gone.with_those_of(removed)
        self._hub.unsubscribe(*removed)

    def _health_of(self, stream: str, inbox: _StreamInbox) -> StreamHealth:
        hub = self._hub
        is_up = hub.state.has_connection_id
        missing = {name: hub.missing_since(stream, name) for name in self._settings.channels}
        states: dict[str, ChannelState] = {
            name: channel_state(
                is_armed=bool(hub.arms.of(stream, name)),
                is_polled=hub.is_polled(stream, name),
                is_up=is_up,
                is_missing=since is not None,
            )
            for name, since in missing.items()
        }
        return StreamHealth(
            rtstream_id=stream,
            state=stream_state(states.values(), is_heard=inbox.last_message_at is not None),
            channels=states,
            last_message_at=inbox.last_message_at,
            last_end=inbox.last_end,
            missing_since=min((at for at in missing.values() if at is not None), default=None),
            received=inbox.received,
            delivered=inbox.delivered,
            dropped=inbox.dropped,
            depth=inbox.depth,
            lag=lag_of(inbox),
            gaps=inbox.gaps,
            recovered=inbox.recovered,
            duplicates=inbox.duplicates,
        )


@attrs.frozen(kw_only=True)
class _Counts:
    """What has become of the messages of several queues."""

    delivered: int = 0
    dropped: int = 0
    high_water: int = 0
    recovered: int = 0
    duplicates: int = 0
    unreadable: int = 0

    def with_those_of(self, inboxes: Iterable[Inbox]) -> _Counts:
        """Return these, and those of `inboxes`."""
        inboxes = list(inboxes)
        return _Counts(
            delivered=self.delivered + sum(inbox.delivered for inbox in inboxes),
            dropped=self.dropped + sum(inbox.dropped for inbox in inboxes),
            high_water=max(self.high_water, *(inbox.high_water for inbox in inboxes), 0),
            recovered=self.recovered + sum(inbox.recovered for inbox in inboxes),
            duplicates=self.duplicates + sum(inbox.duplicates for inbox in inboxes),
            unreadable=self.unreadable + sum(inbox.unreadable for inbox in inboxes),
        )


def _stream_of(item: object) -> str | None:
    """Return the stream that a message or an announcement is of."""
    return getattr(item, "rtstream_id", None)


def _channel(message: Message) -> Hashable:
    return message.channel
