"""Takes plain messages out of the bytes of a socket; all else is left to the library.

Nearly every frame of this service is one whole text message, short and not compressed. To find its
end takes two bytes, where a parser that is ready for anything takes most of the time that a message
costs. So the bytes are cut here, between frames and nowhere else: a plain message is given to the
sink, and every other frame goes to the library as it came, in order. The library sees a stream
without the messages that it was spared, and stays in charge of the handshake, of control frames,
fragments, compression, large messages, protocol errors and the close.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rtstream_async.transport.socket import Sink

__all__ = ["Shortcut"]

_PLAIN: Final = frozenset({0x81, 0x82})  # text and binary: not compressed, not in fragments
_SHORT: Final = 125  # bytes: the second byte of a header has the length up to here
_LENGTH_16: Final = 126  # the length is in two bytes more
_LENGTH_64: Final = 127  # the length is in eight bytes more
_END_OF_HEAD: Final = b"\r\n\r\n"


class Shortcut:
    """What stands between the transport and the library's parser."""

    def __init__(
        self,
        *,
        sink: Sink,
        leave: Callable[[bytes], None],
        is_open: Callable[[], bool],
        limit: int,
    ) -> None:
        """Begin before the handshake.

        Args:
            sink: Is given plain messages.
            leave: Is given everything else: the library's parser.
            is_open: Returns whether the handshake is over, no close has begun, and no message is
                in fragments: whether a plain message would be valid here.
            limit: A message with more bytes is left too.
        """
        self._sink = sink
        self._leave = leave
        self._is_open = is_open
        self._limit = limit
        self._head: bytes | None = b""  # the end of what came of the handshake; `None`: it is over
        self._owed = 0  # bytes of a frame that was begun to be left
        self._rest = b""  # the beginning of a frame

    def feed(self, data: bytes) -> None:
        """Take what the transport has received. Raises what the sink raises."""
        if self._head is not None:
            data = self._skip_head(data)
        if self._owed:
            part = data[: self._owed]
            self._owed -= len(part)
            data = data[len(part) :]
            self._leave(part)
        if data:
            self._cut(self._rest + data if self._rest else data)

    def _skip_head(self, data: bytes) -> bytes:
        """Leave what belongs to the handshake; return what is behind it."""
        seen = (self._head or b"") + data
        end = seen.find(_END_OF_HEAD)
        if end < 0:
            self._head = seen[1 - len(_END_OF_HEAD) :]
            self._leave(data)
            return b""
        frames = seen[end + len(_END_OF_HEAD) :]
        self._head = None
        self._leave(data[: len(data) - len(frames)])
        return frames

    def _cut(self, data: bytes) -> None:
        """Take and leave the frames in `data`, which begins with one."""
        sink, limit, size = self._sink, self._limit, len(data)
        is_open = self._is_open()
        place = 0
        self._rest = b""
        while place + 1 < size:
            length = data[place + 1]
            begin = place + 2
            if length == _LENGTH_16:
                begin = place + 4
                if begin > size:
                    break
                length = data[place + 2] << 8 | data[place + 3]
            elif length > _SHORT:
                if length > _LENGTH_64:  # masked, which no server may do: the library says so
                    self._leave(data[place:])
                    return
                begin = place + 10
                if begin > size:
                    break
                length = int.from_bytes(data[place + 2 : begin])
            end = begin + length
            if is_open and data[place] in _PLAIN and length <= limit:
                if end > size:
                    break
                sink.frame(data[begin:end])
            else:
                self._owed = max(0, end - size)
                self._leave(data[place:end])
                is_open = self._is_open()
            place = end
        if place < size:
            self._rest = data[place:]
