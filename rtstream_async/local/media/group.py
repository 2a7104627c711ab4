"""The packets since the last key frame: what a decoder needs to begin at any moment."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
from av.packet import Packet
from av.stream import Stream

__all__ = ["Coded", "PictureGroup"]

_MOST_BYTES = 16 << 20


@attrs.frozen
class Coded:
    """A packet and when it is shown (Unix seconds)."""

    packet: Packet[Stream]
    time: float
    is_key: bool

    @property
    def size(self) -> int:
        """Bytes."""
        return self.packet.size


class PictureGroup:
    """A group of pictures as it grows, and how much of it the decoder has had."""

    def __init__(self) -> None:
        self._packets: list[Coded] = []
        self._bytes = 0
        self._decoded = 0
        self._has_key = False  # the packets begin with the key frame
        self._is_continued = False  # what was before them is in the decoder
        self.newest = 0.0
        self.is_broken = True  #: the decoder does not stand right before the next packet

    @property
    def is_full(self) -> bool:
        """Too large to keep; what is needed must be decoded as it comes."""
        return self._bytes > _MOST_BYTES

    def add(self, coded: Coded) -> None:
        """Take the next packet; a key frame begins a new group."""
        if coded.is_key:
            self.is_broken = self.is_broken or self._decoded < len(self._packets)
            self._empty(has_key=True, is_continued=False)
            self.newest = coded.time
        elif not (self._has_key or self._is_continued):
            return  # nothing to decode it from
        self._packets.append(coded)
        self._bytes += coded.size
        self.newest = max(self.newest, coded.time)

    def pending(self) -> Iterator[Coded]:
        """Give the packets that the decoder has not had, counting them as had."""
        while self._decoded < len(self._packets):
            self._decoded += 1
            yield self._packets[self._decoded - 1]

    def rewind(self) -> None:
        """The decoder is gone: the next one begins at the key frame, if that is still here."""
        self.is_broken = True
        if self._has_key:
            self._decoded = 0
        else:
            self._empty(has_key=False, is_continued=False)

    def trim(self) -> None:
        """Forget what is too much to keep."""
        if self.is_full:
            is_continued = not self.is_broken and self._decoded == len(self._packets)
            self._empty(has_key=False, is_continued=is_continued)

    def _empty(self, *, has_key: bool, is_continued: bool) -> None:
        self._packets, self._bytes, self._decoded = [], 0, 0
        self._has_key, self._is_continued = has_key, is_continued
