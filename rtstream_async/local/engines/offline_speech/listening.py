"""Hears many streams of sound: where somebody speaks, it tells what and when."""

from __future__ import annotations

import time as clock
from collections import OrderedDict

import attrs
import numpy as np

from rtstream_async.local.engines.offline_speech import pace
from rtstream_async.local.engines.offline_speech.edges import voice_edges
from rtstream_async.local.engines.offline_speech.moonshine import (
    RATE,
    Moonshine,
    Samples,
    Segment,
    Voices,
)

__all__ = ["Line", "OfflineSpeech"]

_MOST_STREAMS = 64
_STEP = RATE // 2  # samples that are listened to at once
_KEPT = 2 * RATE  # samples kept while nobody speaks; a segment begins before it is found
_GAP = 0.1  # seconds between two pieces from which something is missing; less is clocks' jitter
_MANY = 64  # lines from which a stream begins anew in the next silence: each makes it slower
_TOO_MANY = 1000  # lines from which it begins anew where there is none
_SILENCE = 2 * RATE  # samples


@attrs.frozen(kw_only=True)
class Line:
    """What was said, or is being said."""

    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds
    text: str
    is_final: bool


@attrs.define(kw_only=True, eq=False)
class _Telling:
    """An open line."""

    segment: Segment
    start: float | None = None  #: Unix time, once it has been told: it stays
    due: float = pace.FIRST  #: seconds of its length from which it is told again


class OfflineSpeech:
    """Models and streams behind two calls. Blocking; use it from one thread."""

    def __init__(self) -> None:
        self._moonshine = Moonshine()
        self._ears: OrderedDict[str, _Ear] = OrderedDict()

    def warm_up(self) -> None:
        """Run both models once."""
        voices = self._moonshine.listen()
        voices.feed(np.zeros(_STEP, np.int16))
        voices.finish()
        self._moonshine.transcribe(np.zeros(_STEP, np.int16))

    def knows(self, key: str) -> bool:
        """Whether sound of the stream `key` was heard and it is not finished."""
        return key in self._ears

    def is_speaking(self, key: str) -> bool:
        """Whether somebody was speaking at the end of what was heard of the stream `key`."""
        return key in self._ears and self._ears[key].is_speaking

    def hear(self, key: str, time: float, samples: bytes) -> list[Line]:
        """Take the next sound of a stream; return what has become known by it.

        Args:
            key: The stream.
            time: Of the first sample, Unix seconds.
            samples: Signed 16 bit, little endian, 16,000 a second.
        """
        ear = self._ears.get(key) or _Ear(self._moonshine)
        self._ears[key] = ear
        self._ears.move_to_end(key)
        while len(self._ears) > _MOST_STREAMS:
            _, forgotten = self._ears.popitem(last=False)
            forgotten.close()
        try:
            lines = ear.hear(time, np.frombuffer(samples, "<i2"))
            speaking = sum(other.is_speaking for other in self._ears.values())
            return lines + ear.tell(speaking)
        except BaseException:
            del self._ears[key]  # nobody knows what it has heard
            raise

    def finish(self, key: str) -> list[Line]:
        """Return what was still being said on a stream, and forget the stream."""
        ear = self._ears.pop(key, None)
        return ear.finish() if ear is not None else []


class _Ear:
    """One stream of sound."""

    def __init__(self, moonshine: Moonshine) -> None:
        self._moonshine = moonshine
        self._end: float | None = None  #: Unix time of the end of what was heard
        self._told_until = 0.0  #: Unix time of the end of the last final line
        self._begin()

    def _begin(self) -> None:
        self._voices: Voices = self._moonshine.listen()
        self._heard = 0  #: samples
        self._kept: Samples = np.zeros(0, np.int16)  #: the last of them
        self._zero = 0.0  #: Unix time of the first sample
        self._telling: _Telling | None = None

    @property
    def is_speaking(self) -> bool:
        return self._telling is not None

    def hear(self, time: float, samples: Samples) -> list[Line]:
        """Take the next sound; return the lines that are complete by it."""
        lines: list[Line] = []
        if self._end is not None and abs(time - self._end) > _GAP:
            lines += self._begin_anew()
        for begin in range(0, len(samples), _STEP):
            step = samples[begin : begin + _STEP]
            # Anew for each piece: the clocks of sound and server drift apart in an hour.
            self._zero = time + (begin - self._heard) / RATE
            self._heard += len(step)
            self._kept = np.concatenate([self._kept, step])
            lines += self._take(self._voices.feed(step))
            if self._is_long():
                lines += self._begin_anew()
        self._end = time + len(samples) / RATE
        return lines

    def tell(self, speaking: int) -> list[Line]:
        """Return what is being said, when it is time to tell that."""
        telling = self._telling
        if telling is None or _seconds(telling.segment) < telling.due:
            return []
        begun = clock.thread_time()
        line = self._line(telling, is_final=False)
        cost = clock.thread_time() - begun
        telling.due = _seconds(telling.segment) + pace.wait_for_next(cost, speaking=speaking)
        if line is None:
            return []
        telling.start = line.start
        return [line]

    def finish(self) -> list[Line]:
        """Return what was still being said; nothing can be heard after that."""
        return self._take(self._voices.finish())

    def close(self) -> None:
        """Free the stream."""
        self._voices.finish()

    def _begin_anew(self) -> list[Line]:
        lines = self.finish()
        self._begin()
        return lines

    def _is_long(self) -> bool:
        done = self._voices.done
        silent = self._telling is None and not self._sounds_from(self._heard - _SILENCE)
        return done >= _TOO_MANY or (done >= _MANY and silent)

    def _sounds_from(self, sample: int) -> bool:
        """Whether a line ended after a sample."""
        return self._told_until > self._zero + sample / RATE

    def _take(self, segments: list[Segment]) -> list[Line]:
        lines: list[Line] = []
        for segment in segments:
            telling = self._telling
            if telling is None or telling.segment.index != segment.index:
                telling = _Telling(segment=segment)
            telling.segment = segment
            self._telling = telling
            if segment.is_complete:
                self._telling = None
                line = self._line(telling, is_final=True)
                if line is not None:
                    self._told_until = line.end
                    lines.append(line)
        self._forget_sound()
        return lines

    def _line(self, telling: _Telling, *, is_final: bool) -> Line | None:
        """Return a line with what is said in it; `None` when that is nothing."""
        segment = telling.segment
        kept_from = self._heard - len(self._kept)
        begin = max(segment.start, kept_from)
        samples = self._kept[begin - kept_from : segment.end - kept_from]
        text = self._moonshine.transcribe(samples)
        if not text:
            return None
        first, last = voice_edges(samples)
        start = max(self._zero + (begin + first) / RATE, self._told_until)
        start = start if telling.start is None else telling.start
        end = max(self._zero + (begin + last) / RATE, start)
        return Line(start=start, end=end, text=text, is_final=is_final)

    def _forget_sound(self) -> None:
        needed = self._heard - _KEPT
        if self._telling is not None:
            needed = min(needed, self._telling.segment.start)
        surplus = needed - (self._heard - len(self._kept))
        if surplus > 0:
            self._kept = self._kept[surplus:].copy()


def _seconds(segment: Segment) -> float:
    return (segment.end - segment.start) / RATE
