"""Follows one stream and tells what happens, until it has seen enough."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import anyio
import attrs

from rtstream_async.cli.arming import Armed, WatchedChannel
from rtstream_async.cli.events import Happening, StreamState
from rtstream_async.cli.render.panels import Watched, watch_header
from rtstream_async.cli.render.text import count, seconds
from rtstream_async.cli.reports import Report
from rtstream_async.cli.tally import Tally
from rtstream_async.errors import RTStreamError
from rtstream_async.models.announcements import StateChange
from rtstream_async.models.messages import Message

if TYPE_CHECKING:
    import rtstream_async as rts

__all__ = ["Limits", "Watching"]

_LOOK_EVERY = 2.0  # seconds between two questions after the stream's state
_DRAW_EVERY = 0.5  # seconds
_QUIET = 5.0  # seconds without a message after which an ended stream has nothing more to tell
_OVER = {"stopped", "error", "failed"}


@attrs.frozen(kw_only=True)
class Limits:
    """When to end; without limits, at the end of the stream."""

    seconds: float | None = None
    messages: int | None = None


@attrs.define(eq=False)
class Watching:
    """One stream, what is at work on it, and the report of what they tell."""

    stream: rts.RTStream
    armed: Armed
    channels: tuple[WatchedChannel, ...]
    report: Report
    server: str  #: who is asked, for the header
    source: str  #: fit to be shown
    tally: Tally = attrs.field(factory=Tally, init=False)
    status: str = attrs.field(init=False)
    _note: str = attrs.field(default="", init=False)
    _link: str = attrs.field(default="LIVE", init=False)
    _generation: int = attrs.field(default=1, init=False)
    _begun: float = attrs.field(factory=time.monotonic, init=False)

    def __attrs_post_init__(self) -> None:
        self.status = self.stream.status or "?"
        self._note = _trouble(self.stream.raw)

    async def run(self, limits: Limits) -> None:
        """Tell messages and changes until the limits, or the end of the stream."""
        patience_for = float("inf") if limits.seconds is None else limits.seconds
        async with anyio.create_task_group() as group:
            with anyio.move_on_after(patience_for) as patience:
                group.start_soon(self._redraw)
                group.start_soon(self._look, patience)
                await self._read(limits.messages, patience)
            group.cancel_scope.cancel()

    async def _read(self, enough: int | None, patience: anyio.CancelScope) -> None:
        async with self.stream.events(*self.channels, control=True) as happenings:
            async for value in happenings:
                self._tell(value)
                if isinstance(value, StateChange):
                    self._link, self._generation = value.state, value.generation
                if isinstance(value, Message) and self.status in _OVER:
                    patience.deadline = min(patience.deadline, anyio.current_time() + _QUIET)
                if enough is not None and self.tally.total >= enough:
                    return

    async def _look(self, patience: anyio.CancelScope) -> None:
        """Ask for the state of all that runs now and then; end when the stream has ended."""
        while True:
            await anyio.sleep(_LOOK_EVERY)
            try:
                note = await self._ask()
            except RTStreamError as exc:
                self._note = f"the server does not tell the state: {exc}"
                continue
            self._note_state(note)
            if self.status in _OVER:
                patience.deadline = min(patience.deadline, anyio.current_time() + _QUIET)
                return

    async def _ask(self) -> str:
        """Return what is wrong with the stream, or with the first of what works on it."""
        await self.stream.refresh()
        told: list[Mapping[str, Any]] = [self.stream.raw]
        for index in self.armed.indexes:
            await index.refresh()
            told.append(index.raw)
        if self.armed.transcript:
            told.append((await self.stream.get_transcript_status()).raw)
        return next((trouble for raw in told if (trouble := _trouble(raw))), "")

    def _note_state(self, note: str) -> None:
        status = self.stream.status or "?"
        if (status, note) != (self.status, self._note):
            self.status, self._note = status, note
            self._tell(
                StreamState(at=time.time(), rtstream_id=self.stream.id, status=status, note=note)
            )

    async def _redraw(self) -> None:
        while True:
            self.report.show(watch_header(self._watched(), self.tally))
            await anyio.sleep(_DRAW_EVERY)

    def _tell(self, value: Happening) -> None:
        self.tally.add(value)
        self.report.tell(value)
        self.report.show(watch_header(self._watched(), self.tally))

    def _watched(self) -> Watched:
        return Watched(
            name=self.stream.name or "",
            rtstream_id=self.stream.id,
            source=self.source,
            status=self.status,
            note=self._note,
            link=self._link,
            generation=self._generation,
            server=self.server,
            elapsed=time.monotonic() - self._begun,
        )


def _trouble(told: Mapping[str, Any]) -> str:
    """What the local server says is wrong; another service says nothing."""
    match told:
        case {"last_error": str() as reason} if reason:
            return reason
        case {"waiting_for_publisher": True}:
            return "waiting for a publisher"
        case {"dropped_windows": int() as number} if number:
            return f"the engine is behind: {count(number, 'window')} given up"
        case {"dropped_seconds": int() | float() as lost} if lost:
            return f"the speech engine is behind: {seconds(lost)} of sound given up"
        case _:
            return ""
