"""Reading recorded segments: what is in them, and their packets on the clock of a video."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the packets' type parameter open.
from __future__ import annotations

import contextlib
from array import array
from collections.abc import Generator, Iterator
from hashlib import sha256

import attrs
import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from rtstream_async.local.domain.assembly import File, Place, unwrapped

__all__ = ["Contents", "SoundFormat", "TimedPacket", "open_segment", "scan", "timed_packets"]


@attrs.frozen(kw_only=True)
class SoundFormat:
    """How sound is coded."""

    codec: str
    profile: str | None
    rate: int  #: samples a second
    channels: int


@attrs.frozen(kw_only=True)
class Contents:
    """What a segment holds."""

    file: File
    picture: str | None  #: how its pictures are coded; equal texts can follow each other
    sound: SoundFormat | None
    sound_at: array[int]  #: ticks from the file's start, for each packet of sound
    sound_duration: int  #: ticks, of one packet


@attrs.frozen
class TimedPacket:
    """A packet stamped in ticks of the video."""

    packet: Packet[Stream]
    is_video: bool
    pts: int
    dts: int
    duration: int


@contextlib.contextmanager
def open_segment(file: File) -> Generator[InputContainer]:
    """Open a segment for the length of the block.

    Raises:
        av.error.FFmpegError: It can't be read.
    """
    with av.open(f"file:{file.path}", "r", format="mpegts") as container:
        yield container


def scan(file: File) -> Contents | None:
    """Return what a segment holds; `None` when nothing in it can be read."""
    try:
        with open_segment(file) as container:
            video, audio = _streams(container)
            times = array("q")
            duration = 0
            has_picture = False
            place = Place(file=file, at=0, flow_start=0, flow_end=0, begins_flow=True)
            for timed in timed_packets(container, place):
                has_picture = has_picture or timed.is_video
                if not timed.is_video:
                    times.append(timed.pts)
                    duration = timed.duration
    except FFmpegError:
        return None
    if not has_picture and not times:
        return None
    return Contents(
        file=file,
        picture=_picture(video) if video is not None and has_picture else None,
        sound=_sound(audio) if audio is not None and times else None,
        sound_at=times,
        sound_duration=duration,
    )


def timed_packets(container: InputContainer, place: Place) -> Iterator[TimedPacket]:
    """Give a segment's packets, in its order, on the clock of the video.

    A segment is named after the moment of its first picture (of its first sound, when it has no
    pictures): that packet lies at `place.at`, and all others where their timestamps say.
    """
    held: list[Packet[Stream]] = []
    shift: int | None = None
    near = 0
    expects_video = _streams(container)[0] is not None
    for packet in container.demux([stream for stream in _streams(container) if stream]):
        if packet.pts is None or packet.dts is None or not packet.size:
            continue
        if shift is None:
            held.append(packet)
            if expects_video and packet.stream.type != "video":
                continue
            near = packet.pts
            shift = place.at - near
            for early in held:
                yield _timed(early, shift, near)
            held = []
            continue
        timed = _timed(packet, shift, near)
        near = timed.dts - shift
        yield timed
    if shift is None and held:  # its pictures were announced, and never came
        near = held[0].pts or 0
        for packet in held:
            yield _timed(packet, place.at - near, near)


def _timed(packet: Packet[Stream], shift: int, near: int) -> TimedPacket:
    # MPEG-TS has one time base, and it is that of the video.
    return TimedPacket(
        packet,
        packet.stream.type == "video",
        unwrapped(packet.pts or 0, near=near) + shift,
        unwrapped(packet.dts or 0, near=near) + shift,
        packet.duration or 0,
    )


def _streams(container: InputContainer) -> tuple[VideoStream | None, AudioStream | None]:
    return (
        next(iter(container.streams.video), None),
        next(iter(container.streams.audio), None),
    )


def _picture(stream: VideoStream) -> str:
    context = stream.codec_context
    parameters = sha256(bytes(context.extradata or b"")).hexdigest()[:16]
    return f"{context.name} {context.width}x{context.height} {context.pix_fmt} {parameters}"


def _sound(stream: AudioStream) -> SoundFormat:
    context = stream.codec_context
    return SoundFormat(
        codec=context.name,
        profile=context.profile,
        rate=context.sample_rate,
        channels=context.channels,
    )
