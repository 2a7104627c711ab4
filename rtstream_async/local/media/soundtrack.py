"""The sound of a video file: `python -m rtstream_async.local.media.soundtrack FILE`."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave some parameters open.
from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterable

import av
from av.error import FFmpegError

from rtstream_async.local.engines.ports import Sound
from rtstream_async.local.media.pcm import Pieces
from rtstream_async.local.parent import Parent, serve_parent

__all__ = ["main"]

_NICENESS = 10  # recordings come first


def _send_all(parent: Parent, path: str) -> None:
    with av.open(f"file:{path}", "r", format="mp4") as container:
        if not container.streams.audio:
            parent.send(["failed", "there is no sound in it"])
            return
        pieces = Pieces()
        for frame in container.decode(container.streams.audio[0]):
            _send(parent, pieces.feed(frame, None if frame.pts is None else frame.time))
        _send(parent, pieces.flush())
    parent.send(["done"])


def _send(parent: Parent, sounds: Iterable[Sound]) -> None:
    for sound in sounds:
        parent.send(["sound", sound.time, sound.samples])


def _end_with(parent: Parent) -> None:
    """End this process as soon as the parent closes the pipe, or is gone."""
    while parent.receive() is not None:
        continue
    os._exit(0)


def main() -> None:
    """Send the sound of a file in pieces, as fast as they are taken."""
    # Ctrl-C and a service manager's stop reach all processes; the server ends us in good order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(_NICENESS)
    parent = serve_parent()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        _send_all(parent, sys.argv[1])
    except (FFmpegError, OSError) as exc:
        parent.send(["failed", str(exc)])


if __name__ == "__main__":
    main()
