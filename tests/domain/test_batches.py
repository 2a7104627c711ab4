"""Batches of speech: everything that was said is in one of them, once, in order."""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rtstream_async.local.domain.batches import (
    SEGMENTERS,
    Batch,
    Batches,
    Segmenter,
    make_batches,
)
from rtstream_async.local.engines.ports import Utterance, Word

ORIGIN = 1_700_000_000.25

texts = st.lists(
    st.sampled_from(
        ["he", "was", "not", "ill-disposed.", "Mr.", "why?", "Oh!\u201d", "\u2026", "é"]
    ),
    max_size=12,
).map(" ".join)
segmenters = st.sampled_from(SEGMENTERS)
values = st.integers(1, 9)


def timed(start: float, end: float, text: str) -> tuple[Word, ...]:
    """Times of words as an engine tells them: each as long as the others."""
    said = text.split()
    step = (end - start) / max(1, len(said))
    return tuple(
        Word(start=start + n * step, end=start + (n + 1) * step, text=word)
        for n, word in enumerate(said)
    )


def said(text: str, start: float = 0.0, end: float | None = None, **more: object) -> Utterance:
    """An utterance, in seconds from the origin; a second for each word if nothing is said."""
    ends = start + len(text.split()) if end is None else end
    fields = {"engine": "ear", **more}
    return Utterance(start=ORIGIN + start, end=ORIGIN + ends, text=text, is_final=True, **fields)


@st.composite
def speech(draw: st.DrawFn) -> list[Utterance]:
    """Utterances in order of time, with and without word times, with pauses of any length."""
    utterances: list[Utterance] = []
    at = draw(st.floats(-3, 3))
    for text in draw(st.lists(texts, max_size=8)):
        start = at + draw(st.floats(0, 20))
        at = start + draw(st.floats(0, 10))
        words = timed(ORIGIN + start, ORIGIN + at, text) if draw(st.booleans()) else ()
        utterances.append(said(text, start, at, words=words))
    return utterances


def play(batches: Batches, utterances: list[Utterance], late: float) -> list[Batch]:
    """Feed utterances, with the time passing between them; return all batches."""
    closed: list[Batch] = []
    for utterance in utterances:
        closed += batches.advance(utterance.start + late)
        closed += batches.feed(utterance)
    return closed + batches.finish(utterances[-1].end if utterances else ORIGIN)


@given(segmenters, values, speech(), st.sampled_from([-2.0, 0.0, 5.0]))
def test_batches_say_what_the_utterances_said(
    segmenter: Segmenter, value: int, utterances: list[Utterance], late: float
) -> None:
    """A word that is lost is not found; one that is repeated triggers an alert twice."""
    batches = play(make_batches(segmenter, value, origin=ORIGIN), utterances, late)
    spoken = [word for utterance in utterances for word in utterance.text.split()]
    assert " ".join(batch.text for batch in batches).split() == spoken
    assert sum(batch.word_count for batch in batches) == len(spoken)
    assert all(batch.pieces and all(batch.pieces) for batch in batches)


@given(segmenters, values, speech(), st.sampled_from([-2.0, 0.0, 5.0]))
def test_batches_come_in_order_of_time(
    segmenter: Segmenter, value: int, utterances: list[Utterance], late: float
) -> None:
    """A record that ends before it starts breaks every reader and every clip."""
    batches = play(make_batches(segmenter, value, origin=ORIGIN), utterances, late)
    assert all(batch.start <= batch.end for batch in batches)
    pairs = itertools.pairwise(batches)
    assert late > 0 or all(before.start <= after.start + 1e-5 for before, after in pairs)


@given(values, speech())
def test_word_batches_have_as_many_words_as_asked_for(
    value: int, utterances: list[Utterance]
) -> None:
    """Whoever asks for fifty words wants fifty, whatever the pauses between them."""
    batches = play(make_batches("word", value, origin=ORIGIN), utterances, 0.0)
    assert all(batch.word_count == value for batch in batches[:-1])
    assert all(batch.word_count <= value for batch in batches[-1:])


