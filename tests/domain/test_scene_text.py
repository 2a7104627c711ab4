"""Scene texts: what was seen becomes a sentence, and nothing else does."""

from __future__ import annotations

import json
import re

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtstream_async.local.domain.scene_text import (
    Box,
    Look,
    Sighting,
    View,
    WindowView,
    Words,
    describe,
    facts,
    merge,
)

GREY = Look(brightness=0.5, contrast=0.2, colors={"grey": 0.5, "brown": 0.3, "green": 0.2})
LEFT = Box(left=0.0, top=0.4, right=0.1, bottom=0.8)
MIDDLE = Box(left=0.45, top=0.4, right=0.55, bottom=0.8)
RIGHT = Box(left=0.9, top=0.4, right=1.0, bottom=0.8)
NO_WORDS = Words()


def seen(label, box=MIDDLE, *, score=0.8, wearing=None):
    return Sighting(label=label, score=score, box=box, wearing=wearing)


def people(count, *, wearing=None):
    return [
        seen("person", Box(left=x, top=0.1, right=x + 0.05, bottom=0.5), wearing=wearing)
        for x in (n / count * 0.95 for n in range(count))
    ]


def view(*sightings, look=GREY, change=None):
    return View(look=look, sightings=tuple(sightings), change=change)


def tell(*views, words=NO_WORDS):
    return describe(merge(views, words))


def test_a_whole_scene_reads_like_one_sentence():
    """The text is what users see, search and give to a language model."""
    text = tell(
        view(*people(6, wearing="black"), seen("car", RIGHT), change=0.1),
        words=Words(lines=("Fire assembly", "point")),
    )
    assert text == (
        "An evenly lit scene, mostly grey and brown; six people wearing black; one car (right); "
        'moderate change since the previous frame; text reads: "Fire assembly point".'
    )


@pytest.mark.parametrize(
    ("look", "text"),
    [
        (GREY, "An evenly lit scene, mostly grey and brown."),
        (
            Look(brightness=0.05, contrast=0.1, colors={"black": 0.9}),
            "A very dark scene, mostly black.",
        ),
        (Look(brightness=0.2, contrast=0.1, colors={"blue": 0.9}), "A dark scene, mostly blue."),
        (
            Look(brightness=0.9, contrast=0.1, colors={"white": 0.9}),
            "A bright scene, mostly white.",
        ),
        (
            Look(brightness=0.5, contrast=0.4, colors={"white": 0.5, "black": 0.5}),
            "A scene of strong light and shadow, mostly black and white.",
        ),
        (
            Look(brightness=0.5, contrast=0.2, colors={"red": 0.3, "green": 0.3, "blue": 0.3}),
            "An evenly lit scene, in blue, green and red.",
        ),
        (Look(brightness=0.5, contrast=0.2, colors={}), "An evenly lit scene."),
        (
            Look(brightness=0.5, contrast=0.2, colors={"red": 0.05, "blue": 0.02}),
            "An evenly lit scene.",
        ),
        (Look(brightness=0.0, contrast=0.0, colors={"black": 1.0}), "A plain black picture."),
        (Look(brightness=1.0, contrast=0.0, colors={"white": 1.0}), "A plain white picture."),
    ],
)
def test_light_and_colours_have_names(look, text):
    """With nothing detected, light and colours are all there is to tell."""
    assert tell(view(look=look)) == text


def test_a_picture_with_something_in_it_is_not_plain():
    """A dark room with a lit sign must not be called a plain black picture."""
    black = Look(brightness=0.01, contrast=0.01, colors={"black": 0.99})
    assert tell(view(look=black), words=Words(lines=("EXIT",))).startswith("A very dark scene")
    assert tell(view(seen("cat"), look=black)).startswith("A very dark scene")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (0.0, "unchanged since the previous frame"),
        (0.01, "little change since the previous frame"),
        (0.2, "moderate change since the previous frame"),
        (0.6, "great change since the previous frame"),
        (0.9, "an almost entirely different picture since the previous frame"),
    ],
)
def test_change_has_names(change, text):
    """Change is the one thing that tells a live camera from a frozen one."""
    assert text in tell(view(change=change))


