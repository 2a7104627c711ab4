"""Tables: streams, scenes, and what a demo has seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any, cast

from rich import box
from rich.table import Table
from rich.text import Text

from rtstream_async.cli.events import StreamView
from rtstream_async.cli.outcome import Outcome
from rtstream_async.cli.render.text import count, printable, seconds, span, stamp
from rtstream_async.cli.tally import Tally
from rtstream_async.models.records import Scene

__all__ = ["measured", "scenes_table", "streams_table", "summary_table"]

_STATUS_STYLES = {"connected": "green", "running": "green", "stopped": "dim", "error": "red"}


def streams_table(streams: Iterable[StreamView], *, zone: tzinfo | None = None) -> Table:
    """Return a table with a row for each stream."""
    table = Table(
        box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=0, show_edge=False
    )
    table.add_column("id", no_wrap=True)
    # An id needs half of a narrow terminal; the others share the rest, and none disappears.
    table.add_column("name", min_width=4, overflow="fold")
    table.add_column("status", no_wrap=True)
    table.add_column("created", min_width=10, overflow="fold")
    table.add_column("media", overflow="fold")
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


def ingested(stream: StreamView) -> str:
    """Return what is taken from the source, and what is wrong with it, as far as it is told."""
    told: Any = stream.raw.get("ingested")
    tracks = _tracks(cast("Mapping[str, Any]", told)) if isinstance(told, Mapping) else []
    parts = tracks or list(stream.media_types)
    if stream.store:
        parts.append("stored")
    trouble: Any = stream.raw.get("last_error")
    return ", ".join(parts) + (f" ({trouble})" if trouble and isinstance(trouble, str) else "")


def _tracks(told: Mapping[str, Any]) -> list[str]:
    """What the local server says about the tracks of a source."""
    match told.get("video"):
        case {"codec": str() as codec, "width": int() as width, "height": int() as height}:
            video = [f"{codec} {width}x{height}"]
        case _:
            video = []
    match told.get("audio"):
        case {"codec": str() as codec}:
            audio = [codec]
        case _:
            audio = []
    again = ["transcoded"] if told.get("transcoded") is True else []
    return [*video, *audio, *again]


def scenes_table(
    scenes: Iterable[Scene], *, brief: bool = False, zone: tzinfo | None = None
) -> Table:
    """Return a table with a row for each scene, in the order given.

    Args:
        scenes: The scenes.
        brief: Cut each text to what fits on one line.
        zone: Whose wall clock; `None`: this machine's.
    """
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("window", no_wrap=True, min_width=17)
    table.add_column("scene", no_wrap=brief, overflow="ellipsis" if brief else "fold")
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


def measured(outcome: Outcome) -> list[tuple[str, str]]:
    """Return the rows of the demo's summary."""
    tally = outcome.tally
    return [
        ("messages", f"{tally.total} pushed over one WebSocket"),
        ("scenes", f"{count(tally.scenes, 'window')} paged over REST"),
        ("words read", f"{tally.words_read} in {count(len(tally.lines_read), 'line')}"),
        ("people seen", f"at most {tally.people} at once" if tally.people else "none"),
        ("also seen", _others(tally.objects) or "nothing"),
        ("words heard", _heard(outcome)),
        ("alerts", _alerts(tally) or "none"),
        ("delay", _delays(tally)),
        ("recorded", seconds(outcome.recorded)),
        ("played", f"{seconds(outcome.played)} by its manifest, of {seconds(outcome.asked)} asked"),
        ("exported", f"one MP4 of {seconds(outcome.exported.duration or 0.0)}"),
        *(
            ("found", f"{hit.query!r}: {hit.text}")
            for hit in (outcome.seen, outcome.heard)
            if hit is not None
        ),
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


def _heard(outcome: Outcome) -> str:
    right = max(0, outcome.words_said - outcome.words_wrong)
    return f"{right} of the {outcome.words_said} that are said"


def _alerts(tally: Tally) -> str:
    return ", ".join(f"{label} ({times})" for label, times in sorted(tally.alerts.items()))


def _delays(tally: Tally) -> str:
    if tally.median_delay is None or tally.longest_delay is None:
        return "no message had one"
    return (
        f"{tally.median_delay:.2f} s median, {tally.longest_delay:.2f} s at most,"
        " from the end of a window to its message"
    )
