"""What is shown to the server: real footage of a street, and films of nothing at all."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from tests.engines.pictures import example

__all__ = ["EMPTY", "make_empty", "make_street", "make_street_h264"]

_FPS = 10
_SIZE = (640, 360)


def make_street(path: Path) -> Path:
    """Write `vtest.avi` of Debian's `opencv-doc`: MPEG-4 of 2005, five to nine people in view."""
    path.write_bytes(example(path.name))
    return path


def make_street_h264(path: Path, *, seconds: float, gop: float = 1.0) -> Path:
    """Write the first seconds of the same street in H.264 with B-frames."""
    with av.open(io.BytesIO(example("vtest.avi"))) as street:
        frames = islice(street.decode(video=0), round(seconds * _FPS))
        return _encode(path, frames, gop=gop)


def _black() -> Iterator[np.ndarray]:
    while True:
        yield np.zeros((_SIZE[1], _SIZE[0], 3), np.uint8)


def _grey() -> Iterator[np.ndarray]:
    while True:
        yield np.full((_SIZE[1], _SIZE[0], 3), 128, np.uint8)


def _noise() -> Iterator[np.ndarray]:
    chance = np.random.default_rng(7)
    while True:
        yield chance.integers(0, 256, (_SIZE[1], _SIZE[0], 3), np.uint8)


def _gradient() -> Iterator[np.ndarray]:
    slope = np.linspace(0, 255, _SIZE[0], dtype=np.uint8)
    picture = np.repeat(np.tile(slope, (_SIZE[1], 1))[:, :, None], 3, axis=2)
    shift = 0
    while True:
        yield np.roll(picture, shift, axis=1)
        shift += 9


EMPTY = {"black": _black, "grey": _grey, "noise": _noise, "gradient": _gradient}


def make_empty(path: Path, *, seconds: float) -> Path:
    """Write the film of nothing that the file is named after, in H.264."""
    pictures = islice(EMPTY[path.stem](), round(seconds * _FPS))
    return _encode(path, (VideoFrame.from_ndarray(one, format="rgb24") for one in pictures))


def _encode(path: Path, frames: Iterable[VideoFrame], *, gop: float = 1.0) -> Path:
    interval = round(gop * _FPS)
    options = {
        "preset": "veryfast",
        "x264-params": f"keyint={interval}:min-keyint={interval}:scenecut=0:bframes=2",
    }
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream("libx264", _FPS, options=options)
        stream.pix_fmt = "yuv420p"
        for number, frame in enumerate(frames):
            if number == 0:
                stream.width, stream.height = frame.width, frame.height
            picture = frame.reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, _FPS)
            picture.pict_type = 0
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return path
