"""The seam to the `moonshine-voice` package: where somebody speaks, and what is said there.

The package would do both at once, but then it transcribes an open line anew with every piece of
sound, which takes a whole core for each stream. So one of its transcribers only listens for voices,
at a hundredth of a core, and the other only transcribes, when it is asked to.

Its listening network has one memory for the whole process: after another stream's speech it takes
the next half second of noise for speech. So before a stream goes on where another was heard, what
it had last is played to the network again, and thrown away.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from rtstream_async.local.engines.ports import EngineError

__all__ = ["OVERLAP", "RATE", "Moonshine", "Samples", "Segment", "Voices"]

# Read when a network is loaded. A second thread takes a third more CPU for the same sound.
os.environ["MOONSHINE_ORT_SINGLE_THREAD"] = "1"

Samples = NDArray[np.int16]

RATE = 16_000  #: samples a second
OVERLAP = 15 * 512  #: samples that a segment after a cut has in common with the one before
_MODEL = "tiny-en"
_MODEL_FILES = ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin")
_LONGEST = 15.0  # seconds of a segment; a voice without a pause is cut after two thirds of it
_STEP = RATE // 2  # samples that are listened to at once: each change of streams has its price
_NO_UPDATES = float("inf")  # seconds between transcriptions that it would make unasked


@attrs.frozen(kw_only=True)
class Segment:
    """Where somebody speaks; with a short while before and after."""

    index: int  #: counted from 0 for each `Voices`
    start: int  #: samples from the beginning of the stream
    end: int  #: likewise; so far, while it is not complete
    is_complete: bool


class Moonshine:
    """The loaded models. Blocking; use it from one thread."""

    def __init__(self) -> None:
        package = _package()
        model, arch = _model(package), importlib.import_module("moonshine_voice").ModelArch.TINY
        self._package: Any = package
        try:
            self._listener: Any = package.Transcriber(
                model,
                arch,
                options={
                    "skip_transcription": "true",
                    "transcription_interval": "0",  # or the end of a stream is thrown away
                    "return_audio_data": "false",
                    "vad_max_segment_duration": f"{_LONGEST:g}",
                },
            )
            self._transcriber: Any = package.Transcriber(
                model, arch, options={"vad_threshold": "0", "return_audio_data": "false"}
            )
        except importlib.import_module("moonshine_voice").MoonshineError as exc:
            raise EngineError(f"the speech model can't be loaded: {exc}") from exc

        self._heard: Voices | None = None  #: what the listening network remembers

    def listen(self) -> Voices:
        """Begin to listen to a stream."""
        return Voices(self)

    def open(self) -> Any:
        """Return a new stream of the package."""
        stream = self._listener.create_stream(update_interval=_NO_UPDATES)
        stream.start()
        return stream

    def remember(self, voices: Voices, last: Samples) -> None:
        """Make the network remember a stream, of which it had `last`, and no other."""
        if self._heard is voices:
            return
        stream = self.open()
        stream.add_audio(_as_floats(last), RATE)
        stream.update_transcription()
        stream.close()
        self._heard = voices

    def transcribe(self, samples: Samples) -> str:
        """Return what is said in a segment; nothing when there are no words in it."""
        transcript = self._transcriber.transcribe_without_streaming(_as_floats(samples), RATE)
        return " ".join(text for line in transcript.lines if (text := line.text.strip()))


class Voices:
    """Finds speech in one stream of sound."""

    def __init__(self, moonshine: Moonshine) -> None:
        self._moonshine = moonshine
        self._stream = moonshine.open()
        self._done = 0
        self._last: Samples = np.zeros(_STEP, np.int16)  #: what the network had
        self._waiting: Samples = np.zeros(0, np.int16)

    @property
    def done(self) -> int:
        """How many segments are complete."""
        return self._done

    def feed(self, samples: Samples) -> list[Segment]:
        """Take the next sound; return the segments that were not complete before, in order.

        Half a second is listened to at once; what is less waits for more.
        """
        self._waiting = np.concatenate([self._waiting, samples])
        news: list[Segment] = []
        while len(self._waiting) >= _STEP:
            step, self._waiting = self._waiting[:_STEP], self._waiting[_STEP:]
            self._listen(step)
            # What is complete is not news again; what is open is, and replaces what is here.
            news = [segment for segment in news if segment.is_complete]
            news += self._news(self._stream.update_transcription())
        return news

    def finish(self) -> list[Segment]:
        """Return the segment that was open, complete, and free the stream."""
        if len(self._waiting):
            self._listen(self._waiting)
        transcript = self._stream.stop()
        self.close()
        return self._news(transcript) if transcript is not None else []

    def close(self) -> None:
        """Free the stream."""
        self._stream.close()

    def _listen(self, samples: Samples) -> None:
        self._moonshine.remember(self, self._last)
        self._stream.add_audio(_as_floats(samples), RATE)
        self._last = np.concatenate([self._last, samples])[-_STEP:]

    def _news(self, transcript: Any) -> list[Segment]:
        news = [
            Segment(
                index=index,
                start=round(line.start_time * RATE),
                end=round((line.start_time + line.duration) * RATE),
                is_complete=line.is_complete,
            )
            for index, line in enumerate(transcript.lines[self._done :], start=self._done)
        ]
        self._done += sum(segment.is_complete for segment in news)
        return news


def _package() -> Any:
    try:
        return importlib.import_module("moonshine_voice.transcriber")
    except OSError as exc:  # its library is for another system
        raise EngineError(f"the speech library can't be loaded: {exc}") from exc


def _model(package: Any) -> str:
    folder = Path(package.__file__).parent / "assets" / _MODEL
    missing = [name for name in _MODEL_FILES if not (folder / name).is_file()]
    if missing:
        version = importlib.metadata.version("moonshine-voice")
        raise EngineError(
            f"moonshine-voice {version} has no speech model inside ({missing[0]} is missing): "
            "pip install 'rtstream-async[ai]' takes a version that has"
        )
    return str(folder)


def _as_floats(samples: Samples) -> list[float]:
    floats: list[float] = (samples.astype(np.float32) / 32768).tolist()
    return floats