@given(st.sampled_from([0.5, 2.0, 7.5]), st.lists(st.integers(1, 40), max_size=30))
def test_timed_batches_hold_the_words_that_begin_in_them(value: float, steps: list[int]) -> None:
    """A search hit that plays another moment is worse than none."""
    at = [sum(steps[: n + 1]) / 4 for n in range(len(steps))]
    utterances = [said(f"w{n}", start, start + 0.1) for n, start in enumerate(at)]
    wanted = [
        (number * value, [f"w{at.index(start)}" for start in starts])
        for number, starts in itertools.groupby(at, key=lambda start: start // value)
    ]
    closed = play(make_batches("time", value, origin=ORIGIN), utterances, 0.0)
    assert [(batch.start - ORIGIN, [*batch.pieces]) for batch in closed] == wanted
    assert all(batch.end - batch.start == value for batch in closed[:-1])


def test_words_are_cut_where_the_engine_heard_them() -> None:
    """The sixth word is shown from where it was said, not from where its sentence began."""
    text = "one two three four"
    utterance = said(text, 0, 4, words=timed(ORIGIN, ORIGIN + 4, text))
    first, second = make_batches("word", 2, origin=ORIGIN).feed(utterance)
    assert (first.text, first.start, first.end) == ("one two", ORIGIN, ORIGIN + 2)
    assert (second.text, second.start, second.end) == ("three four", ORIGIN + 2, ORIGIN + 4)
    assert (first.timing, second.timing) == ("exact", "exact")


def test_without_word_times_a_cut_is_interpolated_and_says_so() -> None:
    """A guess that looks like a measurement misleads."""
    first, second = make_batches("word", 1, origin=ORIGIN).feed(said("abc abcdefg", 0, 12))
    assert (first.start, first.end) == (ORIGIN, ORIGIN + 4)
    assert (second.start, second.end) == (ORIGIN + 4, ORIGIN + 12)
    assert (first.timing, second.timing) == ("interpolated", "interpolated")


def test_whole_utterances_need_no_word_times() -> None:
    """Nothing was guessed, so nothing is said of guessing."""
    batches = make_batches("word", 3, origin=ORIGIN)
    assert batches.feed(said("one", 0, 1)) == []
    (batch,) = batches.feed(said("two three", 5, 7))
    assert batch == Batch(
        start=ORIGIN,
        end=ORIGIN + 7,
        pieces=("one", "two three"),
        word_count=3,
        engine="ear",
        timing="exact",
    )


def test_word_times_that_fit_no_text_are_not_used() -> None:
    """An engine that splits words in another way than blanks do must not shift them."""
    words = timed(ORIGIN, ORIGIN + 3, "it 's me")
    first, second = make_batches("word", 1, origin=ORIGIN).feed(said("it's me", 0, 8, words=words))
    assert (first.text, second.text) == ("it's", "me")
    assert first.timing == "interpolated"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("He left. She stayed!", ["He left.", "She stayed!"]),
        ("Mr. Dashwood asked: why?", ["Mr. Dashwood asked: why?"]),
        ("J. Austen wrote 3.5 books, e.g. Emma.", ["J. Austen wrote 3.5 books, e.g. Emma."]),
        ("\u201cGo!\u201d he said", ["\u201cGo!\u201d", "he said"]),
        ("no stop at all", ["no stop at all"]),
        ("Dr.", ["Dr."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, sentences: list[str]) -> None:
    """Half a sentence makes no sense to whoever summarises it."""
    batches = make_batches("sentence", 1, origin=ORIGIN).feed(said(text))
    assert [batch.text for batch in batches] == sentences


def test_sentences_are_counted_across_utterances() -> None:
    """A pause is no reason for a record of its own."""
    batches = make_batches("sentence", 2, origin=ORIGIN)
    assert batches.feed(said("One.")) == []
    (batch,) = batches.feed(said("Two. Three.", 9))
    assert batch.pieces == ("One.", "Two.")
    assert [rest.text for rest in batches.finish(ORIGIN + 20)] == ["Three."]


def test_time_closes_a_batch_without_another_word() -> None:
    """After the last word of a meeting nobody speaks; its record is due all the same."""
    batches = make_batches("time", 10, origin=ORIGIN)
    batches.feed(said("hello there", 2, 4))
    assert batches.advance(ORIGIN + 9.999) == []
    (batch,) = batches.advance(ORIGIN + 10)
    assert (batch.start, batch.end, batch.text) == (ORIGIN, ORIGIN + 10, "hello there")
    assert batches.advance(ORIGIN + 40) == []


def test_an_utterance_across_an_edge_is_cut_there() -> None:
    """Each record tells of its own time."""
    text = "one two three four"
    batches = make_batches("time", 10, origin=ORIGIN)
    words = timed(ORIGIN + 8, ORIGIN + 12, text)
    (first,) = batches.feed(said(text, 8, 12, words=words))
    (second,) = batches.advance(ORIGIN + 20)
    assert (first.text, second.text) == ("one two", "three four")
    assert (second.start, second.end) == (ORIGIN + 10, ORIGIN + 20)


def test_speech_that_comes_late_is_in_the_open_batch() -> None:
    """A slow engine may tell of a time that is closed; that is no reason to lose it."""
    batches = make_batches("time", 10, origin=ORIGIN)
    assert batches.advance(ORIGIN + 15) == []
    assert batches.feed(said("late", 8, 9)) == []
    (batch,) = batches.finish(ORIGIN + 16)
    assert (batch.start, batch.end, batch.text) == (ORIGIN + 8, ORIGIN + 16, "late")


def test_a_stream_that_ends_inside_a_batch_ends_the_batch() -> None:
    """A clip must not be asked for what was never recorded."""
    batches = make_batches("time", 30, origin=ORIGIN)
    batches.feed(said("hello there", 2, 4))
    (batch,) = batches.finish(ORIGIN + 3)
    assert batch.end == ORIGIN + 4
    assert batches.finish(ORIGIN + 3) == []


def test_counting_words_knows_no_time() -> None:
    """A pause closes no batch of words."""
    batches = make_batches("word", 5, origin=ORIGIN)
    batches.feed(said("hello", 0))
    assert batches.advance(ORIGIN + 1000) == []
    assert [batch.text for batch in batches.finish(ORIGIN + 1000)] == ["hello"]


def test_an_utterance_without_words_says_nothing() -> None:
    """An empty record is an invented one."""
    batches = make_batches("sentence", 1, origin=ORIGIN)
    assert batches.feed(said("  ", 0, 5)) == []
    assert batches.feed(said("", 5, 6, words=timed(ORIGIN, ORIGIN + 1, "stray"))) == []
    assert batches.finish(ORIGIN + 5) == []


def test_an_utterance_that_ends_before_it_begins_is_a_moment() -> None:
    """An engine's slip must not become a record that no reader takes."""
    (batch,) = make_batches("word", 2, origin=ORIGIN).feed(said("hello there", 5, 4))
    assert (batch.start, batch.end) == (ORIGIN + 5, ORIGIN + 5)
