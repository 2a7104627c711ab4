"""One stream at work: its ingest, its state, its recording, what is attached to it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from pathlib import Path
from typing import Any

import anyio
import attrs

from rtstream_async.local.domain.lifecycle import Lifecycle, Signal, StreamState
from rtstream_async.local.domain.playlist import Segment
from rtstream_async.local.domain.sources import Source, without_secrets
from rtstream_async.local.media.events import (
    Ended,
    Heard,
    IngestEvent,
    Lost,
    Opened,
    Progress,
    Refused,
    Sampled,
    SegmentClosed,
)
from rtstream_async.local.media.ingest import Ingest, IngestSettings
from rtstream_async.local.pipelines.attached import Attached
from rtstream_async.local.pipelines.audio import AudioIndex
from rtstream_async.local.pipelines.index import Spawn
from rtstream_async.local.pipelines.ingested import ingested_of, segment_of
from rtstream_async.local.pipelines.transcript import Transcript
from rtstream_async.local.pipelines.visual import VisualIndex
from rtstream_async.local.sources import is_listening
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import StreamRow
from rtstream_async.local.store.worker import Worker

__all__ = ["LiveStream"]

logger = logging.getLogger(__name__)

_PART = ".part"
_POLL = 0.02  # seconds between two looks whether a listener is up
_STOP = 10.0  # seconds for the speech engine to say what it still knows
_LAG = 1.0  # how far, in seconds, a silent source's time is taken to be behind the wall clock


@attrs.define(eq=False)
class LiveStream:
    """A stream that runs, from its start to its end. A new start makes a new one.

    `source` is `None` for a scripted stream: its records come from `control` alone.
    """

    row: StreamRow
    source: Source | None
    directory: Path
    store: Worker = attrs.field(repr=False)
    open_timeout: float
    lifecycle: Lifecycle = attrs.field(factory=Lifecycle, init=False)
    opened: Opened | None = attrs.field(default=None, init=False)
    progress: Progress | None = attrs.field(default=None, init=False)
    recorded_to: float | None = attrs.field(default=None, init=False)  #: Unix time, seconds
    refused: str | None = attrs.field(default=None, init=False)  #: why it could not be opened
    attached: Attached = attrs.field(factory=Attached, init=False)
    _ingest: Ingest | None = attrs.field(default=None, init=False, repr=False)
    _changed: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)
    _finished: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)

    @property
    def id(self) -> str:
        """The stream's id."""
        return self.row.id

    @property
    def is_waiting_for_publisher(self) -> bool:
        """Whether its listener is up and nobody has published yet."""
        return self.lifecycle.is_active and self._listens and self.opened is None

    @property
    def is_flowing(self) -> bool:
        """Whether its source plays now; that of a listener, whether somebody publishes."""
        return self.lifecycle.state is StreamState.CONNECTED and (
            self.source is None or self.opened is not None
        )

    @property
    def is_finished(self) -> bool:
        """Whether it runs no more, by itself or because it was stopped."""
        return self._finished.is_set()

    @property
    def present(self) -> float:
        """The stream's time: how far it is recorded; the wall clock as long as it is not."""
        return time.time() if self.recorded_to is None else self.recorded_to

    @property
    def open_segment(self) -> Segment | None:
        """The segment being written, as far as it can be played.

        Its name is that of its file without the `.part`: players look at the end of a name.
        """
        progress = self.progress
        if progress is None or progress.open_segment is None:
            return None
        part = progress.open_segment
        return Segment(
            start=part.start,
            end=progress.time,
            name=Path(part.path).name.removesuffix(_PART),
            discontinuity=part.discontinuity,
        )

    async def start(self, spawn: Spawn, *, not_before: float, wanted: bool) -> None:
        """Go after the source, in the background.

        Args:
            spawn: Runs it.
            not_before: The end of what is recorded, Unix seconds.
            wanted: Whether a restart of the server is to bring it back.
        """
        await self._move(Signal.START, wanted=wanted, last_error=None)
        if self.source is None:
            await self._move(Signal.OPENED)
            return
        self._ingest = Ingest(
            IngestSettings(
                source=self.source,
                directory=str(self.directory),
                media_types=self.row.media_types,
                open_timeout=self.open_timeout,
                not_before=not_before,
            ),
            self._on_event,
        )
        spawn(self._run, f"stream-{self.id}")

    async def wait_opened(self) -> None:
        """Return when the source plays, was refused, or its listener waits for a publisher."""
        while not (self.opened or self.refused or self.is_finished or self.source is None):
            await self.wait_changed()

    async def wait_recorded(self, until: float) -> None:
        """Return when the stream is recorded up to `until` (Unix seconds), or runs no more."""
        while self.lifecycle.is_active and not self.is_finished and self.present < until:
            await self.wait_changed()

    async def wait_changed(self) -> None:
        """Return at the next event of the stream."""
        self._changed.clear()
        await self._changed.wait()

    async def wait_listening(self) -> None:
        """Return when a publisher can come; the stream counts as connected then."""
        assert self.source is not None  # noqa: S101 - asked of listeners alone
        addresses = self.source.addresses
        # Nobody announces that a port listens.
        while not (self.refused or self.is_finished or all(map(is_listening, addresses))):  # noqa: ASYNC110
            await anyio.sleep(_POLL)
        if self.lifecycle.state is StreamState.CONNECTING and not self.refused:
            await self._move(Signal.OPENED)

    async def note_wanted(self) -> None:
        """Have a restart of the server bring it back, from now on."""
        if self.lifecycle.is_active:
            changed = await self.store.run(statements.change_stream, self.id, {"wanted": True})
            self.row = changed or self.row

    async def add_visual(self, index: VisualIndex, spawn: Spawn) -> None:
        """Have a visual index work on this stream."""
        self.attached.visual[index.row.id] = index
        if self._ingest is not None:
            await index.start(self._ingest, present=self.present, spawn=spawn)

    def add_audio(self, index: AudioIndex, spawn: Spawn) -> None:
        """Have an audio index work on what the transcript of this stream says."""
        index.start(present=self.present, spawn=spawn)
        self.attached.audio[index.row.id] = index

    async def remove_index(self, id_: str) -> None:
        """Have the index finish what it has; an unknown one is no error."""
        visual = self.attached.visual.pop(id_, None)
        if visual is not None and self._ingest is not None:
            await self._ingest.unsample(id_)
            await visual.finish(self.present)
        audio = self.attached.audio.pop(id_, None)
        if audio is not None:
            await audio.finish(self.present)

    async def add_transcript(self, transcript: Transcript, spawn: Spawn) -> None:
        """Have a transcript made of the sound; of a scripted stream, only what a test says."""
        self.attached.transcript = transcript
        if self._ingest is not None:
            transcript.start(spawn)
            await self._ingest.listen()

    async def remove_transcript(self, *, force: bool) -> None:
        """Have the transcript end with what is being said, or (`force`) without it."""
        transcript = self.attached.transcript
        if transcript is None or self._ingest is None:
            self.attached.transcript = None
            return
        if not force:
            await self._ingest.unlisten()  # and with it comes what was said until now
            with anyio.move_on_after(_STOP):
                await transcript.finish()
        self.attached.transcript = None
        transcript.abandon()
        await self._ingest.unlisten()

    async def stop(self, *, wanted: bool) -> None:
        """Close the recording and finish what is attached.

        Args:
            wanted: Whether the stream is to run again at the next start of the server.
        """
        if self._ingest is not None:
            await self._ingest.stop()
            await self._finished.wait()
        else:
            await self.attached.finish(self.present)
        if self.lifecycle.state is not StreamState.STOPPED and not wanted:
            await self._move(Signal.STOP, wanted=False)

    def details(self) -> dict[str, Any]:
        """Return what only a running stream knows, for its REST record."""
        progress = self.progress
        return {
            "waiting_for_publisher": self.is_waiting_for_publisher,
            "lag": None if progress is None else round(progress.lag, 3),
            "dropped_frames": 0 if progress is None else progress.dropped_frames,
            "dropped_sound": 0.0 if progress is None else round(progress.dropped_sound, 3),
        }

    @property
    def _listens(self) -> bool:
        return self.source is not None and self.source.listen

    async def _run(self) -> None:
        assert self._ingest is not None  # noqa: S101 - set before this is spawned
        try:
            await self._ingest.run()
        except Exception as exc:  # one stream's trouble is not the others'
            logger.exception("stream %s: the ingest failed", self.id)
            await self._give_up(exc)
        finally:
            self._changed.set()
            try:
                await self.attached.finish(self.present)
            finally:
                self._finished.set()
                self._changed.set()

    async def _give_up(self, cause: Exception) -> None:
        if not self.lifecycle.is_active:
            return
        try:
            await self._move(Signal.GAVE_UP, last_error=f"internal error: {cause}")
        except sqlite3.Error:  # the disk is full, most likely, and that was the cause too
            logger.exception("stream %s: its failure can't be noted", self.id)

    async def _on_event(self, event: IngestEvent) -> None:
        match event:
            case Sampled():
                self.attached.on_sampled(event)
                return
            case Heard():
                self.attached.on_heard(event)
                return
            case Progress():
                self._note_progress(event)
            case SegmentClosed():
                await self.store.run(statements.add_segment, segment_of(self.id, event))
                self._note_recorded(event.end)
            case Opened():
                await self._note_opened(event)
            case Lost():
                await self._note_trouble(Signal.LOST, event.reason)
            case Refused():
                await self._note_refused(event)
            case Ended():
                await self._move(Signal.STOP, wanted=False, last_error=None)
        self._changed.set()

    def _note_progress(self, event: Progress) -> None:
        self.progress = event
        self._note_recorded(event.time)
        self.attached.on_progress(event)

    def _note_recorded(self, until: float) -> None:
        self.recorded_to = max(self.recorded_to or 0.0, until)

    async def _note_opened(self, event: Opened) -> None:
        self.opened, self.refused = event, None
        await self._move(Signal.OPENED, ingested=ingested_of(event), last_error=None)
        await self.attached.on_opened(event)

    async def _note_refused(self, event: Refused) -> None:
        self.refused = without_secrets(event.reason)
        signal = Signal.GAVE_UP if event.retry_in is None else Signal.LOST
        await self._note_trouble(signal, event.reason)

    async def _note_trouble(self, signal: Signal, reason: str) -> None:
        was_connected = self.lifecycle.state is StreamState.CONNECTED
        text = without_secrets(reason)
        logger.warning("stream %s: %s", self.id, text)
        changes: dict[str, Any] = {"last_error": text}
        if was_connected:
            changes["reconnects"] = self.row.reconnects + 1
        self.progress = None
        await self._move(signal, **changes)
        # A silent source does not tell the time, and what it showed last is due all the same.
        self.attached.on_trouble(time.time() - _LAG)

    async def _move(self, signal: Signal, **changes: Any) -> None:
        state = self.lifecycle.feed(signal)
        if state is StreamState.STOPPED:
            self.progress = None
        changed = await self.store.run(
            statements.change_stream, self.id, {"status": state.value, **changes}
        )
        self.row = changed or self.row
        self._changed.set()
