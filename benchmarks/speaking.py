"""The demo clip with real speech for its sound: Debian's `pocketsphinx-testdata`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame

from rtstream_async.local.assets import clip_path
from tests.engines.sounds import RATE, clips, quiet, together

__all__ = ["make_speaking"]

_FRAME = 1024
_PAUSE = 1.0  # seconds


def make_speaking(path: Path) -> Path:
    """Write the demo clip's picture as it is, with somebody who reads aloud, and return `path`."""
    with av.open(str(clip_path())) as clip, av.open(str(path), "w") as out:
        shown = clip.streams.video[0]
        video = out.add_stream_from_template(shown, opaque=True)
        audio = out.add_stream("aac", RATE, layout="mono")
        frames = iter(_frames(_speech(float(shown.duration * shown.time_base))))
        heard = 0.0  # seconds
        for packet in clip.demux(shown):
            if packet.dts is None:
                continue
            # Side by side, as a camera sends them.
            while heard < packet.dts * packet.time_base and (frame := next(frames, None)):
                out.mux(audio.encode(frame))
                heard += _FRAME / RATE
            packet.stream = video
            out.mux(packet)
        out.mux(audio.encode(None))
    return path


def _speech(seconds: float) -> np.ndarray:
    said = together(*(together(quiet(_PAUSE), clip.samples) for clip in clips("librivox")))
    return np.resize(said, round(seconds * RATE))


def _frames(samples: np.ndarray) -> list[AudioFrame]:
    frames: list[AudioFrame] = []
    for begin in range(0, len(samples) - _FRAME, _FRAME):
        piece = samples[begin : begin + _FRAME].reshape(1, -1)
        frame = AudioFrame.from_ndarray(piece, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, begin, Fraction(1, RATE)
        frames.append(frame)
    return frames
