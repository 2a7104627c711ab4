"""What is understood of a stream, and the indexes made of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rtstream_async.api import understandings
from rtstream_async.api.streams import Action
from rtstream_async.models.records import Page
from rtstream_async.models.understandings import (
    StreamIndexRecord,
    UnderstandingRecord,
    UnderstoodRecord,
)
from rtstream_async.protocol.paging import ByNumber
from rtstream_async.resources.alerting import Alerting, Watched
from rtstream_async.resources.handle import Handle
from rtstream_async.resources.pages import Pages, Records

__all__ = ["RTStreamIndex", "RTStreamUnderstanding"]


class RTStreamUnderstanding(Handle[UnderstandingRecord]):
    """What runs over a stream and says, window by window, what it understands."""

    def __repr__(self) -> str:
        return (
            f"RTStreamUnderstanding(id={self.id!r}, rtstream_id={self.rtstream_id!r},"
            f" status={self.status!r})"
        )

    @property
    def id(self) -> str:
        """Id of the understanding."""
        return self._record.id

    @property
    def rtstream_id(self) -> str:
        """Id of the stream."""
        return self._record.rtstream_id

    @property
    def status(self) -> str | None:
        """The service's word for its state, when it was last asked."""
        return self._record.status

    @property
    def is_running(self) -> bool:
        """Whether `status` is one of the service's words for what runs."""
        return self._record.is_running

    @property
    def store(self) -> bool | None:
        """Whether its output is kept, so that it can be indexed."""
        return self._record.store

    @property
    def segmentation(self) -> Mapping[str, Any]:
        """How the stream is cut into windows."""
        return self._record.segmentation

    @property
    def analyzers(self) -> Sequence[Any]:
        """What looks at the windows."""
        return self._record.analyzers

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What can be indexed, by name: give one of them to `RTStream.index()`."""
        return self._record.outputs

    async def refresh(self) -> RTStreamUnderstanding:
        """Read the understanding anew from the service, and return this object."""
        self._record = await self._look()
        return self

    async def start(self) -> None:
        """Start it; no error if it runs already. `status` is read from the service."""
        await self._switch("start", change=self._set_status, look=self._look)
        self._context.note_resumed(self.rtstream_id, self.id)

    async def stop(self) -> None:
        """Stop it; no error if it is stopped. `status` is read from the service."""
        with self._context.stopping(self.rtstream_id, self.id):
            await self._switch("stop", change=self._set_status, look=self._look)

    def get_records(
        self,
        start: float | datetime | None = None,
        end: float | datetime | None = None,
        output: str = "scene",
        page: int = 1,
        page_size: int = 100,
        *,
        follow: bool = False,
        prefetch: int = 1,
    ) -> Pages[UnderstoodRecord]:
        """Return its records: `await` it for one page, `async for` it for all from `page` on.

        Args:
            start: Nothing before this: Unix seconds, or an aware `datetime`.
            end: Nothing after this; each bound may be given alone.
            output: Which of `outputs`.
            page: Which page, from 1.
            page_size: Records of a page.
            follow: Go on with what is added, for ever: from the oldest (or `start`) up in time,
                each once, and late ones when they come. Only by iterating.
            prefetch: Pages that are asked for while you work on those before.

        Raises:
            InvalidArgumentError: A bound or a number can't be used, or not with `follow`.
        """

        async def fetch(place: ByNumber) -> tuple[Page[UnderstoodRecord], ByNumber | None]:
            return await understandings.record_page(
                self._context.caller, self.rtstream_id, self.id, place, output=output
            )

        records = Records(
            start=start, end=end, page=page, page_size=page_size, follow=follow, prefetch=prefetch
        )
        return records.pages(
            self._context, fetch, rtstream_id=self.rtstream_id, channel="understanding"
        )

    async def _look(self) -> UnderstandingRecord:
        return await understandings.get(
            self._context.caller, self.rtstream_id, self.id, known=self.raw
        )

    async def _set_status(self, action: Action) -> None:
        await understandings.set_status(self._context.caller, self.rtstream_id, self.id, action)


class RTStreamIndex(Handle[StreamIndexRecord], Alerting):
    """An index made of what an understanding puts out, with a life of its own."""

    def __repr__(self) -> str:
        return (
            f"RTStreamIndex(id={self.id!r}, rtstream_id={self.rtstream_id!r},"
            f" name={self.name!r}, status={self.status!r})"
        )

    @property
    def id(self) -> str:
        """Id of the index."""
        return self._record.id

    @property
    def rtstream_id(self) -> str:
        """Id of the stream."""
        return self._record.rtstream_id

    @property
    def name(self) -> str | None:
        """Name of the index."""
        return self._record.name

    @property
    def status(self) -> str | None:
        """The service's word for its state, when it was last asked."""
        return self._record.status

    @property
    def is_running(self) -> bool:
        """Whether `status` is one of the service's words for what runs."""
        return self._record.is_running

    @property
    def use_for(self) -> tuple[str, ...]:
        """What it can do, for example `semantic`."""
        return self._record.use_for

    @property
    def source_understanding_id(self) -> str | None:
        """Id of the understanding that it is made of."""
        return self._record.source_understanding_id

    @property
    def output(self) -> str | None:
        """Which output of the understanding it is made of."""
        return self._record.output

    async def refresh(self) -> RTStreamIndex:
        """Read the index anew from the service, and return this object."""
        self._record = await self._look()
        return self

    async def start(self) -> None:
        """Start it; no error if it runs already. `status` is read from the service."""
        await self._switch("start", change=self._set_status, look=self._look)
        self._context.note_resumed(self.rtstream_id, self.id)

    async def stop(self) -> None:
        """Stop it; no error if it is stopped. `status` is read from the service."""
        with self._context.stopping(self.rtstream_id, self.id):
            await self._switch("stop", change=self._set_status, look=self._look)

    def get_records(
        self,
        start: float | datetime | None = None,
        end: float | datetime | None = None,
        page: int = 1,
        page_size: int = 100,
        *,
        follow: bool = False,
        prefetch: int = 1,
    ) -> Pages[UnderstoodRecord]:
        """Return its records: `await` it for one page, `async for` it for all from `page` on.

        Args:
            start: Nothing before this: Unix seconds, or an aware `datetime`.
            end: Nothing after this; each bound may be given alone.
            page: Which page, from 1.
            page_size: Records of a page.
            follow: Go on with what is added, for ever: from the oldest (or `start`) up in time,
                each once, and late ones when they come. Only by iterating.
            prefetch: Pages that are asked for while you work on those before.

        Raises:
            InvalidArgumentError: A bound or a number can't be used, or not with `follow`.
        """

        async def fetch(place: ByNumber) -> tuple[Page[UnderstoodRecord], ByNumber | None]:
            return await understandings.index_record_page(
                self._context.caller, self.rtstream_id, self.id, place
            )

        records = Records(
            start=start, end=end, page=page, page_size=page_size, follow=follow, prefetch=prefetch
        )
        return records.pages(
            self._context, fetch, rtstream_id=self.rtstream_id, channel="understanding"
        )

    def _watched(self) -> Watched:
        return Watched(
            context=self._context,
            of="understanding",
            rtstream_id=self.rtstream_id,
            index_id=self.id,
        )

    async def _look(self) -> StreamIndexRecord:
        return await understandings.get_index(
            self._context.caller, self.rtstream_id, self.id, known=self.raw
        )

    async def _set_status(self, action: Action) -> None:
        await understandings.set_index_status(
            self._context.caller, self.rtstream_id, self.id, action
        )
