from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.spoken import Sentence, sentences, transcript
from rtstream_async.local.engines.ports import Utterance, Word


def utterance(start, end, text, *, words=()):
    return Utterance(
        start=start,
        end=end,
        text=text,
        is_final=True,
        engine="e",
        words=tuple(Word(start=a, end=b, text=w) for a, b, w in words),
    )


TIMED = utterance(
    1.0,
    4.0,
    "All is well. Go home.",
    words=[(1, 1.2, "All"), (1.3, 1.4, "is"), (1.5, 2, "well."), (3, 3.2, "Go"), (3.5, 4, "home.")],
)
PLAIN = utterance(10.0, 14.0, "One two. Three four.")


def test_an_utterance_is_cut_into_its_sentences():
    """A search answers with a sentence, and not with a minute."""
    first, second = sentences([TIMED], "sentence", 1)
    assert (first.start, first.end, first.text) == (1, 2, "All is well.")
    assert (second.start, second.end, second.text) == (3, 4, "Go home.")
    assert second.words == ((3, 3.2, "Go"), (3.5, 4, "home."))
    assert not first.is_estimated


def test_times_that_no_engine_told_are_marked():
    """A guess must not pass for a measurement."""
    first, second = sentences([PLAIN], "sentence", 1)
    assert (first.text, second.text) == ("One two.", "Three four.")
    assert first.start == 10
    assert second.end == 14
    assert first.end == second.start
    assert first.is_estimated
    assert first.words == ()
    pieces = transcript([first, second], "sentence", 1, start=None, end=None)
    assert all(piece.is_estimated for piece in pieces)


def test_an_utterance_that_is_not_cut_has_the_times_that_were_told():
    """What the engine said of the whole is not made worse by us."""
    (whole,) = sentences([utterance(1, 2, "All is well.")], "sentence", 1)
    assert not whole.is_estimated
    (sentence,) = transcript([whole], "sentence", 1, start=None, end=None)
    assert not sentence.is_estimated
    words = transcript([whole], "word", 1, start=None, end=None)
    assert all(word.is_estimated for word in words)


def test_stretches_of_time_have_what_is_said_in_them():
    """Sentences are not always written with full stops."""
    first, second = sentences([TIMED, PLAIN], "time", 10)
    assert (first.start, first.end, first.text) == (1, 4, "All is well. Go home.")
    assert (second.start, second.end) == (10, 14)


def test_nothing_said_is_nothing():
    """An empty index is an answer."""
    assert sentences([], "sentence", 1) == []
    assert transcript([], "time", 5, start=None, end=None) == []


def test_a_window_has_what_is_said_in_some_of_it():
    """A word at the edge is better shown twice than not at all."""
    said = sentences([TIMED], "sentence", 1)
    assert [w.text for w in transcript(said, "word", 1, start=1.1, end=3.1)] == [
        "All",
        "is",
        "well.",
        "Go",
    ]
    assert transcript(said, "word", 1, start=4.0, end=None) == []
    assert transcript(said, "word", 1, start=None, end=1.0) == []


def test_a_transcript_by_time_has_windows_of_one_length():
    """Subtitles change at fixed moments."""
    said = sentences([TIMED, PLAIN], "sentence", 1)
    pieces = transcript(said, "time", 2, start=None, end=None)
    assert [(p.start, p.end) for p in pieces] == [(0, 2), (2, 4), (10, 12), (12, 14)]
    assert all(piece.is_estimated for piece in pieces)
    exact = transcript(sentences([TIMED], "sentence", 1), "time", 2, start=None, end=None)
    assert not any(piece.is_estimated for piece in exact)


words = st.text(alphabet="abc.?", min_size=1, max_size=4)


@given(
    st.lists(st.lists(words, min_size=1, max_size=6), max_size=6),
    st.sampled_from(["sentence", "time"]),
    st.sampled_from(["word", "sentence", "time"]),
)
def test_no_word_is_lost_or_said_twice(spoken, segmenter, asked):
    """However it is cut, it is what was said."""
    utterances = [
        utterance(3.0 * n, 3.0 * n + 2, " ".join(texts)) for n, texts in enumerate(spoken)
    ]
    said = sentences(utterances, segmenter, 1 if segmenter == "sentence" else 4)
    every = " ".join(text for texts in spoken for text in texts)
    assert " ".join(sentence.text for sentence in said) == every
    pieces = transcript(said, asked, 3, start=None, end=None)
    assert " ".join(piece.text for piece in pieces) == every
    assert all(isinstance(sentence, Sentence) for sentence in said)
    assert [piece.start for piece in pieces] == pytest.approx(
        sorted(piece.start for piece in pieces)
    )
