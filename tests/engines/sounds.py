"""Real speech with its text, and sounds in which nobody speaks, for the tests of speech."""

from __future__ import annotations

import functools
import re
import wave
from pathlib import Path

import attrs
import numpy as np

from rtstream_async.local.engines.ports import Sound

RATE = 16_000
DATA = Path("/usr/share/pocketsphinx/test/data")  # Debian: pocketsphinx-testdata

_SPOKEN = re.compile(r"<s>(.*)</s>\s*\((.*)\)")
_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty "
    "forty fifty sixty seventy eighty ninety"
)
_ONES, _TENS = _NUMBERS.split()[:20], _NUMBERS.split()[20:]
_SAME = {"mr": "mister", "mrs": "missus", "dr": "doctor", "ok": "okay"}


@attrs.frozen(kw_only=True)
class Clip:
    name: str
    text: str
    samples: np.ndarray


def clips(folder):
    """The clips of a folder, each with what is said in it."""
    listed = (DATA / folder).glob("*transcription")
    rows = [_SPOKEN.match(row) for path in listed for row in path.read_text().splitlines()]
    return [
        Clip(name=row[2], text=row[1].strip(), samples=_wav(DATA / folder / f"{row[2]}.wav"))
        for row in rows
    ]


@functools.cache
def _wav(path):
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def quiet(seconds):
    return np.zeros(round(seconds * RATE), np.int16)


def noise(seconds, loudness=0.1):
    drawn = np.random.default_rng(7).normal(0, loudness, round(seconds * RATE))
    return (np.clip(drawn, -1, 1) * 32767).astype(np.int16)


def tone(seconds, hertz=440, loudness=0.5):
    turns = np.arange(round(seconds * RATE)) * hertz / RATE
    return (np.sin(2 * np.pi * turns) * loudness * 32767).astype(np.int16)


def together(*parts):
    return np.concatenate(parts)


def pieces(samples, time, seconds=0.5):
    """The sound as a stream brings it."""
    step = round(seconds * RATE)
    return [
        Sound(time=time + begin / RATE, samples=samples[begin : begin + step].tobytes())
        for begin in range(0, len(samples), step)
    ]


def normal(text):
    """The words of a text, in one way of writing them."""
    found = re.findall(r"[a-z']+|\d+", text.lower().replace("\u2019", "'"))
    return [word for one in found for word in _words(one)]


def _words(word):
    if word.isdigit() and len(word) < 3:
        number = int(word)
        if number < 20:
            return [_ONES[number]]
        return [_TENS[number // 10 - 2], *([_ONES[number % 10]] if number % 10 else [])]
    return [_SAME.get(word, word)]


def errors(said, heard):
    """The least number of words to replace, leave out or put in to make one text the other."""
    before = list(range(len(heard) + 1))
    for row, word in enumerate(said, start=1):
        now = [row]
        for column, other in enumerate(heard, start=1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (word != other)))
        before = now
    return before[-1]


def word_error_rate(pairs):
    """The share of words that are wrong in pairs of what was said and what was heard."""
    known = [(normal(said), normal(heard)) for said, heard in pairs]
    return sum(errors(*pair) for pair in known) / sum(len(said) for said, _ in known)


def voice(samples):
    """Where a voice begins and ends in a quiet recording, in seconds, by its loudest moments."""
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 0.06 * np.abs(samples.astype(int)).max())
    return loud[0] / RATE, loud[-1] / RATE
