"""Recorded sound, decoded, resampled, and put where its timestamps say."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the packets' type parameter open.
from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

import numpy as np
from av import error
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.packet import Packet
from numpy.typing import NDArray

from rtstream_async.local.domain.assembly import TICKS, SampleClock
from rtstream_async.local.media.clock import TICK
from rtstream_async.local.media.segments import TimedPacket

__all__ = ["DecodedSound", "Samples"]

Samples = NDArray[np.float32]
"""By channel and time, from -1 to 1."""

_TOLERANCE = 0.04  # seconds that sound may be off before a hole is filled or an overlap cut


class DecodedSound:
    """The sound of one flow after the other, at one rate, in one layout."""

    def __init__(self, *, rate: int, layout: Literal["mono", "stereo"]) -> None:
        self._rate = rate
        self._layout = layout
        self._decoder: AudioCodecContext | None = None
        self._resampler: AudioResampler | None = None
        self._clock = SampleClock(rate, _TOLERANCE)

    def begin(self) -> None:
        """What is fed from now on does not continue what was fed before."""
        self._decoder = self._resampler = None
        self._clock = SampleClock(self._rate, _TOLERANCE)

    def feed(self, timed: TimedPacket) -> Iterator[tuple[int, Samples]]:
        """Give the sound of a packet, each piece with the sample at which it begins.

        A damaged packet gives none.
        """
        if self._decoder is None:
            self._decoder = CodecContext.create("aac", "r")
        packet = timed.packet
        packet.pts, packet.dts, packet.time_base = timed.pts, timed.dts, TICK
        try:
            frames = self._decoder.decode(cast("Packet[AudioStream]", packet))
        except error.InvalidDataError:
            return
        for frame in frames:
            at = frame.pts = timed.pts
            frame.time_base = TICK
            for piece in self._resampled(frame):
                samples = cast("Samples", piece.to_ndarray())
                yield self._clock.place(at, samples=samples.shape[1]), samples
                at += round(samples.shape[1] * TICKS / self._rate)

    def _resampled(self, frame: AudioFrame) -> list[AudioFrame]:
        if self._resampler is None:
            self._resampler = self._new_resampler()
        try:
            return self._resampler.resample(frame)
        except ValueError:  # the sound changed its format
            self._resampler = self._new_resampler()
            return self._resampler.resample(frame)

    def _new_resampler(self) -> AudioResampler:
        return AudioResampler("fltp", self._layout, self._rate)
