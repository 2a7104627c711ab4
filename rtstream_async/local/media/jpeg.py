"""Frames as JPEG, without an imaging library."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the packets' type parameter open.
from __future__ import annotations

from fractions import Fraction

from av.codec import CodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

__all__ = ["encode_jpeg"]

_QUALITY = 4  # of 2 (best) to 31; words on a screen stay readable


def encode_jpeg(frame: VideoFrame, *, longest_side: int) -> tuple[bytes, int, int]:
    """Return (JPEG, width, height); a frame larger than `longest_side` pixels is scaled down."""
    scale = min(1.0, longest_side / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    # Not the frame's own reformatter: a frame may be in the hands of two threads, and one
    # scaler used by both hangs.
    picture = VideoReformatter().reformat(
        frame, width=width, height=height, format="yuvj420p", threads=1
    )
    picture.pts = None
    # A fresh encoder each time: a kept one refuses frames after a while.
    encoder = CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height = width, height
    encoder.pix_fmt = "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    encoder.qmin = encoder.qmax = _QUALITY
    packets = [*encoder.encode(picture), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets), width, height
