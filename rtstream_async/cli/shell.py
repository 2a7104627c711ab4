"""Runs one command's coroutine: signals end it, failures become a line, both an exit code."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import attrs
import typer

from rtstream_async.cli.failure import explain

__all__ = ["FAILED", "Interruption", "run"]

FAILED = 1
_SIGNALLED = 128
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@attrs.define(eq=False)
class Interruption:
    """What a signal means to the command."""

    exit_code: int | None = None
    """The exit code after a signal, from now on; `None`: 128 and the signal's number."""
    number: int | None = attrs.field(default=None, init=False)  #: of the signal that has come


def run(
    work: Callable[[Interruption], Coroutine[Any, Any, int]],
    *,
    debug: bool,
    server: str | None = None,
) -> None:
    """Run `work(interruption)` to its end and leave with its exit code.

    The first SIGINT or SIGTERM cancels the work, which cleans up; a second one ends it at once.

    Args:
        work: The command; returns its exit code.
        debug: Show the traceback of a failure.
        server: Which server is asked, to be named when it can't be reached.

    Raises:
        typer.Exit: Always, with the exit code.
    """
    try:
        code = asyncio.run(_interruptible(work))
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _SIGNALLED + signal.SIGINT
    except BrokenPipeError:
        code = _mute()
    except Exception as exc:  # noqa: BLE001 - the last stop before the user: any failure becomes a line
        code = _report(exc, debug=debug, server=server)
    raise typer.Exit(code)


async def _interruptible(work: Callable[[Interruption], Coroutine[Any, Any, int]]) -> int:
    with _signals_cancel() as interruption:
        try:
            return await work(interruption)
        except asyncio.CancelledError:
            if interruption.number is None:
                raise
            code = interruption.exit_code
            return _SIGNALLED + interruption.number if code is None else code


@contextmanager
def _signals_cancel() -> Generator[Interruption]:
    """Have the signals cancel the current task, once; a second one raises KeyboardInterrupt."""
    interruption = Interruption()
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()

    def on_signal(number: int, _: FrameType | None) -> None:
        if task is None or interruption.number is not None:
            raise KeyboardInterrupt
        interruption.number = number
        loop.call_soon_threadsafe(task.cancel)

    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(failure: Exception, *, debug: bool, server: str | None) -> int:
    if debug:
        traceback.print_exception(failure)
    sys.stderr.write(f"rtstream: {explain(failure, server=server)}\n")
    return FAILED


def _mute() -> int:
    """Whoever read our output has left: say nothing more, not even at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _SIGNALLED + 13  # SIGPIPE, as a program without Python's handling of it ends
