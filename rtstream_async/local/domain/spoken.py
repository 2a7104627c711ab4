"""What is said in a video: sentences to be found again, and a transcript cut as it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from rtstream_async.local.domain.batches import Batch, Segmenter, make_batches
from rtstream_async.local.engines.ports import Utterance, Word

__all__ = ["Said", "Sentence", "sentences", "transcript"]


@attrs.frozen(kw_only=True)
class Sentence:
    """One sentence, or all that is said in one stretch of time; seconds from the video's start."""

    start: float
    end: float
    text: str
    words: tuple[tuple[float, float, str], ...]  #: with times from the engine, else empty
    is_estimated: bool  #: the engine did not tell when exactly it begins and ends
    engine: str


@attrs.frozen(kw_only=True)
class Said:
    """One piece of a transcript; seconds from the video's start."""

    start: float
    end: float
    text: str
    is_estimated: bool  #: the engine did not tell when exactly


def sentences(
    utterances: Iterable[Utterance], segmenter: Segmenter, value: float
) -> list[Sentence]:
    """Return what was said, cut into sentences or stretches of `value` seconds."""
    cut = make_batches(segmenter, value, origin=0.0)
    single = make_batches("word", 1, origin=0.0)
    made: list[Batch] = []
    words: list[Batch] = []
    for utterance in utterances:
        made += cut.feed(utterance)
        words += single.feed(utterance)
    made += cut.finish(max((batch.end for batch in words), default=0.0))
    found: list[Sentence] = []
    for batch in made:
        own, words = words[: batch.word_count], words[batch.word_count :]
        is_told = all(word.timing == "exact" for word in own)
        found.append(
            Sentence(
                start=min(word.start for word in own),
                end=max(word.end for word in own),
                text=batch.text,
                words=tuple((word.start, word.end, word.text) for word in own) if is_told else (),
                is_estimated=batch.timing != "exact" and not is_told,
                engine=batch.engine,
            )
        )
    return found


def transcript(
    said: Iterable[Sentence],
    segmenter: Segmenter,
    length: float,
    *,
    start: float | None,
    end: float | None,
) -> Sequence[Said]:
    """Return what is said in [start, end), in seconds, cut by words, sentences or `length` seconds.

    A piece that lies in the window only in part is in it.
    """
    told = list(said)
    # A stretch of time may hold several sentences; what is exact in it is not told.
    is_fuzzy = segmenter == "time" and any(sentence.is_estimated for sentence in told)
    cut = make_batches(segmenter, length if segmenter == "time" else 1, origin=0.0)
    pieces: list[Said] = []
    for sentence in told:
        made = cut.feed(_utterance(sentence))
        pieces += [_said(batch, sentence.is_estimated or is_fuzzy) for batch in made]
    rest = cut.finish(max((sentence.end for sentence in told), default=0.0))
    pieces += [_said(batch, is_fuzzy) for batch in rest]
    return [
        piece
        for piece in pieces
        if (end is None or piece.start < end) and (start is None or piece.end > start)
    ]


def _said(batch: Batch, is_estimated: bool) -> Said:
    return Said(
        start=batch.start,
        end=batch.end,
        text=batch.text,
        is_estimated=is_estimated or batch.timing != "exact",
    )


def _utterance(sentence: Sentence) -> Utterance:
    return Utterance(
        start=sentence.start,
        end=sentence.end,
        text=sentence.text,
        is_final=True,
        engine=sentence.engine,
        words=tuple(Word(start=start, end=end, text=text) for start, end, text in sentence.words),
    )
