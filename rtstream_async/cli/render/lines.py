"""One line for each thing that is told, plain or coloured."""

from __future__ import annotations

from datetime import tzinfo
from functools import singledispatch

from rich.table import Table
from rich.text import Text

from rtstream_async.cli.events import Happening, Note, StreamState
from rtstream_async.cli.render.text import clock, count, printable, seconds, span
from rtstream_async.models.announcements import (
    Announcement,
    Dropped,
    Gap,
    GapClosed,
    GapUnrecoverable,
    NotArmed,
    StateChange,
)
from rtstream_async.models.messages import (
    AlertMessage,
    AudioMessage,
    CaptureMessage,
    Message,
    SceneMessage,
    TranscriptMessage,
    UnknownMessage,
)

__all__ = ["line", "row", "said"]

_STYLES = {
    "scene_index": "cyan",
    "transcript": "green",
    "audio_index": "magenta",
    "alert": "bold red",
    "capture_session": "blue",
}

_WHEN = 17  # columns of two wall clock times

_SLOW = 5.0
"""Seconds behind its window from which a message's delay is shown as a warning."""


_Parts = tuple[str, Text]
"""When, and what."""


def line(value: Happening, *, zone: tzinfo | None = None) -> Text:
    """Return the one line that tells `value`, with wall clock times of `zone`.

    Raises:
        TypeError: It is none of the things that are told.
    """
    when, what = _parts(value, zone=zone)
    return Text.assemble((when, "bold"), "  ", what)


def row(value: Happening, *, zone: tzinfo | None = None) -> Table:
    """Return the same for a terminal: what does not fit on the line goes on below its text.

    Raises:
        TypeError: It is none of the things that are told.
    """
    when, what = _parts(value, zone=zone)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True, width=_WHEN)
    grid.add_column(overflow="fold")
    grid.add_row(Text(when), what)
    return grid


@singledispatch
def _parts(value: Happening, *, zone: tzinfo | None = None) -> _Parts:  # noqa: ARG001 - the port
    raise TypeError(f"nothing tells a {type(value).__name__}")


@_parts.register
def _message(value: Message, *, zone: tzinfo | None = None) -> _Parts:
    body = printable(said(value))
    channel = (value.channel, _STYLES.get(value.channel, "yellow"))
    return _when(value, zone), Text.assemble(channel, "  ", body, *_delay(value))


@_parts.register
def _announcement(value: Announcement, *, zone: tzinfo | None = None) -> _Parts:
    return _told(value.at, type(value).__name__, "yellow", zone)


@_parts.register
def _state_change(value: StateChange, *, zone: tzinfo | None = None) -> _Parts:
    because = f" ({printable(value.reason)})" if value.reason else ""
    style = "green" if value.state == "LIVE" else "yellow"
    return _told(value.at, f"link {value.previous} -> {value.state}{because}", style, zone)


@_parts.register
def _gap(value: Gap, *, zone: tzinfo | None = None) -> _Parts:
    lost = f"messages since {clock(value.since, zone=zone)} may be lost"
    return _told(value.at, f"gap: {lost} ({printable(value.cause)})", "yellow", zone)


@_parts.register
def _gap_closed(value: GapClosed, *, zone: tzinfo | None = None) -> _Parts:
    what = f"{count(value.recovered, 'message')} recovered of {_between(value, zone)}"
    return _told(value.at, f"gap closed: {what}", "green", zone)


@_parts.register
def _gap_unrecoverable(value: GapUnrecoverable, *, zone: tzinfo | None = None) -> _Parts:
    lost = f"messages of {_between(value, zone)} may be missing"
    return _told(value.at, f"gap: {lost} ({printable(value.reason)})", "red", zone)


@_parts.register
def _dropped(value: Dropped, *, zone: tzinfo | None = None) -> _Parts:
    what = f"dropped {count(value.count, 'message')}: the queue was full ({value.policy})"
    return _told(value.at, what, "red", zone)


@_parts.register
def _not_armed(value: NotArmed, *, zone: tzinfo | None = None) -> _Parts:
    what = f"nothing makes messages for {printable(value.channel)} yet"
    return _told(value.at, what, "yellow", zone)


@_parts.register
def _state(value: StreamState, *, zone: tzinfo | None = None) -> _Parts:
    note = f": {printable(value.note)}" if value.note else ""
    return _told(value.at, f"stream {printable(value.status)}{note}", "blue", zone)


@_parts.register
def _note(value: Note, *, zone: tzinfo | None = None) -> _Parts:
    return _told(value.at, printable(value.text), "dim", zone)


@singledispatch
def said(value: Message) -> str:
    """Return what a message says, without when and where."""
    return str(value.raw)


@said.register
def _(value: SceneMessage | AudioMessage | TranscriptMessage) -> str:
    return value.text


@said.register
def _(value: AlertMessage) -> str:
    sure = "" if value.confidence is None else f" ({value.confidence:.0%})"
    return f"{value.label}{sure}: {value.text}" if value.text else f"{value.label}{sure}"


@said.register
def _(value: CaptureMessage) -> str:
    return f"{value.session_id or ''} {value.status or value.event}".strip()


@said.register
def _(value: UnknownMessage) -> str:
    return f"{value.reason}: {value.raw}" if value.reason else str(value.raw)


def _between(value: GapClosed | GapUnrecoverable, zone: tzinfo | None) -> str:
    return span(value.since, value.until, zone=zone)


def _told(at: float, text: str, style: str, zone: tzinfo | None) -> _Parts:
    return clock(at, zone=zone), Text(f"-- {text}", style=style)


def _when(value: Message, zone: tzinfo | None) -> str:
    if isinstance(value, SceneMessage | AudioMessage | TranscriptMessage):
        return span(value.start, value.end, zone=zone)
    return clock(value.received_at, zone=zone)


def _delay(value: Message) -> list[tuple[str, str]]:
    if not isinstance(value, SceneMessage | AudioMessage | TranscriptMessage):
        return []
    if value.origin != "push":
        return [(f"  [{value.origin}]", "dim")]
    late = value.received_at - value.end
    return [(f"  +{seconds(max(late, 0.0))}", "yellow" if late > _SLOW else "dim")]
