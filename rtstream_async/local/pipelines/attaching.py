"""Starts and stops indexes and transcripts of streams, and attaches them again."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import attrs

from rtstream_async.local.engines.ports import LanguageEngine, VisionEngine
from rtstream_async.local.engines.registry import Engines
from rtstream_async.local.pipelines.audio import AudioIndex
from rtstream_async.local.pipelines.index import Spawn
from rtstream_async.local.pipelines.live import LiveStream
from rtstream_async.local.pipelines.publisher import HEARD, Publisher
from rtstream_async.local.pipelines.running import Running
from rtstream_async.local.pipelines.scribe import Scribe
from rtstream_async.local.pipelines.transcript import Transcript
from rtstream_async.local.pipelines.visual import VisualIndex
from rtstream_async.local.refusal import Refusal
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import IndexRow, StreamRow
from rtstream_async.local.store.transcripts import (
    TranscriptRow,
    change_transcript,
    get_transcript,
    keep_transcript,
)
from rtstream_async.local.store.understandings import INDEX
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["Pipelines", "TranscriptState"]

logger = logging.getLogger(__name__)

TranscriptState = Literal["running", "started", "not_running"]
"""What became of a transcript that somebody needs."""


class Pipelines:
    """Everything that works on streams, whether they run now or not."""

    def __init__(
        self, running: Running, publisher: Publisher, engines: Engines, spawn: Spawn
    ) -> None:
        self._running = running
        self._publisher = publisher
        self._store = publisher.store
        self._engines = engines
        self._spawn = spawn

    async def add_index(self, row: IndexRow) -> IndexRow:
        """Start a new visual index; return it when the engine is ready for its first window.

        Raises:
            Refusal: The engine can't be started.
        """
        async with self._running.lock(row.stream_id):
            live = self._running.live(row.stream_id)
            if _needs_engine(live):
                await self._vision_for(row)
            await self._store.run(statements.add_index, row)
            if live is not None:
                await self._attach(live, row)
            return row

    async def add_audio_index(
        self, row: IndexRow, stream: StreamRow, *, may_start: bool
    ) -> tuple[IndexRow, TranscriptState]:
        """Start a new audio index; return it, and whether there is a transcript that it hears.

        Args:
            row: The index.
            stream: Its stream.
            may_start: Start a transcript when there is none.

        Raises:
            Refusal: An engine that it needs can't be started.
        """
        async with self._running.lock(stream.id):
            live = self._running.live(stream.id)
            if row.prompt is not None and _needs_engine(live):
                await self._language_for(row)
            state = await self._ensure_transcript(stream, may_start=may_start)
            await self._store.run(statements.add_index, row)
            if live is not None:
                await self._attach(live, row)
            return row, state

    async def start_index(self, row: IndexRow) -> IndexRow:
        """Start an index again; a running one is left alone."""
        async with self._running.lock(row.stream_id):
            live = self._running.live(row.stream_id)
            if live is not None and live.attached.index(row.id) is not None:
                return row
            row = await self._change_index(row, {"status": "running", "last_error": None})
            if live is not None:
                await self._attach(live, row)
            return row

    async def stop_index(self, row: IndexRow) -> IndexRow:
        """Stop an index; return it when its last record is stored."""
        async with self._running.lock(row.stream_id):
            live = self._running.live(row.stream_id)
            if live is not None:
                await live.remove_index(row.id)
            return await self._change_index(row, {"status": "stopped"})

    async def change_prompt(self, row: IndexRow, prompt: str | None) -> IndexRow:
        """Change what an index is asked, from its next record on."""
        async with self._running.lock(row.stream_id):
            changed = await self._change_index(row, {"prompt": prompt})
            live = self._running.live(row.stream_id)
            index = None if live is None else live.attached.index(row.id)
            if index is not None:
                index.row = changed
            return changed

    async def start_transcript(
        self, stream: StreamRow, *, connection: str | None, asked_engine: str | None
    ) -> tuple[TranscriptRow, bool]:
        """Start a transcript; return it, and whether it ran already.

        One that runs is pushed to the new connection from now on, if one is given.

        Raises:
            Refusal: The engine can't be started.
        """
        async with self._running.lock(stream.id):
            before = await self._store.run(get_transcript, stream.id)
            if before is not None and before.is_wanted:
                return await self._bind(before, connection), True
            row = _new_transcript(stream.id, connection, asked_engine)
            return await self._begin(await self._with_engine(row), before), False

    async def stop_transcript(self, stream_id: str, *, force: bool) -> TranscriptRow | None:
        """Stop a transcript; return it when what was being said is stored, or (`force`) at once.

        `None` stands for one that there never was.
        """
        async with self._running.lock(stream_id):
            before = await self._store.run(get_transcript, stream_id)
            if before is None or not before.is_wanted:
                return before
            live = self._running.live(stream_id)
            if live is not None:
                await live.remove_transcript(force=force)
            now = microseconds(time.time())
            changes = {"status": "stopped", "stopped_us": now, "updated_us": now}
            return await self._store.run(change_transcript, stream_id, changes)

    async def begin_transcript(self, live: LiveStream) -> None:
        """Start the transcript that a new stream is to have; its trouble shows in its status.

        For the one who holds the stream's lock. The engine is loaded when there is sound.
        """
        await self._begin(_new_transcript(live.id, live.row.ws_connection_id, None), None)

    async def attach_all(self, live: LiveStream) -> None:
        """Attach what worked on a stream when it last ran; for the one who holds its lock."""
        transcript = await self._store.run(get_transcript, live.id)
        if transcript is not None and transcript.is_wanted:
            await self._attach_transcript(live, transcript)
        for index in await self._store.run(statements.list_indexes, live.id):
            if index.status != "stopped":
                await self._attach_again(live, index)

    def scribe(self, stream: StreamRow) -> Scribe:
        """Return what writes down what is said in a stream, whether it runs or not."""
        live = self._running.live(stream.id)
        return Scribe(
            stream_id=stream.id,
            stream_name=stream.name,
            store=self._store,
            hub=self._publisher.hub,
            tell=(lambda _: None) if live is None else live.attached.hear,
        )

    async def _ensure_transcript(self, stream: StreamRow, *, may_start: bool) -> TranscriptState:
        before = await self._store.run(get_transcript, stream.id)
        if before is not None and before.is_wanted:
            return "running"
        if not may_start:
            return "not_running"
        row = _new_transcript(stream.id, None, None)
        await self._begin(await self._with_engine(row), before)
        return "started"

    async def _with_engine(self, row: TranscriptRow) -> TranscriptRow:
        """The row with the engine that will hear, which is loaded then; a scripted one has none."""
        if not _needs_engine(self._running.live(row.stream_id)):
            return row
        speech = await self._engines.speech()
        return attrs.evolve(row, engine=speech.name, language=speech.language)

    async def _begin(self, row: TranscriptRow, before: TranscriptRow | None) -> TranscriptRow:
        if before is not None:
            row = attrs.evolve(row, created_us=before.created_us)
        await self._store.run(keep_transcript, row)
        live = self._running.live(row.stream_id)
        if live is not None:
            await self._attach_transcript(live, row)
        return row

    async def _bind(self, row: TranscriptRow, connection: str | None) -> TranscriptRow:
        if connection in (None, row.ws_connection_id):
            return row
        now = microseconds(time.time())
        changes = {"ws_connection_id": connection, "bound_us": now, "updated_us": now}
        changed = await self._store.run(change_transcript, row.stream_id, changes) or row
        live = self._running.live(row.stream_id)
        if live is not None and live.attached.transcript is not None:
            live.attached.transcript.row = changed
        return changed

    async def _attach_transcript(self, live: LiveStream, row: TranscriptRow) -> None:
        transcript = Transcript(
            row=row,
            scribe=self.scribe(live.row),
            engine=self._engines.speech,
            settled=live.attached.settle,
        )
        await live.add_transcript(transcript, self._spawn)

    async def _attach(self, live: LiveStream, row: IndexRow) -> None:
        if row.extraction_type == HEARD:
            live.add_audio(self._audio_index(live, row), self._spawn)
        elif live.source is not None and row.family != INDEX:
            # Else control makes its records, or an understanding does.
            index = VisualIndex(
                row=row,
                stream_name=live.row.name,
                engine=await self._vision_for(row),
                publisher=self._publisher,
            )
            await live.add_visual(index, self._spawn)

    def _audio_index(self, live: LiveStream, row: IndexRow) -> AudioIndex:
        return AudioIndex(
            row=row,
            stream_name=live.row.name,
            language=partial(self._language_for, row),
            publisher=self._publisher,
        )

    async def _attach_again(self, live: LiveStream, row: IndexRow) -> None:
        try:
            await self._attach(live, row)
        except Refusal as refusal:  # the recording goes on without it
            logger.warning("index %s is not resumed: %s", row.id, refusal.message)
            await self._change_index(row, {"status": "error", "last_error": refusal.message})

    async def _vision_for(self, row: IndexRow) -> VisionEngine:
        return await self._engines.vision(model_name=row.model_name, model_config=row.model_config)

    async def _language_for(self, row: IndexRow) -> LanguageEngine:
        return await self._engines.language(
            model_name=row.model_name, model_config=row.model_config
        )

    async def _change_index(self, row: IndexRow, changes: Mapping[str, Any]) -> IndexRow:
        changed = await self._store.run(statements.change_index, row.stream_id, row.id, changes)
        return changed or attrs.evolve(row, **changes)


def _new_transcript(
    stream_id: str, connection: str | None, asked_engine: str | None
) -> TranscriptRow:
    now = microseconds(time.time())
    return TranscriptRow(
        stream_id=stream_id,
        asked_engine=asked_engine,
        engine=None,
        language=None,
        ws_connection_id=connection,
        bound_us=None if connection is None else now,
        status="running",
        last_error=None,
        dropped_seconds=0.0,
        created_us=now,
        started_us=now,
        stopped_us=None,
        updated_us=now,
    )


def _needs_engine(live: LiveStream | None) -> bool:
    """Whether an engine will be used: not on a scripted stream."""
    return live is None or live.source is not None
