"""Hears many streams of sound: where somebody speaks, it tells what and when."""

from __future__ import annotations

import time as clock
from collections import OrderedDict
from collections.abc import Sequence

import attrs
import numpy as np

from rtstream_async.local.engines.offline_speech import pace
from rtstream_async.local.engines.offline_speech.edges import quietest, voice_edges
from rtstream_async.local.engines.offline_speech.moonshine import (
    OVERLAP,
    RATE,
    Moonshine,
    Samples,
    Segment,
    Voices,
)

__all__ = ["Line", "OfflineSpeech"]

_MOST_STREAMS = 64
_PAUSE = RATE // 6  # samples of quiet after which a voice may have come to its end
_KEPT = 2 * RATE  # samples kept while nobody speaks; a segment begins before it is found
_GAP = 0.1  # seconds between two pieces from which something is missing; less is clocks' jitter
_MANY = 64  # lines from which a stream begins anew in the next silence: each makes it slower
_MUCH = 3600 * RATE  # samples likewise: each hour makes the times less exact
_TOO_MANY = 1000  # lines from which it begins anew without a silence
_SILENCE = 2 * RATE  # samples
_LONG = 9 * RATE  # samples of a segment from which its end may be in the middle of a word


@attrs.frozen(kw_only=True)
class Line:
    """What was said, or is being said."""

    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds
    text: str
    is_final: bool


@attrs.frozen
class _Guess:
    """What was said, should the voice not go on."""

    end: int  # samples that it was made of
    text: str


@attrs.define(kw_only=True, eq=False)
class _Telling:
    """An open line."""

    segment: Segment
    start: float | None = None  #: Unix time, once it has been told: it stays
    due: float = pace.FIRST  #: seconds of its length from which it is told again
    guess: _Guess | None = None

    @property
    def seconds(self) -> float:
        return (self.segment.end - self.segment.start) / RATE


class OfflineSpeech:
    """Models and streams behind a few calls. Blocking; use it from one thread."""

    def __init__(self) -> None:
        self._moonshine = Moonshine()
        self._ears: OrderedDict[str, _Ear] = OrderedDict()

    def warm_up(self) -> None:
        """Run both models once."""
        second = np.zeros(RATE, np.int16)
        voices = self._moonshine.listen()
        voices.feed(second)
        voices.finish()
        self._moonshine.transcribe(second)

    def knows(self, key: str) -> bool:
        """Whether sound of the stream `key` was heard and it is not finished."""
        return key in self._ears

    def is_speaking(self, key: str) -> bool:
        """Whether somebody was speaking at the end of what was heard of the stream `key`."""
        return key in self._ears and self._ears[key].is_speaking

    def hear(self, key: str, time: float, samples: bytes) -> list[Line]:
        """Take the next sound of a stream; return the lines that are complete by it.

        Args:
            key: The stream.
            time: Of the first sample, Unix seconds.
            samples: Signed 16 bit, little endian, 16,000 a second.
        """
        sound = np.frombuffer(samples, "<i2")
        ear = self._ears.get(key) or _Ear(self._moonshine)
        self._ears[key] = ear
        self._ears.move_to_end(key)
        while len(self._ears) > _MOST_STREAMS:
            _, forgotten = self._ears.popitem(last=False)
            forgotten.close()
        try:
            return ear.hear(time, sound)
        except BaseException:
            self._ears.pop(key).close()  # nobody knows what it has heard
            raise

    def tell(self, key: str) -> list[Line]:
        """Return what is being said on a stream, when it is time to tell that."""
        speaking = sum(ear.is_speaking for ear in self._ears.values())
        return self._ears[key].tell(speaking)

    def finish(self, key: str) -> list[Line]:
        """Return what was still being said on a stream, and forget the stream."""
        ear = self._ears.pop(key, None)
        return ear.finish() if ear is not None else []


