"""A track of the source on its way into the recording."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the packets' type parameter open.
from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import attrs
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from rtstream_async.local.domain.h264 import sequence_parameters
from rtstream_async.local.domain.timeline import DtsRepair

__all__ = ["CopyTrack", "Made", "Track"]


@attrs.frozen(kw_only=True)
class Made:
    """A packet for the recording, stamped in ticks."""

    packet: Packet[Stream]
    is_new_format: bool = False  #: decoders must start over here


class Track(Protocol):
    """One track on its way into the recording."""

    @property
    def is_video(self) -> bool:
        """Picture or sound."""
        ...

    @property
    def is_copy(self) -> bool:
        """Recorded as it is, so it was not decoded."""
        ...

    def add_to(self, container: OutputContainer) -> Stream:
        """Add the track to a new file."""
        ...

    def feed(self, packet: Packet[Stream]) -> Iterator[Made]:
        """Give what the recording gets for one packet of the source, stamped in ticks."""
        ...

    def flush(self) -> Iterator[Made]:
        """Give what is still held back at the end of the source."""
        ...


class CopyTrack:
    """Passes a track on as it is."""

    is_copy = True

    def __init__(self, stream: VideoStream | AudioStream) -> None:
        self.is_video = stream.type == "video"
        self._stream = stream
        self._extradata: bytes | None = None
        self._parameters: bytes | None = None
        self._repair = DtsRepair()

    def add_to(self, container: OutputContainer) -> Stream:
        """Add the track to a new file."""
        stream = container.add_stream_from_template(self._stream, opaque=True)
        if self._extradata is not None:
            stream.codec_context.extradata = self._extradata
        return stream

    def feed(self, packet: Packet[Stream]) -> Iterator[Made]:
        """Give what the recording gets for one packet."""
        packet.pts, packet.dts = self._repair.fix(packet.pts or 0, packet.dts or 0)
        yield Made(packet=packet, is_new_format=self._changes_format(packet))

    def flush(self) -> Iterator[Made]:
        """Give what is still held back."""
        return iter(())

    def _changes_format(self, packet: Packet[Stream]) -> bool:
        """Each segment's file is made from the parameters of now, not of the beginning."""
        if packet.has_sidedata("new_extradata"):
            fresh = bytes(packet.get_sidedata("new_extradata"))
            changed = fresh not in {self._extradata, self._stream.codec_context.extradata}
            self._extradata = fresh
            return changed
        if not (self.is_video and packet.is_keyframe):
            return False
        parameters = sequence_parameters(bytes(memoryview(packet)[:512]))
        if parameters is None:
            return False
        changed = self._parameters not in {None, parameters}
        self._parameters = parameters
        return changed
