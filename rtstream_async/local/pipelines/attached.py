"""What works on one live stream: its visual indexes, its transcript, its audio indexes."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import anyio
import attrs

from rtstream_async.local.engines.ports import Utterance
from rtstream_async.local.media.events import Heard, Opened, Progress, Sampled
from rtstream_async.local.pipelines.audio import AudioIndex
from rtstream_async.local.pipelines.transcript import Transcript
from rtstream_async.local.pipelines.visual import VisualIndex

__all__ = ["NO_PICTURE", "NO_SOUND", "Attached"]

logger = logging.getLogger(__name__)

NO_PICTURE = "the source has no picture, only sound"
NO_SOUND = "the source has no sound, only a picture"
_FINISH = 10.0  # seconds for the engines to work on what is left at the end of a stream


@attrs.define(eq=False)
class Attached:
    """Gives each what it works on."""

    visual: dict[str, VisualIndex] = attrs.field(factory=dict[str, VisualIndex], init=False)
    audio: dict[str, AudioIndex] = attrs.field(factory=dict[str, AudioIndex], init=False)
    transcript: Transcript | None = attrs.field(default=None, init=False)
    _dropped_sound: float = attrs.field(default=0.0, init=False)  # by the worker of now, seconds

    def index(self, id_: str) -> VisualIndex | AudioIndex | None:
        """Return an index at work, or `None`."""
        return self.visual.get(id_) or self.audio.get(id_)

    def on_sampled(self, event: Sampled) -> None:
        """Pass on a frame."""
        index = self.visual.get(event.key)
        if index is not None:
            index.feed(event.due, event.frame, is_cut=event.is_cut)

    def on_heard(self, event: Heard) -> None:
        """Pass on sound."""
        if self.transcript is not None:
            self.transcript.feed(event.sound)

    def on_progress(self, event: Progress) -> None:
        """Pass on how far the stream is."""
        for index in self.visual.values():
            index.advance(event.sampled_to)
        self._advance_sound(event.heard_to)
        self._count_dropped(event.dropped_sound)

    async def on_opened(self, event: Opened) -> None:
        """Show what can't work on this source."""
        if event.video is None:
            for index in self.visual.values():
                await index.fail(NO_PICTURE)
        if event.audio is None and self.transcript is not None:
            await self.transcript.fail(NO_SOUND)

    def on_trouble(self, time: float) -> None:
        """Close what is open: the source is gone, and shows and says nothing.

        Args:
            time: Unix time that counts as the stream's, seconds: it does not tell.
        """
        self._dropped_sound = 0.0
        if self.transcript is not None:
            self.transcript.interrupt()
        for index in self.visual.values():
            index.advance(time)
        self._advance_sound(time)

    def hear(self, utterance: Utterance) -> None:
        """Pass on what was said, final."""
        for index in self.audio.values():
            index.hear(utterance)

    def settle(self, time: float) -> None:
        """Pass on the Unix time before which nothing that was said will come any more."""
        for index in self.audio.values():
            index.advance(time)

    async def finish(self, time: float) -> None:
        """Work on what is left, within bounds; the stream ended at `time` (Unix seconds)."""
        with anyio.move_on_after(_FINISH) as scope:
            async with anyio.create_task_group() as group:
                for index in self.visual.values():
                    group.start_soon(index.finish, time)
                group.start_soon(self._finish_sound, time)
        if scope.cancelled_caught:
            logger.warning("the engines did not finish within %g s", _FINISH)
            if self.transcript is not None:
                self.transcript.abandon()

    def abandon(self) -> None:
        """Give up what is not done yet: the engines are about to be closed."""
        for pipeline in self._pipelines():
            pipeline.abandon()

    def _advance_sound(self, time: float) -> None:
        if self.transcript is None:
            self.settle(time)  # nobody listens, so nothing comes
        else:
            self.transcript.advance(time)

    def _count_dropped(self, seconds: float) -> None:
        fresh = seconds - self._dropped_sound
        self._dropped_sound = seconds
        if self.transcript is not None and fresh > 0:
            self.transcript.count_lost(fresh)

    async def _finish_sound(self, time: float) -> None:
        """First what is said, for it belongs into the last batches."""
        if self.transcript is not None:
            await self.transcript.finish()
        for index in self.audio.values():
            await index.finish(time)

    def _pipelines(self) -> Iterator[VisualIndex | AudioIndex | Transcript]:
        yield from self.visual.values()
        yield from self.audio.values()
        if self.transcript is not None:
            yield self.transcript
