"""The engines of one server: made when first needed, ready when handed out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar, cast, runtime_checkable

import anyio
import attrs

from rtstream_async.local.engines.openai.usage import Usage
from rtstream_async.local.engines.ports import (
    EmbeddingEngine,
    EngineError,
    LanguageEngine,
    SpeechEngine,
    Tunable,
    VisionEngine,
)
from rtstream_async.local.refusal import Refusal, invalid

__all__ = ["EngineMakers", "Engines", "Maker"]

logger = logging.getLogger(__name__)


class _Engine(Protocol):
    @property
    def name(self) -> str: ...

    async def warm_up(self) -> None: ...

    async def aclose(self) -> None: ...


@runtime_checkable
class _Counted(Protocol):
    """An engine that counts what its use costs."""

    @property
    def usage(self) -> Usage: ...


M = TypeVar("M")
E = TypeVar("E", bound=_Engine)


@attrs.frozen(kw_only=True)
class Maker(Generic[M]):
    """How one engine is made."""

    label: str  #: what was chosen, for people
    make: Callable[[], M]


@attrs.frozen(kw_only=True)
class EngineMakers:
    """How each engine is made."""

    vision: Maker[VisionEngine]
    speech: Maker[SpeechEngine]
    language: Maker[LanguageEngine]
    embedding: Maker[EmbeddingEngine]


class _Slot(Generic[E]):
    """One engine; nothing is loaded before it is asked for."""

    def __init__(self, kind: str, maker: Maker[E]) -> None:
        self._kind = kind
        self._maker = maker
        self._engine: E | None = None
        self._lock = anyio.Lock()

    async def get(self) -> E:
        async with self._lock:
            engine = self._engine or self._maker.make()
            try:
                await engine.warm_up()
            except EngineError as exc:
                raise Refusal(
                    503, "NO_ENGINE", f"the {self._kind} engine can't be started: {exc}"
                ) from exc
            self._engine = engine
            return engine

    def report(self) -> dict[str, Any]:
        engine = self._engine
        usage = engine.usage.report() if isinstance(engine, _Counted) else None
        return {
            "kind": self._kind,
            "chosen": self._maker.label,
            "engine": None if engine is None else engine.name,
            "usage": usage,
        }

    async def aclose(self) -> None:
        engine = self._engine
        if engine is None:
            return
        await engine.aclose()
        if isinstance(engine, _Counted) and engine.usage.requests:
            logger.info("%s by %s: %s", self._kind, engine.name, engine.usage.summary())


class Engines:
    """Hands out engines that are ready.

    Each method raises `Refusal` when its engine can't be started; the next call tries again.
    """

    def __init__(self, makers: EngineMakers) -> None:
        self._vision = _Slot("vision", makers.vision)
        self._speech = _Slot("speech", makers.speech)
        self._language = _Slot("language", makers.language)
        self._embedding = _Slot("embedding", makers.embedding)

    async def vision(
        self, *, model_name: str | None = None, model_config: Mapping[str, Any] | None = None
    ) -> VisionEngine:
        """Return what describes frames, as an index wishes it.

        Raises:
            Refusal: The engine can't be started, or does not know something in `model_config`.
        """
        return _tuned(await self._vision.get(), model_name, model_config)

    async def speech(self) -> SpeechEngine:
        """Return what turns sound into text."""
        return await self._speech.get()

    async def language(
        self, *, model_name: str | None = None, model_config: Mapping[str, Any] | None = None
    ) -> LanguageEngine:
        """Return what summarises and judges text, as an index wishes it.

        Raises:
            Refusal: The engine can't be started, or does not know something in `model_config`.
        """
        return _tuned(await self._language.get(), model_name, model_config)

    async def embedding(self) -> EmbeddingEngine:
        """Return what turns texts into vectors."""
        return await self._embedding.get()

    def report(self) -> list[dict[str, Any]]:
        """Return, for each kind: what was chosen, the engine's name once it is used, its usage."""
        return [slot.report() for slot in self._slots()]

    async def aclose(self) -> None:
        """Free all that were made; log what those cost that count it."""
        for slot in self._slots():
            await slot.aclose()

    def _slots(self) -> tuple[_Slot[Any], ...]:
        return (self._vision, self._speech, self._language, self._embedding)


def _tuned(engine: E, model_name: str | None, model_config: Mapping[str, Any] | None) -> E:
    if not isinstance(engine, Tunable):
        return engine
    tunable = cast("Tunable[E]", engine)
    try:
        return tunable.tuned(model_name=model_name, model_config=model_config or {})
    except ValueError as exc:
        raise invalid("model_config", str(exc)) from None
