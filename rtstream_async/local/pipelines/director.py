"""Starts and stops streams, and brings them back after a restart."""

from __future__ import annotations

import logging
import shutil
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import anyio
import anyio.to_thread

from rtstream_async.local.domain.lifecycle import StreamState
from rtstream_async.local.domain.sources import Source, without_secrets
from rtstream_async.local.engines.registry import Engines
from rtstream_async.local.pipelines.attaching import Pipelines
from rtstream_async.local.pipelines.index import Spawn
from rtstream_async.local.pipelines.live import LiveStream
from rtstream_async.local.pipelines.running import Running
from rtstream_async.local.refusal import Refusal, invalid
from rtstream_async.local.settings import Settings
from rtstream_async.local.sources import (
    SCRIPTED,
    is_listening,
    resolve_source,
)
from rtstream_async.local.store import statements
from rtstream_async.local.store.assets import begin_recording
from rtstream_async.local.store.rows import StreamRow
from rtstream_async.local.store.worker import Worker

__all__ = ["Director"]

logger = logging.getLogger(__name__)

_GRACE = 2.0  # an ingest's own words about a source that does not answer come a little later


class Director:
    """Starts and stops streams, one thing after the other with each."""

    def __init__(
        self,
        settings: Settings,
        store: Worker,
        running: Running,
        pipelines: Pipelines,
        engines: Engines,
        spawn: Spawn,
    ) -> None:
        self._settings = settings
        self._store = store
        self._running = running
        self._pipelines = pipelines
        self._engines = engines
        self._spawn = spawn
        self._closing = False

    def live(self, stream_id: str) -> LiveStream | None:
        """Return the stream at work, or `None` when it does not run."""
        return self._running.live(stream_id)

    @property
    def is_recording(self) -> bool:
        """Whether any stream runs."""
        return any(live.lifecycle.is_active for live in self._running)

    async def connect(self, row: StreamRow) -> StreamRow:
        """Start a new stream; return it when its source plays, or its listener is up.

        Raises:
            Refusal: The source can't be had. Nothing of the stream is left.
        """
        source = await self._source(row.url)
        listens = source is not None and source.listen
        if source is not None and listens and any(map(is_listening, source.addresses)):
            raise invalid("url", "somebody listens at this address already")
        await self._store.run(statements.add_stream, row)
        try:
            async with self._running.lock(row.id):
                live = await self._launch(row, not_before=0.0, wanted=False)
                if row.enable_transcript and "audio" in row.media_types:
                    await self._pipelines.begin_transcript(live)
                await self._await_source(live)
                await live.note_wanted()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._discard(row.id)
            raise
        return live.row

    async def start(self, row: StreamRow) -> StreamRow:
        """Start a stream again; return it at once, connecting. A running one is left alone.

        Raises:
            Refusal: Its source is not allowed (any more).
        """
        return await self._start(row, is_resumed=False)

    async def _start(self, row: StreamRow, *, is_resumed: bool) -> StreamRow:
        async with self._running.lock(row.id):
            if (live := self.live(row.id)) is not None:
                return live.row
            if is_resumed:  # after a restart of the server, the recording goes on
                _, last_us, _ = await self._store.run(statements.recorded, row.id)
            else:
                last_us = await self._store.run(begin_recording, row.id)
            live = await self._launch(row, not_before=(last_us or 0) / 1e6, wanted=True)
            await self._pipelines.attach_all(live)
            return live.row

    async def stop(self, row: StreamRow) -> StreamRow:
        """Stop a stream; return it when its recording is closed and its indexes are done."""
        async with self._running.lock(row.id):
            live = self._running.pop(row.id)
            if live is not None:
                await live.stop(wanted=False)
            changes = {"status": "stopped", "wanted": False}
            return await self._store.run(statements.change_stream, row.id, changes) or row

    async def resume(self) -> None:
        """Start what ran when the server was last stopped, or died."""
        async with anyio.create_task_group() as group:
            for row in await self._store.run(statements.wanted_streams):
                group.start_soon(self._resume, row)

    async def forget_all(self) -> None:
        """Stop and delete all streams, with their recordings and records."""
        for id_ in await self._store.run(statements.stream_ids):
            await self.forget(id_)

    async def forget(self, stream_id: str) -> None:
        """Stop and delete a stream, with its recording and records."""
        async with self._running.lock(stream_id):
            await self._discard(stream_id)

    async def aclose(self) -> None:
        """Close all recordings, finish all indexes, free the engines; within bounds."""
        self._closing = True
        with anyio.move_on_after(self._settings.drain) as scope:
            async with anyio.create_task_group() as group:
                for live in self._running:
                    group.start_soon(_stop_for_now, live)
        if scope.cancelled_caught:
            logger.warning("some streams did not finish within %g s", self._settings.drain)
        for live in self._running:
            live.attached.abandon()
        self._running.clear()
        await self._engines.aclose()

    def at_rest(self, stream_id: str) -> AbstractAsyncContextManager[object]:
        """Return what waits until nobody is starting or stopping a stream, and keeps it so."""
        return self._running.lock(stream_id)

    def directory(self, stream_id: str) -> Path:
        """Return where a stream's segments are."""
        return self._settings.segments_dir / stream_id

    async def _resume(self, row: StreamRow) -> None:
        try:
            await self._start(row, is_resumed=True)
        except Exception as exc:  # one stream's trouble is not the others'
            reason = exc.message if isinstance(exc, Refusal) else f"internal error: {exc}"
            logger.warning("stream %s is not resumed: %s", row.id, reason, exc_info=exc)
            changes = {"status": "error", "last_error": reason}
            await self._store.run(statements.change_stream, row.id, changes)

    async def _launch(self, row: StreamRow, *, not_before: float, wanted: bool) -> LiveStream:
        if self._closing:
            raise Refusal(503, "STOPPING", "the server is stopping")
        source = await self._source(row.url)
        directory = self.directory(row.id)
        await anyio.to_thread.run_sync(lambda: directory.mkdir(parents=True, exist_ok=True))
        live = LiveStream(
            row=row,
            source=source,
            directory=directory,
            store=self._store,
            open_timeout=self._settings.open_timeout,
        )
        self._running.put(live)
        await live.start(self._spawn, not_before=not_before, wanted=wanted)
        return live

    async def _source(self, url: str) -> Source | None:
        if self._settings.scripted and url.startswith(SCRIPTED):
            return None
        return await resolve_source(url, media_root=self._settings.media_root)

    async def _await_source(self, live: LiveStream) -> None:
        timeout = self._settings.open_timeout
        listens = live.source is not None and live.source.listen
        with anyio.move_on_after(timeout + _GRACE):
            await (live.wait_listening() if listens else live.wait_opened())
        # A very short file may have been played to its end by now.
        if live.lifecycle.state not in (StreamState.CONNECTED, StreamState.STOPPED):
            reason = live.refused or live.row.last_error or f"no answer within {timeout:g} s"
            raise invalid("url", f"the source can't be opened: {without_secrets(reason)}")

    async def _discard(self, stream_id: str) -> None:
        live = self._running.pop(stream_id)
        if live is not None:
            await live.stop(wanted=False)
        await self._store.run(statements.delete_stream, stream_id)
        await anyio.to_thread.run_sync(shutil.rmtree, self.directory(stream_id), True)


async def _stop_for_now(live: LiveStream) -> None:
    await live.stop(wanted=True)
