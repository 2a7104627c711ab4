"""The word error rate that the demo tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.cli.arming import label_of
from rtstream_async.cli.hearing import words_of, wrong_words

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=12)


def test_case_and_punctuation_are_no_words():
    """A transcript that writes a full stop is not wrong."""
    assert words_of("Good morning. It's me!") == ["good", "morning", "it's", "me"]


def test_a_number_is_the_same_in_digits_and_in_words():
    """An engine that writes 37 for thirty-seven has heard nothing wrong."""
    assert words_of("37 errors, 92%") == words_of("Thirty-seven errors, ninety two percent")
    assert words_of("0 7 12 20 99") == ["zero", "seven", "twelve", "twenty", "ninety", "nine"]
    assert words_of("100 2026 KX73") == ["100", "2026", "kx73"]  # nobody says them in one way


@pytest.mark.parametrize(
    ("said", "heard", "wrong"),
    [
        ("the cat sat", "the cat sat", 0),
        ("the cat sat", "the sat", 1),
        ("the cat sat", "the big cat sat", 1),
        ("the cat sat", "the bat sat", 1),
        ("", "you", 1),
        ("the cat", "", 2),
    ],
)
def test_each_word_that_is_wrong_counts_once(said, heard, wrong):
    """The demo's number is compared with others'."""
    assert wrong_words(said.split(), heard.split()) == wrong


@given(WORDS, WORDS)
def test_it_is_a_distance(one, other):
    """A rate that depends on who is asked first is none."""
    wrong = wrong_words(one, other)
    assert wrong == wrong_words(other, one)
    assert abs(len(one) - len(other)) <= wrong <= max(len(one), len(other))
    assert (wrong == 0) == (one == other)


@pytest.mark.parametrize(
    ("prompt", "label"),
    [
        ("A person in red!", "a_person_in_red"),
        ("Über 5 Leute", "über_5_leute"),
        ("...", "event"),
        ("x" * 60, "x" * 40),
        (
            "one two three four five six seven eight nine ten",
            "one_two_three_four_five_six_seven_eight",
        ),
    ],
)
def test_a_prompt_makes_a_label(prompt, label):
    """It is what an alert is called on the screen."""
    assert label_of(prompt) == label
