"""Tracks that browsers do not play, decoded and encoded again: H.264 and AAC."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the packets' type parameter open.
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import cast

import av
from av import error
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec.context import Flags2
from av.container import OutputContainer
from av.filter import Graph
from av.packet import Packet
from av.stream import Stream
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from rtstream_async.local.domain.timeline import DtsRepair
from rtstream_async.local.media.clock import TICK, TICKS
from rtstream_async.local.media.tracks import Made

__all__ = ["AudioEncoder", "VideoEncoder"]

_MOST_FPS = 240
_KEY_EVERY = 2 * TICKS
_AAC_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}
_X264 = {"preset": "superfast", "tune": "zerolatency", "crf": "23", "forced-idr": "1"}

_FrameSink = Callable[[VideoFrame], None]
_SoundSink = Callable[[AudioFrame], None]


class _Encoder:
    """An encoder in a container of its own, whose only use is to hold it."""

    def __init__(self, scratch: OutputContainer, stream: VideoStream | AudioStream) -> None:
        self._scratch = scratch
        self._repair = DtsRepair()
        self.stream = stream
        scratch.start_encoding()

    def encode(self, frame: VideoFrame | AudioFrame | None) -> Iterator[Packet[Stream]]:
        encode = cast("Callable[[object], list[Packet[Stream]]]", self.stream.encode)
        for packet in encode(frame):
            yield self._stamped(packet)

    def close(self) -> None:
        self._scratch.close()

    def _stamped(self, packet: Packet[Stream]) -> Packet[Stream]:
        scale = packet.time_base * TICKS
        pts = packet.dts if packet.pts is None else packet.pts
        dts = pts if packet.dts is None else packet.dts
        fixed = self._repair.fix(round((pts or 0) * scale), round((dts or 0) * scale))
        duration = round((packet.duration or 0) * scale)
        packet.time_base = TICK
        packet.pts, packet.dts = fixed
        packet.duration = duration
        return packet


def _scratch() -> OutputContainer:
    # FLV wants the parameters beside the frames; from there every other format can have them.
    return av.open(os.devnull, "w", format="flv")


class VideoEncoder:
    """Decodes the picture and encodes it as H.264, of the same size (made even)."""

    is_video = True
    is_copy = False

    def __init__(self, stream: VideoStream, on_frame: _FrameSink, *, has_pts: bool = True) -> None:
        self._source = stream
        self._has_pts = has_pts
        # Not the frame's own: the sampler has the same frame in another thread.
        self._scaler = VideoReformatter()
        self._delay: int | None = None
        self._first_dts: int | None = None
        stream.codec_context.thread_count = 1
        self._on_frame = on_frame
        self._encoder: _Encoder | None = None
        self._size: tuple[int, int] | None = None
        self._last_pts: int | None = None
        self._last_key: int | None = None
        rate = stream.average_rate
        # Some containers give their clock for a frame rate.
        self._step = round(TICKS / rate) if rate and 1 <= rate <= _MOST_FPS else TICKS // 25
        context = stream.codec_context
        if context.width and context.height:
            self._resize(context.width, context.height)

    def add_to(self, container: OutputContainer) -> Stream:
        """Add the track to a new file."""
        if self._encoder is None:
            raise RuntimeError("a file was begun before the first picture")
        return container.add_stream_from_template(self._encoder.stream, opaque=True)

    def feed(self, packet: Packet[Stream]) -> Iterator[Made]:
        """Give what the recording gets for one packet."""
        if self._first_dts is None:
            self._first_dts = packet.dts
        try:
            frames = self._source.codec_context.decode(cast("Packet[VideoStream]", packet))
        except error.InvalidDataError:
            return  # one damaged picture; the next ones may be whole
        for frame in frames:
            yield from self._recode(frame)

    def flush(self) -> Iterator[Made]:
        """Give what is still held back."""
        for frame in self._source.codec_context.decode(None):
            yield from self._recode(frame)
        if self._encoder is not None:
            for packet in self._encoder.encode(None):
                yield Made(packet=packet)

    def _recode(self, frame: VideoFrame) -> Iterator[Made]:
        if not self._is_next(frame):
            return
        self._on_frame(frame)
        encoder, changed = self._encoder, False
        if encoder is None or (frame.width, frame.height) != self._size:
            encoder, changed = self._resize(frame.width, frame.height), True
        picture = _even(frame, self._scaler)
        picture.pict_type = self._type(frame.pts or 0)
        for packet in encoder.encode(picture):
            packet.duration = packet.duration or self._step
            yield Made(packet=packet, is_new_format=changed)
            changed = False

    def _is_next(self, frame: VideoFrame) -> bool:
        """Give the frame its place in ticks; an encoder takes none out of order."""
        pts = frame.pts if self._has_pts else self._shown(frame)
        if pts is None:
            pts = 0 if self._last_pts is None else self._last_pts + self._step
        if self._last_pts is not None and pts <= self._last_pts:
            return False
        frame.pts = self._last_pts = pts
        frame.time_base = TICK
        return True

    def _shown(self, frame: VideoFrame) -> int | None:
        """When a frame is shown whose container knows decoding times only.

        Frames come out in the order of showing, each with the decoding time of the packet that
        pushed it out: right but for the decoder's delay, which the first one tells.
        """
        if frame.dts is None:
            return None
        if self._delay is None:
            self._delay = frame.dts - (self._first_dts or 0)
        return frame.dts - self._delay

    def _type(self, pts: int) -> PictureType:
        if self._last_key is not None and pts - self._last_key < _KEY_EVERY:
            return PictureType.NONE
        self._last_key = pts
        return PictureType.I

    def _resize(self, width: int, height: int) -> _Encoder:
        if self._encoder is not None:
            # It holds nothing back: it is tuned for no latency.
            self._encoder.close()
        scratch = _scratch()
        stream = scratch.add_stream(
            "libx264",
            Fraction(TICKS, self._step).limit_denominator(1001),
            width=width & ~1,
            height=height & ~1,
            time_base=TICK,
            pix_fmt="yuv420p",
            options=dict(_X264),
            thread_count=1,
        )
        self._encoder, self._size, self._last_key = _Encoder(scratch, stream), (width, height), None
        return self._encoder


def _even(frame: VideoFrame, scaler: VideoReformatter) -> VideoFrame:
    """The frame in the only pixel format that every browser plays; odd edges lose one line."""
    width, height = frame.width & ~1, frame.height & ~1
    pts, time_base = frame.pts, frame.time_base
    if (width, height) == (frame.width, frame.height):
        picture = scaler.reformat(frame, format="yuv420p", threads=1)
    else:
        picture = _crop(frame, width, height)
    picture.pts, picture.time_base = pts, time_base
    return picture


def _crop(frame: VideoFrame, width: int, height: int) -> VideoFrame:
    graph = Graph()
    graph.link_nodes(
        graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=TICK
        ),
        graph.add("crop", f"{width}:{height}:0:0:exact=1"),
        graph.add("format", "yuv420p"),
        graph.add("buffersink"),
    ).configure()
    graph.push(frame)
    return cast("VideoFrame", graph.pull())


class AudioEncoder:
    """Decodes the sound and encodes it as AAC, at most stereo."""

    is_video = False
    is_copy = False

    def __init__(self, stream: AudioStream, on_frame: _SoundSink) -> None:
        self._source = stream
        self._on_frame = on_frame
        context = stream.codec_context
        # A decoder that leaves out what an encoder had put first moves the rest, by ticks of the
        # source's clock; our packets count others.
        context.flags2 |= Flags2.skip_manual
        rate = context.sample_rate if context.sample_rate in _AAC_RATES else 48_000
        self._rate = rate
        self._layout = "mono" if context.channels == 1 else "stereo"
        self._resampler = self._new_resampler()
        scratch = _scratch()
        bit_rate = 64_000 if self._layout == "mono" else 128_000
        stream = scratch.add_stream("aac", rate, layout=self._layout, bit_rate=bit_rate)
        self._encoder = _Encoder(scratch, stream)

    def add_to(self, container: OutputContainer) -> Stream:
        """Add the track to a new file."""
        return container.add_stream_from_template(self._encoder.stream, opaque=True)

    def feed(self, packet: Packet[Stream]) -> Iterator[Made]:
        """Give what the recording gets for one packet."""
        try:
            frames = self._source.codec_context.decode(cast("Packet[AudioStream]", packet))
        except error.InvalidDataError:
            return  # one damaged piece of sound
        for frame in frames:
            yield from self._recode(frame)

    def flush(self) -> Iterator[Made]:
        """Give what is still held back."""
        for frame in self._source.codec_context.decode(None):
            yield from self._recode(frame)
        yield from self._recode(None)
        for packet in self._encoder.encode(None):
            yield Made(packet=packet)

    def _recode(self, frame: AudioFrame | None) -> Iterator[Made]:
        if frame is not None:
            self._on_frame(frame)
        try:
            pieces = self._resampler.resample(frame)
        except ValueError:
            # The sound changed its format; the encoder's stays.
            self._resampler = self._new_resampler()
            pieces = self._resampler.resample(frame)
        for piece in pieces:
            for packet in self._encoder.encode(piece):
                yield Made(packet=packet)

    def _new_resampler(self) -> AudioResampler:
        return AudioResampler("fltp", self._layout, self._rate, frame_size=1024)
