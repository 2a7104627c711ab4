"""Making a video, in a process of its own: a crash there is a failed export, and nothing else."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import msgspec

from rtstream_async.local.child import Child
from rtstream_async.local.media.export_order import Exported, Order

__all__ = ["ExportError", "export_video"]

logger = logging.getLogger(__name__)

_WORKER = "rtstream_async.local.media.export"
_TRIES = 2
_GOODBYE = 1.0  # seconds; it ends by itself when its pipe is closed
_PATIENCE = 120.0  # seconds without a word after which the process is taken for stuck...
_SLOWEST = 4_000_000  # ...and for each that many bytes one more: at the end all of it moves once


class ExportError(Exception):
    """The video could not be made; the text says why."""


class _DiedError(Exception):
    """The process died, or was stuck."""


async def export_video(order: Order, tell: Callable[[float], None]) -> Exported:
    """Write the video that `order` describes; return what it is.

    A process that dies is started once more. Cancelling ends it; what it has written stays.

    Args:
        order: What to make of which files.
        tell: Gets the share that is done, from 0 to 1.

    Raises:
        ExportError: The files can't be read, the disk is full, or the process died twice.
    """
    size = await anyio.to_thread.run_sync(_size_of, order)
    patience = _PATIENCE + size / _SLOWEST
    for _ in range(_TRIES - 1):
        try:
            return await _run(order, tell, patience)
        except _DiedError as exc:
            logger.warning("%s; it is started once more", exc)
    try:
        return await _run(order, tell, patience)
    except _DiedError as exc:
        raise ExportError(f"the video could not be made: {exc}") from exc


def _size_of(order: Order) -> int:
    paths = [Path(file.path) for file in order.files]
    return sum(path.stat().st_size for path in paths if path.exists())


async def _run(order: Order, tell: Callable[[float], None], patience: float) -> Exported:
    child = await Child.start(_WORKER)
    try:
        with contextlib.suppress(ConnectionError):  # it is gone; how, is told below
            await child.send(order)
            return await _follow(child, tell, patience)
    finally:
        with anyio.CancelScope(shield=True):
            await child.stop(grace=_GOODBYE)
    raise _DiedError(f"the export process died ({_cause(child)}): {_last_line(child)}")


async def _follow(child: Child, tell: Callable[[float], None], patience: float) -> Exported:
    messages = aiter(child)
    while True:
        message: Any = None
        with anyio.move_on_after(patience) as scope:
            message = await anext(messages, None)
        if scope.cancelled_caught:
            raise _DiedError(f"the export process said nothing for {patience:.0f} s")
        match message:
            case ["progress", float() | int() as share]:
                tell(share)
            case ["made", _]:
                return msgspec.convert(message[1], Exported)
            case ["failed", str() as reason]:
                raise ExportError(f"the video could not be made: {reason}")
            case _:
                raise ConnectionError


def _cause(child: Child) -> str:
    code = child.returncode
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _last_line(child: Child) -> str:
    lines = child.stderr_tail.splitlines()
    return lines[-1] if lines else "no message"
