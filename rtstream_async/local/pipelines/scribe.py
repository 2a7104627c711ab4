"""The one way for speech: stored, pushed, and told to the audio indexes of its stream."""

from __future__ import annotations

import time
from collections.abc import Callable

import attrs

from rtstream_async.local.engines.ports import Utterance
from rtstream_async.local.hub import Hub
from rtstream_async.local.store.transcripts import UtteranceRow, add_utterance
from rtstream_async.local.store.worker import Worker
from rtstream_async.models.messages import TranscriptMessage
from rtstream_async.protocol.codec import emit
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["Scribe"]


@attrs.frozen(kw_only=True)
class Scribe:
    """Writes down what is said in one stream."""

    stream_id: str
    stream_name: str
    store: Worker = attrs.field(repr=False)
    hub: Hub = attrs.field(repr=False)
    tell: Callable[[Utterance], None] = attrs.field(repr=False)  #: gets what is final

    async def write(self, utterance: Utterance, *, connection: str | None) -> None:
        """Store speech that is final, then push it: what a socket told, REST can tell too.

        What is not final is only pushed: it is replaced by what follows.
        """
        if utterance.is_final:
            await self.store.run(add_utterance, self._row(utterance))
        if connection is not None:
            frame = emit.frame(self._message(utterance), engine=utterance.engine)
            self.hub.send(connection, frame)
        if utterance.is_final:
            self.tell(utterance)

    def _row(self, utterance: Utterance) -> UtteranceRow:
        return UtteranceRow(
            stream_id=self.stream_id,
            start_us=microseconds(utterance.start),
            end_us=microseconds(utterance.end),
            text=utterance.text,
            words=[attrs.asdict(word) for word in utterance.words],
            engine=utterance.engine,
            stored_us=microseconds(time.time()),
        )

    def _message(self, utterance: Utterance) -> TranscriptMessage:
        return TranscriptMessage(
            channel="transcript",
            rtstream_id=self.stream_id,
            rtstream_name=self.stream_name,
            start=utterance.start,
            end=utterance.end,
            text=utterance.text,
            is_final=utterance.is_final,
        )
