"""How much a text is like a prompt, by vectors of both, on a scale that all engines share.

Cosines of one engine can't be compared with those of another, nor those of two prompts: some
engines call everything 0.8, and a long prompt is like everything. So the cosine of prompt and text
is measured against those of the prompt with `BACKGROUND`, sentences that have nothing to do with
it: `likeness()` says by how many of their standard deviations it lies above their mean.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from statistics import fmean, pstdev

__all__ = ["BACKGROUND", "LIKE", "confidence", "likeness"]

LIKE = 1.8
"""From here on a text counts as what a prompt asks for (measured: `docs/topics/alerts.md`)."""

BACKGROUND = (
    "A team chat window with three unread messages.",
    "A quiet street at night with one parked car.",
    "Two people sit at a table and eat.",
    "A terminal with the output of a program.",
    "A dog runs across a meadow.",
    "An empty office with desks and chairs.",
    "A kitchen with a stove and a sink.",
    "A spreadsheet with many numbers.",
    "A man drives a truck on a motorway.",
    "Children play in a garden.",
    "A slide with a title and four bullet points.",
    "Snow falls on a forest.",
    "A football match in a full stadium.",
    "A shop with shelves of groceries.",
    "We will meet again on Thursday at ten.",
    "The customer asks for a refund.",
    "Please send me the report by tomorrow.",
    "I think that the weather will be fine.",
    'A bright scene, mostly white; text reads: "Settings General Network".',
    "A dark scene, mostly black; unchanged from frame to frame.",
    "One cat on a couch.",
    "A train leaves the station.",
    "A plane above the clouds.",
    "A hand writes on paper.",
)
"""Passages of all kinds; what a prompt has in common with them, it has in common with anything."""

_LEAST = 1e-6  # of a deviation: an engine that calls everything the same can't tell anything
_SURE = 0.75  # the most that likeness alone is sure of
_STEP = 0.1  # more confidence for each deviation above `LIKE`


def likeness(prompt: bytes, text: bytes, background: Sequence[bytes]) -> float:
    """Return how far the text's cosine lies above the background's, in standard deviations.

    Args:
        prompt: Its vector: float32, little endian, of length 1; as all of them.
        text: The text's vector.
        background: The vectors of `BACKGROUND`.

    Raises:
        ValueError: The vectors are not of one length.
    """
    wanted = _floats(prompt)
    usual = [_cosine(wanted, _floats(vector)) for vector in background]
    deviation = pstdev(usual)
    if deviation < _LEAST:
        return 0.0
    return (_cosine(wanted, _floats(text)) - fmean(usual)) / deviation


def confidence(like: float) -> float:
    """Return the confidence (0-1) in a match by likeness alone: never much."""
    return round(min(_SURE, 0.5 + _STEP * max(0.0, like - LIKE)), 2)


def _floats(vector: bytes) -> Sequence[float]:
    floats = array("f")
    floats.frombytes(vector)
    return floats


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
