"""One transcript at work: sound to the engine, what it hears to the scribe."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs

from rtstream_async.local.domain.telling import Telling
from rtstream_async.local.engines.ports import (
    Attentive,
    EngineError,
    MissedError,
    Sound,
    SpeechEngine,
    Utterance,
)
from rtstream_async.local.pipelines.index import Spawn
from rtstream_async.local.pipelines.scribe import Scribe
from rtstream_async.local.refusal import Refusal
from rtstream_async.local.store.transcripts import (
    TranscriptRow,
    change_transcript,
    count_dropped_seconds,
)
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["Transcript"]

logger = logging.getLogger(__name__)

_MOST_WAITING = 20.0  # seconds of sound; an engine that is being loaded catches up
_TOGETHER = 4.0  # seconds of sound that wait and are heard in one go
_APART = 0.15  # seconds between two pieces from which the speech was interrupted; less is jitter
_SILENT = 2.0  # seconds without any sound after which nobody is speaking
_RETRY = 2.0  # seconds between two tries to start an engine


@attrs.define(eq=False)
class Transcript:
    """Turns the sound of one stream into speech, until `finish()`.

    The engine may be slower than the stream: sound waits for it in a short queue, and when that is
    full the oldest is given up, counted on the transcript and logged.
    """

    row: TranscriptRow
    scribe: Scribe
    engine: Callable[[], Awaitable[SpeechEngine]] = attrs.field(repr=False)
    settled: Callable[[float], None] = attrs.field(repr=False)
    """Is told the Unix time before which nothing that was said will come any more."""
    _waiting: deque[Sound | None] = attrs.field(
        factory=deque[Sound | None], init=False, repr=False
    )  # `None`: whoever was speaking was interrupted
    _lost: float = attrs.field(default=0.0, init=False)  # seconds
    _is_second_try: bool = attrs.field(default=False, init=False)
    _speech: SpeechEngine | None = attrs.field(default=None, init=False, repr=False)
    _retry_at: float = attrs.field(default=0.0, init=False)
    _is_hearing: bool = attrs.field(default=False, init=False)  # the engine knows of the stream
    _is_busy: bool = attrs.field(default=False, init=False)
    _known: float | None = attrs.field(default=None, init=False)  # no older sound will come
    _telling: Telling = attrs.field(factory=Telling, init=False)
    _wake: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)
    _idle: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)
    _is_started: bool = attrs.field(default=False, init=False)
    _stopping: bool = attrs.field(default=False, init=False)
    _is_abandoned: bool = attrs.field(default=False, init=False)

    def start(self, spawn: Spawn) -> None:
        """Go to work."""
        self._is_started = True
        spawn(self.run, f"transcript-{self.row.stream_id}")

    def feed(self, sound: Sound) -> None:
        """Take the next piece of sound."""
        self._waiting.append(sound)
        while self._waiting_seconds() > _MOST_WAITING:
            self._lost += _length(self._waiting.popleft())
        self._wake.set()

    def interrupt(self) -> None:
        """Note that the sound broke off: what was being said is final."""
        self._waiting.append(None)
        self._wake.set()

    def advance(self, time: float) -> None:
        """Note that no sound from before `time` (Unix seconds) comes any more."""
        self._known = time
        is_silent = self._is_hearing and time - self._telling.heard > _SILENT
        if self._is_busy or self._waiting:
            return
        if is_silent:
            self.interrupt()
        else:
            self._settle()

    def count_lost(self, seconds: float) -> None:
        """Note that sound was lost on its way here."""
        self._lost += seconds

    async def finish(self) -> None:
        """Make final what is being said, and return when it is stored."""
        self.interrupt()
        self._stopping = True
        if self._is_started:
            await self._idle.wait()

    def abandon(self) -> None:
        """Give up what is not heard yet, and what is not final."""
        self._lost += self._waiting_seconds()
        self._waiting.clear()
        self._stopping = self._is_abandoned = True
        self._wake.set()

    async def fail(self, reason: str) -> None:
        """Show why nothing is heard; the next sound that is takes it back."""
        await self._set_state(status="error", last_error=reason)

    async def run(self) -> None:
        """Hear what comes; end after `finish()`."""
        try:
            while await self._has_work():
                self._is_busy = True
                await self._try(self._take())
                self._is_busy = False
                self._settle()
            await self._forget()
            await self._count_lost()
        except sqlite3.Error:
            logger.exception("stream %s: what it lost could not be counted", self.row.stream_id)
        finally:
            self._idle.set()

    async def _has_work(self) -> bool:
        while not self._waiting:
            if self._stopping:
                return False
            self._wake.clear()
            await self._wake.wait()
        return True

    def _take(self) -> Sound | None:
        """The next sound, with what follows it without a break and waits already."""
        first = self._waiting.popleft()
        if first is None:
            return None
        samples = [first.samples]
        end, length = first.end, _length(first)
        while self._waiting and length < _TOGETHER:
            following = self._waiting[0]
            if following is None or abs(following.time - end) > _APART:
                break
            self._waiting.popleft()
            samples.append(following.samples)
            end, length = following.end, length + _length(following)
        return Sound(time=first.time, samples=b"".join(samples))

    async def _try(self, sound: Sound | None) -> None:
        try:
            await self._count_lost()
            if sound is None or abs(sound.time - self._telling.heard) > _APART:
                await self._conclude()
            if sound is not None:
                await self._hear(sound)
        except EngineError as exc:
            await self._note_failure(sound, exc)
        except sqlite3.Error:  # the disk is full, most likely; the next piece may find room
            logger.exception("stream %s: its transcript could not be stored", self.row.stream_id)

    async def _hear(self, sound: Sound) -> None:
        speech = await self._ready()
        missed: MissedError | None = None
        try:
            await self._write(await speech.hear(sound, key=self._key))
        except MissedError as exc:
            missed = exc
        self._is_hearing, self._is_second_try = True, False
        is_speaking = speech.is_speaking(key=self._key) if isinstance(speech, Attentive) else None
        self._telling.hear(sound.end, is_speaking=is_speaking)
        if missed is not None:
            await self._note_lost(missed)
        else:
            await self._set_state(
                status="running", last_error=None, engine=speech.name, language=speech.language
            )

    async def _conclude(self) -> None:
        """What was being said is final."""
        if not self._is_hearing or self._speech is None:
            return
        self._is_hearing = False
        try:
            await self._write(await self._speech.finish(key=self._key))
        except EngineError as exc:
            await self._note_lost(exc)
        self._telling.forget()

    async def _forget(self) -> None:
        """Free what the engine knows of the stream; what it says to that is not wanted."""
        if self._is_hearing and self._speech is not None:
            try:
                await self._speech.finish(key=self._key)
            except EngineError as exc:
                logger.info("stream %s: %s", self.row.stream_id, exc)

    @property
    def _key(self) -> str:
        # A transcript that is started again must not meet what is left of this one.
        return f"{self.row.stream_id}/{self.row.started_us}"

    async def _ready(self) -> SpeechEngine:
        if self._speech is None:
            if time.monotonic() < self._retry_at:
                raise EngineError(self.row.last_error or "the speech engine can't be started")
            try:
                self._speech = await self.engine()
            except Refusal as refusal:
                self._retry_at = time.monotonic() + _RETRY
                raise EngineError(refusal.message) from refusal
        return self._speech

    async def _write(self, said: Sequence[Utterance]) -> None:
        for utterance in said:
            if self._is_abandoned or not utterance.text.strip():
                continue
            if self._telling.is_news(utterance):
                self._telling.note(utterance)
                await self.scribe.write(utterance, connection=self.row.ws_connection_id)

    async def _note_lost(self, problem: EngineError) -> None:
        """What was said before is lost, with what was being said."""
        if self._is_abandoned:
            return
        self._lost += self._telling.forget()
        if isinstance(problem, MissedError):
            self._lost += problem.seconds
        await self.fail(str(problem))

    async def _note_failure(self, sound: Sound | None, problem: EngineError) -> None:
        """Try the same sound once more: an engine that has died may be there again."""
        if sound is not None and not self._is_abandoned:
            if self._is_second_try:
                self._lost += _length(sound)
            else:
                self._waiting.appendleft(sound)
            self._is_second_try = not self._is_second_try
        await self._note_lost(problem)

    def _settle(self) -> None:
        known = next((sound.time for sound in self._waiting if sound is not None), self._known)
        if known is None:
            return
        self.settled(self._telling.settled(known) if self._is_hearing else known)

    def _waiting_seconds(self) -> float:
        return sum(map(_length, self._waiting))

    async def _count_lost(self) -> None:
        seconds, self._lost = self._lost, 0.0
        if not seconds:
            return
        logger.warning("stream %s: %.1f s of sound not heard", self.row.stream_id, seconds)
        store = self.scribe.store
        await store.run(count_dropped_seconds, self.row.stream_id, seconds)

    async def _set_state(self, **changes: Any) -> None:
        if all(getattr(self.row, name) == value for name, value in changes.items()):
            return
        if changes["status"] == "error":
            logger.warning("transcript of %s: %s", self.row.stream_id, changes["last_error"])
        await self.change(**changes)

    async def change(self, **changes: Any) -> None:
        """Keep changes of the row."""
        changed = await self.scribe.store.run(
            change_transcript,
            self.row.stream_id,
            {**changes, "updated_us": microseconds(time.time())},
        )
        self.row = changed or self.row


def _length(sound: Sound | None) -> float:
    return 0.0 if sound is None else sound.end - sound.time
