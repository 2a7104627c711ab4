"""Publishes a file as a live source.

`python -m rtstream_async.local.media.publish FILE URL [--encode] [--loop] [--only KIND] ...`
pushes to `rtmp://` or `rtsp://` in real time, as a camera would. `publishing()` in
`publishing.py` is the way to do it from a program.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the packets' type parameter open.
from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import attrs
import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from rtstream_async.local.domain.timeline import DtsRepair
from rtstream_async.local.media.ahead import Ahead
from rtstream_async.local.media.clock import TICK, TICKS
from rtstream_async.local.media.encoders import AudioEncoder, VideoEncoder
from rtstream_async.local.media.refusals import refusal
from rtstream_async.local.media.tracks import CopyTrack, Track
from rtstream_async.local.parent import serve_parent

__all__ = ["main"]

_FORMATS = {"rtmp": "flv", "rtmps": "flv", "rtsp": "rtsp", "rtsps": "rtsp"}
_OPTIONS = {"flv": {"flvflags": "no_duration_filesize"}, "rtsp": {"rtsp_transport": "tcp"}}
_RETRY_EVERY = 0.2  # seconds
_TIMEOUT = 10.0  # seconds
_AHEAD = 10.0  # seconds; an encoder that gets no time for a while must not be late for that

_Tell = Callable[[list[str]], None]


@attrs.frozen(kw_only=True)
class _Order:
    file: str
    url: str
    encode: bool
    loop: bool
    patience: float  # seconds to wait for somebody who listens
    only: str | None  # `video` or `audio`; all tracks otherwise
    device: str | None  # the format of the device that `file` names

    def open(self) -> InputContainer:
        """Open what is published."""
        name = self.file if self.device else f"file:{self.file}"
        return av.open(name, "r", format=self.device)


class _Publisher:
    def __init__(self, order: _Order, tell: _Tell, stop: threading.Event) -> None:
        self._order = order
        self._tell = tell
        self._stop = stop
        self._shift = 0  # ticks: where this turn of the loop begins
        self._end = 0
        self._repairs = {True: DtsRepair(), False: DtsRepair()}

    def run(self) -> None:
        """Push the file, once or until told to stop."""
        sink: OutputContainer | None = None
        streams: dict[bool, Stream] = {}
        begun = 0.0
        while not self._stop.is_set():
            with self._order.open() as source:
                tracks = _tracks(source, encode=self._order.encode, only=self._order.only)
                if not tracks:
                    self._tell(["failed", f"there is no {self._order.only or 'track'} in it"])
                    return
                # A device has nothing yet of what is to come.
                ahead = 0.0 if self._order.device else _AHEAD
                with Ahead(self._packets(source, tracks), seconds=ahead) as packets:
                    if sink is None:
                        packets.fill()
                        sink, streams = self._connect(list(tracks.values()))
                        begun = time.monotonic()
                        self._tell(["connected"])
                    for due, packet in packets:
                        self._stop.wait(max(0.0, begun + due - time.monotonic()))
                        if self._stop.is_set():
                            break
                        packet.stream = streams[packet.stream.type == "video"]
                        sink.mux_one(packet)
            self._shift = self._end
            if not self._order.loop:
                break
        if sink is not None:
            sink.close()
        self._tell(["done"])

    def _connect(self, tracks: Sequence[Track]) -> tuple[OutputContainer, dict[bool, Stream]]:
        deadline = time.monotonic() + self._order.patience
        while True:
            try:
                return self._open(tracks)
            except FFmpegError:
                # Nobody listens yet.
                if time.monotonic() > deadline or self._stop.wait(_RETRY_EVERY):
                    raise

    def _open(self, tracks: Sequence[Track]) -> tuple[OutputContainer, dict[bool, Stream]]:
        name = _FORMATS[self._order.url.partition("://")[0].lower()]
        sink = av.open(self._order.url, "w", format=name, options=_OPTIONS[name], timeout=_TIMEOUT)
        streams = {track.is_video: track.add_to(sink) for track in tracks}
        sink.start_encoding()
        return sink, streams

    def _packets(
        self, source: InputContainer, tracks: dict[int, Track]
    ) -> Iterator[tuple[float, Packet[Stream]]]:
        """The file's packets as they are to go out, each with the second at which it is due."""
        first, due = _first_second(source), 0.0
        for packet in source.demux([source.streams[index] for index in tracks]):
            if self._stop.is_set():
                return
            if packet.size:
                due = self._stamp(packet, first, is_video=tracks[packet.stream_index].is_video)
                for made in tracks[packet.stream_index].feed(packet):
                    yield due, made.packet
        for track in tracks.values():
            for made in track.flush():
                yield due, made.packet

    def _stamp(self, packet: Packet[Stream], first: float, *, is_video: bool) -> float:
        """Put the packet on one clock for all turns; return its second on it."""
        scale = float(packet.time_base) * TICKS
        dts = packet.pts if packet.dts is None else packet.dts
        dts_ticks = round((dts or 0) * scale - first * TICKS) + self._shift
        pts_ticks = dts_ticks
        if packet.pts is not None:
            pts_ticks = round(packet.pts * scale - first * TICKS) + self._shift
        packet.time_base = TICK
        packet.pts, packet.dts = self._repairs[is_video].fix(pts_ticks, dts_ticks)
        packet.duration = round((packet.duration or 0) * scale)
        self._end = max(self._end, packet.pts + packet.duration)
        return packet.dts / TICKS


