"""One visual index at work: frames to windows, windows to the engine, records to the store."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import attrs

from rtstream_async.local.domain.shot_cutting import Shots, rules_of
from rtstream_async.local.domain.windows import Grid, Window, Windows
from rtstream_async.local.engines.ports import Frame, VisionEngine
from rtstream_async.local.pipelines.index import IndexPipeline, Spawn
from rtstream_async.local.store.rows import SceneRow
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["SHOT", "Sampler", "VisualIndex"]

SHOT = "shot"
"""Extraction type of an index whose windows end where the picture changes."""

_ROUNDING = 1e-6  # seconds
_LONGEST_WAIT = 30.0  # seconds of a stream that may wait: a busy machine catches up in that time...
_MOST_FRAMES = 120  # ...but no more frames than this: they are in memory
_FEWEST = 3  # windows that always may


class Sampler(Protocol):
    """Where frames are asked for; an ingest is one."""

    async def sample(self, key: str, *, origin: float, period: float) -> None:
        """Deliver frames for `key` from now on."""
        ...

    async def watch(self, key: str, *, period: float, threshold: float) -> None:
        """Deliver frames for `key` from now on, and those with which the picture changes."""
        ...

    async def unsample(self, key: str) -> None:
        """Deliver no more."""
        ...


@attrs.define(eq=False)
class VisualIndex(IndexPipeline[Window[Frame]]):
    """Turns the frames of one index into records.

    The engine looks at a window as soon as it has all its frames; the record waits for its end.
    """

    engine: VisionEngine = attrs.field(repr=False, kw_only=True)
    _windows: Windows[Frame] | Shots[Frame] = attrs.field(init=False, repr=False)
    _present: float = attrs.field(default=0.0, init=False)  # of the stream, Unix seconds
    _moved: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)

    what = "windows"

    @property
    def most_waiting(self) -> int:
        """How many windows may wait for the engine."""
        config = self.row.extraction_config
        shortest = float(config["min_length" if self._is_shots else "time"])
        by_time = math.ceil(_LONGEST_WAIT / shortest)
        return max(_FEWEST, min(by_time, _MOST_FRAMES // int(config["frame_count"])))

    @property
    def _is_shots(self) -> bool:
        return self.row.extraction_type == SHOT

    async def start(self, sampler: Sampler, *, present: float, spawn: Spawn) -> None:
        """Ask for frames from `present` (the stream's time, Unix seconds) on, and go to work."""
        id_, config = self.row.id, self.row.extraction_config
        if self._is_shots:
            rules = rules_of(config)
            self._windows = Shots(rules, round(present, 6))
            spawn(self.run, f"index-{id_}")
            await sampler.watch(id_, period=rules.period, threshold=rules.threshold)
        else:
            grid = grid_of(config, origin=present)
            self._windows = Windows(grid)
            spawn(self.run, f"index-{id_}")
            await sampler.sample(id_, origin=grid.origin, period=grid.period)

    def feed(self, due: float, frame: Frame, *, is_cut: bool = False) -> None:
        """Take one frame; `is_cut`: the picture changed with it."""
        match self._windows:
            case Shots() as shots:
                self._enqueue(shots.feed(due, frame, is_cut=is_cut))
            case Windows() as windows:
                self._enqueue(windows.feed(due, frame))
        self._move(due)

    def advance(self, time: float) -> None:
        """Note how far the stream is, Unix seconds."""
        self._enqueue(self._windows.advance(time))
        self._move(time)

    def _rest(self, time: float) -> Iterable[Window[Frame]]:
        self._move(time)
        return self._windows.finish(time)

    def abandon(self) -> None:
        """Give up what is not described yet: the engine is about to be closed."""
        super().abandon()
        self._moved.set()

    async def _record(self, item: Window[Frame]) -> SceneRow:
        seen = await self.engine.describe(item.frames, prompt=self.row.prompt, key=self.row.id)
        end = await self._passed(item)
        return SceneRow(
            index_id=self.row.id,
            start_us=microseconds(item.start),
            end_us=microseconds(end),
            text=seen.text,
            engine=seen.engine,
            metadata=seen.metadata,
        )

    async def _passed(self, window: Window[Frame]) -> float:
        """Wait until the stream has passed a window; return where that ends, should it stop."""
        while self._present < window.end - _ROUNDING and not self._stopping:
            self._moved.clear()
            await self._moved.wait()
        return max(min(window.end, self._present), window.start + _ROUNDING)

    def _move(self, time: float) -> None:
        self._present = max(self._present, time)
        self._moved.set()


def grid_of(config: Mapping[str, Any], *, origin: float) -> Grid:
    """Return the grid that an index's checked `extraction_config` means."""
    return Grid(
        origin=round(origin, 6), value=float(config["time"]), frame_count=int(config["frame_count"])
    )
