"""The sound of a video on its way into its file: as recorded, or encoded again without holes."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the packets' type parameter open.
from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal, Protocol

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from rtstream_async.local.domain.assembly import TICKS, Place, SampleClock, belongs
from rtstream_async.local.media.decoded import DecodedSound, Samples
from rtstream_async.local.media.segments import SoundFormat, TimedPacket

__all__ = ["CopiedSound", "RecodedSound", "Sounds"]

_BLOCK = 1024  # samples that AAC encodes at a time
_HELD = 5 * TICKS  # sound may be recorded that much later than the pictures it belongs to
_AAC = {"aac_coder": "fast"}  # an hour of sound takes half a minute, and not two
_BITS = 96_000  # a second, for each channel: more than the slow coder would need
_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})


class Sounds(Protocol):
    """The audio track of the file that is made."""

    def feed(self, timed: TimedPacket, place: Place) -> None:
        """Take the next packet of a segment."""
        ...

    def advance(self, ticks: int) -> None:
        """Note how far the video is."""
        ...

    def finish(self) -> None:
        """Write what is held back."""
        ...


class CopiedSound:
    """Sound as it was recorded."""

    def __init__(self, out: OutputContainer, template: AudioStream) -> None:
        self._out = out
        rate = template.codec_context.sample_rate
        self._base = Fraction(1, rate)
        self._clock = SampleClock(rate)
        self._stream = out.add_stream_from_template(template, opaque=True)
        self._stream.time_base = self._base
        self._last: int | None = None

    def feed(self, timed: TimedPacket, place: Place) -> None:
        """Take the next packet of a segment."""
        if not belongs(place, at=timed.pts, duration=timed.duration):
            return
        samples = round(timed.duration * self._clock.rate / TICKS)
        at = self._clock.place(timed.pts, samples=samples)
        if self._last is not None and at <= self._last:
            return  # said already
        self._last = at
        packet = timed.packet
        packet.time_base = self._base
        packet.pts = packet.dts = at
        packet.duration = samples
        packet.stream = self._stream
        self._out.mux_one(packet)

    def advance(self, ticks: int) -> None:
        """Note how far the video is."""

    def finish(self) -> None:
        """Write what is held back: nothing."""


class RecodedSound:
    """Sound decoded, put where its timestamps say, and encoded again: silence where there is none.

    Players play one piece of sound right after the other, whatever the timestamps say; with holes
    left in it, sound would come too early for its pictures.
    """

    def __init__(self, out: OutputContainer, sound: SoundFormat) -> None:
        rate = sound.rate if sound.rate in _RATES else 48_000
        self._out = out
        self._layout: Literal["mono", "stereo"] = "mono" if sound.channels == 1 else "stereo"
        self._channels = 1 if sound.channels == 1 else 2
        self._rate = rate
        self._decoded = DecodedSound(rate=rate, layout=self._layout)
        self._stream = out.add_stream(
            "aac", rate, layout=self._layout, bit_rate=_BITS * self._channels, options=dict(_AAC)
        )
        self._stream.time_base = Fraction(1, rate)
        self._flow: Place | None = None
        self._written = 0  # samples that are in `_waiting` or encoded
        self._waiting: list[Samples] = []
        self._encoded = 0

    def feed(self, timed: TimedPacket, place: Place) -> None:
        """Take the next packet of a segment."""
        if self._flow is None or self._flow.flow_start != place.flow_start:
            self._begin(place)
        for at, samples in self._decoded.feed(timed):
            self._put(samples, at)

    def advance(self, ticks: int) -> None:
        """Fill with silence what no sound will come for any more."""
        self._fill(round((ticks - _HELD) * self._rate / TICKS))

    def finish(self) -> None:
        """Write what is held back."""
        self._end_flow()
        self._encode(is_last=True)
        for packet in self._stream.encode(None):
            self._mux(packet)

    def _begin(self, place: Place) -> None:
        self._end_flow()
        self._flow = place
        self._decoded.begin()
        self._fill(self._samples(place.flow_start))

    def _end_flow(self) -> None:
        if self._flow is not None:
            self._fill(self._samples(self._flow.flow_end))

    def _put(self, samples: Samples, at: int) -> None:
        """Add sound that begins with the sample `at`, as much of it as is in its flow."""
        assert self._flow is not None  # noqa: S101 - sound is only taken of a flow
        end = self._samples(self._flow.flow_end)
        self._fill(min(at, end))
        late = max(0, self._written - at)
        kept = samples[:, late : max(late, end - at)]
        self._waiting.append(kept)
        self._written += kept.shape[1]
        self._encode(is_last=False)

    def _fill(self, until: int) -> None:
        while (missing := min(until - self._written, self._rate)) > 0:
            self._waiting.append(np.zeros((self._channels, missing), np.float32))
            self._written += missing
            self._encode(is_last=False)

    def _encode(self, *, is_last: bool) -> None:
        if not self._waiting:
            return
        whole = np.concatenate(self._waiting, axis=1)
        end = whole.shape[1] if is_last else whole.shape[1] // _BLOCK * _BLOCK
        for start in range(0, end, _BLOCK):
            block = np.ascontiguousarray(whole[:, start : start + _BLOCK])
            frame = AudioFrame.from_ndarray(block, format="fltp", layout=self._layout)
            frame.sample_rate = self._rate
            frame.time_base = Fraction(1, self._rate)
            frame.pts = self._encoded
            self._encoded += block.shape[1]
            for packet in self._stream.encode(frame):
                self._mux(packet)
        self._waiting = [whole[:, end:]]

    def _mux(self, packet: Packet[Any]) -> None:
        self._out.mux_one(packet)

    def _samples(self, ticks: int) -> int:
        return round(ticks * self._rate / TICKS)
