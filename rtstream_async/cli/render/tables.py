"""Tables: streams, scenes, and what a demo has seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo

from rich import box
from rich.table import Table
from rich.text import Text

from rtstream_async.cli.render.text import count, printable, seconds, span, stamp
from rtstream_async.cli.tally import Tally
from rtstream_async.models.records import Scene, StreamRecord

__all__ = ["measured", "scenes_table", "streams_table", "summary_table"]

_STATUS_STYLES = {"connected": "green", "running": "green", "stopped": "dim", "error": "red"}


def streams_table(streams: Iterable[StreamRecord], *, zone: tzinfo | None = None) -> Table:
    """Return a table with a row for each stream."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("id", no_wrap=True)
    table.add_column("name", overflow="fold")
    table.add_column("status", no_wrap=True)
    table.add_column("created", no_wrap=True)
    table.add_column("ingested", overflow="fold")
    for stream in streams:
        status = stream.status or "?"
        table.add_row(
            _plain(stream.id),
            _plain(stream.name or ""),
            Text(printable(status), style=_STATUS_STYLES.get(status, "yellow")),
            "" if stream.created_at is None else stamp(stream.created_at, zone=zone),
            _plain(ingested(stream)),
        )
    return table


def ingested(stream: StreamRecord) -> str:
    """Return what is taken from the source, and what the service says about it."""
    kept = [*stream.media_types, *(["stored"] if stream.store else [])]
    note = stream.raw.get("status_note") or stream.raw.get("note")
    return ", ".join(kept) + (f" ({note})" if isinstance(note, str) and note else "")


def scenes_table(scenes: Iterable[Scene], *, zone: tzinfo | None = None) -> Table:
    """Return a table with a row for each scene, in the order given."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("window", no_wrap=True)
    table.add_column("scene", overflow="fold")
    for scene in scenes:
        table.add_row(span(scene.start, scene.end, zone=zone), _plain(scene.text))
    return table


def summary_table(rows: Sequence[tuple[str, str]]) -> Table:
    """Return the demo's last table: what was seen and measured."""
    table = Table(box=box.ROUNDED, show_header=False, border_style="cyan", title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, _plain(value))
    return table


def measured(tally: Tally, *, paged: int, recorded: float, played: float) -> list[tuple[str, str]]:
    """Return the rows of the demo's summary.

    Args:
        tally: What came over the socket.
        paged: How many scenes were read over REST.
        recorded: Seconds of recording that were asked for.
        played: Seconds that the manifest of them plays.
    """
    return [
        ("messages", f"{tally.total} pushed over one WebSocket"),
        ("scenes", f"{count(paged, 'window')} paged over REST"),
        ("words read", f"{tally.words_read} in {count(len(tally.lines_read), 'line')}"),
        ("people seen", f"at most {tally.people} at once" if tally.people else "none"),
        ("also seen", _others(tally.objects) or "nothing"),
        ("delay", _delays(tally)),
        ("recorded", f"{seconds(recorded)}; its manifest plays {seconds(played)}"),
    ]


def _plain(text: str) -> Text:
    """Text that is never taken for markup: names and scenes come from elsewhere."""
    return Text(printable(text))


def _others(objects: Mapping[str, int]) -> str:
    return ", ".join(
        f"{label} ({most})" if most > 1 else label
        for label, most in sorted(objects.items())
        if label != "person"
    )


def _delays(tally: Tally) -> str:
    if tally.median_delay is None or tally.longest_delay is None:
        return "no message had one"
    return (
        f"{tally.median_delay:.2f} s median, {tally.longest_delay:.2f} s at most,"
        " from the end of a window to its message"
    )
