"""A progress bar on standard error, for work whose result goes to standard output."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from rtstream_async.models.jobs import JobProgress

__all__ = ["progress_of"]


@contextmanager
def progress_of(doing: str, *, quiet: bool) -> Generator[Callable[[JobProgress], None]]:
    """Show `doing` while the block runs; call what it gives with how it is getting on.

    Args:
        doing: What is being done.
        quiet: Show nothing.

    Yields:
        Takes what the service tells of a job.
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

        def tell(job: JobProgress) -> None:
            if job.fraction is not None:
                bar.update(task, total=1.0, completed=job.fraction)

        yield tell
        bar.update(task, total=1.0, completed=1.0)
