"""One visual index at work: frames to windows, windows to the engine, records to the store."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Protocol

import attrs

from rtstream_async.local.domain.windows import Grid, Window, Windows
from rtstream_async.local.engines.ports import EngineError, Frame, VisionEngine
from rtstream_async.local.pipelines.publisher import Publisher
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import IndexRow, SceneRow
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["Sampler", "VisualIndex"]

logger = logging.getLogger(__name__)

_WAITING_WINDOWS = 3


class Sampler(Protocol):
    """Where frames are asked for; an ingest is one."""

    async def sample(self, key: str, *, origin: float, period: float) -> None:
        """Deliver frames for `key` from now on."""
        ...

    async def unsample(self, key: str) -> None:
        """Deliver no more."""
        ...


@attrs.define(eq=False)
class VisualIndex:
    """Turns the frames of one index into records, until `stop()`.

    The engine may be slower than the stream: windows wait for it in a short queue, and when that
    is full the oldest is given up, counted on the index and logged.
    """

    row: IndexRow
    stream_name: str
    engine: VisionEngine = attrs.field(repr=False)
    publisher: Publisher = attrs.field(repr=False)
    _windows: Windows[Frame] = attrs.field(init=False, repr=False)
    _waiting: deque[Window[Frame]] = attrs.field(
        factory=deque[Window[Frame]], init=False, repr=False
    )
    _wake: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)
    _idle: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)
    _given_up: int = attrs.field(default=0, init=False)
    _stopping: bool = attrs.field(default=False, init=False)
    _is_abandoned: bool = attrs.field(default=False, init=False)

    async def start(
        self,
        sampler: Sampler,
        *,
        present: float,
        spawn: Callable[[Callable[[], Coroutine[Any, Any, None]], str], None],
    ) -> None:
        """Ask for frames from `present` (the stream's time, Unix seconds) on, and go to work."""
        grid = grid_of(self.row.extraction_config, origin=present)
        self._windows = Windows(grid)
        spawn(self.run, f"index-{self.row.id}")
        await sampler.sample(self.row.id, origin=grid.origin, period=grid.period)

    def feed(self, due: float, frame: Frame) -> None:
        """Take one frame."""
        self._enqueue(self._windows.feed(due, frame))

    def advance(self, time: float) -> None:
        """Note how far the stream is, Unix seconds."""
        self._enqueue(self._windows.advance(time))

    async def finish(self, time: float) -> None:
        """Describe what is there of the last window, and return when all records are stored."""
        self._enqueue(self._windows.finish(time))
        self._stopping = True
        self._wake.set()
        await self._idle.wait()

    def abandon(self) -> None:
        """Give up what is not described yet: the engine is about to be closed."""
        if self._waiting:
            logger.warning("index %s: %d windows not described", self.row.id, len(self._waiting))
        self._waiting.clear()
        self._stopping = self._is_abandoned = True
        self._wake.set()

    async def fail(self, reason: str) -> None:
        """Show why there are no records; the next record takes it back."""
        await self._set_state(status="error", last_error=reason)

    async def run(self) -> None:
        """Describe windows as they close; end after `finish()`."""
        try:
            while await self._has_work():
                await self._try_to_describe(self._waiting.popleft())
        finally:
            self._idle.set()

    async def _has_work(self) -> bool:
        while not self._waiting:
            if self._stopping:
                return False
            self._wake.clear()
            await self._wake.wait()
        return True

    def _enqueue(self, windows: Iterable[Window[Frame]]) -> None:
        for window in windows:
            if len(self._waiting) >= _WAITING_WINDOWS:
                self._waiting.popleft()
                self._given_up += 1
            self._waiting.append(window)
            self._wake.set()

    async def _try_to_describe(self, window: Window[Frame]) -> None:
        try:
            await self._describe(window)
        except EngineError as exc:
            if not self._is_abandoned:
                await self.fail(str(exc))
        except sqlite3.Error:  # the disk is full, most likely; the next window may find room
            logger.exception("index %s: a record could not be stored", self.row.id)

    async def _describe(self, window: Window[Frame]) -> None:
        await self._count_given_up()
        seen = await self.engine.describe(window.frames, prompt=self.row.prompt, key=self.row.id)
        scene = SceneRow(
            index_id=self.row.id,
            start_us=microseconds(window.start),
            end_us=microseconds(window.end),
            text=seen.text,
            engine=seen.engine,
            metadata=seen.metadata,
        )
        await self.publisher.publish(scene, index=self.row, stream_name=self.stream_name)
        await self._set_state(status="running", last_error=None, engine=seen.engine)

    async def _count_given_up(self) -> None:
        count, self._given_up = self._given_up, 0
        if not count:
            return
        logger.warning("index %s: the engine is behind, %d windows given up", self.row.id, count)
        await self.publisher.store.run(statements.count_dropped_windows, self.row.id, count)

    async def _set_state(self, **changes: Any) -> None:
        if all(getattr(self.row, name) == value for name, value in changes.items()):
            return
        if changes["status"] == "error":
            logger.warning("index %s: %s", self.row.id, changes["last_error"])
        changed = await self.publisher.store.run(
            statements.change_index, self.row.stream_id, self.row.id, changes
        )
        self.row = changed or self.row


def grid_of(config: Mapping[str, Any], *, origin: float) -> Grid:
    """Return the grid that an index's checked `extraction_config` means."""
    return Grid(
        origin=round(origin, 6), value=float(config["time"]), frame_count=int(config["frame_count"])
    )