def test_change_within_a_window_is_the_greatest_between_two_frames():
    """A cut in the middle of a window must not be averaged away."""
    window = merge([view(change=None), view(change=0.9), view(change=0.0)], NO_WORDS)
    assert window.change == 0.9
    assert "different picture from frame to frame" in describe(window)


@pytest.mark.parametrize(
    ("label", "one", "two"),
    [
        ("person", "one person", "two people"),
        ("bus", "one bus", "two buses"),
        ("wine glass", "one wine glass", "two wine glasses"),
        ("knife", "one knife", "two knives"),
        ("mouse", "one computer mouse", "two computer mice"),
        ("tv", "one TV", "two TVs"),
        ("scissors", "one pair of scissors", "two pairs of scissors"),
        ("traffic light", "one traffic light", "two traffic lights"),
    ],
)
def test_things_are_counted_in_english(label, one, two):
    """Searching for 'people' or 'buses' must find them."""
    assert f"; {one} (left)" in tell(view(seen(label, LEFT)))
    assert f"; {two}." in tell(view(seen(label, LEFT), seen(label, RIGHT)))


def test_a_crowd_is_a_number():
    """'thirteen' and beyond is harder to read than 13."""
    assert "; 15 people" in tell(view(*people(15)))


def test_people_come_first_and_then_the_many():
    """What watchers ask for most must not hide behind furniture."""
    text = tell(view(seen("car", RIGHT), seen("chair"), seen("chair", LEFT), seen("person", LEFT)))
    assert re.findall(r"person|chairs|car", text) == ["person", "chairs", "car"]


def test_clothes_are_told_for_those_of_whom_they_are_known():
    """'six people wearing black' is false when two wear something else."""
    some = [*people(2, wearing="black"), seen("person", RIGHT, wearing="red"), seen("person", LEFT)]
    assert "four people (two wearing black, one wearing red)" in tell(view(*some))
    assert "one person wearing red (right)" in tell(view(seen("person", RIGHT, wearing="red")))
    assert "two people wearing black." in tell(view(*people(2, wearing="black")))


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([5], 5),
        ([4, 6], 6),
        ([4, 0, 6, 5], 5),
        ([6, 6, 9], 6),
        ([7, 8, 7, 8, 8], 8),
        ([3, 3, 3, 1, 3], 3),
    ],
)
def test_people_are_counted_as_in_the_frames_that_show_them(counts, told):
    """Somebody behind somebody else in one frame must not lower the count, nor a ghost raise it."""
    window = merge([view(*people(count)) for count in counts], NO_WORDS)
    assert facts(window)["people"] == told


def test_somebody_in_one_frame_of_many_is_told_with_that():
    """A person who runs through the picture is the one thing a watcher wanted to know."""
    text = tell(*[view()] * 2, view(seen("person", LEFT)), *[view()] * 2)
    assert "one person (left, in one of five frames)" in text


def test_a_weak_ghost_in_one_frame_of_many_is_not_told():
    """A shadow taken for a person once must not raise an alarm."""
    ghost = seen("person", score=0.42)
    assert "person" not in tell(view(), view(ghost), view())
    assert "person" in tell(view(), view(ghost))
    assert "person" in tell(view(), view(ghost), view(ghost))


def test_what_stands_in_one_place_has_one_name():
    """A parked van that is a car in one frame and a truck in the next is one vehicle, not two."""
    parked = [seen("car", RIGHT, score=0.6), seen("truck", RIGHT, score=0.5)]
    window = merge([view(parked[0]), view(parked[1]), view(parked[0])], NO_WORDS)
    assert facts(window)["objects"] == {"car": 1}


def test_a_rider_and_a_motorcycle_stay_two():
    """Only look-alikes share a name; things that overlap do not."""
    both = [seen("person", score=0.9), seen("motorcycle", score=0.5)]
    window = merge([view(*both)] * 5, NO_WORDS)
    assert facts(window)["objects"] == {"person": 1, "motorcycle": 1}


def test_frames_in_which_nobody_looked_count_for_nothing():
    """A busy engine that looks at two frames of five must not halve the count."""
    blind = View(look=GREY, sightings=None, change=0.0)
    window = merge([blind, view(*people(4)), blind], NO_WORDS)
    assert facts(window)["people"] == 4
    assert (facts(window)["frames"], facts(window)["frames_looked_at"]) == (3, 1)
    assert "four people;" in describe(window)


