"""The offline speech engine: words that are wrong, and live streams that are heard at once.

The speech is that of Debian's `pocketsphinx-testdata`. In the live runs each stream brings half a
second of sound every half second, somebody speaks four fifths of the time, and what is said is told
as it is in a transcript.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rtstream_async.local.engines.ports import Utterance
from rtstream_async.local.engines.speech_process import SpeechProcess
from tests.engines.sounds import RATE, clips, pieces, quiet, together, voice, word_error_rate

__all__ = ["measure_live", "measure_words"]

_TICK = os.sysconf("SC_CLK_TCK")
_PIECE = 0.5  # seconds


async def measure_words() -> Sequence[Mapping[str, object]]:
    """Return for each kind of speech the share of wrong words, and how far times are off."""
    engine = SpeechProcess()
    await engine.warm_up()
    rows: list[Mapping[str, object]] = []
    for name in ("librivox", "cards"):
        texts: list[tuple[str, str]] = []
        off: list[float] = []
        for clip in clips(name):
            heard = await _hear(engine, together(quiet(1), clip.samples, quiet(1)))
            texts.append((clip.text, " ".join(one.text for one in heard)))
            begun, ended = voice(clip.samples)
            if heard:
                off += [abs(heard[0].start - 1 - begun), abs(heard[-1].end - 1 - ended)]
        rows.append(
            {
                "speech": name,
                "words": sum(len(said.split()) for said, _ in texts),
                "wrong %": 100 * word_error_rate(texts),
                "times off, median s": statistics.median(off),
                "times off, most s": max(off),
            }
        )
    await engine.aclose()
    return rows


async def _hear(engine: SpeechProcess, samples: np.ndarray) -> list[Utterance]:
    heard: list[Utterance] = []
    for piece in pieces(samples, 0.0, _PIECE):
        heard += await engine.hear(piece, key="words")
    heard += await engine.finish(key="words")
    return [one for one in heard if one.is_final]


async def measure_live(*, streams: int, seconds: float) -> Mapping[str, object]:
    """Return lag, CPU and memory of one engine that hears `streams` live streams."""
    engine = SpeechProcess()
    await engine.warm_up()
    speech = together(*(together(clip.samples, quiet(1)) for clip in clips("librivox")))
    speech = np.tile(speech, 1 + int(2 * seconds * RATE) // len(speech))
    used, begun = _cpu(engine.pid), asyncio.get_running_loop().time()
    told = await asyncio.gather(
        *(
            _live(engine, speech[number * 5 * RATE :][: int(seconds * RATE)], number, streams)
            for number in range(streams)
        )
    )
    passed = asyncio.get_running_loop().time() - begun
    row = {
        "streams": streams,
        "answer after, median s": statistics.median(lag for lags, _, _ in told for lag in lags),
        "answer after, p95 s": _quantile([lag for lags, _, _ in told for lag in lags], 0.95),
        "final after, median s": statistics.median(lag for _, lags, _ in told for lag in lags),
        "final after, p95 s": _quantile([lag for _, lags, _ in told for lag in lags], 0.95),
        "not final, a stream and minute": sum(count for *_, count in told) * 60 / seconds / streams,
        "core %": 100 * (_cpu(engine.pid) - used) / passed,
        "RSS MB": _memory(engine.pid),
    }
    await engine.aclose()
    return row


async def _live(
    engine: SpeechProcess, samples: np.ndarray, number: int, streams: int
) -> tuple[list[float], list[float], int]:
    """Return how late the answers were, how late final lines were, and how many were not final."""
    loop = asyncio.get_running_loop()
    begun = loop.time() + _PIECE * number / streams  # recorders are not in step
    answers, finals, others = [], [], 0
    for piece in pieces(samples, 0.0, _PIECE):
        await asyncio.sleep(begun + piece.end - loop.time())
        heard = await engine.hear(piece, key=str(number))
        now = loop.time() - begun
        answers.append(now - piece.end)
        finals += [now - one.end for one in heard if one.is_final]
        others += sum(not one.is_final for one in heard)
    await engine.finish(key=str(number))
    return answers, finals, others


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


def _cpu(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _memory(pid: int | None) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) // 1024
