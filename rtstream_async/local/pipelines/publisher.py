"""The one way for a record: stored, pushed, and told to those who look at records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from rtstream_async.local.hub import Hub
from rtstream_async.local.store.rows import IndexRow, SceneRow
from rtstream_async.local.store.understandings import UNDERSTANDING, add_record
from rtstream_async.local.store.worker import Worker
from rtstream_async.models.messages import AudioMessage, SceneMessage
from rtstream_async.protocol.codec import emit

__all__ = ["HEARD", "Publisher"]

HEARD = "transcript"
"""The extraction type of an index that listens; any other one watches."""


@attrs.define(eq=False)
class Publisher:
    """Stores records of indexes and tells them."""

    store: Worker = attrs.field(repr=False)
    hub: Hub = attrs.field(repr=False)
    _watchers: list[Callable[[IndexRow], None]] = attrs.field(
        factory=list[Callable[[IndexRow], None]], init=False, repr=False
    )

    def watch(self, watcher: Callable[[IndexRow], None]) -> None:
        """Call `watcher` whenever an index has a new record in the store.

        It must not wait: what it wants to know of the record it reads from the store, in a task
        of its own. So nothing is missed when the server dies between the two.
        """
        self._watchers.append(watcher)

    async def publish(self, scene: SceneRow, *, index: IndexRow, stream_name: str) -> None:
        """Store one record, then push it: what a socket told, REST can tell too."""
        indexes = await self.store.run(add_record, scene, index)
        if index.ws_connection_id is not None and (frame := self._frame(scene, index, stream_name)):
            self.hub.send(index.ws_connection_id, frame)
        for row in indexes:
            for watcher in self._watchers:
                watcher(row)

    def _frame(self, scene: SceneRow, index: IndexRow, stream_name: str) -> dict[str, Any] | None:
        if index.family != UNDERSTANDING:
            message = self._message(scene, index, stream_name)
            return emit.frame(message, engine=scene.engine)
        if not self.hub.pushes_understandings:
            return None
        return emit.understanding_frame(
            rtstream_id=index.stream_id,
            rtstream_name=stream_name,
            understanding_id=index.id,
            output=str(index.definition["output"]),
            start=scene.start_us / 1e6,
            end=scene.end_us / 1e6,
            text=scene.text,
            engine=scene.engine,
        )

    def _message(
        self, scene: SceneRow, index: IndexRow, stream_name: str
    ) -> SceneMessage | AudioMessage:
        is_heard = index.extraction_type == HEARD
        kind = AudioMessage if is_heard else SceneMessage
        return kind(
            channel="audio_index" if is_heard else self.hub.scene_channel,
            rtstream_id=index.stream_id,
            rtstream_name=stream_name,
            start=scene.start_us / 1e6,
            end=scene.end_us / 1e6,
            text=scene.text,
        )
