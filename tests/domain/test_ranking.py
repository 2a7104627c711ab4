import math

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.ranking import (
    Candidate,
    Hit,
    cut,
    floor_of,
    meaning_of,
    ranked,
    read_question,
    stitched,
    weights_of,
)

shares = st.floats(0, 1)
candidates = st.builds(
    Candidate,
    number=st.integers(1, 50),
    meaning=st.none() | shares,
    words=shares,
    is_exact=st.booleans(),
)


def candidate(number=1, meaning=0.3, words=0.0, *, is_exact=False):
    return Candidate(number=number, meaning=meaning, words=words, is_exact=is_exact)


def hit(number=1, score=0.5, *, owner="i", start=0.0, end=1.0, text="x"):
    return Hit(
        owner=owner,
        number=number,
        start=start,
        end=end,
        text=text,
        score=score,
        engine="e",
        metadata={"n": number},
    )


@pytest.mark.parametrize(
    ("query", "words", "exact"),
    [
        ("a dog on the street", ["dog", "street"], []),
        ("who is it", ["who", "is", "it"], []),
        ('where is "Gate B42", please?', ["Gate B42", "please"], ["Gate B42"]),
        ("“smart quotes”", ["smart quotes"], ["smart quotes"]),
        ("invoice INV-20391", ["INV-20391", "invoice"], ["INV-20391"]),
        ("error 404 page", ["404", "error", "page"], ["404"]),
        ("3 people, 2 dogs", ["3", "people", "2", "dogs"], []),
        ("open test_x.py", ["test_x.py", "open"], ["test_x.py"]),
        ("mail me@example.com", ["me@example.com", "mail"], ["me@example.com"]),
        ("#incident today", ["#incident", "today"], ["#incident"]),
        ("a well-lit room (red)", ["well-lit", "room", "red"], []),
        ("Dog dog DOG", ["Dog"], []),
        ("no\x00control\tsigns", ["no", "control", "signs"], []),
        ("über Größe 東京", ["über", "Größe", "東京"], []),
        ('""', [], []),
        ("?!", [], []),
    ],
)
def test_a_question_is_taken_apart(query, words, exact):
    """A licence plate that is searched for must not drown in what resembles it."""
    question = read_question(query)
    assert list(question.words) == words
    assert question.exact == set(exact)


def test_the_meaning_is_looked_for_without_quotation_marks():
    """They would be read as words of their own."""
    assert read_question('say "yes we can" now').text == "say yes we can now"
    assert read_question('""').text == '""'


def test_a_pasted_page_has_its_first_words_looked_up():
    """Each word is a look into the database, which live streams use too."""
    question = read_question(" ".join(f"word{number}" for number in range(1000)))
    assert len(question.words) == 24
    assert question.exact <= set(question.words)


def test_rare_words_weigh_more_and_all_weigh_one():
    """`scene` is in every record; `ambulance` is what was asked for."""
    common, rare, missing = weights_of([90, 2, 0], 100)
    assert common < rare < missing
    assert math.isclose(common + rare + missing, 1)
    assert weights_of([], 100) == []


@given(st.lists(st.integers(0, 200), min_size=1), st.integers(0, 100))
def test_weights_are_shares_whatever_the_counts(found, total):
    """Counts and total are read a moment apart."""
    weights = weights_of(found, total)
    assert all(0 < weight <= 1 for weight in weights)
    assert math.isclose(sum(weights), 1)


def test_meaning_is_the_way_from_the_unrelated_to_the_same():
    """Cosines of one engine lie between 0.7 and 0.9, of another between 0 and 0.6."""
    floor = floor_of([0.7, 0.8])
    assert 0.75 < floor < 0.8
    assert meaning_of(floor, floor) == 0
    assert meaning_of(0.5, floor) == 0
    assert meaning_of(1.0, floor) == 1
    assert math.isclose(meaning_of((1 + floor) / 2, floor), 0.5)
    assert meaning_of(1.0, 1.0) == 0


