"""The engines of a server that is told nothing else: offline ones, loaded when they are made."""

from __future__ import annotations

from rtstream_async.local.engines.ports import (
    EmbeddingEngine,
    LanguageEngine,
    SpeechEngine,
    VisionEngine,
)

__all__ = ["embedding", "language", "speech", "vision"]


def vision() -> VisionEngine:
    """Return the offline vision engine, in a process of its own."""
    from rtstream_async.local.engines.vision_process import VisionProcess

    return VisionProcess()


def speech() -> SpeechEngine:
    """Return the offline speech engine, in processes of its own."""
    from rtstream_async.local.engines.speech_pool import SpeechPool

    return SpeechPool()


def language() -> LanguageEngine:
    """Return the offline language engine: it repeats sentences, and judges nothing."""
    from rtstream_async.local.engines.extractive import ExtractiveLanguage

    return ExtractiveLanguage()


def embedding() -> EmbeddingEngine:
    """Return the offline embedding engine, in a process of its own."""
    from rtstream_async.local.engines.embedding_process import EmbeddingProcess

    return EmbeddingProcess()
