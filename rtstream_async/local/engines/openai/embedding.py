"""Vectors of texts from a model behind an endpoint."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from rtstream_async.local.engines.openai.endpoint import Endpoint, Question
from rtstream_async.local.engines.openai.usage import Tokens, Usage
from rtstream_async.local.engines.ports import EngineError

__all__ = ["OpenAIEmbedding"]

_BATCH: Final = 64  # texts in one request


class _Vector(msgspec.Struct, frozen=True):
    embedding: list[float]
    index: int | None = None


class _Vectors(msgspec.Struct, frozen=True):
    data: list[_Vector]
    usage: Tokens | None = None


class OpenAIEmbedding:
    """An `EmbeddingEngine` over `/embeddings`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        options = endpoint.address.options
        self._batch: int = options.get("batch", _BATCH)
        self._prefixes = {kind: options.get(f"{kind}_prefix", "") for kind in ("query", "passage")}
        self._tells_type = options.get("input_type") == "yes"

    @property
    def name(self) -> str:
        """Kept with every vector: of the model that passages are embedded by."""
        return self._endpoint.address.named(self._endpoint.address.model_for("passage"))

    @property
    def usage(self) -> Usage:
        """What was sent, and what it cost."""
        return self._endpoint.usage

    async def warm_up(self) -> None:
        """Return at once: an endpoint that is away now may be there when it is needed."""

    async def embed(
        self, texts: Sequence[str], *, kind: Literal["query", "passage"]
    ) -> Sequence[bytes]:
        """Return a vector for each text: float32, little endian, of length 1.

        Raises:
            EngineError: There is no answer, or not one vector for each text.
        """
        vectors: list[bytes] = []
        for first in range(0, len(texts), self._batch):
            vectors += await self._embed(texts[first : first + self._batch], kind)
        if len({len(vector) for vector in vectors}) > 1:
            raise self._odd("vectors of different lengths")
        return vectors

    async def aclose(self) -> None:
        """Refuse further texts."""
        self._endpoint.close()

    async def _embed(self, texts: Sequence[str], kind: Literal["query", "passage"]) -> list[bytes]:
        def count(usage: Usage) -> None:
            usage.texts += len(texts)

        model = self._endpoint.address.model_for(kind)
        body: dict[str, Any] = {
            "model": model,
            # Nothing, or blanks alone, is refused by some; a dot means as little.
            "input": [self._prefixes[kind] + (text.strip() or ".") for text in texts],
            "encoding_format": "float",
        }
        if self._tells_type:
            body["input_type"] = kind
        reply = await self._endpoint.ask(
            Question(path="/embeddings", body=body, model=model, type_=_Vectors, count=count)
        )
        answer: _Vectors = reply.content
        if answer.usage is not None:
            self._endpoint.usage.note_tokens(answer.usage.counts())
        return [self._unit(vector.embedding) for vector in self._ordered(answer, len(texts))]

    def _ordered(self, answer: _Vectors, count: int) -> Sequence[_Vector]:
        if len(answer.data) != count:
            raise self._odd(f"{len(answer.data)} vectors for {count} texts")
        if any(vector.index is None for vector in answer.data):
            return answer.data
        ordered = sorted(answer.data, key=lambda vector: vector.index or 0)
        if [vector.index for vector in ordered] != list(range(count)):
            raise self._odd("vectors that are not numbered by text")
        return ordered

    def _unit(self, vector: list[float]) -> bytes:
        length = math.hypot(*vector)
        if not 0.0 < length < math.inf:
            raise self._odd("a vector without a direction")
        return struct.pack(f"<{len(vector)}f", *(value / length for value in vector))

    def _odd(self, what: str) -> EngineError:
        text = f"{self._endpoint.address.base_url} answers with {what}"
        self._endpoint.usage.note_failure(text)
        return EngineError(text)
