"""Tells what becomes of a capture session while something is captured into it."""

from __future__ import annotations

import time

import anyio
import attrs
import typer

import rtstream_async as rts
from rtstream_async.cli.options import console
from rtstream_async.cli.progress import progress_of
from rtstream_async.cli.render.objects import as_line
from rtstream_async.cli.shell import FAILED

__all__ = ["Recital", "follow", "stop_session"]

_LOOK = 0.5  # seconds between two looks at the session
_GOODBYE = 15.0  # seconds for the recordings to be closed


@attrs.define(eq=False)
class Recital:
    """Says each state once, in its turn."""

    as_json: bool
    _said: str | None = attrs.field(default=None, init=False)

    def state(self, session: rts.CaptureSession) -> None:
        """Say where the session is, if that is new."""
        if session.status == self._said:
            return
        self._said = session.status
        streams = {stream.name or "": stream.id for stream in session.rtstreams}
        if self.as_json:
            self._line("session", session_id=session.id, status=session.status, rtstreams=streams)
            return
        self._text(f"{session.id}: {session.status}")
        if session.status == "active":
            for name, id_ in streams.items():
                self._text(f"  {name:<22} {id_}")

    async def export(self, session: rts.CaptureSession, *, patience: float) -> int:
        """Say what the session was exported to; return the exit code."""
        if session.status == "failed":
            return FAILED
        with progress_of("exporting", quiet=self.as_json) as progress:
            made = await session.export(ws_connection_id=None, wait=patience, progress=progress)
        if self.as_json:
            said = attrs.asdict(made)
            said.pop("raw")
            self._line("export", **said)
        else:
            what = made.player_url or made.error or ""
            self._text(f"{made.export_status}: {made.video_id or ''} {what}".rstrip())
        return 0 if made.is_exported else FAILED

    def note(self, text: str) -> None:
        """Say something else."""
        if self.as_json:
            self._line("note", text=text)
        else:
            self._text(text)

    def _line(self, kind: str, **said: object) -> None:
        typer.echo(as_line({"type": kind, "at": time.time(), **said}))

    def _text(self, text: str) -> None:
        console().print(text, soft_wrap=True)


async def follow(session: rts.CaptureSession, recital: Recital) -> None:
    """Say each state of the session, until cancelled."""
    while True:
        await session.refresh()
        recital.state(session)
        await anyio.sleep(_LOOK)


async def stop_session(session: rts.CaptureSession, recital: Recital) -> None:
    """Stop the session, whatever happened, and say where it is then."""
    with anyio.move_on_after(_GOODBYE, shield=True):
        try:
            await session.stop()
            recital.state(session)
        except rts.RTStreamError as exc:
            recital.note(f"{session.id} could not be stopped: {exc}")
