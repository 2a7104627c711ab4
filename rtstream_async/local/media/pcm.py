"""Decoded sound in pieces of half a second: one channel, 16,000 samples a second, 16 bit."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# PyAV's stubs leave some parameters open.
from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from rtstream_async.local.engines.ports import Sound

__all__ = ["Pieces", "copy_of"]

_RATE = 16_000
_BYTES = 2 * _RATE  # in a second
_PIECE = _BYTES // 2
_GAP = 0.06  # seconds between two frames from which something is missing; less is jitter
_FOLLOW = 0.02  # how much of the jitter each frame moves the clock by: about a second to follow


class Pieces:
    """Makes pieces out of frames, each with the time of its first sample.

    Samples are counted, and the count follows the times of the frames slowly: these are rounded,
    and jitter. Where they leave it by more than a moment, sound is missing, and a piece ends.
    """

    def __init__(self) -> None:
        self._resampler = _new_resampler()
        self._samples = bytearray()
        self._time: float | None = None  # Unix time of the first of them
        self._next: float | None = None  # Unix time at which the next frame should begin
        self._end = 0.0  # Unix time of the end of the last piece

    @property
    def given_to(self) -> float | None:
        """Unix time before which no piece begins any more; `None` after a break."""
        # The first sample of the next piece may still move a little.
        return None if self._time is None else max(self._end, self._time - _GAP)

    def feed(self, frame: AudioFrame, time: float | None) -> Iterator[Sound]:
        """Add a frame; give the pieces that are whole by it.

        Args:
            frame: Of any rate and any layout; both may change.
            time: Unix time of its first sample, if that is known.
        """
        if self._next is not None and time is not None:
            away = time - self._next
            if abs(away) > _GAP:
                yield from self.flush()
            else:
                self._shift(away * _FOLLOW)
        if self._time is None or self._next is None:
            if time is None:
                return  # sound that nobody can place
            self._time = self._next = max(time, self._end)
        try:
            self._add(frame)
        except ValueError:  # the source has changed its format
            yield from self.flush()
            self._time = self._next = self._end if time is None else max(time, self._end)
            self._add(frame)
        self._next += frame.samples / frame.sample_rate
        while len(self._samples) >= _PIECE:
            yield self._cut(_PIECE)

    def flush(self) -> Iterator[Sound]:
        """Give the rest, as a shorter piece; what follows has no connection with it."""
        # PyAV's types do not say that nothing to convert leaves nothing to flush.
        for piece in filter(None, cast("list[AudioFrame | None]", self._resampler.resample(None))):
            self._take(piece)
        self._resampler = _new_resampler()
        if self._samples:
            yield self._cut(len(self._samples))
        self._time = self._next = None

    def _add(self, frame: AudioFrame) -> None:
        for piece in self._resampler.resample(frame):
            self._take(piece)

    def _take(self, piece: AudioFrame) -> None:
        self._samples += bytes(piece.planes[0])[: 2 * piece.samples]

    def _shift(self, seconds: float) -> None:
        if self._time is not None and self._next is not None:
            self._time += seconds
            self._next += seconds

    def _cut(self, length: int) -> Sound:
        start = max(self._time or 0.0, self._end)
        sound = Sound(time=round(start, 6), samples=bytes(self._samples[:length]))
        del self._samples[:length]
        self._time = self._end = start + length / _BYTES
        return sound


def copy_of(frame: AudioFrame) -> AudioFrame:
    """Return a frame that can be used in another thread: it shares nothing with the first one.

    Two filters that are given the same frame at the same time were seen to refuse it.
    """
    copy = AudioFrame(frame.format.name, frame.layout.name, frame.samples)
    copy.sample_rate = frame.sample_rate
    for source, target in zip(frame.planes, copy.planes, strict=True):
        target.update(bytes(source)[: target.buffer_size])
    return copy


def _new_resampler() -> AudioResampler:
    return AudioResampler("s16", "mono", _RATE)
