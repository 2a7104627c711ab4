"""An ingest under test: its events, and what it recorded, read back by an outside reader."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import attrs
import av

from rtstream_async.local.domain.playlist import Playlist, Segment, make_playlist
from rtstream_async.local.domain.sources import parse_source
from rtstream_async.local.media.events import IngestEvent, Progress, Sampled, SegmentClosed
from rtstream_async.local.media.ingest import Ingest, IngestSettings
from tests.media.clips import frame_index, jpeg_index

__all__ = ["START", "Played", "Recording", "play_back", "record_file", "recording"]

START = 1_700_000_000.0
_PATIENCE = 60.0

_Event = TypeVar("_Event", bound=IngestEvent)


class Recording:
    """A running ingest and everything it told."""

    def __init__(self, settings: IngestSettings) -> None:
        self.directory = Path(settings.directory)
        self.events: list[IngestEvent] = []
        self.ingest = Ingest(settings, self._emit)
        self._news = asyncio.Event()

    async def _emit(self, event: IngestEvent) -> None:
        self.events.append(event)
        self._news.set()

    def all(self, kind: type[_Event]) -> list[_Event]:
        return [event for event in self.events if isinstance(event, kind)]

    async def wait_for(
        self, kind: type[_Event], accept: Callable[[_Event], bool] = lambda _: True, *, count=1
    ) -> _Event:
        """Return the `count`-th accepted event, past or future."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                self._news.clear()
                found = [event for event in self.all(kind) if accept(event)]
                if len(found) >= count:
                    return found[count - 1]
                await self._news.wait()

    @property
    def segments(self) -> list[SegmentClosed]:
        return self.all(SegmentClosed)

    @property
    def worker(self) -> int:
        """The worker's process id."""
        child = self.ingest._child
        assert child is not None
        return child.pid

    def sampled_indexes(self, key: str) -> list[int]:
        return [jpeg_index(event.frame.jpeg) for event in self.all(Sampled) if event.key == key]

    def playlist(self, *, open_segment: bool = False) -> Playlist:
        """The playlist of all that is recorded, written beside the segments."""
        segments = [
            Segment(
                start=closed.start,
                end=closed.end,
                name=Path(closed.path).name,
                discontinuity=closed.discontinuity,
            )
            for closed in self.segments
        ]
        last = self.all(Progress)[-1:]
        if open_segment and last and last[0].open_segment:
            current = last[0].open_segment
            # As a server gives it away: under a name that players take for a segment.
            shutil.copy(current.path, self.directory / "open.ts")
            segments.append(
                Segment(
                    start=current.start,
                    end=last[0].time,
                    name="open.ts",
                    discontinuity=current.discontinuity,
                )
            )
        made = make_playlist(
            segments, start=0, end=1e11, uri=lambda segment: str(self.directory / segment.name)
        )
        assert isinstance(made, Playlist)
        return made


@contextlib.asynccontextmanager
async def recording(url: str, directory: Path, **settings: object) -> AsyncIterator[Recording]:
    """Run an ingest of `url` while the block runs."""
    await asyncio.to_thread(directory.mkdir, exist_ok=True)
    made = Recording(IngestSettings(source=parse_source(url), directory=str(directory), **settings))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(made.ingest.run())
        try:
            yield made
        finally:
            await made.ingest.stop()


async def record_file(
    path: Path,
    directory: Path,
    *,
    sample: float | None = None,
    listen: bool = False,
    **settings: object,
) -> Recording:
    """Record a file as fast as possible, from the Unix time `START` on."""
    await asyncio.to_thread(directory.mkdir, exist_ok=True)
    source = parse_source(str(path))
    options = {"realtime": False, "not_before": START} | settings
    made = Recording(IngestSettings(source=source, directory=str(directory), **options))
    if sample is not None:
        await made.ingest.sample("k", origin=START, period=sample)
    if listen:
        await made.ingest.listen()
    async with asyncio.timeout(_PATIENCE):
        await made.ingest.run()
    return made


@attrs.frozen(kw_only=True)
class Played:
    """What a player gets from a recording."""

    pictures: list[int]  # their drawn indexes
    picture_times: list[float]  # seconds on the recording's own clock
    sound: float  # seconds of it
    sizes: list[tuple[int, int]]


def play_back(directory: Path, playlist: Playlist) -> Played:
    """Decode all of a playlist through the HLS reader."""
    path = directory / "index.m3u8"
    path.write_text(playlist.text)
    pictures, times, sizes, sound = [], [], [], 0.0
    with av.open(str(path), "r") as container:
        for stream in container.streams:
            stream.codec_context.thread_count = 1
        for frame in container.decode(*container.streams):
            if isinstance(frame, av.VideoFrame):
                pictures.append(frame_index(frame))
                times.append(float(frame.pts * frame.time_base))
                sizes.append((frame.width, frame.height))
            else:
                sound += frame.samples / frame.sample_rate
    return Played(pictures=pictures, picture_times=times, sound=sound, sizes=sizes)
