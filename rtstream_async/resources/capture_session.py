"""`CaptureSession`: one user's screen and sound, as streams."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

import anyio
import attrs

from rtstream_async.api import captures
from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.base import UNSET, Unset
from rtstream_async.models.captures import CaptureChannel, CaptureExport, CaptureRecord
from rtstream_async.models.jobs import JobProgress
from rtstream_async.models.records import Page
from rtstream_async.protocol.bounds import at_least, web_address
from rtstream_async.protocol.channels import matching
from rtstream_async.protocol.paging import ByCursor
from rtstream_async.protocol.rearm import Arm
from rtstream_async.resources.context import Context
from rtstream_async.resources.events import subscribe
from rtstream_async.resources.handle import Handle
from rtstream_async.resources.pages import Pages
from rtstream_async.resources.rtstream import RTStream

if TYPE_CHECKING:  # loaded with the reader, when the first one is made
    from rtstream_async.models.announcements import Announcement
    from rtstream_async.models.messages import CaptureMessage
    from rtstream_async.protocol.overflow import Overflow
    from rtstream_async.realtime.subscription import Subscription

__all__ = ["CaptureSession", "create_session", "get_session", "list_sessions"]

_CHANNEL = "capture_session"
_FIRST_LOOK = 0.5  # seconds until an export is asked about
_LONGEST_PAUSE = 5.0  # seconds


class CaptureSession(Handle[CaptureRecord]):
    """A capture session: what a user's machine captures, each part of it a stream."""

    def __repr__(self) -> str:
        return (
            f"CaptureSession(id={self.id!r}, status={self.status!r},"
            f" collection_id={self.collection_id!r}, end_user_id={self.end_user_id!r})"
        )

    @property
    def id(self) -> str:
        """Id of the session."""
        return self._record.id

    @property
    def collection_id(self) -> str:
        """Id of the collection that it is in."""
        return self._record.collection_id

    @property
    def end_user_id(self) -> str | None:
        """Whose machine it is, in your own words."""
        return self._record.end_user_id

    @property
    def client_id(self) -> str | None:
        """What the capturing program calls the session."""
        return self._record.client_id

    @property
    def status(self) -> str | None:
        """The service's word for its state, when it was last asked."""
        return self._record.status

    @property
    def callback_url(self) -> str | None:
        """Where the service tells changes of its state, besides the socket."""
        return self._record.callback_url

    @property
    def ws_connection_id(self) -> str | None:
        """Which socket the service tells them to."""
        return self._record.ws_connection_id

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What you gave it."""
        return self._record.metadata

    @property
    def created_at(self) -> float | None:
        """When it was made, Unix time in seconds."""
        return self._record.created_at

    @property
    def channels(self) -> tuple[CaptureChannel, ...]:
        """What is captured."""
        return self._record.channels

    @property
    def displays(self) -> tuple[CaptureChannel, ...]:
        """Those channels that have a picture."""
        return tuple(channel for channel in self.channels if channel.type == "video")

    @property
    def primary_video_channel_id(self) -> str | None:
        """The channel that an export takes the picture from."""
        return self._record.primary_video_channel_id

    @property
    def export_status(self) -> str | None:
        """`pending`, `exporting`, `exported`, `failed`, or any other word; `None`: no export."""
        return self._record.export_status

    @property
    def exported_video_id(self) -> str | None:
        """Id of what it was exported to."""
        return self._record.exported_video_id

    @property
    def rtstreams(self) -> list[RTStream]:
        """Its streams, as they were when the service was last asked; none before it is active."""
        return [RTStream(self._context, record) for record in self._record.rtstreams]

    async def refresh(self) -> None:
        """Read the session anew from the service."""
        self._record = await captures.get(self._context.caller, self.collection_id, self.id)

    async def get_rtstream(self, category: str) -> list[RTStream]:
        """Return the streams of one kind; the service is asked if no streams are known yet.

        Args:
            category: `mic`, `screen` or `system_audio`; or the id of a channel, such as
                `display:1`; or the name of a stream. The case of the letters does not matter.

        Raises:
            InvalidArgumentError: `category` is none of these.
        """
        if not self._record.rtstreams:  # it may have become active since
            await self.refresh()
        known = [channel.id for channel in self.channels]
        return [
            RTStream(self._context, record)
            for record in matching(category, self._record.rtstreams, known=known)
        ]

    async def start(self, channels: Iterable[Mapping[str, Any]]) -> tuple[CaptureChannel, ...]:
        """Start the session, and return its channels with where each is to be pushed.

        This is the part of the capturing program, which needs no more than a client token. The
        session is `starting` then, and `active` when it is pushed to.

        Args:
            channels: What will be captured, each with a `channel_id` such as `mic:default` or
                `display:1`, its `type` (`audio` or `video`), and if you like `channel_name` and
                `store` (to export it; on unless you say `False`).

        Raises:
            InvalidArgumentError: There is no channel.
            ConflictError, ValidationError: It was started before, or a channel can't be used.
        """
        given = [dict(channel) for channel in channels]
        if not given:
            raise InvalidArgumentError("channels", "is empty; name what will be captured")
        caller, home = self._context.caller, self.collection_id
        record = await captures.start(caller, self.id, given, collection_id=home)
        if not any(channel.rtsp_url or channel.rtmp_url for channel in record.channels):
            # The service tells them only to who asks again.
            record = await captures.get_run(caller, self.id, collection_id=home)
        self._record = record
        return record.channels

    async def stop(self) -> None:
        """Stop capturing; `status` is read from the service. No error if it is stopped."""
        await captures.stop(self._context.caller, self.id)
        await self.refresh()

    async def export(
        self,
        video_channel_id: str | None = None,
        ws_connection_id: str | Unset | None = UNSET,
        *,
        wait: float | None = None,
        progress: Callable[[JobProgress], object] | None = None,
    ) -> CaptureExport:
        """Return how far the export of the stopped session is; it begins when it had not.

        As in the official SDK, call it again until `export_status` is `exported`; or have it do
        that with `wait`. Cancelling does not stop the service.

        Args:
            video_channel_id: The channel to export. `None`: the one with the primary picture.
            ws_connection_id: Where the end is told. Not given: to this connection's own socket,
                so that `events()` has it. `None`: nowhere else than where the session's other
                changes are.
            wait: Seconds to wait for its end; after that, what is known then is returned.
                `None`: do not wait.
            progress: Told at each look, while it waits.

        Raises:
            ConflictError, ValidationError: The session still runs, there is no such channel, or
                nothing of it is stored.
        """
        target = await self._context.push_target(ws_connection_id)
        _note(self._context, self.id, target)
        begun, pause = time.monotonic(), 0.0
        while True:
            made = await captures.export(
                self._context.caller,
                self.collection_id,
                self.id,
                video_channel_id=video_channel_id,
                connection_id=target,
            )
            elapsed = time.monotonic() - begun
            if progress is not None:
                progress(JobProgress(status=made.export_status or "unknown", elapsed=elapsed))
            pause = min(pause + _FIRST_LOOK, _LONGEST_PAUSE)
            left = 0.0 if wait is None else wait - elapsed
            if made.is_over or left <= 0:
                break
            await anyio.sleep(min(pause, left))
        if video_channel_id is None:
            self._record = attrs.evolve(
                self._record,
                export_status=made.export_status,
                exported_video_id=made.video_id or self._record.exported_video_id,
            )
        return made

    @overload
    def events(
        self,
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
        *,
        maxsize: int = ...,
        overflow: Overflow = ...,
        where: Callable[[CaptureMessage], bool] | None = ...,
        control: Literal[True],
        key: Callable[[CaptureMessage], Hashable] | None = ...,
    ) -> Subscription[CaptureMessage | Announcement]: ...

    def events(
        self,
        *,
        maxsize: int = 1024,
        overflow: Overflow = "drop_oldest",
        where: Callable[[CaptureMessage], bool] | None = None,
        control: bool = False,
        key: Callable[[CaptureMessage], Hashable] | None = None,
    ) -> Subscription[Any]:
        """Return a subscription to the changes of this session's state: `async for` it.

        The messages of its streams come from the streams' own `events()`. A session that another
        connection made tells its changes there, and nothing here.

        Args:
            maxsize: How many unread messages are kept.
            overflow: What gives way when there are more; see `RTStream.events()`.
            where: Only messages for which this is true.
            control: Announce in band what happens to the link, and what was dropped.
            key: What `latest` keeps one message of.

        Raises:
            InvalidArgumentError: An argument can't be used.
        """
        return subscribe(
            self._context.hub,
            streams=frozenset({self.id}),
            channels=frozenset({_CHANNEL}),
            maxsize=maxsize,
            overflow=overflow,
            where=where,
            control=control,
            key=key,
        )


async def create_session(
    context: Context,
    collection_id: str,
    *,
    end_user_id: str,
    callback_url: str | None,
    ws_connection_id: str | Unset | None,
    metadata: Mapping[str, Any] | None,
) -> CaptureSession:
    """Return a new session; its changes are told to our own socket where nothing else is said."""
    if not isinstance(end_user_id, str) or not end_user_id.strip():  # pyright: ignore[reportUnnecessaryIsInstance] - callers without types
        raise InvalidArgumentError("end_user_id", f"must say whose session it is: {end_user_id!r}")
    if metadata is not None and not isinstance(metadata, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - likewise
        raise InvalidArgumentError("metadata", f"must be a dict, not {type(metadata).__name__}")
    callback = web_address("callback_url", callback_url) if callback_url else None
    target = await context.push_target(ws_connection_id)
    record = await captures.create(
        context.caller,
        collection_id,
        end_user_id=end_user_id,
        callback_url=callback,
        ws_connection_id=target,
        metadata=metadata,
    )
    _note(context, record.id, target)
    return CaptureSession(context, record)


async def get_session(context: Context, collection_id: str, session_id: str) -> CaptureSession:
    """Return the session with this id."""
    return CaptureSession(context, await captures.get(context.caller, collection_id, session_id))


def list_sessions(
    context: Context,
    collection_id: str,
    *,
    status: str | None,
    end_user_id: str | None,
    limit: int | None,
    cursor: str | None,
) -> Pages[CaptureSession]:
    """Return the sessions of a collection, in pages."""
    place = ByCursor(
        cursor=cursor or None,
        limit=None if limit is None else at_least("limit", limit, 1),
    )

    async def fetch(place: ByCursor) -> tuple[Page[CaptureSession], ByCursor | None]:
        page, after = await captures.list_page(
            context.caller, collection_id, place, status=status, end_user_id=end_user_id
        )
        sessions = [CaptureSession(context, record) for record in page.items]
        return _page_of(sessions, page), after

    return Pages(fetch, place, key=lambda session: session.id)


def _page_of(sessions: list[CaptureSession], page: Page[CaptureRecord]) -> Page[CaptureSession]:
    fields = {name: page[name] for name in ("next_page", "page", "page_size", "cursor")}
    return Page(items=sessions, label=page.label, raw=page.raw, **fields)


def _note(context: Context, session_id: str, target: str | None) -> None:
    """Note who is told of a session's changes; a session is not stopped with its connection."""
    if target is not None:
        arm = Arm(rtstream_id=session_id, channel=_CHANNEL, source=session_id, connection_id=target)
        context.note_armed(arm)
