"""Windows of real frames become descriptions that say what is there."""

from __future__ import annotations

import itertools
import re

import attrs
import cv2
import msgspec
import numpy as np
import pytest

from rtstream_async.local.engines.offline import vision as module
from rtstream_async.local.engines.offline.vision import OfflineVision
from rtstream_async.local.engines.ports import EngineError
from tests.engines.pictures import (
    BLANKS,
    TERMINAL,
    as_h264,
    frame,
    photograph,
    recall,
    screen,
    surveillance,
)

START = 1_700_000_000.0
TALL = 120_000.0  # seconds between windows that nothing may be spared in


@pytest.fixture(scope="module")
def vision():
    vision = OfflineVision()
    vision.warm_up()
    return vision


@pytest.fixture
def key(request):
    """A stream that nobody has seen before."""
    return request.node.name


_clock = itertools.count(START, TALL)


@pytest.fixture
def start():
    """A time long after everything else, so that no other test's streams share the engine."""
    return next(_clock)


def look(vision, key, start, *pictures, period=5.0):
    frames = [
        frame(picture, start + number * period / len(pictures))
        for number, picture in enumerate(pictures)
    ]
    return vision.describe(frames, key=key)


@pytest.mark.parametrize(("index", "people"), [(0, 3), (200, 7), (400, 3), (740, 8)])
def test_people_in_a_window_of_real_footage_are_counted_about_right(
    vision, key, start, index, people
):
    """Three frames of one second must not count anybody three times, nor a passer-by never."""
    seen = look(vision, key, start, *(surveillance(index + 4 * n) for n in range(3)), period=1)
    assert abs(seen.metadata["people"] - people) <= 2
    assert re.search(r"; \w+ (people|person)\b", seen.text)
    assert seen.metadata["objects"]["person"] == seen.metadata["people"]


def test_the_yard_is_described(vision, key, start):
    """The sentence that a user reads for real footage."""
    seen = look(vision, key, start, surveillance(0))
    assert seen.text == (
        "An evenly lit scene, mostly green and grey; three people wearing black; two cars (right)."
    )
    assert seen.engine == "offline-vision"


def test_the_facts_say_what_was_seen_and_by_what(vision, key, start):
    """Rules and searches are built on the facts, not on the sentence."""
    seen = look(vision, key, start, surveillance(0), surveillance(20))
    facts = seen.metadata
    assert facts["objects"].keys() <= {"person", "car", "truck"}
    assert facts["colors"] == ["green", "grey"]
    assert 0.01 < facts["change"] < 0.3
    assert (facts["frames"], facts["frames_looked_at"]) == (2, 2)
    assert facts["words_read_now"] is True
    assert facts["detector"] == "nanodet-coco80-416"
    assert facts["reader"] == "rapidocr-ppocrv6"
    assert facts["prompt_followed"] is False
    assert msgspec.json.decode(msgspec.json.encode(facts)) == facts


@pytest.mark.parametrize("name", BLANKS)
def test_an_empty_frame_is_not_given_anything(vision, key, start, name):
    """A dead camera must not be described as a busy one."""
    seen = look(vision, key, start, BLANKS[name])
    assert seen.metadata["objects"] == {}
    assert seen.metadata["words"] == []
    assert not re.search(r"person|people|text|change", seen.text)


def test_plain_pictures_are_called_plain(vision, key, start):
    """A black picture is what a dead camera looks like; users search for it."""
    assert look(vision, key, start, BLANKS["black"]).text == "A plain black picture."


def test_a_screen_is_read(vision, key, start):
    """The words on a screen are its meaning."""
    seen = look(vision, key, start, *as_h264([screen(TERMINAL)] * 3))
    assert recall(" ".join(TERMINAL), " ".join(seen.metadata["words"])) >= 0.95
    assert 'text reads: "' in seen.text
    assert "unchanged from frame to frame" in seen.text


def test_a_still_screen_is_read_once(vision, key, start):
    """Reading again what stands there would take a core from the other streams."""
    shown = as_h264([screen(TERMINAL[:4])] * 26)
    first = look(vision, key, start, shown[0])
    second = look(vision, key, start + 1000, shown[11], shown[25])
    assert first.metadata["words_read_now"] is True
    assert second.metadata["words_read_now"] is False
    assert second.metadata["words"] == first.metadata["words"] != []
    assert second.metadata["change"] == 0


def test_another_slide_has_other_words(vision, key, start):
    """The words of the slide before must not be told of this one."""
    look(vision, key, start, screen(("Quarterly results",), size=40))
    seen = look(vision, key, start + 1000, screen(("Next review on Tuesday",), size=40))
    assert seen.metadata["words"] == ["Next review on Tuesday"]