def _tracks(source: InputContainer, *, encode: bool, only: str | None) -> dict[int, Track]:
    tracks: dict[int, Track] = {}
    for video in source.streams.video[:1] if only != "audio" else ():
        tracks[video.index] = VideoEncoder(video, _ignore) if encode else CopyTrack(video)
    for audio in source.streams.audio[:1] if only != "video" else ():
        tracks[audio.index] = AudioEncoder(audio, _ignore) if encode else CopyTrack(audio)
    return tracks


def _first_second(source: InputContainer) -> float:
    return (source.start_time or 0) / 1_000_000


def _ignore(_: object) -> None:
    """Nobody looks at the pictures on their way."""


def _parse(arguments: Sequence[str]) -> tuple[_Order, bool]:
    parser = argparse.ArgumentParser(description="Publish a file as a live source.")
    parser.add_argument("file")
    parser.add_argument("url", help="rtmp:// or rtsp://")
    parser.add_argument("--encode", action="store_true", help="H.264 and AAC by a real encoder")
    parser.add_argument("--loop", action="store_true", help="start over at the end")
    parser.add_argument("--patience", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--only", choices=("video", "audio"), help="push this alone")
    parser.add_argument("--device", metavar="FORMAT", help="FILE is a device of this format")
    parser.add_argument("--attached", action="store_true", help="end with the standard input")
    given = parser.parse_args(arguments)
    if given.url.partition("://")[0].lower() not in _FORMATS:
        parser.error("the URL must be rtmp:// or rtsp://")
    order = _Order(
        file=given.file,
        url=given.url,
        encode=given.encode,
        loop=given.loop,
        patience=given.patience,
        only=given.only,
        device=given.device,
    )
    return order, given.attached


def _say(message: list[str]) -> None:
    sys.stderr.write(" ".join(message) + "\n")


def main() -> None:
    """Publish as the command line says."""
    order, is_attached = _parse(sys.argv[1:])
    stop = threading.Event()
    tell: _Tell = _say
    if is_attached:
        parent = serve_parent()
        tell = parent.send

        def follow() -> None:
            while parent.receive() is not None:
                continue
            stop.set()

        threading.Thread(target=follow, name="parent", daemon=True).start()
    try:
        _Publisher(order, tell, stop).run()
    except FFmpegError as exc:
        tell(["failed", refusal(exc, timeout=_TIMEOUT).reason])
        sys.exit(1)


if __name__ == "__main__":
    main()
