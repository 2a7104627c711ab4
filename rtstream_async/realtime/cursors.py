"""The cursors of one consumer, and when they are committed to its checkpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import anyio

from rtstream_async.protocol.checkpoint import CheckpointKey, Cursor, Position
from rtstream_async.realtime.checkpoint import Checkpoint

__all__ = ["Cursors"]


class Cursors:
    """A cursor for each stream and channel, over one checkpoint."""

    def __init__(self, checkpoint: Checkpoint, *, overlap: float, now: Callable[[], float]) -> None:
        """Have none yet.

        Args:
            checkpoint: Where they come from and go to.
            overlap: Seconds for which each remembers what was handled.
            now: Returns the service's Unix time, seconds.
        """
        self._checkpoint = checkpoint
        self._overlap = overlap
        self._now = now
        self._loaded: dict[CheckpointKey, Position] = {}
        self._cursors: dict[CheckpointKey, Cursor] = {}
        self._dirty: dict[CheckpointKey, None] = {}
        self._stirred = asyncio.Event()
        self._is_broken = False

    @property
    def known(self) -> Iterable[CheckpointKey]:
        """What has a position, loaded or new."""
        return {**self._loaded, **self._cursors}

    async def load(self) -> None:
        """Read all positions."""
        self._loaded = dict(await self._checkpoint.load())

    def get(self, key: CheckpointKey) -> Cursor | None:
        """Return the cursor of a stream and channel, if it was opened."""
        return self._cursors.get(key)

    def open(self, key: CheckpointKey, *, begin: float, has_history: bool) -> bool:
        """Open the cursor of a stream and channel; return whether it goes on from a position.

        Args:
            key: Stream and channel.
            begin: Where a new one begins, in the service's Unix time.
            has_history: Whether its history will be read.
        """
        position = self._loaded.pop(key, None)
        self._cursors[key] = Cursor(
            position or Position(since=begin),
            overlap=self._overlap,
            is_saved=position is not None,
            has_history=has_history,
        )
        if position is None:
            self.stir(key)
        return position is not None

    def stir(self, key: CheckpointKey) -> None:
        """Note that there may be something to commit."""
        self._dirty[key] = None
        self._stirred.set()

    async def commit(self) -> None:
        """Commit all that was done up to now."""
        self._stirred.clear()
        dirty, self._dirty = self._dirty, {}
        now = self._now()
        steps = {key: self._cursors[key].progress(now) for key in dirty}
        progress = {key: step for key, step in steps.items() if step is not None}
        if not progress:
            return
        try:
            await self._checkpoint.commit(progress)
        except Exception:
            # What became of it is not known, and what comes later builds on it.
            self._is_broken = True
            raise

    async def commit_on(self, every: float) -> None:
        """Commit until cancelled, `every` so many seconds if there is anything."""
        while True:
            await self._stirred.wait()
            await anyio.sleep(every)
            await self.commit()

    async def aclose(self) -> None:
        """Commit what was done, and let go of the checkpoint."""
        try:
            if not self._is_broken:
                await self.commit()
        finally:
            await self._checkpoint.aclose()
