"""`Collection`: where streams are connected and found."""

from __future__ import annotations

from collections.abc import Sequence

from rtstream_async.api import collections, streams
from rtstream_async.errors import ConflictError, InvalidArgumentError
from rtstream_async.models.base import UNSET, Unset
from rtstream_async.models.records import Page, StreamRecord
from rtstream_async.protocol.bounds import at_least, filled
from rtstream_async.protocol.paging import ByOffset
from rtstream_async.protocol.reuse import may_come_from
from rtstream_async.resources.collection_capturing import CollectionSessions
from rtstream_async.resources.collection_search import CollectionSearch
from rtstream_async.resources.handle import STOPPED
from rtstream_async.resources.library import Library
from rtstream_async.resources.pages import Pages
from rtstream_async.resources.rtstream import RTStream
from rtstream_async.resources.transcribing import transcript_arm

__all__ = ["Collection"]

_MEDIA_TYPES = ("video", "audio")
_DEFAULT_ID = "default"
_IDLE = STOPPED | {"error", "failed"}


class Collection(CollectionSearch, Library, CollectionSessions):
    """A collection of streams and videos."""

    def __repr__(self) -> str:
        return f"Collection(id={self.id!r}, name={self.name!r})"

    @property
    def id(self) -> str:
        """Id of the collection."""
        return self._record.id

    @property
    def name(self) -> str | None:
        """Name of the collection."""
        return self._record.name

    @property
    def description(self) -> str | None:
        """What its owner says about it."""
        return self._record.description

    @property
    def is_public(self) -> bool | None:
        """Whether others can see it."""
        return self._record.is_public

    async def delete(self) -> None:
        """Delete the collection with all that is in it; a second time is an error."""
        await collections.delete(self._context.caller, self.id)

    async def connect_rtstream(
        self,
        url: str,
        name: str,
        media_types: Sequence[str] | None = None,
        sample_rate: int | None = None,
        store: bool | None = None,
        enable_transcript: bool | None = None,
        ws_connection_id: str | Unset | None = UNSET,
        *,
        reuse: bool = False,
    ) -> RTStream:
        """Return a new stream; the service begins to ingest it at once.

        Args:
            url: RTSP or RTMP address of the source, or what else the service takes.
            name: Name of the stream.
            media_types: `["video"]` (the default), `["audio"]` or both: what is to be analysed.
            sample_rate: `None`: the service's own.
            store: Whether to keep the recording for export. `None`: the service's own.
            enable_transcript: Whether to transcribe at once. `None`: the service's own.
            ws_connection_id: Where messages go. Not given: to this connection's own socket, if
                there is a transcript to push. `None`: nowhere.
            reuse: Return the stream of this name and source that the collection has already, if
                it has one, started again if it is stopped; the other arguments are for a new one.

        Raises:
            InvalidArgumentError: `url` or `media_types` can't be used.
            ConflictError: With `reuse`: the collection's stream of this name has another source.
        """
        kinds = _checked_media_types(media_types)
        if not url:
            raise InvalidArgumentError("url", "is empty; give the address of the source")
        if reuse:
            stream = await self._reusable(filled("name", name), url)
            if stream is not None:
                return stream
        # A transcript is all that a stream pushes by itself; without one, no socket is opened.
        has_transcript = "audio" in kinds if enable_transcript is None else enable_transcript
        if isinstance(ws_connection_id, Unset) and not has_transcript:
            ws_connection_id = None
        target = await self._context.push_target(ws_connection_id)
        record = await streams.create(
            self._context.caller,
            collection_id=self.id,
            url=url,
            name=name,
            media_types=kinds,
            sample_rate=sample_rate,
            store=store,
            enable_transcript=enable_transcript,
            ws_connection_id=target,
        )
        if has_transcript:
            self._context.note_armed(transcript_arm(record.id, target))
        return RTStream(self._context, record)

    async def get_rtstream(self, id: str) -> RTStream:  # noqa: A002 - the reference's name
        """Return the stream with this id."""
        return RTStream(self._context, await streams.get(self._context.caller, id))

    def list_rtstreams(
        self,
        limit: int | None = None,
        offset: int | None = None,
        status: str | None = None,
        name: str | None = None,
        ordering: str | None = None,
    ) -> Pages[RTStream]:
        """Return the collection's streams: `await` it for one page, `async for` it for all.

        The service lists the streams of all collections; those of others are left out here, so a
        page may be shorter than `limit`.

        Args:
            limit: Streams of a page; `None`: the service's own (10).
            offset: How many to skip.
            status: Only those in this state.
            name: Only those with this in their name.
            ordering: `-created_at` is newest first, which is the service's own.

        Raises:
            InvalidArgumentError: `limit` or `offset` can't be used.
        """
        place = ByOffset(
            limit=None if limit is None else at_least("limit", limit, 1),
            offset=None if offset is None else at_least("offset", offset, 0),
        )

        async def fetch(place: ByOffset) -> tuple[Page[RTStream], ByOffset | None]:
            page, after = await streams.list_page(
                self._context.caller, place, status=status, name=name, ordering=ordering
            )
            return self._own(page), after

        return Pages(fetch, place, key=lambda stream: stream.id)

    async def _reusable(self, name: str, url: str) -> RTStream | None:
        """Return the stream of this name, running; `None` if there is none.

        Raises:
            ConflictError: It has another source.
        """
        named = [stream async for stream in self.list_rtstreams(name=name) if stream.name == name]
        usable = [stream for stream in named if may_come_from(stream.raw, url)]
        if named and not usable:
            ids = ", ".join(stream.id for stream in named)
            raise ConflictError(
                f"the stream {name!r} ({ids}) has another source; choose another name, or leave"
                " `reuse` out to have two of the same name"
            )
        if not usable:
            return None
        # The newest that runs, else the newest: the service lists them in that order.
        stream = next((one for one in usable if one.status not in _IDLE), usable[0])
        if stream.status in _IDLE:
            await stream.start()
        return stream

    def _own(self, page: Page[StreamRecord]) -> Page[RTStream]:
        return Page(
            items=[RTStream(self._context, item) for item in page.items if self._has(item)],
            next_page=page.next_page,
            page=page.page,
            page_size=page.page_size,
            total_count=page.total_count,
            label=page.label,
            raw=page.raw,
        )

    def _has(self, stream: StreamRecord) -> bool:
        # `default` is no id but a name for one: when the answer did not tell the id, all match.
        return stream.collection_id in (None, self.id) or self.id == _DEFAULT_ID


def _checked_media_types(media_types: Sequence[str] | None) -> list[str]:
    if media_types is None:
        return ["video"]
    given = [] if isinstance(media_types, str) else list(media_types)
    if not given or any(kind not in _MEDIA_TYPES for kind in given):
        raise InvalidArgumentError(
            "media_types",
            f"must be a list of one or both, not {media_types!r}",
            allowed=_MEDIA_TYPES,
        )
    return given
