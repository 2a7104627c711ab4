"""`RTStreamSceneIndex`: what watches a stream, or listens to it, and makes records of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rtstream_async.api import scene_indexes
from rtstream_async.api.streams import Action
from rtstream_async.models.records import IndexRecord, Page, Scene
from rtstream_async.protocol.bounds import filled
from rtstream_async.protocol.paging import ByNumber
from rtstream_async.resources.alerting import Alerting, Watched
from rtstream_async.resources.handle import Handle
from rtstream_async.resources.pages import Pages, Records
from rtstream_async.resources.union import UnionPlace, union_page

__all__ = ["RTStreamSceneIndex"]


class RTStreamSceneIndex(Handle[IndexRecord], Alerting):
    """A scene or audio index of a stream.

    Where another took its place after a loss of the connection (`rearm="recreate"`), this object
    stands for that: it starts, stops, changes and watches the new one, and reads the scenes of
    both. Its properties are the new one's from the next change or `refresh()` on.
    """

    def __repr__(self) -> str:
        return (
            f"RTStreamSceneIndex(rtstream_index_id={self.rtstream_index_id!r},"
            f" rtstream_id={self.rtstream_id!r}, extraction_type={self.extraction_type!r},"
            f" name={self.name!r}, status={self.status!r})"
        )

    @property
    def rtstream_index_id(self) -> str:
        """Id of the index."""
        return self._record.rtstream_index_id

    @property
    def rtstream_id(self) -> str:
        """Id of the stream."""
        return self._record.rtstream_id

    @property
    def extraction_type(self) -> str | None:
        """`time` (what is seen) or `transcript` (what is heard)."""
        return self._record.extraction_type

    @property
    def extraction_config(self) -> Mapping[str, Any]:
        """How the stream is cut into records; numbers are numbers."""
        return self._record.extraction_config

    @property
    def prompt(self) -> str | None:
        """What the index was asked to tell."""
        return self._record.prompt

    @property
    def name(self) -> str | None:
        """Name of the index."""
        return self._record.name

    @property
    def status(self) -> str | None:
        """The service's word for its state, when it was last asked."""
        return self._record.status

    @property
    def sandbox_id(self) -> str | None:
        """The sandbox that its model runs in, as it was passed on."""
        return self._record.sandbox_id

    @property
    def is_running(self) -> bool:
        """Whether `status` is one of the service's words for a running index."""
        return self._record.is_running

    async def refresh(self) -> None:
        """Read the index anew from the service."""
        self._record = await self._look()

    async def start(self) -> None:
        """Start the index; no error if it runs already. `status` is read from the service."""
        await self._switch("start", change=self._set_status, look=self._look)
        self._context.note_resumed(self.rtstream_id, self._id)

    async def stop(self) -> None:
        """Stop the index; no error if it is stopped. `status` is read from the service.

        After a loss of the connection nothing takes its place any more.
        """
        with self._context.stopping(self.rtstream_id, self._id):
            await self._switch("stop", change=self._set_status, look=self._look)

    async def update(self, *, prompt: str) -> None:
        """Have the index tell something else from now on; `prompt` is read from the service.

        Raises:
            InvalidArgumentError: `prompt` is empty.
        """
        await scene_indexes.update(
            self._context.caller,
            self.rtstream_id,
            self._id,
            prompt=filled("prompt", prompt),
        )
        self._record = await self._look()

    def get_scenes(
        self,
        start: float | datetime | None = None,
        end: float | datetime | None = None,
        page: int = 1,
        page_size: int = 100,
        *,
        follow: bool = False,
        prefetch: int = 1,
    ) -> Pages[Scene]:
        """Return the scenes: `await` it for one page, `async for` it for all from `page` on.

        The order is the service's: newest first. Scenes that are made while it is iterated are
        not in it: `follow=True` has those too, and so has `events()`.

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
        records = Records(
            start=start, end=end, page=page, page_size=page_size, follow=follow, prefetch=prefetch
        )
        is_heard = self.extraction_type == "transcript"
        return records.pages(
            self._context,
            self._scene_page,
            rtstream_id=self.rtstream_id,
            channel="audio_index" if is_heard else "scene_index",
        )

    @property
    def _id(self) -> str:
        """What stands for this index now."""
        return self._context.current(self.rtstream_index_id)

    async def _scene_page(
        self, place: ByNumber | UnionPlace
    ) -> tuple[Page[Scene], ByNumber | UnionPlace | None]:
        if isinstance(place, ByNumber):
            ids = self._context.lineage(self.rtstream_index_id)
            if len(ids) == 1:
                return await self._page_of(ids[0], place)
            place = UnionPlace.of(ids, place)
        return await union_page(self._page_of, place)

    async def _page_of(self, index_id: str, place: ByNumber) -> tuple[Page[Scene], ByNumber | None]:
        return await scene_indexes.scene_page(
            self._context.caller, self.rtstream_id, index_id, place
        )

    def _watched(self) -> Watched:
        return Watched(
            context=self._context,
            of="scene_index",
            rtstream_id=self.rtstream_id,
            index_id=self._id,
        )

    async def _look(self) -> IndexRecord:
        return await scene_indexes.get(self._context.caller, self.rtstream_id, self._id)

    async def _set_status(self, action: Action) -> None:
        await scene_indexes.set_status(self._context.caller, self.rtstream_id, self._id, action)
