"""The header of a live view."""

from __future__ import annotations

import attrs
from rich import box
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rtstream_async.cli.render.text import count, printable, seconds
from rtstream_async.cli.tally import Tally

__all__ = ["Steps", "Watched", "steps_header", "watch_header"]

_BAR = 50  # columns
_GOOD = {"connected", "running", "active", "LIVE"}
_WAITING = {"connecting", "reconnecting", "CONNECTING", "RECONNECTING", "RECOVERING", "STALE"}


@attrs.frozen(kw_only=True)
class Watched:
    """What the header of `rtstream watch` says."""

    name: str
    rtstream_id: str
    source: str  #: fit to be shown
    status: str  #: of the stream, the service's word
    note: str = ""  #: the service's reason for the status
    link: str  #: state of the link
    generation: int = 0  #: which connection of the link this is
    server: str  #: who is asked
    elapsed: float  #: seconds


@attrs.frozen(kw_only=True)
class Steps:
    """How far a demo is."""

    done: tuple[str, ...] = ()
    doing: str = ""
    share: float | None = None  #: how much of what is being done is done, 0 to 1
    elapsed: float = 0.0  #: seconds


def steps_header(steps: Steps, tally: Tally) -> Panel:
    """Return the header of `rtstream demo`: what is done, and what is being done."""
    lines = [Text.assemble(("✓ ", "green"), printable(text)) for text in steps.done]
    if steps.doing:
        lines.append(Text.assemble(("● ", "yellow"), (printable(steps.doing), "bold")))
    parts: list[RenderableType] = [*lines]
    if steps.share is not None:
        bar = ProgressBar(total=1.0, completed=min(steps.share, 1.0), width=_BAR)
        parts.append(Columns([Text(" "), bar, _counters(tally)], padding=(0, 1)))
    return Panel(
        Group(*parts),
        title="[b]rtstream demo[/]",
        title_align="left",
        subtitle=seconds(steps.elapsed),
        subtitle_align="right",
        box=box.ROUNDED,
        border_style="cyan",
    )


def watch_header(watched: Watched, tally: Tally) -> Panel:
    """Return the header: the stream, the link and the counters."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(no_wrap=True)
    stream = Text.assemble(
        (printable(watched.name), "bold"), "  ", (watched.rtstream_id, "dim"), overflow="ellipsis"
    )
    grid.add_row("stream", stream, "state", _light(watched.status))
    grid.add_row("source", Text(watched.source), "link", _link(watched))
    grid.add_row("server", Text(watched.server), "time", seconds(watched.elapsed))
    grid.add_row("seen", _counters(tally), "behind", _behind(tally))
    if watched.note:
        grid.add_row("note", Text(printable(watched.note), style="yellow"), "", "")
    return Panel(
        grid, title="[b]rtstream watch[/]", title_align="left", box=box.ROUNDED, border_style="cyan"
    )


def _link(watched: Watched) -> Text:
    times = f" (no. {watched.generation})" if watched.generation > 1 else ""
    return _light(watched.link).append(times, style="dim")


def _light(state: str) -> Text:
    color = "green" if state in _GOOD else "yellow" if state in _WAITING else "red"
    return Text.assemble(("● ", color), printable(state))


def _counters(tally: Tally) -> Text:
    text = Text(count(tally.total, "message"))
    for number, noun in ((tally.dropped, "dropped"), (tally.gaps, "gaps")):
        text.append(f"   {number} {noun}", style="red" if number else "dim")
    return text


def _behind(tally: Tally) -> str:
    return "-" if tally.median_delay is None else seconds(max(0.0, tally.median_delay))
