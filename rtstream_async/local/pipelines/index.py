"""What visual and audio indexes have in common: a short queue, one record after the other."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, ClassVar, Generic, TypeVar

import attrs

from rtstream_async.local.engines.ports import EngineError
from rtstream_async.local.pipelines.publisher import Publisher
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import IndexRow, SceneRow

__all__ = ["IndexPipeline", "Spawn"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

Spawn = Callable[[Callable[[], Coroutine[Any, Any, None]], str], None]
"""Runs a coroutine function in the background, under a name."""


@attrs.define(eq=False)
class IndexPipeline(ABC, Generic[T]):
    """Makes records of what one index is given, until `finish()`.

    The engine may be slower than the stream: what it is to work on waits in a short queue, and
    when that is full the oldest is given up, counted on the index and logged. So is what the
    engine failed at.
    """

    row: IndexRow  #: a new prompt is one for the next record
    stream_name: str
    publisher: Publisher = attrs.field(repr=False)
    _waiting: deque[T] = attrs.field(factory=deque[T], init=False, repr=False)
    _wake: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)
    _idle: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)
    _given_up: int = attrs.field(default=0, init=False)
    _stopping: bool = attrs.field(default=False, init=False)
    _is_abandoned: bool = attrs.field(default=False, init=False)

    what: ClassVar[str]  #: what waits, for the log

    @property
    @abstractmethod
    def most_waiting(self) -> int:
        """How many items may wait for the engine."""

    @abstractmethod
    def advance(self, time: float) -> None:
        """Note how far the stream is, Unix seconds."""

    @abstractmethod
    def _rest(self, time: float) -> Iterable[T]:
        """Return what is not whole yet; the stream ended at `time` (Unix seconds)."""

    @abstractmethod
    async def _record(self, item: T) -> SceneRow:
        """Return the record of one item.

        Raises:
            EngineError: There is none.
        """

    async def finish(self, time: float) -> None:
        """Make a record of what is there, and return when all records are stored.

        Args:
            time: Unix time at which the stream ended, seconds.
        """
        self._enqueue(self._rest(time))
        self._stopping = True
        self._wake.set()
        await self._idle.wait()

    def abandon(self) -> None:
        """Give up what is not done yet: the engine is about to be closed."""
        if self._waiting:
            logger.warning(
                "index %s: %d %s get no record", self.row.id, len(self._waiting), self.what
            )
        self._waiting.clear()
        self._stopping = self._is_abandoned = True
        self._wake.set()

    async def fail(self, reason: str) -> None:
        """Show why there are no records; the next record takes it back."""
        await self._set_state(status="error", last_error=reason)

    async def run(self) -> None:
        """Make records; end after `finish()`."""
        try:
            while await self._has_work():
                await self._try(self._waiting.popleft())
        finally:
            self._idle.set()

    async def _has_work(self) -> bool:
        while not self._waiting:
            if self._stopping:
                return False
            self._wake.clear()
            await self._wake.wait()
        return True

    def _enqueue(self, items: Iterable[T]) -> None:
        for item in items:
            if len(self._waiting) >= self.most_waiting:
                self._waiting.popleft()
                self._given_up += 1
            self._waiting.append(item)
            self._wake.set()

    async def _try(self, item: T) -> None:
        try:
            scene = await self._record(item)
            await self.publisher.publish(scene, index=self.row, stream_name=self.stream_name)
            await self._count_given_up()
            await self._set_state(status="running", last_error=None, engine=scene.engine)
        except EngineError as exc:
            if not self._is_abandoned:
                self._given_up += 1
                await self._count_given_up()
                await self.fail(str(exc))
        except sqlite3.Error:  # the disk is full, most likely; the next record may find room
            logger.exception("index %s: a record could not be stored", self.row.id)

    async def _count_given_up(self) -> None:
        count, self._given_up = self._given_up, 0
        if not count:
            return
        logger.warning("index %s: %d %s got no record", self.row.id, count, self.what)
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
