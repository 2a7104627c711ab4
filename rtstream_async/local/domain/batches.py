"""Cuts what is said in a stream into batches, one record each.

An utterance may be cut anywhere between two words. When each of its words was said, the speech
engine tells, or it is interpolated by their places in the text. Put together again, the batches
say exactly what the utterances said.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import attrs

from rtstream_async.local.engines.ports import Utterance

__all__ = ["SEGMENTERS", "Batch", "Batches", "Segmenter", "Timing", "make_batches"]

Segmenter = Literal["word", "sentence", "time"]
Timing = Literal["exact", "interpolated"]

SEGMENTERS: tuple[Segmenter, ...] = ("word", "sentence", "time")

_MICROSECOND = 1e-6
_SENTENCE_END = re.compile(r"""[.!?\u2026\u3002\uff01\uff1f]+["'\u2019\u201d)\]]*$""")
_ABBREVIATION = re.compile(r"(?:\w|mr|mrs|ms|dr|prof|st|vs|e\.g|i\.e)\.", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class Batch:
    """Some of what was said."""

    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds
    pieces: Sequence[str]  #: what each utterance says in it, in order of time; at least one
    word_count: int
    engine: str  #: which engine heard it (the last one, should it have changed)
    timing: Timing  #: `interpolated`: an utterance without word times was cut

    @property
    def text(self) -> str:
        """All of it as one text."""
        return " ".join(self.pieces)


@attrs.frozen(kw_only=True)
class _Said:
    """One word in its utterance."""

    start: float
    end: float
    text: str
    utterance: int
    engine: str
    is_timed: bool  # the engine told its times
    begins: bool  # the first word of its utterance
    ends: bool  # the last word of its utterance


class Batches:
    """Collects words of final utterances; gives back batches as they close.

    Utterances must come in order of time. One that comes for a time that is closed already goes
    into the open batch.
    """

    def __init__(self, closes: Callable[[_Said], bool]) -> None:
        self._closes = closes
        self._words: list[_Said] = []
        self._utterances = itertools.count()

    def feed(self, utterance: Utterance) -> list[Batch]:
        """Add a final utterance; return what closes by it."""
        closed: list[Batch] = []
        for word in _words(utterance, next(self._utterances)):
            closed += self._before(word)
            self._words.append(word)
            if self._closes(word):
                closed += self._close()
        return closed

    def advance(self, time: float) -> list[Batch]:
        """Note that no speech from before `time` (Unix seconds) comes any more."""
        del time  # counting words and sentences knows no time
        return []

    def finish(self, time: float) -> list[Batch]:
        """Return the rest; the stream ended at `time` (Unix seconds)."""
        del time
        return self._close()

    def _before(self, word: _Said) -> list[Batch]:
        del word
        return []

    def _close(self) -> list[Batch]:
        words, self._words = self._words, []
        return [_batch(words)] if words else []


class _TimedBatches(Batches):
    """Batches as long as each other, from `origin` on."""

    def __init__(self, value: float, origin: float) -> None:
        super().__init__(lambda _: False)
        self._value = value
        self._origin = origin
        self._number = 0

    def advance(self, time: float) -> list[Batch]:
        # A rounding error below an edge counts as the edge.
        number = math.floor((time - self._origin + _MICROSECOND) / self._value)
        if number <= self._number:
            return []
        closed = self._close()
        self._number = number
        return closed

    def finish(self, time: float) -> list[Batch]:
        last = max((word.end for word in self._words), default=time)
        return [
            attrs.evolve(batch, end=min(batch.end, max(last, round(time, 6))))
            for batch in self._close()
        ]

    def _before(self, word: _Said) -> list[Batch]:
        return self.advance(word.start)

    def _close(self) -> list[Batch]:
        """The batch with the edges of the grid; a word from before it moves its start."""
        return [
            attrs.evolve(
                batch,
                start=min(batch.start, self._edge(self._number)),
                end=self._edge(self._number + 1),
            )
            for batch in super()._close()
        ]

    def _edge(self, number: int) -> float:
        return round(self._origin + number * self._value, 6)


def make_batches(segmenter: Segmenter, value: float, *, origin: float) -> Batches:
    """Return what cuts speech by `value` words, sentences or seconds.

    Args:
        segmenter: What is counted.
        value: How many words or sentences (at least one) a batch has, or how many seconds.
        origin: Unix time at which the first batch of seconds begins.
    """
    makers: dict[Segmenter, Callable[[], Batches]] = {
        "word": lambda: Batches(_every(value, lambda _: True)),
        "sentence": lambda: Batches(_every(value, _ends_sentence)),
        "time": lambda: _TimedBatches(value, origin),
    }
    return makers[segmenter]()


def _every(value: float, counts: Callable[[_Said], bool]) -> Callable[[_Said], bool]:
    """Return what is true for each `value`-th word that counts."""
    number = itertools.count(1)
    return lambda word: counts(word) and next(number) % int(value) == 0


def _ends_sentence(word: _Said) -> bool:
    """Whether a sentence ends here; at the end of an utterance one does, with a full stop or not.

    Not every engine writes full stops.
    """
    if word.ends:
        return True
    found = _SENTENCE_END.search(word.text)
    return found is not None and _ABBREVIATION.fullmatch(word.text) is None


def _words(utterance: Utterance, number: int) -> Iterator[_Said]:
    texts = utterance.text.split()
    is_timed = len(utterance.words) == len(texts)
    spans = _told(utterance) if is_timed else _interpolated(utterance, texts)
    for place, (text, (start, end)) in enumerate(zip(texts, spans, strict=True)):
        yield _Said(
            start=start,
            end=max(start, end),
            text=text,
            utterance=number,
            engine=utterance.engine,
            is_timed=is_timed,
            begins=place == 0,
            ends=place == len(texts) - 1,
        )


def _told(utterance: Utterance) -> list[tuple[float, float]]:
    return [(word.start, word.end) for word in utterance.words]


def _interpolated(utterance: Utterance, texts: Sequence[str]) -> list[tuple[float, float]]:
    """When each word was said, if all letters and blanks take the same time."""
    ends = list(itertools.accumulate(len(text) + 1 for text in texts))
    if not ends:
        return []
    span = max(0.0, utterance.end - utterance.start)
    at = [round(utterance.start + span * end / ends[-1], 6) for end in (0, *ends)]
    return list(itertools.pairwise(at))


def _batch(words: Sequence[_Said]) -> Batch:
    parts = [list(part) for _, part in itertools.groupby(words, key=lambda word: word.utterance)]
    return Batch(
        start=min(word.start for word in words),
        end=max(word.end for word in words),
        pieces=tuple(" ".join(word.text for word in part) for part in parts),
        word_count=len(words),
        engine=words[-1].engine,
        timing="exact" if all(map(_is_exact, parts)) else "interpolated",
    )


def _is_exact(part: Sequence[_Said]) -> bool:
    """Whether these words of one utterance are all of it, or the engine told their times."""
    return part[0].is_timed or (part[0].begins and part[-1].ends)
