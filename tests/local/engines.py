"""Engines that measure: pixels for numbers, sound for beeps, text for its pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from rtstream_async.local.engines.ports import (
    Description,
    EngineError,
    Frame,
    MissedError,
    Sound,
    Utterance,
    Verdict,
    Word,
)
from tests.media.clips import jpeg_index

__all__ = ["BeepEngine", "CountingLanguage", "PixelEngine", "beeps", "numbers"]

_STEP = 320  # samples: 20 ms
_LOUD = 500
_WORD_GAP = 0.1  # seconds of silence between two beeps
_PAUSE = 0.5  # seconds of silence after which what was said is final


@attrs.define(eq=False)
class PixelEngine:
    """Says which frames it was given. Tests make it slow, or ill."""

    name: str = "pixels"
    illness: str | None = None  #: why it can't describe
    is_loadable: bool = True
    gate: asyncio.Event = attrs.field(factory=asyncio.Event)  #: set: it works
    described: int = 0
    loaded: int = 0
    is_closed: bool = False

    def __attrs_post_init__(self) -> None:
        self.gate.set()

    async def warm_up(self) -> None:
        if not self.is_loadable:
            raise EngineError("the weights are missing")
        self.loaded += 1

    async def describe(
        self, frames: Sequence[Frame], *, key: str, prompt: str | None
    ) -> Description:
        await self.gate.wait()
        if self.illness is not None:
            raise EngineError(self.illness)
        self.described += 1
        seen = [jpeg_index(frame.jpeg) for frame in frames]
        return Description(
            text=" ".join(map(str, seen)),
            engine=self.name,
            metadata={"times": [frame.time for frame in frames], "key": key, "prompt": prompt},
        )

    async def aclose(self) -> None:
        self.is_closed = True


def numbers(text: str) -> list[int]:
    """Return the frames that a description of `PixelEngine` names."""
    return [int(word) for word in text.split()]


def beeps(text: str) -> list[int]:
    """Return the beeps that a text of `BeepEngine` names."""
    return [int(word.removeprefix("beep").rstrip(".")) for word in text.split()]


@attrs.define(eq=False)
class _Ear:
    words: list[Word] = attrs.field(factory=list[Word])
    end: float = 0.0


@attrs.define(eq=False)
class BeepEngine:
    """Says `beep1 beep2 ...`, counted over its life, for each loud moment. Tests make it ill."""

    name: str = "beeps"
    language: str | None = "en"
    illness: str | None = None  #: why it can't hear
    missed: MissedError | None = None  #: said once, with what it takes then
    is_loadable: bool = True
    tells_words: bool = True
    gate: asyncio.Event = attrs.field(factory=asyncio.Event)  #: set: it works
    count: int = 0
    seconds: float = 0.0  #: of sound that it was given
    forgotten: int = 0  #: streams that it was told to forget
    is_closed: bool = False
    _ears: dict[str, _Ear] = attrs.field(factory=dict[str, _Ear])

    def __attrs_post_init__(self) -> None:
        self.gate.set()

    async def warm_up(self) -> None:
        if not self.is_loadable:
            raise EngineError("the weights are missing")

    async def hear(self, sound: Sound, *, key: str) -> Sequence[Utterance]:
        await self.gate.wait()
        if self.illness is not None:
            self._ears.pop(key, None)
            raise EngineError(self.illness)
        self.seconds += sound.end - sound.time
        said = [*self._hear(sound, self._ears.setdefault(key, _Ear()))]
        missed, self.missed = self.missed, None
        if missed is not None:
            raise missed
        return said

    async def finish(self, *, key: str) -> Sequence[Utterance]:
        if self.illness is not None:
            raise EngineError(self.illness)
        ear = self._ears.pop(key, _Ear())
        self.forgotten += 1
        return [self._said(ear, is_final=True)] if ear.words else []

    async def aclose(self) -> None:
        self.is_closed = True

    def _hear(self, sound: Sound, ear: _Ear) -> Iterator[Utterance]:
        if abs(sound.time - ear.end) > 0.2 and ear.words:
            yield self._said(ear, is_final=True)
            ear.words.clear()
        samples = np.frombuffer(sound.samples, "<i2").astype(float)
        for at in range(0, len(samples), _STEP):
            time = sound.time + at / 16_000
            if np.sqrt((samples[at : at + _STEP] ** 2).mean()) > _LOUD:
                self._beep(ear, time)
            elif ear.words and time - ear.words[-1].end > _PAUSE:
                yield self._said(ear, is_final=True)
                ear.words.clear()
        ear.end = sound.end
        if ear.words:
            yield self._said(ear, is_final=False)

    def _beep(self, ear: _Ear, time: float) -> None:
        if ear.words and time - ear.words[-1].end < _WORD_GAP:
            ear.words[-1] = attrs.evolve(ear.words[-1], end=time + 0.02)
            return
        self.count += 1
        ear.words.append(Word(start=time, end=time + 0.02, text=f"beep{self.count}"))

    def _said(self, ear: _Ear, *, is_final: bool) -> Utterance:
        text = " ".join(word.text for word in ear.words) + ("." if is_final else "")
        return Utterance(
            start=ear.words[0].start,
            end=ear.words[-1].end,
            text=text,
            is_final=is_final,
            engine=self.name,
            words=tuple(ear.words) if self.tells_words else (),
        )


@attrs.define(eq=False)
class CountingLanguage:
    """Counts the pieces that it is given, and repeats what it was asked."""

    name: str = "counter"
    illness: str | None = None
    is_loadable: bool = True
    gate: asyncio.Event = attrs.field(factory=asyncio.Event)  #: set: it works

    def __attrs_post_init__(self) -> None:
        self.gate.set()

    async def warm_up(self) -> None:
        if not self.is_loadable:
            raise EngineError("the endpoint does not answer")

    async def summarise(self, pieces: Sequence[str], *, prompt: str | None) -> Description:
        await self.gate.wait()
        if self.illness is not None:
            raise EngineError(self.illness)
        return Description(
            text=f"{prompt} {len(pieces)}", engine=self.name, metadata={"prompt_followed": True}
        )

    async def judge(self, observation: str, *, rule: str) -> Verdict | None:
        return None

    async def aclose(self) -> None:
        return None
