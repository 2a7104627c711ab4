"""What an open source is, in values and in words."""

from __future__ import annotations

from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from rtstream_async.local.media.events import AudioTrack, Opened, VideoTrack
from rtstream_async.local.media.plan import copies_audio, copies_video
from rtstream_async.local.media.source import OpenSource

__all__ = ["describe"]


def describe(source: OpenSource) -> Opened:
    """Return what the source is, for the stream's status."""
    format_name = source.container.format.name
    video = None if source.video is None else _video_track(source.video, format_name)
    audio = None if source.audio is None else _audio_track(source.audio)
    return Opened(
        video=video,
        audio=audio,
        format=format_name,
        live=source.is_live,
        note=_note(video, audio),
    )


def _video_track(stream: VideoStream, format_name: str) -> VideoTrack:
    return VideoTrack(
        codec=stream.codec_context.name,
        width=stream.codec_context.width,
        height=stream.codec_context.height,
        fps=float(stream.average_rate) if stream.average_rate else None,
        transcoded=not copies_video(stream, format_name),
    )


def _audio_track(stream: AudioStream) -> AudioTrack:
    return AudioTrack(
        codec=stream.codec_context.name,
        rate=stream.codec_context.sample_rate,
        channels=stream.codec_context.channels,
        transcoded=not copies_audio(stream),
    )


def _note(video: VideoTrack | None, audio: AudioTrack | None) -> str:
    picture, sound = "no picture", "no sound"
    if video is not None:
        how = ", transcoded to h264" if video.transcoded else ""
        picture = f"{video.codec} {video.width}x{video.height}{how}"
    if audio is not None:
        how = ", transcoded to aac" if audio.transcoded else ""
        sound = f"{audio.codec} {audio.rate} Hz{how}"
    return f"{picture}; {sound}"
