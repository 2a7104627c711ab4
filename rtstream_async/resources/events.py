"""`events()`, with the type of message that each channel has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Literal, overload

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.bounds import at_least

if TYPE_CHECKING:  # all that follows is loaded with the reader, when the first one is made
    from rtstream_async.models.announcements import Announcement
    from rtstream_async.models.messages import (
        AlertMessage,
        AudioMessage,
        CaptureMessage,
        Message,
        SceneMessage,
        TranscriptMessage,
    )
    from rtstream_async.protocol.overflow import Overflow
    from rtstream_async.realtime.hub import Hub
    from rtstream_async.realtime.subscription import Subscription

__all__ = ["Events", "checked_where", "known_channels", "known_overflow", "subscribe"]


class Events(ABC):
    """Gives its heirs `events()`."""

    @abstractmethod
    def _source(self) -> tuple[Hub, frozenset[str] | None]:
        """Return the hub, and the ids of the streams whose messages there are; `None`: all."""

    @overload
    def events(
        self,
        channel: Literal["transcript"],
        /,
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        where: Callable[[TranscriptMessage], bool] | None = ...,
        control: Literal[False] = False,
        key: Callable[[TranscriptMessage], Hashable] | None = ...,
    ) -> Subscription[TranscriptMessage]: ...

    @overload
    def events(
        self,
        channel: Literal["transcript"],
        /,
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        where: Callable[[TranscriptMessage], bool] | None = ...,
        control: Literal[True],
        key: Callable[[TranscriptMessage], Hashable] | None = ...,
    ) -> Subscription[TranscriptMessage | Announcement]: ...

    @overload
    def events(
        self,
        channel: Literal["scene_index", "visual_index"],
        /,
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        where: Callable[[SceneMessage], bool] | None = ...,
        control: Literal[False] = False,
        key: Callable[[SceneMessage], Hashable] | None = ...,
    ) -> Subscription[SceneMessage]: ...

    @overload
    def events(
        self,
        channel: Literal["scene_index", "visual_index"],
        /,
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        where: Callable[[SceneMessage], bool] | None = ...,
        control: Literal[True],
        key: Callable[[SceneMessage], Hashable] | None = ...,
    ) -> Subscription[SceneMessage | Announcement]: ...

    @overload
    def events(
        self,
        channel: Literal["audio_index", "spoken_index"],
        /,
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        where: Callable[[AudioMessage], bool] | None = ...,
        control: Literal[False] = False,
        key: Callable[[AudioMessage], Hashable] | None = ...,
    ) -> Subscription[AudioMessage]: ...

    @overload
    def events(
        self,
        channel: Literal["audio_index", "spoken_index"],
        /,
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        where: Callable[[AudioMessage], bool] | None = ...,
        control: Literal[True],
        key: Callable[[AudioMessage], Hashable] | None = ...,
    ) -> Subscription[AudioMessage | Announcement]: ...

    @overload
    def events(
        self,
        channel: Literal["alert"],
        /,
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        where: Callable[[AlertMessage], bool] | None = ...,
        control: Literal[False] = False,
        key: Callable[[AlertMessage], Hashable] | None = ...,
    ) -> Subscription[AlertMessage]: ...

    @overload
    def events(
        self,
        channel: Literal["alert"],
        /,
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        where: Callable[[AlertMessage], bool] | None = ...,
        control: Literal[True],
        key: Callable[[AlertMessage], Hashable] | None = ...,
    ) -> Subscription[AlertMessage | Announcement]: ...

    @overload
    def events(
        self,
        channel: Literal["capture_session"],
        /,
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        where: Callable[[CaptureMessage], bool] | None = ...,
        control: Literal[False] = False,
        key: Callable[[CaptureMessage], Hashable] | None = ...,
    ) -> Subscription[CaptureMessage]: ...

    @overload
    def events(
        self,
        channel: Literal["capture_session"],
        /,
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        where: Callable[[CaptureMessage], bool] | None = ...,
        control: Literal[True],
        key: Callable[[CaptureMessage], Hashable] | None = ...,
    ) -> Subscription[CaptureMessage | Announcement]: ...

    @overload
    def events(
        self,
        *channels: str,
        maxsize: int = ...,
        overflow: Overflow = ...,
        where: Callable[[Message], bool] | None = ...,
        control: Literal[False] = False,
        key: Callable[[Message], Hashable] | None = ...,
    ) -> Subscription[Message]: ...

    @overload
    def events(
        self,
        *channels: str,
        maxsize: int = ...,
        overflow: Overflow = ...,
        where: Callable[[Message], bool] | None = ...,
        control: Literal[True],
        key: Callable[[Message], Hashable] | None = ...,
    ) -> Subscription[Message | Announcement]: ...

    def events(
        self,
        *channels: str,
        maxsize: int = 1024,
        overflow: Overflow = "drop_oldest",
        where: Callable[[Any], bool] | None = None,
        control: bool = False,
        key: Callable[[Any], Hashable] | None = None,
    ) -> Subscription[Any]:
        """Return a subscription to the messages of these channels: `async for` it.

        All subscriptions of a connection share one socket, which is opened when one is first
        read. Messages that came since something was armed, such as an index, and were nobody's
        yet go to the first subscription that wants them.

        Args:
            channels: `transcript`, `scene_index`, `audio_index`, `alert`, `capture_session` or
                `understanding`; the service's other names `visual_index` and `spoken_index` mean
                the same as the first. None: all channels, those not named here too.
            maxsize: How many unread messages are kept.
            overflow: What gives way when there are more: `drop_oldest`, `drop_newest`, `latest`
                (one per `key`), `error` (raises `SlowConsumerError` here) or `block` (stops the
                socket for all, for a while).
            where: Only messages for which this is true; called for every message, so keep it fast.
            control: Announce in band what happens to the link, and what was dropped.
            key: What `latest` keeps one message of.

        Raises:
            InvalidArgumentError: A channel that is not known, or another argument that can't be
                used. For a channel of your own: `events()` with `where=`.
        """
        hub, streams = self._source()
        return subscribe(
            hub,
            streams=streams,
            channels=known_channels(channels),
            maxsize=maxsize,
            overflow=overflow,
            where=where,
            control=control,
            key=key,
        )


def subscribe(
    hub: Hub,
    *,
    streams: frozenset[str] | None,
    channels: frozenset[str] | None,
    maxsize: int,
    overflow: Overflow,
    where: Callable[[Any], bool] | None,
    control: bool,
    key: Callable[[Any], Hashable] | None,
) -> Subscription[Any]:
    """Return a new subscription; see `Events.events()` for the arguments.

    Raises:
        InvalidArgumentError: An argument can't be used.
    """
    return hub.subscribe(
        streams=streams,
        channels=channels,
        maxsize=at_least("maxsize", maxsize, 1),
        overflow=known_overflow(overflow),
        where=checked_where(where),
        control=control,
        key=key,
    )


def known_overflow(overflow: Overflow) -> Overflow:
    """Return `overflow`, the name of a policy.

    Raises:
        InvalidArgumentError: There is none of that name.
    """
    from rtstream_async.protocol.overflow import OVERFLOWS

    if overflow not in OVERFLOWS:
        raise InvalidArgumentError("overflow", f"can't be {overflow!r}", allowed=OVERFLOWS)
    return overflow


def checked_where(where: Callable[[Any], bool] | None) -> Callable[[Any], bool] | None:
    """Return `where`, a function or none.

    Raises:
        InvalidArgumentError: It can't be called.
    """
    if where is not None and not callable(where):
        raise InvalidArgumentError("where", f"must be a function of a message, not {where!r}")
    return where


def known_channels(names: tuple[str, ...]) -> frozenset[str] | None:
    """Return the channels under this package's names; `None`, which is all, for no names.

    Raises:
        InvalidArgumentError: A name is not known. A misspelt one would wait for ever.
    """
    from rtstream_async.models.messages import CHANNELS
    from rtstream_async.protocol.codec.loose import canonical_channel

    if not names:
        return None
    # The service's newer pipelines push on a channel whose records have no documented shape.
    known = (*CHANNELS, "understanding")
    channels = frozenset(canonical_channel(name) for name in names)
    unknown = sorted(str(name) for name in channels.difference(known))
    if unknown:
        raise InvalidArgumentError("channels", f"has no {unknown[0]!r}", allowed=known)
    return channels
