"""Looks at the frames of a window with everything there is, and tells what was seen."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence

import attrs
import numpy as np

from rtstream_async.local.domain.scene_text import Sighting, View, Words, describe, facts, merge
from rtstream_async.local.engines.offline import effort, opencv, pixels, runtime
from rtstream_async.local.engines.offline.detector import DETECTOR, Detector
from rtstream_async.local.engines.offline.opencv import Gray, Picture
from rtstream_async.local.engines.offline.words import READER, Page, Reader
from rtstream_async.local.engines.ports import Description, EngineError, Frame

__all__ = ["NAME", "OfflineVision"]

NAME = "offline-vision"

_PERSON = "person"
_MOST_STREAMS = 64  # whose last window is remembered
_TOGETHER = 60.0  # seconds; streams seen within that time share the engine
_FIRST_PERIOD = 5.0  # seconds, assumed for a stream's first window
_LOOK_SIDE = 640  # pixels of the longer side; the detector sees 416 of them
_READ_SIDE = 1920  # pixels; small print needs all of a 1080p picture
_LOOK_COST = 0.1  # CPU seconds of finding things in a frame, before it is measured


@attrs.define(kw_only=True, eq=False)
class _Memory:
    """What is remembered of a stream from one window to the next."""

    time: float | None = None  #: of the last frame, Unix seconds
    sketch: Gray | None = None  #: of the last frame
    looked_at: Gray | None = None  #: sketch of the frame in which `sightings` were found
    sightings: tuple[Sighting, ...] = ()
    read_from: Gray | None = None  #: sketch of the frame that `page` was read from
    page: Page = attrs.field(factory=Page)
    reading: effort.ReadRecord | None = None


class OfflineVision:
    """Detector, reader and pixels behind one call. Blocking; use it from one thread."""

    def __init__(self) -> None:
        opencv.use_one_thread()
        self._detector = Detector()
        self._reader = Reader()
        self._memories: OrderedDict[str, _Memory] = OrderedDict()
        self._look_cost = _LOOK_COST
        self._turns = effort.Turns()

    def warm_up(self) -> None:
        """Run every network once on a blank picture."""
        self._detector.find(np.zeros((360, 640, 3), np.uint8))
        self._reader.warm_up()
        runtime.release_memory()

    def describe(self, frames: Sequence[Frame], *, key: str) -> Description:
        """Describe the frames of one window of the stream `key`.

        Raises:
            EngineError: A frame is not a picture.
        """
        memory = self._remember(key)
        pictures = [
            _decode(frame, number, len(frames), _LOOK_SIDE)
            for number, frame in enumerate(frames, start=1)
        ]
        sketches = [pixels.sketch(picture) for picture in pictures]
        streams = self._streams(frames[-1].time)
        views = self._views(memory, frames, pictures, sketches, streams)
        words, were_read = self._words(key, memory, frames, sketches, streams)
        memory.time, memory.sketch = frames[-1].time, sketches[-1]
        window = merge(views, words)
        return Description(
            text=describe(window),
            engine=NAME,
            metadata={
                **facts(window),
                "words_read_now": were_read,
                "detector": DETECTOR,
                "reader": READER,
                "prompt_followed": False,
            },
        )

    def _remember(self, key: str) -> _Memory:
        memory = self._memories.setdefault(key, _Memory())
        self._memories.move_to_end(key)
        while len(self._memories) > _MOST_STREAMS:
            forgotten, _ = self._memories.popitem(last=False)
            self._turns.leave(forgotten)
        return memory

    def _streams(self, now: float) -> int:
        """Return how many streams share the engine, the one that is looked at included."""
        times = [memory.time for memory in self._memories.values()]
        together = sum(1 for at in times if at is not None and abs(now - at) < _TOGETHER)
        return max(1, together)

    def _views(
        self,
        memory: _Memory,
        frames: Sequence[Frame],
        pictures: Sequence[Picture],
        sketches: Sequence[Gray],
        streams: int,
    ) -> list[View]:
        period = _FIRST_PERIOD if memory.time is None else frames[-1].time - memory.time
        chosen = effort.frames_to_look_at(
            len(frames), period=period, cost=self._look_cost, streams=streams
        )
        before = [memory.sketch, *sketches]
        return [
            View(
                look=pixels.look(picture),
                sightings=self._sightings(memory, picture, sketches[index])
                if index in chosen
                else None,
                change=_change(before[index], sketches[index]),
            )
            for index, picture in enumerate(pictures)
        ]

    def _sightings(self, memory: _Memory, picture: Picture, sketch: Gray) -> tuple[Sighting, ...]:
        """Return the things in a picture; those found before when it is still the same."""
        if _change(memory.looked_at, sketch) == 0:
            return memory.sightings
        begun = time.thread_time()
        found = self._detector.find(picture)
        self._look_cost += 0.1 * (time.thread_time() - begun - self._look_cost)
        memory.looked_at, memory.sightings = sketch, _dressed(found, picture)
        return memory.sightings

    def _words(
        self,
        key: str,
        memory: _Memory,
        frames: Sequence[Frame],
        sketches: Sequence[Gray],
        streams: int,
    ) -> tuple[Words, bool]:
        """Return the words in the window, and whether one of its frames was read for them."""
        changes = [
            1.0 if (change := _change(memory.read_from, sketch)) is None else change
            for sketch in sketches
        ]
        index = effort.frame_to_read(changes)
        frame = frames[index]
        picture: Picture | None = None
        standing = memory.page
        if standing.lines:
            picture = _decode(frame, index + 1, len(frames), _READ_SIDE)
            standing = standing.as_seen_in(picture)
        last = memory.reading = memory.reading or effort.ReadRecord(time=frame.time)
        wanted = effort.wants_reading(
            last,
            time=frame.time,
            change=changes[index],
            stale=standing.texts() != memory.page.texts(),
            unread=bool(memory.page.unread),
        )
        if not wanted:
            self._turns.leave(key)
        if not (wanted and self._turns.ask(key, last, time=frame.time, streams=streams)):
            # What is covered for a moment is not told, but stays known for when it is seen again.
            unread = standing.unread if changes[index] == 0 else None
            return attrs.evolve(standing.words(), unread=unread), False
        if picture is None:
            picture = _decode(frame, index + 1, len(frames), _READ_SIDE)
        begun = time.thread_time()
        page = self._reader.read(picture, standing, pixels=effort.reading_pixels(streams))
        cost = time.thread_time() - begun
        found_new = not page.texts() <= memory.page.texts()
        memory.reading = effort.after_reading(last, time=frame.time, cost=cost, found_new=found_new)
        self._turns.spend(cost)
        memory.page, memory.read_from = page, sketches[index]
        runtime.release_memory()
        return page.words(), True


def _decode(frame: Frame, number: int, count: int, side: int) -> Picture:
    """Return a frame's picture, at least `side` pixels long where it has them."""
    longer = max(frame.width, frame.height)
    shrink = next(factor for factor in (8, 4, 2, 1) if factor == 1 or longer // factor >= side)
    picture = opencv.decode(frame.jpeg, shrink=shrink)
    if picture is None:
        raise EngineError(
            f"frame {number} of {count}, at {frame.time:.3f}, is not a whole JPEG picture "
            f"({len(frame.jpeg)} bytes)"
        )
    return picture


def _change(before: Gray | None, after: Gray) -> float | None:
    return None if before is None else pixels.changed_share(before, after)


def _dressed(found: Sequence[Sighting], picture: Picture) -> tuple[Sighting, ...]:
    """Return the sightings with the colours that people wear, where the picture has colours."""
    if pixels.is_monochrome(picture):
        return tuple(found)
    return tuple(
        attrs.evolve(sighting, wearing=pixels.clothes(picture, sighting))
        if sighting.label == _PERSON
        else sighting
        for sighting in found
    )
