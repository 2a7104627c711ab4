"""An embedding engine of a few lines: texts are near to each other where they share ideas."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Sequence
from typing import Literal

import attrs
import numpy as np

from rtstream_async.local.engines.ports import EngineError

__all__ = ["IDEAS", "IdeaEngine"]

_SIZE = 4096
_COMMON = 0.5  # what all texts have in common, as they do for real engines
_EMPTY = frozenset({"a", "an", "and", "at", "for", "in", "is", "of", "on", "the", "to", "with"})

IDEAS = {
    "hound": "dog",
    "puppy": "dog",
    "automobile": "car",
    "vehicle": "car",
    "blaze": "fire",
    "burning": "fire",
    "flames": "fire",
    "pedestrian": "person",
    "man": "person",
    "woman": "person",
}
"""Words, and the words that mean the same."""


@attrs.define(eq=False)
class IdeaEngine:
    """Knows a few synonyms, and nothing else. Tests make it slow, or ill."""

    name: str = "ideas"
    size: int = _SIZE
    illness: str | None = None  #: why it can't embed
    is_loadable: bool = True
    poison: str | None = None  #: texts with this word can't be embedded
    gate: asyncio.Event = attrs.field(factory=asyncio.Event)  #: set: it works
    passages: list[str] = attrs.field(factory=list)  #: that were embedded
    queries: list[str] = attrs.field(factory=list)
    is_closed: bool = False

    def __attrs_post_init__(self) -> None:
        self.gate.set()

    async def warm_up(self) -> None:
        if not self.is_loadable:
            raise EngineError("the model is missing")

    async def embed(
        self, texts: Sequence[str], *, kind: Literal["query", "passage"]
    ) -> Sequence[bytes]:
        await self.gate.wait()
        if self.illness is not None:
            raise EngineError(self.illness)
        if self.poison is not None and any(self.poison in text for text in texts):
            raise EngineError(f"can't read {self.poison!r}")
        (self.passages if kind == "passage" else self.queries).extend(texts)
        return [self._vector(text) for text in texts]

    async def aclose(self) -> None:
        self.is_closed = True

    def _vector(self, text: str) -> bytes:
        words = [word for word in re.findall(r"\w+", text.lower()) if word not in _EMPTY]
        total = np.zeros(self.size)
        for word in words:
            total[zlib.crc32(IDEAS.get(word, word).encode()) % self.size] += 1
        total /= np.linalg.norm(total) or 1
        total[0] += _COMMON
        return (total / np.linalg.norm(total)).astype("<f4").tobytes()
