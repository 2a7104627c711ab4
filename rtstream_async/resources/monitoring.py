"""`monitor()`, with the types of message that its channels have."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.bounds import at_least, filled
from rtstream_async.resources.context import Context
from rtstream_async.resources.events import checked_where, known_channels, known_overflow

if TYPE_CHECKING:  # all that follows is loaded with the reader, when the first one is made
    from rtstream_async.models.announcements import Announcement
    from rtstream_async.models.messages import (
        AlertMessage,
        AudioMessage,
        Message,
        SceneMessage,
        TranscriptMessage,
    )
    from rtstream_async.protocol.overflow import Overflow
    from rtstream_async.realtime.monitor import Monitor
    from rtstream_async.resources.rtstream import RTStream

__all__ = ["Monitoring", "stream_ids"]

Scenes = Literal["scene_index", "visual_index"]


class Monitoring:
    """Gives a connection `monitor()`."""

    _context: Context

    @overload
    def monitor(
        self,
        streams: Iterable[RTStream | str],
        channels: Sequence[Scenes],
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        control: Literal[False] = False,
        where: Callable[[SceneMessage], bool] | None = ...,
    ) -> Monitor[SceneMessage]: ...

    @overload
    def monitor(
        self,
        streams: Iterable[RTStream | str],
        channels: Sequence[Scenes],
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        control: Literal[True],
        where: Callable[[SceneMessage], bool] | None = ...,
    ) -> Monitor[SceneMessage | Announcement]: ...

    @overload
    def monitor(
        self,
        streams: Iterable[RTStream | str],
        channels: Sequence[Literal["alert"]],
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        control: Literal[False] = False,
        where: Callable[[AlertMessage], bool] | None = ...,
    ) -> Monitor[AlertMessage]: ...

    @overload
    def monitor(
        self,
        streams: Iterable[RTStream | str],
        channels: Sequence[Literal["alert"]],
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        control: Literal[True],
        where: Callable[[AlertMessage], bool] | None = ...,
    ) -> Monitor[AlertMessage | Announcement]: ...

    @overload
    def monitor(
        self,
        streams: Iterable[RTStream | str],
        channels: Sequence[Scenes | Literal["alert"]] = ...,
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        control: Literal[False] = False,
        where: Callable[[SceneMessage | AlertMessage], bool] | None = ...,
    ) -> Monitor[SceneMessage | AlertMessage]: ...

    @overload
    def monitor(
        self,
        streams: Iterable[RTStream | str],
        channels: Sequence[Scenes | Literal["alert"]] = ...,
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        control: Literal[True],
        where: Callable[[SceneMessage | AlertMessage], bool] | None = ...,
    ) -> Monitor[SceneMessage | AlertMessage | Announcement]: ...

    @overload
    def monitor(
        self,
        streams: Iterable[RTStream | str],
        channels: Sequence[Literal["transcript"]],
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        control: Literal[False] = False,
        where: Callable[[TranscriptMessage], bool] | None = ...,
    ) -> Monitor[TranscriptMessage]: ...

    @overload
    def monitor(
        self,
        streams: Iterable[RTStream | str],
        channels: Sequence[Literal["transcript"]],
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        control: Literal[True],
        where: Callable[[TranscriptMessage], bool] | None = ...,
    ) -> Monitor[TranscriptMessage | Announcement]: ...

    @overload
    def monitor(
        self,
        streams: Iterable[RTStream | str],
        channels: Sequence[Literal["audio_index", "spoken_index"]],
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        control: Literal[False] = False,
        where: Callable[[AudioMessage], bool] | None = ...,
    ) -> Monitor[AudioMessage]: ...

    @overload
    def monitor(
        self,
        streams: Iterable[RTStream | str],
        channels: Sequence[Literal["audio_index", "spoken_index"]],
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        control: Literal[True],
        where: Callable[[AudioMessage], bool] | None = ...,
    ) -> Monitor[AudioMessage | Announcement]: ...

    @overload
    def monitor(
        self,
        streams: Iterable[RTStream | str],
        channels: Collection[str],
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        control: Literal[False] = False,
        where: Callable[[Message], bool] | None = ...,
    ) -> Monitor[Message]: ...

    @overload
    def monitor(
        self,
        streams: Iterable[RTStream | str],
        channels: Collection[str],
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        control: Literal[True],
        where: Callable[[Message], bool] | None = ...,
    ) -> Monitor[Message | Announcement]: ...

    def monitor(
        self,
        streams: Iterable[RTStream | str],
        channels: Collection[str] = ("scene_index", "alert"),
        *,
        maxsize: int = 128,
        overflow: Overflow = "drop_oldest",
        control: bool = False,
        where: Callable[[Any], bool] | None = None,
    ) -> Monitor[Any]:
        """Return the messages of many streams, fair between them: `async for` it.

        Each stream has a queue of its own, and the queues are served in turn, so one that has
        much to say neither delays the others nor takes their room. `add()` and `remove()` change
        the streams while it runs, and `health()` says how each is. In all else it is as `events()`.

        Args:
            streams: Handles or ids, at least one; thousands are no matter.
            channels: As in `events()`, at least one.
            maxsize: How many unread messages are kept of each stream.
            overflow: What gives way when there are more, as in `events()`; `latest` keeps one
                message of each stream and channel, and `error` names the stream.
            control: Announce in band what happens to the link (once, however many streams there
                are) and to a stream, and what was dropped of which.
            where: Only messages for which this is true; called for every message, so keep it fast.

        Raises:
            InvalidArgumentError: An argument can't be used.
        """
        from rtstream_async.realtime.monitor import Monitor, MonitorSettings

        ids = _first_streams(streams)
        settings = MonitorSettings(
            channels=_channels(channels),
            maxsize=at_least("maxsize", maxsize, 1),
            overflow=known_overflow(overflow),
            where=checked_where(where),
            control=control,
            ids=stream_ids,
        )
        hub = self._context.hub
        hub.check()
        return Monitor(hub, ids, settings)


def _first_streams(streams: object) -> tuple[str, ...]:
    from rtstream_async.resources.rtstream import RTStream  # with all of its parts

    if isinstance(streams, str | RTStream):
        raise InvalidArgumentError("streams", "must be a list of streams; write [stream]")
    ids = stream_ids(streams)
    if not ids:
        raise InvalidArgumentError("streams", "is empty; make the monitor with the first one")
    return ids


def _channels(names: object) -> frozenset[str]:
    if isinstance(names, str) or not isinstance(names, Collection):
        raise InvalidArgumentError("channels", f"must be a list of names, not {names!r}")
    known = known_channels(tuple(cast("Collection[str]", names)))
    if known is None:
        raise InvalidArgumentError("channels", "is empty; name at least one")
    return known


def stream_ids(streams: object) -> tuple[str, ...]:
    """Return the ids of these handles or ids, each once, in their order.

    Raises:
        InvalidArgumentError: One is neither, or there is nothing to iterate over.
    """
    if not isinstance(streams, Iterable):
        kind = type(streams).__name__
        raise InvalidArgumentError("streams", f"must be a list of handles or ids, not {kind}")
    return tuple(dict.fromkeys(map(_stream_id, cast("Iterable[object]", streams))))


def _stream_id(stream: object) -> str:
    from rtstream_async.resources.rtstream import RTStream  # with all of its parts

    if isinstance(stream, RTStream):
        return stream.id
    if isinstance(stream, str):
        return filled("streams", stream)
    kind = type(stream).__name__
    raise InvalidArgumentError("streams", f"must have handles or ids of streams, not {kind}")
