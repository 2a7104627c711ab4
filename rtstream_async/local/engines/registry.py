"""The engines of one server: made when first needed, ready when handed out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import anyio
import attrs

from rtstream_async.local.engines.ports import (
    EmbeddingEngine,
    EngineError,
    LanguageEngine,
    SpeechEngine,
    VisionEngine,
)
from rtstream_async.local.refusal import Refusal

__all__ = ["EngineMakers", "Engines"]


class _Engine(Protocol):
    async def warm_up(self) -> None: ...

    async def aclose(self) -> None: ...


E = TypeVar("E", bound=_Engine)


@attrs.frozen(kw_only=True)
class EngineMakers:
    """How each engine is made."""

    vision: Callable[[], VisionEngine]
    speech: Callable[[], SpeechEngine]
    language: Callable[[], LanguageEngine]
    embedding: Callable[[], EmbeddingEngine]


class _Slot(Generic[E]):
    """One engine; nothing is loaded before it is asked for."""

    def __init__(self, kind: str, make: Callable[[], E]) -> None:
        self._kind = kind
        self._make = make
        self._engine: E | None = None
        self._lock = anyio.Lock()

    async def get(self) -> E:
        async with self._lock:
            engine = self._engine or self._make()
            try:
                await engine.warm_up()
            except EngineError as exc:
                raise Refusal(
                    503, "NO_ENGINE", f"the {self._kind} engine can't be started: {exc}"
                ) from exc
            self._engine = engine
            return engine

    async def aclose(self) -> None:
        if self._engine is not None:
            await self._engine.aclose()


class Engines:
    """Hands out engines that are ready.

    Each method raises `Refusal` when its engine can't be started; the next call tries again.
    """

    def __init__(self, makers: EngineMakers) -> None:
        self._vision = _Slot("vision", makers.vision)
        self._speech = _Slot("speech", makers.speech)
        self._language = _Slot("language", makers.language)
        self._embedding = _Slot("embedding", makers.embedding)

    async def vision(self) -> VisionEngine:
        """Return what describes frames."""
        return await self._vision.get()

    async def speech(self) -> SpeechEngine:
        """Return what turns sound into text."""
        return await self._speech.get()

    async def language(self) -> LanguageEngine:
        """Return what summarises and judges text."""
        return await self._language.get()

    async def embedding(self) -> EmbeddingEngine:
        """Return what turns texts into vectors."""
        return await self._embedding.get()

    async def aclose(self) -> None:
        """Free all that were made."""
        for slot in (self._vision, self._speech, self._language, self._embedding):
            await slot.aclose()
