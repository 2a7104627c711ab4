"""Speech by a model behind an endpoint: pieces of sound are sent, sentences come back."""

from __future__ import annotations

import asyncio
import io
import logging
import wave
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import msgspec

from rtstream_async.errors import RTStreamError
from rtstream_async.local.engines.openai.endpoint import Endpoint, Question, RefusedError
from rtstream_async.local.engines.openai.speaking import RATE, Listener
from rtstream_async.local.engines.openai.usage import Tokens, Usage
from rtstream_async.local.engines.ports import (
    EngineError,
    MissedError,
    Sound,
    Utterance,
    Word,
)
from rtstream_async.local.outbound import Form
from rtstream_async.supervisor import Supervisor

__all__ = ["OpenAISpeech"]

logger = logging.getLogger(__name__)

_LONGEST: Final = 20.0  # seconds of one piece
_UNDERWAY: Final = 4  # pieces of one stream that are waited for, before `hear()` waits too
# Whisper's own bounds for "there is no speech in this": it makes up a sentence where there is none.
_NO_SPEECH: Final = 0.6
_UNSURE: Final = -1.0

# What is asked for, best first: not every endpoint tells when a word was said.
_DETAILED: Final[Mapping[str, str | list[str]]] = {
    "response_format": "verbose_json",
    "timestamp_granularities[]": ["segment", "word"],
}
_FORMATS: Final[Sequence[Mapping[str, str | list[str]]]] = (
    _DETAILED,
    {"response_format": "verbose_json"},
    {"response_format": "json"},
)


class _Word(msgspec.Struct, frozen=True):
    word: str
    start: float
    end: float


class _Segment(msgspec.Struct, frozen=True):
    text: str
    start: float
    end: float
    no_speech_prob: float = 0.0
    avg_logprob: float = 0.0
    words: list[_Word] | None = None


class _Transcription(msgspec.Struct, frozen=True):
    text: str
    segments: list[_Segment] | None = None
    words: list[_Word] | None = None
    usage: Tokens | None = None


@attrs.define(eq=False)
class _Ear:
    """One stream: what is being said, and what was sent and is not answered yet."""

    listener: Listener
    underway: deque[asyncio.Future[Sequence[Utterance]]] = attrs.field(
        factory=deque[asyncio.Future[Sequence[Utterance]]]
    )

    def known(self) -> list[Utterance]:
        """Return what is known by now, in the order in which it was said.

        Raises:
            MissedError: The next piece could not be transcribed. It is gone with that.
        """
        said: list[Utterance] = []
        while self.underway and self.underway[0].done():
            if self.underway[0].exception() is not None and said:
                break  # told by the next call
            said += self.underway.popleft().result()
        return said