def test_a_slide_in_the_middle_of_a_window_is_read(vision, key, start):
    """One reading a window must be spent on the frame that is new."""
    quiet = BLANKS["grey noise"] // 8
    slide = screen(("Fire drill at noon",), size=40)
    look(vision, key, start, quiet)
    seen = look(vision, key, start + 1000, quiet, slide, quiet)
    assert seen.metadata["words"] == ["Fire drill at noon"]


def test_a_clock_never_tells_an_old_time(vision, key, start):
    """A stale time in the text is a false record."""
    for second in range(6):
        now = f"14:32:0{second}"
        picture = surveillance(0).copy()
        cv2.putText(picture, now, (20, 540), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (255,) * 3, 3)
        seen = look(vision, key, start + second, picture)
        assert digits(seen) in (digits_of(now), "")
    assert digits(look(vision, key, start + 1000, picture)) == digits_of(now)


def digits(seen):
    return digits_of("".join(seen.metadata["words"]))


def digits_of(text):
    return re.sub(r"[^0-9]", "", text)  # a colon is read as a full stop now and then


def test_words_behind_somebody_are_not_told_and_come_back(vision, key, start):
    """A sign is in the text while it can be seen, and only then."""
    sign = screen(("Loading dock", "Keep clear"), size=50)
    covered = sign.copy()
    covered[130:210, 80:400] = (90, 60, 40)
    look(vision, key, start, sign)
    seen = look(vision, key, start + 0.1, covered)
    assert seen.metadata["words"] == ["Loading dock"]
    assert look(vision, key, start + 1000, sign).metadata["words"] == ["Loading dock", "Keep clear"]


def test_what_was_found_in_a_still_picture_stays_found(vision, key, start):
    """A parked car that is looked at once must be in every record."""
    picture = photograph("motorcycle_left.png")
    first = look(vision, key, start, picture)
    second = look(vision, key, start + 5, picture, picture)
    assert first.metadata["objects"] == second.metadata["objects"] == {"motorcycle": 1}
    assert second.metadata["change"] == 0


def test_change_is_told_from_one_window_to_the_next(vision, key, start):
    """With one frame a window there is nothing else to compare with."""
    assert look(vision, key, start, surveillance(0)).metadata["change"] is None
    seen = look(vision, key, start + 5, surveillance(50))
    assert "moderate change since the previous frame" in seen.text


def test_a_stream_may_change_its_size(vision, key, start):
    """Cameras and screen shares do, in the middle of a stream."""
    look(vision, key, start, surveillance(0))
    seen = look(vision, key, start + 5, cv2.resize(surveillance(0), (320, 240)))
    assert seen.metadata["people"] >= 2
    assert look(vision, key, start + 10, np.full((2, 2, 3), 255, np.uint8)).text.startswith(
        "A plain"
    )


def test_streams_do_not_see_each_other(vision, key, start):
    """Words of one tenant's screen in another tenant's record would be a leak."""
    look(vision, f"{key}-1", start, screen(("Secret budget",), size=40))
    seen = look(vision, f"{key}-2", start, surveillance(0))
    assert "Secret" not in seen.text
    assert seen.metadata["change"] is None


@pytest.mark.parametrize("damage", [b"", b"not a picture", None])
def test_a_damaged_frame_is_named(vision, key, start, damage):
    """The user must know whether the camera or the engine is broken."""
    frames = [frame(surveillance(0), start), frame(surveillance(20), start + 2.5)]
    half = frames[1].jpeg[: len(frames[1].jpeg) // 2]
    frames[1] = attrs.evolve(frames[1], jpeg=half if damage is None else damage)
    with pytest.raises(EngineError, match=rf"frame 2 of 2, at {start + 2.5:.3f}, is not a whole"):
        vision.describe(frames, key=key)
    assert look(vision, key, start + 5, surveillance(0)).metadata["people"] == 3


def test_forgotten_streams_take_no_memory(vision, start, monkeypatch):
    """Indexes come and go for months; what is kept of them must not pile up."""
    monkeypatch.setattr(module, "_MOST_STREAMS", 3)
    for name in "abcdea":
        look(vision, name, start, BLANKS["black"])
    assert list(vision._memories) == ["d", "e", "a"]


def test_many_busy_screens_are_read_in_turns(vision, start):
    """Six screens that are read in every window are more than a core can do."""
    slides = [
        screen((f"Slide number {n} of many", *TERMINAL), size=18, width=854) for n in range(4)
    ]
    read = dict.fromkeys(range(6), 0)
    for window in range(3):
        for stream in range(6):
            picture = slides[(window + stream) % len(slides)]
            seen = look(vision, str(stream), start + window * 5, picture)
            read[stream] += seen.metadata["words_read_now"]
            said = " ".join(seen.metadata["words"])
            others = {f"Slide number {n}" for n in range(4)} - {
                f"Slide number {(window + stream) % 4}"
            }
            assert not any(other in said for other in others)
    assert sum(read.values()) < 3 * 6
    assert all(read.values())
