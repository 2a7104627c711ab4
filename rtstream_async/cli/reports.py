"""Tells what happens while it happens: as JSON lines, as plain lines, or in a live view."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from rtstream_async.cli.events import Happening
from rtstream_async.cli.render.lines import line, row
from rtstream_async.cli.render.objects import as_line, as_object

__all__ = ["JsonReport", "LineReport", "LiveReport", "Report", "open_report", "rows_to_drop"]


class Report(Protocol):
    """Where a command tells what happens; a context manager, so that the terminal is left whole."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def tell(self, value: Happening) -> None:
        """Tell one thing."""
        ...

    def show(self, header: RenderableType) -> None:
        """Renew the header, where there is one."""
        ...

    def end(self, rendered: Sequence[RenderableType], value: Mapping[str, Any]) -> None:
        """Close with a result: `rendered` for people, `value` for machines."""
        ...


def open_report(console: Console, *, json: bool) -> Report:
    """Return the report that fits: JSON if asked for, live on a terminal, plain lines elsewhere."""
    if json:
        return JsonReport()
    return LiveReport(console) if console.is_terminal else LineReport(console)


class _Report:
    """What the plain reports share: nothing to open, nothing to restore, no header."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    def show(self, header: RenderableType) -> None:
        """Do nothing: a header can't be renewed here."""


class JsonReport(_Report):
    """Writes one JSON object a line."""

    def tell(self, value: Happening) -> None:
        """Write what happened."""
        self._write(as_object(value))

    def end(self, rendered: Sequence[RenderableType], value: Mapping[str, Any]) -> None:  # noqa: ARG002 - the port
        """Write the result."""
        self._write({"type": "summary", **value})

    def _write(self, value: Mapping[str, Any]) -> None:
        sys.stdout.write(f"{as_line(value)}\n")
        sys.stdout.flush()


class LineReport(_Report):
    """Writes one plain line for each thing that happens."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def tell(self, value: Happening) -> None:
        """Write what happened."""
        self._console.print(line(value), soft_wrap=True)

    def end(self, rendered: Sequence[RenderableType], value: Mapping[str, Any]) -> None:  # noqa: ARG002 - the port
        """Write the result."""
        _print_all(self._console, rendered)


class LiveReport:
    """Keeps a header and the latest lines on the screen.

    Lines that no longer fit are printed above, into the terminal's own history, so nothing that
    was told is lost; at the end the view gives way to its lines.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: deque[RenderableType] = deque()
        self._header: RenderableType = Text()
        self._live = Live(
            console=console, auto_refresh=False, transient=True, vertical_overflow="crop"
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.update(Text())
        self._live.stop()
        self._print_rows(len(self._rows))

    def tell(self, value: Happening) -> None:
        """Show what happened as the newest line."""
        self._rows.append(row(value))
        self._draw()

    def show(self, header: RenderableType) -> None:
        """Renew the header."""
        self._header = header
        self._draw()

    def end(self, rendered: Sequence[RenderableType], value: Mapping[str, Any]) -> None:  # noqa: ARG002 - the port
        """Print the result after all lines; the header has done its work."""
        self._header = Text()
        self._print_rows(len(self._rows))
        self._draw()
        _print_all(self._console, rendered)

    def _draw(self) -> None:
        heights = [self._height(shown) for shown in self._rows]
        room = self._console.height - self._height(self._header) - 2
        self._print_rows(rows_to_drop(heights, room=room))
        # The cursor rests on a line of its own: what the terminal echoes there (^C) must not wrap,
        # or the view is erased a line short.
        self._live.update(Group(self._header, *self._rows, Text()), refresh=True)

    def _height(self, shown: RenderableType) -> int:
        return len(self._console.render_lines(shown))

    def _print_rows(self, number: int) -> None:
        for _ in range(number):
            self._console.print(self._rows.popleft())


def _print_all(console: Console, rendered: Sequence[RenderableType]) -> None:
    for part in rendered:
        # Text is left whole: a URL that was wrapped here could not be copied.
        console.print(part, soft_wrap=isinstance(part, Text))


def rows_to_drop(heights: Sequence[int], *, room: int) -> int:
    """Return how many rows, oldest first, must go so that the rest fits into `room` lines."""
    used = 0
    for kept, height in enumerate(reversed(heights)):
        used += height
        if used > room:
            return len(heights) - kept
    return 0
