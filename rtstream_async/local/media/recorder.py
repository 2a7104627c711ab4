"""Writing segments: one MPEG-TS file at a time, playable while it grows."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the packets' type parameter open.
from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Protocol

import attrs
import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from rtstream_async.local.domain.cutting import (
    Cut,
    CutRules,
    Cutter,
    part_name,
    segment_end,
    segment_name,
)
from rtstream_async.local.media.clock import TICKS, StreamClock
from rtstream_async.local.media.events import OpenSegment, SegmentClosed

__all__ = ["RecordedTrack", "Recorder", "RecordingError"]

_LEAD = 10 * TICKS  # no timestamp is ever negative, whatever the reordering
_LONGEST_FLOW = 20 * 3600 * TICKS  # MPEG-TS counts to 26.5 hours
_OPTIONS = {"flush_packets": "1", "mpegts_copyts": "1", "max_interleave_delta": "1000000"}


class RecordingError(Exception):
    """A segment could not be written: the disk is full, or its directory is gone."""


class RecordedTrack(Protocol):
    """What the recorder must know of a track."""

    @property
    def is_video(self) -> bool:
        """Picture or sound."""
        ...

    def add_to(self, container: OutputContainer) -> Stream:
        """Add the track to a new file."""
        ...


@attrs.define(eq=False)
class _OpenFile:
    path: Path
    container: OutputContainer
    streams: dict[bool, Stream]
    start: float
    discontinuity: bool
    has_video: bool
    end: int  # ticks


class Recorder:
    """Takes stamped packets, writes segments, tells of each finished one.

    Only one thread writes, but any thread may ask for the progress or close: when the writing
    thread is stuck in a read, another one finishes the open segment.
    """

    def __init__(
        self,
        directory: str,
        rules: CutRules,
        clock: StreamClock,
        on_closed: Callable[[SegmentClosed], None],
    ) -> None:
        self._directory = Path(directory)
        self._rules = rules
        self._clock = clock
        self._on_closed = on_closed
        self._tracks: Mapping[bool, RecordedTrack] = {}
        self._cutter = Cutter(rules, expects_video=False)
        self._file: _OpenFile | None = None
        self._flow = 0  # ticks; what the files' timestamps count from
        self._is_new_flow = True
        self._is_closed = False
        self._lock = threading.Lock()
        self.segments = 0

    def begin(self, tracks: Mapping[bool, RecordedTrack]) -> None:
        """Record these tracks from now on (keyed by `is_video`), in segments of their own."""
        with self._lock:
            self._finish(None)
            self._tracks = tracks
            self._cutter = Cutter(self._rules, expects_video=True in tracks)
            self._is_new_flow = True

    def interrupt(self) -> None:
        """The flow broke: cut as soon as possible, and say so."""
        self._cutter.interrupt()
        self._is_new_flow = True

    def write(self, track: RecordedTrack, packet: Packet[Stream]) -> None:
        """Add a packet, stamped in ticks of the clock."""
        with self._lock:
            if not self._is_closed:
                self._write(track, packet)

    def progress(self) -> tuple[float, OpenSegment] | None:
        """Return up to where (Unix seconds) which segment is written; `None` between them."""
        with self._lock:
            file = self._file
            if file is None:
                return None
            end = max(file.start, self._clock.time(file.end))
            opened = OpenSegment(
                path=str(file.path), start=file.start, discontinuity=file.discontinuity
            )
            return end, opened

    def close(self) -> None:
        """Finish the open segment; what is written later is ignored."""
        with self._lock:
            self._is_closed = True
            self._finish(None)

    def _write(self, track: RecordedTrack, packet: Packet[Stream]) -> None:
        pts, dts = packet.pts, packet.dts
        if pts is None or dts is None:
            raise ValueError("a packet without timestamps reached the recorder")
        if pts - self._flow > _LONGEST_FLOW and not self._is_new_flow:
            self.interrupt()
        cut = self._cutter.feed(
            is_video=track.is_video, is_key=packet.is_keyframe, time=self._clock.time(pts)
        )
        if cut is Cut.DROP:
            return
        if cut is Cut.OPEN:
            self._finish(self._clock.time(pts))
            self._open(pts, dts, has_video=track.is_video)
        file = self._file
        if file is None:
            raise RuntimeError("no segment is open after a decision to keep a packet")
        if track.is_video or not file.has_video:
            file.end = max(file.end, pts + (packet.duration or 0))
        packet.stream = file.streams[track.is_video]
        packet.pts, packet.dts = pts - self._flow, dts - self._flow
        with self._translated():
            file.container.mux_one(packet)
        packet.pts, packet.dts = pts, dts  # the sampler reads them too

    def _open(self, pts: int, dts: int, *, has_video: bool) -> None:
        start = self._clock.time(pts)
        path = self._directory / part_name(start)
        discontinuity, self._is_new_flow = self._is_new_flow, False
        if discontinuity:
            self._flow = dts - _LEAD
        with self._translated():
            container = av.open(str(path), "w", format="mpegts", options=_OPTIONS)
        self._file = _OpenFile(
            path=path,
            container=container,
            # Sound that is recorded alone gets no empty picture beside it: players wait for one.
            streams={
                is_video: track.add_to(container)
                for is_video, track in self._tracks.items()
                if has_video or not is_video
            },
            start=start,
            discontinuity=discontinuity,
            has_video=has_video,
            end=pts,
        )

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        """Else a full disk would be taken for a lost source."""
        try:
            yield
        except (FFmpegError, OSError) as exc:
            raise RecordingError(f"can't write to {self._directory}: {exc.strerror}") from exc

    def _finish(self, next_start: float | None) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        with self._translated():
            file.container.close()
        end = segment_end(
            start=file.start, own_end=self._clock.time(file.end), next_start=next_start
        )
        path = file.path.with_name(segment_name(file.start, end))
        with self._translated():
            file.path.rename(path)
        self.segments += 1
        self._on_closed(
            SegmentClosed(
                path=str(path),
                start=file.start,
                end=end,
                discontinuity=file.discontinuity,
                size=path.stat().st_size,
            )
        )
