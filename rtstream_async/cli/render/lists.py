"""Tables of what can be listed: segments of a transcript, hits of a search, events, alerts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from rtstream_async.cli.render.text import printable, seconds, span

if TYPE_CHECKING:
    import rtstream_async as rts

__all__ = ["alerts_table", "events_table", "exported_table", "hits_table", "transcript_table"]

_WHOLE = frozenset({"id", "index", "score", "status", "when"})
"""Columns whose cells are not broken: they are copied, or compared."""


def transcript_table(
    segments: Iterable[rts.TranscriptSegment], *, zone: tzinfo | None = None
) -> Table:
    """Return a table with a row for each segment, in the order given."""
    rows = [(span(item.start, item.end, zone=zone), item.text) for item in segments]
    return _table(("when", "said"), rows)


def hits_table(shots: Iterable[rts.RTStreamShot], *, zone: tzinfo | None = None) -> Table:
    """Return a table with a row for each hit of a search, in the order given."""
    rows = [
        (
            "" if shot.search_score is None else f"{shot.search_score:.2f}",
            shot.rtstream_name or shot.rtstream_id,
            span(shot.start, shot.end, zone=zone),
            shot.text or "",
        )
        for shot in shots
    ]
    return _table(("score", "stream", "when", "found"), rows)


def events_table(events: Iterable[rts.Event]) -> Table:
    """Return a table with a row for each event."""
    rows = [(event.event_id, event.label or "", event.event_prompt or "") for event in events]
    return _table(("id", "label", "prompt"), rows)


def alerts_table(alerts: Iterable[tuple[rts.RTStreamSceneIndex, rts.Alert]]) -> Table:
    """Return a table with a row for each alert and the index it belongs to."""
    rows = [
        (
            alert.alert_id,
            alert.label or "",
            alert.status or "",
            index.rtstream_index_id,
            alert.callback_url or "",
        )
        for index, alert in alerts
    ]
    return _table(("id", "event", "status", "index", "webhook"), rows)


def exported_table(result: rts.RTStreamExportResult) -> Table:
    """Return what came of an export, and where it plays."""
    rows = [
        ("video", result.video_id),
        ("name", result.name or ""),
        ("length", "" if result.duration is None else seconds(result.duration)),
        ("stream", result.stream_url or ""),
        ("player", result.player_url or ""),
    ]
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(printable(value)))
    return table


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Return a table whose last column is as wide as there is room."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name in _WHOLE)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table