@given(st.lists(candidates, unique_by=lambda each: each.number))
def test_scores_are_from_zero_to_one_and_fall(found):
    """A threshold means something only if they are."""
    order = ranked(found)
    scores = [score for score, _ in order]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_the_newest_comes_first_among_equals():
    """A camera that sees the same says the same; what is now is what people look for."""
    order = ranked([candidate(number) for number in (2, 9, 4)])
    assert [number for _, number in order] == [9, 4, 2]


def test_words_add_to_meaning_and_take_nothing():
    """An answer in other words is as good; the question's own words break a tie."""
    alike, plain, best = candidate(1, 0.3, 1.0), candidate(2, 0.3), candidate(3, 0.6)
    assert [number for _, number in ranked([alike, plain, best])] == [3, 1, 2]
    assert ranked([plain]) == [(pytest.approx(0.3), 2)]


def test_what_has_the_exact_parts_is_before_all_else():
    """Somebody who types an order number wants that order."""
    order = ranked([candidate(1, 0.0, 0.1, is_exact=True), candidate(2, 0.9, 0.9)])
    (first, number), (second, _) = order
    assert number == 1
    assert first > 0.5 >= second


def test_words_alone_prove_half():
    """A score must not be better because the engine is down."""
    ((score, _),) = ranked([candidate(1, None, 1.0)])
    assert score == 0.5


def test_what_has_nothing_in_common_is_no_answer():
    """Ten results for nonsense are worse than none."""
    assert ranked([candidate(1, 0.0, 0.0), candidate(2, None, 0.0)]) == []


SCORES = [hit(1, 0.9), hit(2, 0.8), hit(3, 0.5), hit(4, 0.1)]


@pytest.mark.parametrize(
    ("threshold", "percentage", "kept"),
    [
        (None, None, [1, 2, 3, 4]),
        (0.5, None, [1, 2, 3]),
        (0.95, None, []),
        (None, 100, [1, 2, 3, 4]),
        (None, 50, [1, 2, 3]),
        (None, 20, [1, 2]),
        (None, 0, [1]),
        (0.5, 20, [1]),
        (0.5, 25, [1, 2]),
        (0.95, 20, []),
    ],
)
def test_hits_are_cut(threshold, percentage, kept):
    """The percentage is of the range of scores that the threshold has left."""
    left = cut(SCORES, score_threshold=threshold, dynamic_score_percentage=percentage)
    assert [each.number for each in left] == kept


def test_equal_hits_are_all_the_best():
    """With no range, there is nothing to be far from the best."""
    equal = [hit(2), hit(1)]
    assert cut(equal, score_threshold=None, dynamic_score_percentage=0) == equal


def test_records_that_follow_each_other_are_joined():
    """Somebody who stands at the door for a minute is one hit, not thirty."""
    joined = stitched(
        [
            hit(3, 0.9, start=2, end=4, text="b"),
            hit(2, 0.4, start=0, end=2, text="a"),
            hit(9, 0.8, start=10, end=12),
            hit(4, 0.3, start=4.01, end=6, text="b"),
            hit(5, 0.5, owner="other", start=4, end=6),
        ]
    )
    first, second, third = joined
    assert (first.start, first.end, first.text, first.score) == (0, 6, "a b", 0.9)
    assert first.metadata == {"n": 3}
    assert (second.number, third.owner) == (9, "other")


def test_a_record_within_another_is_joined_too():
    """Windows may overlap."""
    (joined,) = stitched([hit(1, start=0, end=10), hit(2, start=1, end=2), hit(3, start=9, end=11)])
    assert (joined.start, joined.end) == (0, 11)


def test_one_hit_stays_as_it_is():
    """Joining must not touch what stands alone."""
    alone = hit()
    assert stitched([alone]) == [alone]
    assert attrs.asdict(stitched([alone])[0]) == attrs.asdict(alone)
    assert stitched([]) == []