class OpenAISpeech:
    """A `SpeechEngine` over `/audio/transcriptions`: WAV files of what was said between pauses.

    Only final utterances: a piece is sent once, when it has ended. Silence is not sent.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        options = endpoint.address.options
        self._model = endpoint.address.model
        self._language: str | None = options.get("language")
        self._longest: float = options.get("longest", _LONGEST)
        self._ears: dict[str, _Ear] = {}
        self._refused = 0  # of `_FORMATS`
        self._supervisor = Supervisor("rtstream-openai-speech")

    @property
    def name(self) -> str:
        """Shown in every record that this engine makes."""
        return self._endpoint.address.named(self._model)

    @property
    def language(self) -> str | None:
        """Code of the language that was configured; `None`: the model finds out."""
        return self._language

    @property
    def usage(self) -> Usage:
        """What was sent, and what it cost."""
        return self._endpoint.usage

    async def warm_up(self) -> None:
        """Return at once: an endpoint that is away now may be there when somebody speaks."""

    def is_speaking(self, *, key: str) -> bool:
        """Return whether somebody may be speaking, or an answer is waited for."""
        ear = self._ears.get(key)
        return ear is not None and (ear.listener.is_speaking or bool(ear.underway))

    async def hear(self, sound: Sound, *, key: str) -> Sequence[Utterance]:
        """Take the next piece of sound of the stream `key`; return what has become known by it.

        It does not wait for answers, unless four pieces of the stream are under way.

        Raises:
            MissedError: A piece that was sent before could not be transcribed; `sound` was taken.
        """
        ear = self._ears.get(key)
        if ear is None:
            ear = self._ears[key] = _Ear(Listener(longest=self._longest))
        await self._send(ear, ear.listener.feed(sound))
        return ear.known()

    async def finish(self, *, key: str) -> Sequence[Utterance]:
        """Return all that was still being said, and forget the stream `key`.

        Raises:
            EngineError: None of it could be transcribed.
        """
        ear = self._ears.pop(key, None)
        if ear is None:
            return []
        await self._send(ear, ear.listener.finish())
        said, problem = list[Utterance](), None
        while ear.underway:
            await asyncio.wait([ear.underway[0]])
            try:
                said += ear.underway.popleft().result()
            except EngineError as exc:
                problem = exc
        if problem is not None and not said:
            raise problem
        if problem is not None:
            logger.warning("the end of a transcript has a hole: %s", problem)
        return said

    async def aclose(self) -> None:
        """End what is under way; who waits for it gets `EngineError`."""
        self._endpoint.close()
        await self._supervisor.aclose()

    async def _send(self, ear: _Ear, pieces: Sequence[Sound]) -> None:
        for piece in pieces:
            waiting = [future for future in ear.underway if not future.done()]
            if len(waiting) >= _UNDERWAY:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            future: asyncio.Future[Sequence[Utterance]]
            future = asyncio.get_running_loop().create_future()
            future.add_done_callback(_see)
            ear.underway.append(future)
            try:
                await self._supervisor.start()
                self._supervisor.start_soon(self._answer, piece, future, name="transcribe")
            except RTStreamError:
                future.set_exception(_missed(piece, "the engine was closed"))

    async def _answer(self, piece: Sound, future: asyncio.Future[Sequence[Utterance]]) -> None:
        try:
            future.set_result(await self._transcribe(piece))
        except EngineError as exc:
            future.set_exception(_missed(piece, str(exc)))
        except Exception as exc:
            # A raise here would end what all other streams have under way.
            logger.exception("a piece of sound could not be transcribed")
            future.set_exception(_missed(piece, f"internal error: {exc!r}"))
        finally:
            if not future.done():  # we are being cancelled
                future.set_exception(_missed(piece, "the engine was closed"))

    async def _transcribe(self, piece: Sound) -> Sequence[Utterance]:
        while True:
            refused = self._refused
            try:
                return await self._ask(piece, _FORMATS[refused])
            except RefusedError as exc:
                if not exc.failure.blames_format or refused + 1 >= len(_FORMATS):
                    raise
                # From now on less is asked for. Another piece may have found that out meanwhile.
                self._refused = max(self._refused, refused + 1)

    async def _ask(self, piece: Sound, wanted: Mapping[str, str | list[str]]) -> list[Utterance]:
        seconds = len(piece.samples) / (2 * RATE)

        def count(usage: Usage) -> None:
            usage.audio_seconds += seconds

        language = {} if self._language is None else {"language": self._language}
        form = Form(
            fields={"model": self._model, **language, **wanted},
            name="file",
            file_name="speech.wav",
            content=_wav(piece.samples),
            content_type="audio/wav",
        )
        reply = await self._endpoint.ask(
            Question(
                path="/audio/transcriptions",
                body=form,
                model=self._model,
                type_=_Transcription,
                count=count,
            )
        )
        heard: _Transcription = reply.content
        if heard.usage is not None:
            self._endpoint.usage.note_tokens(heard.usage.counts())
        return _utterances(heard, piece, engine=self.name)


def _see(future: asyncio.Future[Sequence[Utterance]]) -> None:
    future.exception()  # nobody may be left who asks; asyncio would log that


def _missed(piece: Sound, reason: str) -> MissedError:
    return MissedError(reason, seconds=piece.end - piece.time)


def _wav(samples: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(samples)
    return file.getvalue()


def _utterances(heard: _Transcription, piece: Sound, *, engine: str) -> list[Utterance]:
    whole = _Segment(text=heard.text, start=0.0, end=piece.end - piece.time)
    segments = heard.segments or [whole]
    said: list[Utterance] = []
    for segment in segments:
        text = segment.text.strip()
        made_up = segment.no_speech_prob > _NO_SPEECH and segment.avg_logprob < _UNSURE
        if not text or made_up:
            continue
        start, end = _within(piece, segment.start), _within(piece, segment.end)
        words = segment.words or [
            word
            for word in heard.words or ()
            if segment is whole or segment.start <= (word.start + word.end) / 2 < segment.end
        ]
        said.append(
            Utterance(
                start=start,
                end=max(start, end),
                text=text,
                is_final=True,
                engine=engine,
                words=tuple(_word(piece, word) for word in words),
            )
        )
    return said


def _word(piece: Sound, word: _Word) -> Word:
    start = _within(piece, word.start)
    return Word(start=start, end=max(start, _within(piece, word.end)), text=word.word.strip())


def _within(piece: Sound, seconds: float) -> float:
    """Return the Unix time of a moment of a piece: models sometimes speak of times beyond it."""
    return piece.time + min(max(0.0, seconds), piece.end - piece.time)
