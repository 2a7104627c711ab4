"""Which tracks are recorded as they are, and which are encoded again."""

from __future__ import annotations

from collections.abc import Callable

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from rtstream_async.local.media.encoders import AudioEncoder, VideoEncoder
from rtstream_async.local.media.tracks import CopyTrack, Track

__all__ = ["copies_audio", "copies_video", "make_audio", "make_video"]

_BROWSER_PIXELS = {None, "yuv420p", "yuvj420p"}
_FORMATS_WITHOUT_PTS = {"avi", "h264"}  # B-frames can't be ordered without decoding

_FrameSink = Callable[[VideoFrame], None]
_SoundSink = Callable[[AudioFrame], None]


def copies_video(stream: VideoStream, container_format: str) -> bool:
    """Return whether browsers play the picture as it is."""
    return (
        stream.codec_context.name == "h264"
        and stream.codec_context.pix_fmt in _BROWSER_PIXELS
        and _has_pts(container_format)
    )


def _has_pts(container_format: str) -> bool:
    return not _FORMATS_WITHOUT_PTS & set(container_format.split(","))


def copies_audio(stream: AudioStream) -> bool:
    """Return whether browsers play the sound as it is."""
    return stream.codec_context.name == "aac"


def make_video(stream: VideoStream, container_format: str, on_frame: _FrameSink) -> Track:
    """Return the picture's track; `on_frame` gets the frames if it must be decoded."""
    if copies_video(stream, container_format):
        return CopyTrack(stream)
    return VideoEncoder(stream, on_frame, has_pts=_has_pts(container_format))


def make_audio(stream: AudioStream, on_frame: _SoundSink) -> Track:
    """Return the sound's track; `on_frame` gets the frames if it must be decoded."""
    if copies_audio(stream):
        return CopyTrack(stream)
    return AudioEncoder(stream, on_frame)
