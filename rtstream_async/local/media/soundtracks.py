"""Reading the sound of a video file, in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from rtstream_async.local.child import Child
from rtstream_async.local.engines.ports import Sound

__all__ = ["SoundtrackError", "open_soundtrack"]

_WORKER = "rtstream_async.local.media.soundtrack"
_GOODBYE = 1.0  # seconds; it ends by itself when its pipe is closed


class SoundtrackError(Exception):
    """The sound could not be read; the text says why."""


@asynccontextmanager
async def open_soundtrack(path: Path) -> AsyncGenerator[AsyncIterator[Sound]]:
    """Give the sound of a video file, in pieces; their times are seconds from its start.

    Iterating raises `SoundtrackError` when there is none, or it can't be read. Pieces are decoded
    as they are taken. Cancelling ends the process.
    """
    child = await Child.start(_WORKER, str(path))
    try:
        yield _sounds(child)
    finally:
        with anyio.CancelScope(shield=True):
            await child.stop(grace=_GOODBYE)


async def _sounds(child: Child) -> AsyncIterator[Sound]:
    async for message in child:
        match message:
            case ["sound", float() | int() as time, bytes() as samples]:
                yield Sound(time=time, samples=samples)
            case ["done"]:
                return
            case ["failed", str() as reason]:
                raise SoundtrackError(reason)
            case _:
                raise RuntimeError(f"unexpected message from {_WORKER}")
    raise SoundtrackError(f"the process that reads it died: {child.stderr_tail or 'no message'}")
