"""Deletes what of the recordings is not to be kept, and says so."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import anyio
import anyio.to_thread

from rtstream_async.local.domain.retention import beyond_quota, outdated
from rtstream_async.local.settings import Settings
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import SegmentRow
from rtstream_async.local.store.worker import Worker

__all__ = ["Retention"]

logger = logging.getLogger(__name__)

_EVERY = 10.0  # seconds
_BATCH = 500  # oldest segments looked at for the quota at a time


class Retention:
    """Keeps streams without `store` short, and all recordings below the quota."""

    def __init__(self, settings: Settings, store: Worker) -> None:
        self._settings = settings
        self._store = store

    async def run(self) -> None:
        """Sweep every few seconds, until cancelled."""
        while True:
            try:
                await self.sweep()
            except (OSError, sqlite3.Error):
                logger.exception("retention can't delete what it should")
            await anyio.sleep(_EVERY)

    async def sweep(self) -> None:
        """Delete what is too old or too much now."""
        keep_us = round(self._settings.unstored_seconds * 1_000_000)
        for stream_id in await self._store.run(statements.unstored_stream_ids):
            rows = await self._store.run(statements.list_segments, stream_id)
            await self._evict(outdated(rows, keep_us=keep_us), "is kept for a while only")
        await self._keep_quota()

    async def _keep_quota(self) -> None:
        quota = self._settings.quota_bytes
        if quota is None:
            return
        while (excess := await self._store.run(statements.storage_bytes) - quota) > 0:
            oldest = await self._store.run(statements.oldest_segments, _BATCH)
            if not oldest:
                return
            await self._evict(beyond_quota(oldest, excess=excess), "is beyond the quota")

    async def _evict(self, rows: Sequence[SegmentRow], why: str) -> None:
        if not rows:
            return
        # Rows first: a file without a row is found again and evicted again, a row without a
        # file would be a promise that can't be kept.
        await self._store.run(statements.evict_segments, rows)
        await anyio.to_thread.run_sync(self._unlink, [self._path(row) for row in rows])
        logger.info("%d segments deleted: what they hold %s", len(rows), why)

    def _path(self, row: SegmentRow) -> Path:
        return self._settings.segments_dir / row.stream_id / row.file

    @staticmethod
    def _unlink(paths: Sequence[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
