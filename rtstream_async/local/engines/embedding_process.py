"""The offline embedding engine in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from rtstream_async.local.engines.process import EngineProcess

__all__ = ["EmbeddingProcess"]

_MODULE = "rtstream_async.local.engines.offline_embedding"
_NAME = "offline-multilingual-e5-small-q4"
_BATCH = 2000  # letters a request, about a second: a query need not wait for a thousand texts
_LEAST = 100  # letters that the shortest text counts for


class EmbeddingProcess:
    """An `EmbeddingEngine` whose model lives in a child process: 384 numbers for each text.

    Texts are taken as far as the model reads, which is 512 tokens or some 2,000 letters.

    Args:
        stuck_after: Seconds without an answer after which the process is taken for stuck and
            killed.
    """

    def __init__(self, *, stuck_after: float = 60.0) -> None:
        self._process = EngineProcess(_MODULE, "embedding", stuck_after=stuck_after)

    @property
    def name(self) -> str:
        """Kept with every vector: those of different engines can't be compared."""
        return _NAME

    @property
    def pid(self) -> int | None:
        """The child's process id, `None` while there is none."""
        return self._process.pid

    async def warm_up(self) -> None:
        """Load the model; return when the first `embed()` will not wait for that.

        Cancelling ends a process that was being started.

        Raises:
            EngineError: The model can't be loaded.
        """
        await self._process.warm_up()

    async def embed(
        self, texts: Sequence[str], *, kind: Literal["query", "passage"]
    ) -> Sequence[bytes]:
        """Return a vector for each text: 384 times float32, little endian, of length 1.

        Many texts go in small batches; what others ask for meanwhile is answered in between.
        Cancelling is safe: the answer is dropped when it comes.

        Raises:
            EngineError: The process died; the next call starts another.
        """
        if not texts:
            raise ValueError("texts is empty; there is at least one text to embed")
        vectors: list[bytes] = []
        for batch in _batches(texts):
            vectors += await self._process.ask({"kind": kind, "texts": batch})
        return vectors

    async def aclose(self) -> None:
        """End the process; texts that it has not embedded by then fail with `EngineError`."""
        await self._process.aclose()


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield the texts in their order, as many at a time as make about a second of work."""
    batch: list[str] = []
    letters = 0
    for text in texts:
        size = max(_LEAST, min(_BATCH, len(text)))
        if batch and letters + size > _BATCH:
            yield batch
            batch, letters = [], 0
        batch.append(_clean(text))
        letters += size
    yield batch


def _clean(text: str) -> str:
    """Return a text that the model's C can take: a zero ends it, half a surrogate has no UTF-8."""
    return text.replace("\0", " ").encode(errors="replace").decode()
