"""The pictures of a video on their way into its file: as recorded, or encoded again."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the packets' type parameter open.
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

from av import error
from av.codec.context import CodecContext, Flags
from av.container import OutputContainer
from av.filter import Graph
from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from rtstream_async.local.domain.assembly import TICKS, Place
from rtstream_async.local.domain.timeline import DtsRepair
from rtstream_async.local.media.clock import TICK
from rtstream_async.local.media.segments import Contents, TimedPacket

__all__ = ["Pictures"]

_MOST_FPS = 240
_DEFAULT_FPS = 25
_KEY_EVERY = 2 * TICKS
# The parameter sets of both, what was recorded and what is encoded again, stand in the file's head
# under numbers of their own, so that each picture finds its own. Encoders begin at 0.
_OPTIONS = {
    "preset": "superfast",
    "tune": "zerolatency",
    "crf": "20",
    "forced-idr": "1",
    "x264-params": "sps-id=31",
}


class Pictures:
    """The video track of the file that is made."""

    def __init__(
        self, out: OutputContainer, template: VideoStream, *, main: str, recodes: bool
    ) -> None:
        """Add the track.

        Args:
            out: The file.
            template: A track that is coded like most of the recording, open.
            main: How that is; what is coded otherwise is encoded again, in the same size.
            recodes: Whether there is any such.
        """
        self._out = out
        self._main = main
        self._repair = DtsRepair()
        self._step = round(TICKS / _rate_of(template))
        self._stream = out.add_stream_from_template(template, opaque=True)
        self._stream.time_base = TICK
        self._recoder: _Recoder | None = None
        if recodes:
            self._recoder = _Recoder(template)
            own = bytes(template.codec_context.extradata or b"")
            self._stream.codec_context.extradata = own + self._recoder.extradata
        self._flow_start: int | None = None
        self.recoded = 0  #: pictures that were encoded again

    def feed(self, timed: TimedPacket, contents: Contents, place: Place) -> None:
        """Take the next packet of a segment."""
        if self._flow_start != place.flow_start:
            self._flow_start = place.flow_start
            self.drain()
        if timed.pts < place.flow_start:
            return  # shown before the first key picture, and made from one that is not there
        if contents.picture != self._main and self._recoder is not None:
            for made in self._recoder.feed(timed):
                self.recoded += 1
                self._write(made)
            return
        self.drain()
        packet = timed.packet
        packet.pts, packet.dts, packet.duration = timed.pts, timed.dts, timed.duration
        self._write(packet)

    def drain(self) -> None:
        """Write what is held back; call it at the end, too."""
        for made in () if self._recoder is None else self._recoder.drain():
            self.recoded += 1
            self._write(made)

    def _write(self, packet: Packet[Stream]) -> None:
        packet.pts, packet.dts = self._repair.fix(packet.pts or 0, packet.dts or 0)
        packet.duration = packet.duration or self._step
        packet.time_base = TICK
        packet.stream = self._stream
        self._out.mux_one(packet)


class _Recoder:
    """Decodes pictures and encodes them like those of the video."""

    def __init__(self, template: VideoStream) -> None:
        context = template.codec_context
        self._size = (context.width & ~1, context.height & ~1)
        self._encoder = CodecContext.create("libx264", "w")
        self._encoder.width, self._encoder.height = self._size
        self._encoder.pix_fmt = "yuv420p"
        self._encoder.time_base = TICK
        self._encoder.framerate = _rate_of(template)
        self._encoder.flags |= Flags.global_header
        self._encoder.options = dict(_OPTIONS)
        self._encoder.open()
        self._decoder: VideoCodecContext | None = None
        self._canvas: tuple[tuple[int, int, str], Graph] | None = None
        self._last_key: int | None = None
        self._last: int | None = None

    @property
    def extradata(self) -> bytes:
        """The parameter sets of what it makes."""
        return bytes(self._encoder.extradata or b"")

    def feed(self, timed: TimedPacket) -> Iterator[Packet[Stream]]:
        """Give what is made of one packet."""
        if self._decoder is None:
            self._decoder = CodecContext.create("h264", "r")
            self._last_key = None
        packet = timed.packet
        packet.pts, packet.dts, packet.time_base = timed.pts, timed.dts, TICK
        try:
            frames = self._decoder.decode(cast("Packet[VideoStream]", packet))
        except error.InvalidDataError:
            return  # one damaged picture; the next ones may be whole
        for frame in frames:
            yield from self._encode(frame)

    def drain(self) -> Iterator[Packet[Stream]]:
        """Give what is held back; what comes next begins anew."""
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            for frame in decoder.decode(None):
                yield from self._encode(frame)

    def _encode(self, frame: VideoFrame) -> Iterator[Packet[Stream]]:
        if frame.pts is None or (self._last is not None and frame.pts <= self._last):
            return  # an encoder takes none out of order
        self._last = pts = frame.pts
        picture = self._fitted(frame)
        picture.pts, picture.time_base = pts, TICK
        is_key = self._last_key is None or pts - self._last_key >= _KEY_EVERY
        picture.pict_type = PictureType.I if is_key else PictureType.NONE
        self._last_key = pts if is_key else self._last_key
        # It is tuned for no latency, so nothing is ever held back in it.
        yield from cast("list[Packet[Stream]]", self._encoder.encode(picture))

    def _fitted(self, frame: VideoFrame) -> VideoFrame:
        """The frame in the size of the video, with bars where it has another shape."""
        kind = (frame.width, frame.height, frame.format.name)
        if self._canvas is None or self._canvas[0] != kind:
            self._canvas = (kind, self._new_canvas(frame))
        graph = self._canvas[1]
        graph.push(frame)
        return cast("VideoFrame", graph.pull())

    def _new_canvas(self, frame: VideoFrame) -> Graph:
        width, height = self._size
        graph = Graph()
        graph.link_nodes(
            graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=TICK
            ),
            graph.add(
                "scale",
                f"{width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2",
            ),
            graph.add("pad", f"{width}:{height}:(ow-iw)/2:(oh-ih)/2"),
            graph.add("setsar", "1"),
            graph.add("format", "yuv420p"),
            graph.add("buffersink"),
        ).configure()
        return graph


def _rate_of(stream: VideoStream) -> Fraction:
    # Some streams give their clock for a frame rate.
    rate = stream.average_rate
    return rate if rate and 1 <= rate <= _MOST_FPS else Fraction(_DEFAULT_FPS)
