"""One audio index at work: speech to batches, batches to the engine, records to the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import attrs

from rtstream_async.local.domain.batches import Batch, Batches, make_batches
from rtstream_async.local.engines.ports import Description, EngineError, LanguageEngine, Utterance
from rtstream_async.local.pipelines.index import IndexPipeline, Spawn
from rtstream_async.local.refusal import Refusal
from rtstream_async.local.store.rows import SceneRow
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["AudioIndex"]

_MOST_WAITING = 500  # batches; one long sentence in batches of one word must find room


@attrs.define(eq=False)
class AudioIndex(IndexPipeline[Batch]):
    """Turns what the transcript of a stream says into records.

    With a prompt, a record says what the language engine makes of its batch; without one, it says
    the batch itself.
    """

    language: Callable[[], Awaitable[LanguageEngine]] = attrs.field(repr=False, kw_only=True)
    _batches: Batches = attrs.field(init=False, repr=False)
    _engine: LanguageEngine | None = attrs.field(default=None, init=False, repr=False)

    what = "batches of speech"

    @property
    def most_waiting(self) -> int:
        """How many batches may wait for the engine."""
        return _MOST_WAITING

    def start(self, *, present: float, spawn: Spawn) -> None:
        """Go to work; batches of seconds begin at `present` (the stream's time, Unix seconds)."""
        config = self.row.extraction_config
        self._batches = make_batches(
            config["segmenter"], float(config["segmentation_value"]), origin=round(present, 6)
        )
        spawn(self.run, f"index-{self.row.id}")

    def hear(self, utterance: Utterance) -> None:
        """Take a final piece of speech; they come in order of time."""
        self._enqueue(self._batches.feed(utterance))

    def advance(self, time: float) -> None:
        """Note that no speech from before `time` (Unix seconds) comes any more."""
        self._enqueue(self._batches.advance(time))

    def _rest(self, time: float) -> Iterable[Batch]:
        return self._batches.finish(time)

    async def _record(self, item: Batch) -> SceneRow:
        prompt = self.row.prompt
        said = _as_it_is(item) if prompt is None else await self._summarise(item, prompt)
        return SceneRow(
            index_id=self.row.id,
            start_us=microseconds(item.start),
            end_us=microseconds(item.end),
            text=said.text,
            engine=said.engine,
            metadata={**said.metadata, **_facts(item)},
        )

    async def _summarise(self, batch: Batch, prompt: str) -> Description:
        if self._engine is None:
            try:
                self._engine = await self.language()
            except Refusal as refusal:  # the next batch tries again
                raise EngineError(refusal.message) from refusal
        return await self._engine.summarise(batch.pieces, prompt=prompt)


def _as_it_is(batch: Batch) -> Description:
    return Description(text=batch.text, engine=batch.engine, metadata={})


def _facts(batch: Batch) -> dict[str, Any]:
    return {
        "spoken": batch.text,
        "word_count": batch.word_count,
        "utterances": len(batch.pieces),
        "timing": batch.timing,
        "speech_engine": batch.engine,
    }
