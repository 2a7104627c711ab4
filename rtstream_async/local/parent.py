"""The child's side of the pipe to its parent: see `child.py` for the other side.

Kept apart because a child should load nothing that it does not need; asyncio alone is 7 MB in
each of thirty workers.
"""

from __future__ import annotations

import os
import struct
import threading
from typing import Any, BinaryIO

import msgspec

__all__ = ["LENGTH", "Parent", "serve_parent"]

LENGTH = struct.Struct("<I")
"""What stands before each message: its length in bytes."""


class Parent:
    """The child's view of its parent: blocking, `send` safe from any thread."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader = reader
        self._writer = writer
        self._lock = threading.Lock()

    def send(self, message: Any) -> None:
        """Send one message; blocks while the parent does not read."""
        body = msgspec.msgpack.encode(message)
        with self._lock:
            self._writer.write(LENGTH.pack(len(body)) + body)
            self._writer.flush()

    def receive(self) -> Any | None:
        """Return the next message, or `None` when the parent has closed the pipe or is gone."""
        head = self._reader.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack(head)
        body = self._reader.read(length)
        return msgspec.msgpack.decode(body) if len(body) == length else None


def serve_parent() -> Parent:
    """Take over this process's standard input and output as the channel to its parent.

    Whatever native code prints goes to standard error from here on: one stray line on standard
    output would break the framing.
    """
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return Parent(reader, writer)
