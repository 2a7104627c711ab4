"""The pictures of one recording with the sound of several: segments of what a session captured.

A screen, a microphone and the sound of the machine are each recorded by itself. The video of their
session has them together: its segments are those of the screen, with all sound in them, mixed.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the packets' type parameter open.
from __future__ import annotations

import contextlib
import heapq
import itertools
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs
import av
import numpy as np
from av.audio.frame import AudioFrame
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from rtstream_async.local.domain.assembly import TICKS, File, Place, lay_out
from rtstream_async.local.domain.playlist import GAP
from rtstream_async.local.media.clock import TICK
from rtstream_async.local.media.decoded import DecodedSound, Samples
from rtstream_async.local.media.segments import TimedPacket, open_segment, timed_packets

__all__ = ["has_sound", "mix"]

_RATE: Final = 48_000
_BLOCK: Final = 1024  # samples that AAC encodes at a time
_BITS: Final = 192_000  # a second
_AAC: Final = {"aac_coder": "fast"}
_LEAD: Final = 10 * TICKS  # no timestamp is ever negative, whatever the reordering
_NEAR: Final = 1.0  # seconds that the sound of a segment may lie outside of it
_OPTIONS: Final = {"mpegts_copyts": "1", "max_interleave_delta": "1000000"}

_Packet: TypeAlias = "Packet[Any]"  # the class itself takes no parameter


def has_sound(files: Sequence[File]) -> bool:
    """Return whether any of some segments has sound."""
    for file in files:
        with contextlib.suppress(FFmpegError), open_segment(file) as container:
            if container.streams.audio:
                return True
    return False


def mix(
    files: Sequence[File],
    sounds: Sequence[Sequence[File]],
    folder: Path,
    tell: Callable[[float], None],
) -> tuple[File, ...]:
    """Write the segments with all sound in them, and return them; one that can't be read is not.

    Args:
        files: What was recorded with pictures, in order of time. Their own sound is mixed in, too.
        sounds: Further recordings, each in order of time.
        folder: Where to write, under the same names.
        tell: Gets the share that is done, from 0 to 1.

    Raises:
        av.error.FFmpegError: They can't be written.
    """
    places, _ = lay_out(files)
    written: list[File] = []
    done = itertools.count(1)
    origin = files[0].start
    for _, flow in itertools.groupby(places, key=lambda place: place.flow_start):
        members = [place.file for place in flow]
        begin, end = members[0].start, members[-1].end
        if members[0].discontinuity:
            origin = begin  # MPEG-TS counts no further than a day
        with contextlib.closing(_Voice([files, *sounds], begin=begin, end=end)) as voice:
            for number, file in enumerate(members, start=1):
                until = members[number].start if number < len(members) else end
                heard = [
                    _stamped(packet, begin - origin + at / _RATE)
                    for at, packet in voice.until(until)
                ]
                target = attrs.evolve(file, path=str(folder / Path(file.path).name))
                if _write(file, target, voice.stream, heard, origin):
                    written.append(target)
                tell(next(done) / len(files))
    return tuple(written)


def _stamped(packet: _Packet, seconds: float) -> _Packet:
    packet.pts = packet.dts = round(seconds * TICKS) + _LEAD
    packet.time_base = TICK
    packet.duration = round(_BLOCK * TICKS / _RATE)
    return packet


def _write(
    file: File, target: File, voice: Stream, heard: Sequence[_Packet], origin: float
) -> bool:
    """Write one segment; return whether the old one could be read."""
    at = round((file.start - origin) * TICKS) + _LEAD
    place = Place(file=file, at=at, flow_start=at, flow_end=at, begins_flow=False)
    with contextlib.ExitStack() as stack:
        try:
            source = stack.enter_context(open_segment(file))
            pictures = [_picture(timed) for timed in timed_packets(source, place) if timed.is_video]
        except FFmpegError:
            return False
        if not pictures:
            return False
        out = stack.enter_context(
            av.open(f"file:{target.path}", "w", format="mpegts", options=_OPTIONS)
        )
        streams = {
            True: out.add_stream_from_template(source.streams.video[0], opaque=True),
            False: out.add_stream_from_template(voice, opaque=True),
        }
        for packet in heapq.merge(pictures, heard, key=lambda packet: packet.dts or 0):
            packet.stream = streams[packet.stream.type == "video"]
            out.mux_one(packet)
    return True


def _picture(timed: TimedPacket) -> _Packet:
    packet: _Packet = timed.packet
    packet.pts, packet.dts, packet.time_base = timed.pts, timed.dts, TICK
    return packet


class _Track:
    """The sound of one recording, in samples from `begin` (Unix seconds) on; asked in order."""

    def __init__(self, files: Sequence[File], begin: float) -> None:
        self._pieces = _pieces(files, begin)
        self._held: tuple[int, Samples] | None = None

    def add_to(self, block: Samples, at: int) -> None:
        """Add what sounds during a block that begins with the sample `at`."""
        end = at + block.shape[1]
        while True:
            self._held = self._held or next(self._pieces, None)
            if self._held is None or self._held[0] >= end:
                return
            start, samples = self._held
            over = start + samples.shape[1]
            first, last = max(start, at), min(over, end)
            if first < last:
                block[:, first - at : last - at] += samples[:, first - start : last - start]
            if over > end:
                return
            self._held = None


def _pieces(files: Sequence[File], begin: float) -> Iterator[tuple[int, Samples]]:
    decoded = DecodedSound(rate=_RATE, layout="stereo")
    end: float | None = None
    for file in files:
        if end is None or file.discontinuity or abs(file.start - end) > GAP:
            decoded.begin()
        end = file.end
        at = round((file.start - begin) * TICKS)
        place = Place(file=file, at=at, flow_start=at, flow_end=at, begins_flow=False)
        try:
            with open_segment(file) as container:
                for timed in timed_packets(container, place):
                    if not timed.is_video:
                        yield from decoded.feed(timed)
        except FFmpegError:
            end = None  # one damaged file; silence in its place


class _Voice:
    """All sound of one flow, mixed and encoded."""

    def __init__(self, recordings: Sequence[Sequence[File]], *, begin: float, end: float) -> None:
        self._begin = begin
        self._tracks = [
            _Track(
                [one for one in files if one.end > begin - _NEAR and one.start < end + _NEAR], begin
            )
            for files in recordings
        ]
        self._blocks = max(1, round((end - begin) * _RATE / _BLOCK))
        # An encoder in a container of its own, whose only use is to hold it: the files come and go.
        self._scratch = av.open(os.devnull, "w", format="flv")
        self.stream = self._scratch.add_stream(
            "aac", _RATE, layout="stereo", bit_rate=_BITS, options=dict(_AAC)
        )
        self._scratch.start_encoding()
        self._packets = self._encoded()
        self._held: tuple[int, _Packet] | None = None

    def until(self, time: float) -> Iterator[tuple[int, _Packet]]:
        """Give the packets that begin before `time` (Unix seconds), each with its first sample."""
        end = (time - self._begin) * _RATE
        while True:
            self._held = self._held or next(self._packets, None)
            if self._held is None or self._held[0] >= end:
                return
            item, self._held = self._held, None
            if item[0] >= 0:  # what the encoder has put first is nobody's sound
                yield item

    def close(self) -> None:
        """Encode no more."""
        self._packets.close()
        self._scratch.close()

    def _encoded(self) -> Generator[tuple[int, _Packet]]:
        for number in range(self._blocks):
            block: Samples = np.zeros((2, _BLOCK), np.float32)
            for track in self._tracks:
                track.add_to(block, number * _BLOCK)
            frame = AudioFrame.from_ndarray(np.clip(block, -1, 1), format="fltp", layout="stereo")
            frame.sample_rate = _RATE
            frame.time_base = Fraction(1, _RATE)
            frame.pts = number * _BLOCK
            yield from map(_numbered, self.stream.encode(frame))
        yield from map(_numbered, self.stream.encode(None))


def _numbered(packet: _Packet) -> tuple[int, _Packet]:
    """A packet and the sample that it begins with; the encoder's own clock is too coarse for it."""
    seconds = (packet.pts or 0) * (packet.time_base or 0)
    return round(seconds * _RATE / _BLOCK) * _BLOCK, packet
