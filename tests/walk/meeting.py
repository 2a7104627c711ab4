"""Real footage with real speech: Debian's `opencv-doc` and `pocketsphinx-testdata` in one film."""

from __future__ import annotations

import io
import re
import socket
import wave
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

import attrs
import av
import numpy as np
from av.audio.frame import AudioFrame

from rtstream_async.cli.hearing import words_of, wrong_words
from tests.engines.pictures import example

__all__ = ["Meeting", "errors_in", "free_address", "make_meeting"]

_SPEECH = Path("/usr/share/pocketsphinx/test/data/librivox")
_RATE = 16_000
_FPS = 10
_PAUSE = 0.8  # seconds before each sentence, and after the last


@attrs.frozen
class Meeting:
    """A film, and what is said in it."""

    path: Path
    seconds: float
    said: tuple[str, ...]  #: sentence by sentence
    starts: tuple[float, ...]  #: when each begins, seconds


def make_meeting(path: Path, *, sentences: int = 5) -> Meeting:
    """Write a film of a street in which so many sentences are read aloud."""
    spoken = [(_text(name), _samples(name)) for name in _names()[:sentences]]
    pause = np.zeros(round(_PAUSE * _RATE), np.int16)
    sound, starts = [pause], []
    for _, samples in spoken:
        starts.append(sum(map(len, sound)) / _RATE)
        sound += [samples, pause]
    track = np.concatenate(sound)
    seconds = len(track) // _RATE  # whole, so that both tracks end together
    _encode(path, track[: seconds * _RATE], seconds)
    return Meeting(path, seconds, tuple(text for text, _ in spoken), tuple(starts))


def errors_in(said: Sequence[str], heard: str) -> float:
    """Return the word error rate."""
    words = words_of(" ".join(said))
    return wrong_words(words, words_of(heard)) / len(words)


def free_address() -> str:
    """Return where nobody listens yet for a meeting."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"rtmp://127.0.0.1:{probe.getsockname()[1]}/live/meeting"


def _names() -> list[str]:
    return (_SPEECH / "fileids").read_text().split()


def _text(name: str) -> str:
    lines = (_SPEECH / "transcription").read_text().splitlines()
    (line,) = [line for line in lines if f"({name})" in line]
    return re.sub(r"</?s>|\(.*\)", "", line).strip()


def _samples(name: str) -> np.ndarray:
    with wave.open(str(_SPEECH / f"{name}.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (_RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def _encode(path: Path, track: np.ndarray, seconds: int) -> None:
    options = {"preset": "veryfast", "x264-params": f"keyint={_FPS}:scenecut=0:bframes=2"}
    with (
        av.open(io.BytesIO(example("vtest.avi"))) as street,
        av.open(str(path), "w", options={"movflags": "faststart"}) as out,
    ):
        video = out.add_stream("libx264", _FPS, options=options)
        audio = out.add_stream("aac", _RATE, layout="mono")
        shown = islice(street.decode(video=0), seconds * _FPS)
        for number, frame in enumerate(shown):
            if number == 0:
                video.width, video.height, video.pix_fmt = frame.width, frame.height, "yuv420p"
            picture = frame.reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, _FPS)
            picture.pict_type = 0
            out.mux(video.encode(picture))
            out.mux(audio.encode(_sound(track, number)))
        out.mux(video.encode(None))
        out.mux(audio.encode(None))


def _sound(track: np.ndarray, number: int) -> AudioFrame:
    step = _RATE // _FPS
    piece = track[number * step : (number + 1) * step]
    frame = AudioFrame.from_ndarray(piece.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts = _RATE, number * step
    frame.time_base = Fraction(1, _RATE)
    return frame
