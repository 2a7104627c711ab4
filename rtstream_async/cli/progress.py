"""A progress bar on standard error, for work whose result goes to standard output."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

__all__ = ["progress_of"]


@contextmanager
def progress_of(doing: str, *, quiet: bool) -> Generator[Callable[[float | None], None]]:
    """Show `doing` while the block runs; call what it gives with the share that is done.

    Args:
        doing: What is being done.
        quiet: Show nothing.

    Yields:
        Takes a share from 0 to 1, or `None` where nobody knows.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True, quiet=quiet),
        transient=True,
    )
    with bar:
        task = bar.add_task(doing, total=None)

        def tell(share: float | None) -> None:
            if share is not None:
                bar.update(task, total=1.0, completed=share)

        yield tell
        bar.update(task, total=1.0, completed=1.0)