def test_long_texts_are_cut_at_a_word():
    """A page of print must not make a message of a page."""
    words = Words(lines=tuple(f"line number {n}" for n in range(300)), unread=3)
    text = tell(view(), words=words)
    assert len(text) < 1200
    assert re.search(r'line number \d+ …"\.$|line …"\.$|number …"\.$', text)
    assert len(facts(merge([view()], words))["words"]) == 300


def test_blank_words_are_not_told():
    """An empty quotation would say that there is text."""
    assert "text" not in tell(view(), words=Words(lines=(" ", "")))


def test_a_window_without_frames_is_a_mistake():
    """Nobody may be told about a picture that was never there."""
    with pytest.raises(ValueError, match="at least one frame"):
        merge([], NO_WORDS)


SHARES = st.floats(0, 1, allow_nan=False)
COLORS = st.dictionaries(st.sampled_from(["black", "grey", "white", "red", "green"]), SHARES)
LOOKS = st.builds(Look, brightness=SHARES, contrast=st.floats(0, 0.5), colors=COLORS)
BOXES = st.builds(
    lambda x, y, w, h: Box(left=x, top=y, right=min(1, x + w), bottom=min(1, y + h)),
    SHARES,
    SHARES,
    SHARES,
    SHARES,
)
SIGHTINGS = st.builds(
    Sighting,
    label=st.sampled_from(["person", "car", "dog", "skis", "bus"]),
    score=st.floats(0.4, 1),
    box=BOXES,
    wearing=st.sampled_from([None, "black", "red"]),
)
VIEWS = st.builds(
    View,
    look=LOOKS,
    sightings=st.none() | st.lists(SIGHTINGS, max_size=4).map(tuple),
    change=st.none() | SHARES,
)
WORDS = st.builds(
    Words,
    lines=st.lists(st.text(max_size=12), max_size=4).map(tuple),
    unread=st.none() | st.just(2),
)
WINDOWS = st.lists(VIEWS, min_size=1, max_size=4)
SOME = settings(max_examples=40, deadline=None)  # a busy machine is not a fault


@SOME
@given(WINDOWS, WORDS)
def test_whatever_was_seen_there_is_one_sentence(views, words):
    """A description that fails leaves a hole in the index."""
    text = describe(merge(views, words))
    assert text[0] == text[0].upper()
    assert text.endswith(".")
    assert "\n" not in text


@SOME
@given(WINDOWS)
def test_nothing_is_said_to_be_absent(views):
    """A detector that missed somebody must not make the text swear that nobody was there."""
    text = describe(merge(views, NO_WORDS))
    assert not re.search(
        r"\b(no|not|nobody|nothing|without|empty|zero|none)\b", text, re.IGNORECASE
    )


@SOME
@given(WINDOWS)
def test_only_what_was_seen_is_told(views):
    """An invented dog is worse than a missed one."""
    found = {each.label for one in views for each in one.sightings or ()}
    most = {
        label: max(sum(each.label == label for each in one.sightings or ()) for one in views)
        for label in found
    }
    told = facts(merge(views, NO_WORDS))["objects"]
    assert set(told) <= found
    total = max(sum(len(one.sightings or ()) for one in views), 0)
    assert all(1 <= count <= total for count in told.values())
    if len(views) == 1 and len(views[0].sightings or ()) == 1:
        assert told == most


@SOME
@given(WINDOWS, WORDS)
def test_facts_are_json(views, words):
    """The facts go over the wire and into the database."""
    told = facts(merge(views, words))
    assert json.loads(json.dumps(told)) == told
    assert told["people"] == told["objects"].get("person", 0)
    assert told["words"] == list(words.lines)


@SOME
@given(VIEWS, st.integers(1, 5))
def test_frames_that_are_alike_are_told_like_one(one, count):
    """More frames of a still picture must not make more people."""
    still = attrs.evolve(one, change=None)
    single, many = (merge([still] * n, NO_WORDS) for n in (1, count))
    assert single.tallies == tuple(attrs.evolve(each, frames=1) for each in many.tallies)
    assert isinstance(many, WindowView)
