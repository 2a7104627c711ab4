"""Sound in pieces that are worth being sent: speech by its loudness, cut where it pauses."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import attrs
import numpy as np
import numpy.typing as npt

from rtstream_async.local.engines.ports import Sound

__all__ = ["RATE", "Listener"]

RATE: Final = 16_000  # samples a second
_FRAME: Final = 480  # samples: 30 ms
_BYTES: Final = 2 * _FRAME
_SECONDS: Final = _FRAME / RATE

_PAUSE: Final = 20  # frames of quiet that end a piece: 0.6 s
_BEFORE: Final = 10  # frames that are kept from before it became loud: 0.3 s
_SHORTEST: Final = 4  # loud frames; with fewer, it was a click
_MEMORY: Final = 333  # frames (10 s) that the background is judged by
_QUIETEST: Final = 60.0  # of 32768: what is below is silence, however quiet the background is
_ABOVE: Final = 2.2  # so many times as loud as the background (7 dB) may be speech
_LAST: Final = 100  # frames (3 s): a piece that is too long is cut at the quietest of these
_TOLERANCE: Final = 0.1  # seconds that a piece of sound may begin off the end of the one before


@attrs.define(eq=False)
class Listener:
    """Cuts one stream of sound into pieces that may hold speech; what is quiet is left out."""

    longest: float  #: seconds of one piece
    _rest: bytes = b""  # of less than a frame
    _time: float = 0.0  # Unix time of the beginning of `_rest`, seconds
    _levels: deque[float] = attrs.field(factory=lambda: deque[float](maxlen=_MEMORY))
    _before: deque[bytes] = attrs.field(factory=lambda: deque[bytes](maxlen=_BEFORE))
    _piece: list[bytes] = attrs.field(factory=list[bytes])
    _loudness: list[float] = attrs.field(factory=list[float])  # of the frames of `_piece`
    _loud: int = 0  # frames of `_piece`
    _quiet: int = 0  # frames at the end of `_piece`

    @property
    def is_speaking(self) -> bool:
        """Whether somebody may be speaking."""
        return bool(self._piece)

    def feed(self, sound: Sound) -> list[Sound]:
        """Return the pieces that have come to their end."""
        done: list[Sound] = []
        if self._rest or self._piece:
            expected = self._time + len(self._rest) / (2 * RATE)
            if abs(sound.time - expected) > _TOLERANCE:
                done += self.finish()
        if not self._rest:
            self._time = sound.time
        samples = self._rest + sound.samples
        whole = len(samples) // _BYTES * _BYTES
        self._rest = samples[whole:]
        for number, loudness in enumerate(_loudness_of(samples[:whole])):
            frame = samples[number * _BYTES : (number + 1) * _BYTES]
            self._time += _SECONDS
            done += self._take(frame, float(loudness))
        return done

    def finish(self) -> list[Sound]:
        """Return what was being said, and begin anew."""
        done = self._cut(len(self._piece))
        self._rest = b""
        self._before.clear()
        return done

    def _take(self, frame: bytes, loudness: float) -> list[Sound]:
        is_loud = loudness > self._threshold()
        self._levels.append(loudness)
        if not self._piece and not is_loud:
            self._before.append(frame)
            return []
        if not self._piece:
            self._piece = list(self._before)
            self._loudness = [0.0] * len(self._piece)
            self._before.clear()
        self._piece.append(frame)
        self._loudness.append(loudness)
        self._loud += is_loud
        self._quiet = 0 if is_loud else self._quiet + 1
        if self._quiet >= _PAUSE:
            return self._cut(len(self._piece))
        if len(self._piece) * _SECONDS >= self.longest:
            return self._cut(self._quietest_place())
        return []

    def _threshold(self) -> float:
        if not self._levels:
            return _QUIETEST
        background = float(np.percentile(np.fromiter(self._levels, float), 10))
        return max(_QUIETEST, background * _ABOVE)

    def _quietest_place(self) -> int:
        size = len(self._piece)
        first = max(1, size - _LAST, size // 2)
        return min(range(first, size), key=self._loudness.__getitem__) + 1

    def _cut(self, count: int) -> list[Sound]:
        """Return the first `count` frames as a piece, if somebody may speak there."""
        size, enough = len(self._piece), self._loud >= _SHORTEST
        start = self._time - size * _SECONDS
        samples = b"".join(self._piece[:count])
        # What stands after the cut is the beginning of the next piece.
        self._piece, self._loudness = self._piece[count:], self._loudness[count:]
        threshold = self._threshold()
        self._loud = sum(loudness > threshold for loudness in self._loudness)
        self._quiet = 0
        return [Sound(time=start, samples=samples)] if enough and samples else []


def _loudness_of(samples: bytes) -> npt.NDArray[Any]:
    """Return the root mean square of each frame."""
    frames = np.frombuffer(samples, "<i2").reshape(-1, _FRAME).astype(np.float32)
    rms: npt.NDArray[Any] = np.sqrt(np.mean(frames * frames, axis=1))
    return rms
