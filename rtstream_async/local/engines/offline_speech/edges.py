"""Where the voice in a piece of sound begins, pauses and ends, by its loudness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["quietest", "voice_edges"]

_FRAME = 320  # samples: 20 ms
_MOST = 25  # frames that may be taken from either end: half a second
_AT_THE_END = 5  # frames by whose mean the loudness without a voice is judged
_VOICE = 95  # percentile of the loudness that is the voice's
_MOMENT = 3  # frames
_TOO_NEAR = 0.35  # of the voice's loudness, from which the rest can't be told from it


def voice_edges(samples: NDArray[np.int16]) -> tuple[int, int]:
    """Return the first sample of the voice in a segment, and the one after its last.

    A segment has about a quarter of a second before its voice and a third after it. Where those
    are too loud to be told from the voice, the edges are the segment's own.
    """
    frames = len(samples) // _FRAME
    if frames < 2 * _AT_THE_END:
        return 0, len(samples)
    loudness = _loudness(samples)
    voice = float(np.percentile(loudness, _VOICE))
    rest = min(float(loudness[:_AT_THE_END].mean()), float(loudness[-_AT_THE_END:].mean()))
    if rest > _TOO_NEAR * voice:
        return 0, len(samples)
    # Between the two as the ear hears it; the tenth keeps breath and hum of a quiet room out.
    limit = max(np.sqrt(rest * voice), 0.06 * voice)
    loud = np.flatnonzero(loudness >= limit)
    first = min(int(loud[0]), _MOST) * _FRAME
    last = max(int(loud[-1]) + 1, frames - _MOST) * _FRAME
    return first, last if last < frames * _FRAME else len(samples)


def quietest(samples: NDArray[np.int16]) -> int:
    """Return the sample in the middle of the quietest moment of a piece of sound."""
    loudness = _loudness(samples)
    if len(loudness) <= _MOMENT:
        return len(samples) // 2
    moments = np.convolve(loudness, np.ones(_MOMENT), mode="valid")
    return (2 * int(np.argmin(moments)) + _MOMENT) * _FRAME // 2


def _loudness(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return the loudness of each frame."""
    frames = len(samples) // _FRAME
    pieces = samples[: frames * _FRAME].reshape(frames, _FRAME).astype(np.float64)
    loudness: NDArray[np.float64] = np.sqrt((pieces**2).mean(axis=1))
    return loudness
