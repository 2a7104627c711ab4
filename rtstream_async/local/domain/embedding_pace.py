"""How many texts are embedded at once, and how long is rested after, beside live work."""

from __future__ import annotations

__all__ = ["FIRST_BATCH", "next_batch", "rest_after"]

FIRST_BATCH = 8
"""Texts in the first batch, before it is known how fast the engine is."""

_MOST_TEXTS = 64
_BATCH_SECONDS = 0.25  # a question waits for the batch that is under way
_MOST_REST = 2.0  # seconds


def next_batch(texts: int, seconds: float) -> int:
    """Return how many texts to embed next, when `texts` took `seconds`."""
    fitting = texts * _BATCH_SECONDS / max(seconds, 1e-6)
    return round(min(max(fitting, texts / 2, 1), texts * 2, _MOST_TEXTS))


def rest_after(seconds: float) -> float:
    """Return for how many seconds to rest after work of `seconds`.

    Half of the time: pictures and speech that come in live are described by the same processor.
    """
    return min(seconds, _MOST_REST)