class _Ear:
    """One stream of sound."""

    def __init__(self, moonshine: Moonshine) -> None:
        self._moonshine = moonshine
        self._begin()

    def _begin(self) -> None:
        self._voices: Voices = self._moonshine.listen()
        self._end: float | None = None  #: Unix time of the end of what was heard
        self._zero = 0.0  #: Unix time of the first sample
        self._heard = 0  #: samples
        self._kept: Samples = np.zeros(0, np.int16)  #: the last of them
        self._telling: _Telling | None = None
        self._told = 0  #: samples that complete segments have had
        self._told_until = float("-inf")  #: Unix time of the end of the last final line

    @property
    def is_speaking(self) -> bool:
        return self._telling is not None

    def hear(self, time: float, samples: Samples) -> list[Line]:
        """Take the next sound; return the lines that are complete by it."""
        lines: list[Line] = []
        if self._end is not None and abs(time - self._end) > _GAP:
            lines += self._begin_anew()
        # Anew for each piece: the clocks of sound and server drift apart in an hour.
        self._zero = time - self._heard / RATE
        self._end = time + len(samples) / RATE
        self._heard += len(samples)
        self._kept = np.concatenate([self._kept, samples])
        lines += self._take(self._voices.feed(samples))
        if self._is_long():
            lines += self._begin_anew()
        return lines

    def tell(self, speaking: int) -> list[Line]:
        """Return what is being said, when it is time to tell that.

        That is so, too, when the voice pauses for the first time: should it not go on, the work is
        done when the line is complete.

        Args:
            speaking: Streams on which somebody speaks now.
        """
        telling = self._telling
        if telling is None:
            return []
        is_told = telling.seconds >= pace.FIRST
        if telling.seconds < telling.due and not self._pauses(telling):
            return []
        begun = clock.thread_time()
        line = self._line(telling, telling.segment.end, is_final=False)
        cost = clock.thread_time() - begun
        telling.due = telling.seconds + pace.wait_for_next(cost, speaking=speaking)
        if line is None:
            return []
        telling.guess = _Guess(telling.segment.end, line.text)
        if not is_told:
            return []
        telling.start = line.start
        return [line]

    def _pauses(self, telling: _Telling) -> bool:
        """Whether the voice of an open line is silent since a moment, and said more before."""
        begin, end = max(telling.segment.start, self._told), telling.segment.end
        last = begin + voice_edges(self._sound(begin, end))[1]
        return end - last >= _PAUSE and (telling.guess is None or last > telling.guess.end)

    def finish(self) -> list[Line]:
        """Return what was still being said; nothing can be heard after that."""
        return self._take(self._voices.finish())

    def close(self) -> None:
        """Free the stream; what was being said is lost."""
        self._voices.close()

    def _begin_anew(self) -> list[Line]:
        lines = self.finish()
        self._begin()
        return lines

    def _is_long(self) -> bool:
        is_silent = self._telling is None and self._heard - self._told > _SILENCE
        is_old = self._voices.done >= _MANY or self._heard >= _MUCH
        return (is_old and is_silent) or self._voices.done >= _TOO_MANY

    def _take(self, segments: Sequence[Segment]) -> list[Line]:
        """Note how far the segments are; return the lines of those that are complete."""
        lines: list[Line] = []
        for segment in segments:
            telling = self._telling = self._telling or _Telling(segment=segment)
            telling.segment = segment
            if segment.is_complete:
                self._telling = None
                lines += self._complete(telling)
        self._forget_sound()
        return lines

    def _complete(self, telling: _Telling) -> list[Line]:
        """Return the line of a segment that is complete, if there is one.

        A voice that does not pause is cut, and then the next segment has some of the sound of this
        one. So that no word is told twice, the line ends, and the next begins, where it is quiet.
        """
        end = telling.segment.end
        begin = max(end - OVERLAP, telling.segment.start)
        pause = begin + quietest(self._sound(begin, end))
        is_long = end - telling.segment.start >= _LONG
        line = self._line(telling, pause if is_long else end, is_final=True)
        self._told = pause
        if line is None:
            return []
        self._told_until = line.end
        return [line]

    def _line(self, telling: _Telling, end: int, *, is_final: bool) -> Line | None:
        """Return a line with what is said in its segment; `None` when that is nothing."""
        begin = max(telling.segment.start, self._told)
        samples = self._sound(begin, end)
        first, last = voice_edges(samples)
        guess = telling.guess
        is_said = guess is not None and is_final and begin + last <= guess.end <= end
        text = guess.text if guess and is_said else self._moonshine.transcribe(samples)
        if not text:
            return None
        start = telling.start
        if start is None:
            start = max(self._zero + (begin + first) / RATE, self._told_until)
        stop = max(self._zero + (begin + last) / RATE, start)
        return Line(start=start, end=stop, text=text, is_final=is_final)

    def _sound(self, begin: int, end: int) -> Samples:
        kept_from = self._heard - len(self._kept)
        return self._kept[max(0, begin - kept_from) : max(0, end - kept_from)]

    def _forget_sound(self) -> None:
        needed = self._heard - _KEPT
        if self._telling is not None:
            needed = min(needed, self._telling.segment.start)
        surplus = needed - (self._heard - len(self._kept))
        if surplus > 0:
            self._kept = self._kept[surplus:].copy()
