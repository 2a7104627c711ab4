"""What a killed recorder left behind, made part of the recording again."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.to_thread
import msgspec

from rtstream_async.local.child import Child
from rtstream_async.local.media.events import SegmentClosed

__all__ = ["adopt_leftovers"]

_WORKER = "rtstream_async.local.media.adopt"
_SECONDS = 30.0


async def adopt_leftovers(directory: str | Path) -> list[SegmentClosed]:
    """Finish the unfinished segments in `directory` (not below it) and return them, oldest first.

    The files are read in a child process. One on which the child dies is set aside, with
    `.broken` behind its name; one that holds nothing playable is deleted. Call it only while
    nothing records into the directory. Cancelling is safe: what is not done is done next time.
    """
    adopted: list[SegmentClosed] = []
    while await anyio.to_thread.run_sync(_has_parts, directory):
        culprit = await _run_once(str(directory), adopted)
        if culprit is not None:
            await anyio.to_thread.run_sync(_set_aside, culprit)
    return sorted(adopted, key=lambda segment: segment.start)


def _has_parts(directory: str | Path) -> bool:
    return any(Path(directory).glob("*.ts.part"))


def _set_aside(path: Path) -> None:
    path.rename(path.with_name(path.name + ".broken"))


async def _run_once(directory: str, adopted: list[SegmentClosed]) -> Path | None:
    """Run the child over the directory; return the file on which it died, if it did."""
    at: Path | None = None
    child = await Child.start(_WORKER, directory)
    try:
        with anyio.move_on_after(_SECONDS):
            async for message in child:
                match message:
                    case ["reading", str() as path]:
                        at = Path(path)
                    case ["adopted", payload]:
                        adopted.append(msgspec.convert(payload, SegmentClosed))
                    case ["done"]:
                        return None
                    case _:
                        raise RuntimeError(f"unexpected message from {_WORKER}")
    finally:
        with anyio.CancelScope(shield=True):
            await child.stop(grace=0)
    if at is None:
        raise RuntimeError(f"{_WORKER} did not start: {child.stderr_tail}")
    return at
