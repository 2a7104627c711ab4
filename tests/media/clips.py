"""Media made on the spot, by real encoders, whose every frame says which one it is.

The index of a frame is drawn into it as black and white blocks that survive any codec, so a test
can tell exactly which frames a recording or a sampler gave.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import attrs
import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

__all__ = ["CHIRP", "Clip", "append_ts", "chirp", "frame_index", "jpeg_index", "make_clip"]

_BITS = 12
_GREYS = (64, 150, 100, 220)  # the background of each scene
CHIRP = 0.06  # seconds


@attrs.frozen(kw_only=True)
class Clip:
    """What to make; the container follows from the file's name."""

    video: str | None = "libx264"
    audio: str | None = "aac"
    seconds: float = 6.0
    fps: int = 25
    size: tuple[int, int] = (320, 180)
    gop: float = 2.0  # seconds between key frames
    bframes: int = 0
    first_index: int = 0
    shift: float = 0.0  # seconds added to every timestamp
    pix_fmt: str = "yuv420p"
    rate: int = 48_000
    layout: str = "mono"
    chirps: tuple[float, ...] = ()  # seconds at which one begins, in silence; without: a tone
    cuts: tuple[float, ...] = ()  # seconds at which the picture is another; no index is drawn then
    gap: tuple[float, float] = (0, 0)  # seconds from which and to which there is no sound at all

    @property
    def frames(self) -> int:
        return round(self.seconds * self.fps)


def make_clip(path: Path, clip: Clip) -> Path:
    """Encode `clip` into `path` and return it."""
    options = {"movflags": "faststart"} if path.suffix == ".mp4" else {}
    if path.suffix == ".ts":
        options = {"mpegts_copyts": "1"}
    with av.open(str(path), "w", options=options) as out:
        video = _video_stream(out, clip) if clip.video else None
        audio = out.add_stream(clip.audio, clip.rate, layout=clip.layout) if clip.audio else None
        for second in range(-(-round(clip.seconds * 1000) // 1000)):
            if video is not None:
                frames = range(second * clip.fps, min((second + 1) * clip.fps, clip.frames))
                for packet in _encode_pictures(video, clip, frames):
                    out.mux(packet)
            if audio is not None:
                length = min(1.0, clip.seconds - second)
                for packet in _encode_sound(audio, clip, second, length):
                    out.mux(packet)
        for stream in filter(None, (video, audio)):
            out.mux(stream.encode(None))
    return path


def append_ts(target: Path, parts: Iterable[Path]) -> Path:
    """Join MPEG-TS files byte by byte, as a cut in a broadcast does."""
    target.write_bytes(b"".join(part.read_bytes() for part in parts))
    return target


def frame_index(frame: VideoFrame) -> int:
    """Read the index that is drawn into a frame."""
    grey = frame.to_ndarray(format="gray")
    width = grey.shape[1] / _BITS
    top = grey[: grey.shape[0] // 4]
    index = 0
    for bit in range(_BITS):
        block = top[:, round((bit + 0.3) * width) : round((bit + 0.7) * width)]
        index = index * 2 + int(block.mean() > 127)
    return index


def jpeg_index(jpeg: bytes) -> int:
    """Read the index out of a sampled picture."""
    with av.open(io.BytesIO(jpeg), format="jpeg_pipe") as container:
        return frame_index(next(container.decode(video=0)))


def _video_stream(out, clip):
    codec_options = {
        "libx264": {
            "preset": "ultrafast",
            "bf": str(clip.bframes),
            "x264-params": f"scenecut=0:keyint={round(clip.gop * clip.fps)}:bframes={clip.bframes}",
        },
        "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    }.get(clip.video, {})
    stream = out.add_stream(clip.video, clip.fps, options=codec_options)
    stream.width, stream.height = clip.size
    stream.pix_fmt = clip.pix_fmt
    stream.gop_size = round(clip.gop * clip.fps)
    stream.bit_rate = 0 if clip.video == "libx264" else 1_500_000
    stream.codec_context.thread_count = 1
    stream.codec_context.time_base = Fraction(1, clip.fps)
    return stream


def _encode_pictures(stream, clip, indexes):
    for index in indexes:
        frame = VideoFrame.from_ndarray(_draw(clip, index), format="gray").reformat(
            format=clip.pix_fmt
        )
        frame.pts = index + round(clip.shift * clip.fps)
        frame.time_base = Fraction(1, clip.fps)
        yield from stream.encode(frame)


def _draw(clip, index):
    width, height = clip.size
    scene = sum(index >= round(cut * clip.fps) for cut in clip.cuts)
    picture = np.full((height, width), _GREYS[scene % len(_GREYS)], dtype=np.uint8)
    value = index + clip.first_index
    for bit in range(0 if clip.cuts else _BITS):
        is_set = value >> (_BITS - 1 - bit) & 1
        left, right = round(bit * width / _BITS), round((bit + 1) * width / _BITS)
        picture[: height // 3, left:right] = 235 if is_set else 16
    x = (index * 7) % (width - 20)
    picture[height // 2 : height // 2 + 20, x : x + 20] = 200
    return picture


def chirp(rate: int) -> np.ndarray:
    """A rising tone, whose place in any sound is found to the millisecond."""
    at = np.arange(round(CHIRP * rate)) / rate
    return np.sin(2 * np.pi * (300 * at + 0.5 * 2500 / CHIRP * at**2)) * np.hanning(len(at))


def _encode_sound(stream, clip, second, length):
    rate = stream.codec_context.sample_rate
    wave = (_wave(clip, rate, second, length) * 8000).astype(np.int16)
    channels = stream.codec_context.layout.nb_channels
    first, last = (round(max(0, edge - second) * rate) for edge in clip.gap)
    for begin, end in ((0, min(first, len(wave))), (min(last, len(wave)), len(wave))):
        if begin == end:
            continue
        samples = np.repeat(wave[begin:end], channels).reshape(1, -1)
        frame = AudioFrame.from_ndarray(samples, format="s16", layout=clip.layout)
        frame.sample_rate = rate
        frame.pts = second * rate + begin + round(clip.shift * rate)
        frame.time_base = Fraction(1, rate)
        yield from stream.encode(frame)


def _wave(clip, rate, second, length):
    at = np.arange(round(length * rate)) + second * rate
    if not clip.chirps:
        return np.sin(at * 2 * np.pi * 440 / rate)
    wave, sign = np.zeros(len(at)), chirp(rate)
    for begin in clip.chirps:
        first = round((begin - second) * rate)
        if 0 <= first <= len(wave) - len(sign):
            wave[first : first + len(sign)] = sign
    return wave
