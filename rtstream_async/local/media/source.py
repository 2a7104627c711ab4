"""Opening a source with PyAV."""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import cast

import attrs
import av
from av import error
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from rtstream_async.local.domain.sources import Source, SourceKind
from rtstream_async.local.media.awaiting import first_of
from rtstream_async.local.media.refusals import SourceError
from rtstream_async.local.media.settings import IngestSettings

__all__ = ["OpenSource", "open_source"]

# A file may hold references to other files and addresses (playlists, SDP, concat scripts); only
# containers that hold their own media are read from disk. The same for what a remote playlist
# may make this machine open.
_FILE_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,flv,h264,hevc,m4v,mpegvideo,mjpeg,"
    "mp3,aac,wav,ogg,flac,asf,gif,ivf,mxf,nut,ac3,eac3,amr,aiff,caf,au"
)
_OPTIONS: dict[SourceKind, dict[str, str]] = {
    SourceKind.FILE: {"protocol_whitelist": "file", "format_whitelist": _FILE_FORMATS},
    SourceKind.HTTP: {"protocol_whitelist": "http,https,tcp,tls,crypto,httpproxy,data"},
    SourceKind.RTSP: {"rtsp_transport": "tcp", "protocol_whitelist": "rtsp,rtsps,tcp,tls"},
    SourceKind.RTMP: {"protocol_whitelist": "rtmp,rtmps,tcp,tls"},
}
_LISTEN_OPTIONS: dict[SourceKind, dict[str, str]] = {
    SourceKind.RTMP: {"listen": "1"},
    # Without a timeout of its own the RTSP listener fails with ERANGE.
    SourceKind.RTSP: {"rtsp_flags": "listen", "listen_timeout": "60"},
}
# What has two addresses is pushed a picture or sound alone; RTMP would be waited for the other
# for five seconds.
_SINGLE = {"analyzeduration": "1000000"}  # microseconds
_LISTEN_SLICE = 60.0  # seconds; a publisher that connects and says nothing blocks no longer


@attrs.define(eq=False)
class OpenSource:
    """An open source and the tracks of it that are used. Close it in the thread that reads it."""

    container: InputContainer
    video: VideoStream | None
    audio: AudioStream | None
    is_live: bool
    is_paced: bool  #: it gives data as fast as we read, so we keep the time

    @property
    def streams(self) -> list[VideoStream | AudioStream]:
        """The tracks to read."""
        return [stream for stream in (self.video, self.audio) if stream is not None]

    def close(self) -> None:
        """Hang up."""
        self.container.close()


def open_source(settings: IngestSettings, stop: threading.Event) -> OpenSource | None:
    """Return the source, open, or `None` when `stop` was set while waiting for a publisher.

    Raises:
        SourceError: It holds nothing to play.
        av.error.FFmpegError: It can't be opened.
    """
    container = _wait_for_publisher(settings, stop) if settings.source.listen else _open(settings)
    if container is None:
        return None
    if _lacks_video(settings, container):
        # RTMP sends the sound first; a server under load is then taken for a radio.
        container.close()
        container = _open(settings)
    kind = settings.source.kind  # a listener's second address is as live as its first
    is_live = kind in _LIVE or (kind is SourceKind.HTTP and not container.duration)
    source = OpenSource(
        container=container,
        video=_pick_video(container),
        audio=next(filter(_is_known, container.streams.audio), None),
        is_live=is_live,
        is_paced=kind not in _LIVE and (settings.realtime or is_live),
    )
    if not source.streams:
        container.close()
        raise SourceError("no media in it: neither video nor audio", "no_media")
    return source


_LIVE = {SourceKind.RTMP, SourceKind.RTSP}


def _open(
    settings: IngestSettings, given: Source | None = None, *, timeout: float | None = None
) -> InputContainer:
    source = given or settings.source
    options = dict(_OPTIONS[source.kind])
    if source.listen:
        options |= _LISTEN_OPTIONS[source.kind]
    if settings.source.also is not None:
        options |= _SINGLE
    with _address(source) as address:
        return av.open(
            address,
            mode="r",
            options=options,
            metadata_errors="replace",
            timeout=(timeout or settings.open_timeout, settings.read_timeout),
        )


@contextlib.contextmanager
def _address(source: Source) -> Generator[str]:
    """What FFmpeg is to open: the URL, or the very file that the server has allowed."""
    if source.kind is not SourceKind.FILE:
        yield source.url
        return
    try:
        file = _open_unlinked(Path(source.url))
    except FileNotFoundError:
        raise SourceError("no such file or stream", "not_found") from None
    except PermissionError:
        raise SourceError("may not be read by this user", "forbidden") from None
    except OSError:
        raise SourceError("its path has changed since it was allowed", "forbidden") from None
    try:
        _check_regular(file)
        yield f"file:/dev/fd/{file}"
    finally:
        os.close(file)  # FFmpeg has its own by now


def _open_unlinked(path: Path) -> int:
    """Open a file by a path that had no link in it, and follow none that is there now.

    The server has followed all links before it compared the path with its media root. Whoever
    can write there could put a link in place of a folder since.
    """
    folder = os.open(path.anchor, _FOLDER)
    try:
        for name in path.parts[1:-1]:
            inner = os.open(name, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        # Without O_NONBLOCK, a FIFO in place of the file would be waited for, for ever.
        return os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)


def _check_regular(file: int) -> None:
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise SourceError("it is not a file with media in it", "invalid_data")


# To pass through a folder needs no right to list it; only Linux has a flag that says so.
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | getattr(os, "O_PATH", os.O_RDONLY)


def _wait_for_publisher(settings: IngestSettings, stop: threading.Event) -> InputContainer | None:
    source = settings.source
    if source.also is None:
        return _wait_at(settings, source, stop.is_set)
    places = (attrs.evolve(source, also=None), source.also)
    return first_of(
        [(place.url, functools.partial(_wait_at, settings, place)) for place in places], stop
    )


def _wait_at(
    settings: IngestSettings, place: Source, is_over: Callable[[], bool]
) -> InputContainer | None:
    while not is_over():
        try:
            return _open(settings, place, timeout=_LISTEN_SLICE)
        except (error.ExitError, error.TimeoutError):
            continue  # nobody came; listen again
        except (error.EOFError, error.InvalidDataError, error.ConnectionResetError):
            # A publisher that hung up at once. Not a busy loop: each turn needs a connection.
            continue
    return None


def _lacks_video(settings: IngestSettings, container: InputContainer) -> bool:
    source = settings.source
    return source.kind is SourceKind.RTMP and not source.listen and not container.streams.video


def _pick_video(container: InputContainer) -> VideoStream | None:
    """The first moving picture; a cover image inside a sound file is none."""
    for stream in container.streams.video:
        if _is_known(stream) and not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def _is_known(stream: Stream) -> bool:
    """Whether its format has a name; of a stream in any other, nothing can be made."""
    # PyAV's types do not say that it may be missing.
    return cast("CodecContext | None", stream.codec_context) is not None
