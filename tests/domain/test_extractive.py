"""Which sentences are chosen to stand for a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.extractive import choose, sentences, words

MEETING = [
    "Good morning everybody. Shall we begin?",
    "The payment integration is not ready. The payment provider changed its interface.",
    "Mr. Miller has the numbers of the last quarter.",
    "Without payments we can't open the shop in May!",
    "It rains a lot, by the way.",
    "So the opening of the shop depends on the payment provider.",
    "The coffee machine is broken again.",
]

SAID = st.lists(
    st.lists(
        st.sampled_from(["payment", "ready", "the", "shop", "рыба", "猫", "naïve", "x", "2024"]),
        min_size=1,
        max_size=8,
    ).map(lambda found: " ".join(found) + "."),
    max_size=30,
)


def chosen(pieces, **kwargs):
    said = sentences(pieces)
    return [said[index] for index in choose(said, **kwargs)]


@given(st.lists(st.text()))
def test_sentences_are_what_was_said(pieces):
    """Not a letter may be told that was not said."""
    found = sentences(pieces)
    assert all(sentence and sentence == sentence.strip() for sentence in found)
    places = iter(pieces)
    piece, begin = "", 0
    for sentence in found:  # each stands in a piece, behind the one before
        while (at := piece.find(sentence, begin)) < 0:
            piece, begin = next(places), 0
        begin = at + len(sentence)


@given(SAID, st.none() | st.text())
def test_a_summary_is_a_part_of_what_was_said_in_its_order(pieces, question):
    """A summary that turns sentences round tells another story."""
    indexes = choose(pieces, question=question)
    assert indexes == sorted(set(indexes))
    assert set(indexes) <= set(range(len(pieces)))
    assert len(indexes) <= 5
    assert bool(indexes) == bool(pieces)


@given(st.lists(st.text(), max_size=20))
def test_any_text_can_be_summarised(pieces):
    """Recognised speech can be anything; a summary of it must not fail."""
    said = sentences(pieces)
    assert len(choose(said)) <= len(said)


def test_sentences_end_where_they_end():
    """A title or a number in a sentence must not cut it in two."""
    assert sentences(
        [
            'Mr. Smith paid 3.50 to Dr. Jones. "Really?" he asked. Yes!',
            "No end",
            "",
            "...",
            "猫です。犬ですか\uff1fはい",
            "one\ntwo",
            "Wait… what?",
            "See e.g. page 4 or J. Doe.",
        ]
    ) == [
        "Mr. Smith paid 3.50 to Dr. Jones.",
        '"Really?"',
        "he asked.",
        "Yes!",
        "No end",
        "猫です。",
        "犬ですか\uff1f",
        "はい",
        "one",
        "two",
        "Wait…",
        "what?",
        "See e.g. page 4 or J. Doe.",
    ]


def test_what_most_is_about_is_chosen():
    """A summary of a meeting must not be about the rain."""
    found = " ".join(chosen(MEETING))
    assert "payment" in found
    assert "rain" not in found
    assert "coffee" not in found


def test_a_question_draws_to_what_it_asks():
    """Who asks for the machine wants to hear of the machine, in whatever form of the word."""
    assert "The coffee machine is broken again." in chosen(MEETING, question="Are machines broken?")
    assert "It rains a lot, by the way." in chosen(MEETING, question="Was it raining?")


@pytest.mark.parametrize("question", ["", "the of and", "helicopters"])
def test_a_question_that_nothing_answers_changes_nothing(question):
    """A prompt of other words must not spoil the choice."""
    assert chosen(MEETING, question=question) == chosen(MEETING)


def test_the_same_is_not_told_twice():
    """A speaker who repeats himself must not fill the summary."""
    said = ["The door is open."] * 9 + ["A blue car is in the yard."] * 7
    assert [said[index] for index in choose(said)] == [
        "The door is open.",
        "A blue car is in the yard.",
    ]


@pytest.mark.parametrize(
    ("count", "most"), [(0, 0), (1, 1), (2, 1), (3, 2), (9, 3), (25, 5), (1000, 5)]
)
def test_a_few_sentences_are_enough(count, most):
    """A summary as long as the text is none; and a long text must be summarised in time."""
    said = [
        f"Item {chr(97 + n % 26) * (n % 9 + 1)} costs {n} coins at stall {n}." for n in range(count)
    ]
    assert len(choose(said)) == most


def test_sentences_without_a_word_of_meaning_can_be_chosen():
    """When there is nothing else, that is what was said."""
    assert choose(["So it is."]) == [0]
    assert choose(["So it is.", "And that was it.", "The lamp."]) == [0, 2]


@pytest.mark.parametrize(
    "group",
    [
        ["payment", "payments"],
        ["run", "running", "runs"],
        ["open", "opened", "opening", "opens"],
        ["city", "cities"],
        ["close", "closed", "closing"],
        ["machine", "Machines"],
        ["call", "calling", "calls"],
        ["don\u2019t-care", "don't care"],
    ],
)
def test_forms_of_a_word_are_one(group):
    """Who asks for payments must find the payment."""
    assert len({tuple(words(word)) for word in group}) == 1


def test_short_words_stay_whole():
    """`bus` is no form of `bu`, and `is` says nothing."""
    assert words("The bus is red, 42 cats.") == ["bus", "red", "42", "cat"]
