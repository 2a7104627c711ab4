"""A film that flashes and clicks in the same moment, once a second: whether sound is in step."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

__all__ = ["clicks_in", "flashes_in", "make_flashes"]

_FPS = 25
_RATE = 48_000
_CLICK = 0.05  # seconds


def make_flashes(
    path: Path, *, seconds: int, bframes: int = 0, size: tuple[int, int] = (320, 180)
) -> Path:
    """Write a film that flashes and clicks at 0.5 s, 1.5 s, 2.5 s, ..."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        video = out.add_stream(
            "libx264",
            _FPS,
            options={
                "preset": "ultrafast",
                "x264-params": f"scenecut=0:keyint=25:bframes={bframes}",
            },
        )
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        audio = out.add_stream("aac", _RATE, layout="mono")
        for second in range(seconds):
            for number in range(_FPS):
                is_flash = number in (12, 13)
                grey = np.full((size[1], size[0]), 235 if is_flash else 16, np.uint8)
                frame = VideoFrame.from_ndarray(grey, format="gray").reformat(format="yuv420p")
                frame.pts, frame.time_base = second * _FPS + number, Fraction(1, _FPS)
                out.mux(video.encode(frame))
            out.mux(audio.encode(_sound(second)))
        out.mux(video.encode(None))
        out.mux(audio.encode(None))
    return path


def _sound(second: int) -> AudioFrame:
    at = np.arange(_RATE) / _RATE
    is_click = (at >= 12 / _FPS) & (at < 12 / _FPS + _CLICK)
    wave = (np.sin(2 * np.pi * 2000 * at) * 12_000 * is_click).astype(np.int16)
    frame = AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts = _RATE, second * _RATE
    frame.time_base = Fraction(1, _RATE)
    return frame


def flashes_in(path: Path) -> list[float]:
    """Return when the picture turns white, in seconds of the film."""
    with av.open(str(path)) as film:
        shown = [
            (frame.time, frame.to_ndarray(format="gray").mean()) for frame in film.decode(video=0)
        ]
    return _onsets(shown, 128)


def clicks_in(path: Path) -> list[float]:
    """Return when a click begins, in seconds of the film."""
    heard: list[tuple[float, float]] = []
    with av.open(str(path)) as film:
        for frame in film.decode(audio=0):
            wave = np.abs(frame.to_ndarray()[0])
            step = frame.sample_rate // 200
            for start in range(0, wave.size, step):
                loud = float(wave[start : start + step].max())
                heard.append((frame.time + start / frame.sample_rate, loud))
    return _onsets(heard, 0.08)


def _onsets(levels: list[tuple[float, float]], threshold: float) -> list[float]:
    found: list[float] = []
    was_loud = False
    for time, level in levels:
        if level > threshold and not was_loud:
            found.append(time)
        was_loud = level > threshold or (was_loud and bool(found) and time - found[-1] < 0.2)
    return found
