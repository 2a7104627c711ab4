"""Frames as very small pictures, to be compared with each other."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the planes' type open.
from __future__ import annotations

from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

__all__ = ["Shrinker"]

_WIDTH, _HEIGHT = 32, 18  # pixels; noise and small motion vanish in so few


class Shrinker:
    """Makes small pictures, in one thread: its scaler is kept from frame to frame."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> bytes:
        """Return luma and both chroma planes, one after the other, all of one size."""
        small = self._scaler.reformat(
            frame,
            width=_WIDTH,
            height=_HEIGHT,
            format="yuv444p",
            interpolation=Interpolation.AREA,
            threads=1,
        )
        rows: list[bytes] = []
        for plane in small.planes:
            pixels, length = bytes(plane), plane.line_size  # its rows may be padded
            rows += [pixels[at * length : at * length + _WIDTH] for at in range(_HEIGHT)]
        return b"".join(rows)
