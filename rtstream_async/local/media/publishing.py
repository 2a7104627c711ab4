"""A file published as a live source, for as long as a block runs."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import anyio
import attrs

from rtstream_async.local.child import Child

__all__ = ["Publication", "PublishError", "publishing"]

_WORKER = "rtstream_async.local.media.publish"
_GOODBYE = 2.0  # seconds


class PublishError(Exception):
    """A file could not be published."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(f"can't publish to {url}: {reason}")


@attrs.define(eq=False)
class Publication:
    """A running publication."""

    url: str
    _child: Child

    async def wait(self) -> None:
        """Return when the file was played to its end.

        Raises:
            PublishError: The receiver hung up, or the publisher died.
        """
        message = await _next_message(self._child)
        if message != ["done"]:
            raise PublishError(self.url, _reason(message, self._child))

    def freeze(self) -> None:
        """Let it hang as a dead network does: connected, and silent."""
        os.kill(self._child.pid, signal.SIGSTOP)

    def kill(self) -> None:
        """End it as a power cut would: no goodbye to the receiver."""
        self._child.kill()


@asynccontextmanager
async def publishing(
    file: str | Path,
    url: str,
    *,
    encode: bool = False,
    loop: bool = False,
    patience: float = 10.0,
    only: Literal["video", "audio"] | None = None,
    device: str | None = None,
) -> AsyncGenerator[Publication]:
    """Publish `file` to `url` (rtmp or rtsp) in real time while the block runs.

    The block begins when the receiver has accepted.

    Args:
        file: What to play.
        url: Where to push it.
        encode: Decode it and encode it again (H.264, AAC), as a camera does; else its packets
            go out as they are.
        loop: Start over at the end.
        patience: Seconds to try until somebody listens.
        only: Push the picture, or the sound, alone.
        device: `file` is no file, but a device of this format, such as `alsa` or `x11grab`.

    Raises:
        PublishError: Nobody listens, or the file can't be published.
    """
    flags = [
        *(["--encode"] if encode else []),
        *(["--loop"] if loop else []),
        "--attached",
        f"--patience={patience}",
        *([f"--only={only}"] if only else []),
        *([f"--device={device}"] if device else []),
    ]
    child = await Child.start(_WORKER, *flags, "--", str(file), url)
    try:
        message = await _next_message(child)
        if message != ["connected"]:
            raise PublishError(url, _reason(message, child))
        yield Publication(url, child)
    finally:
        with anyio.CancelScope(shield=True):
            await child.stop(grace=_GOODBYE)


async def _next_message(child: Child) -> Any:
    async for message in child:
        return message
    return None


def _reason(message: Any, child: Child) -> str:
    match message:
        case ["failed", str() as reason]:
            return reason
        case None:
            last = child.stderr_tail.splitlines()
            return last[-1] if last else "the publisher died"
        case _:
            return f"unexpected answer {message!r}"
