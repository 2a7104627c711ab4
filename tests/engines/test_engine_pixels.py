"""Light, colours, change and clothes."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtstream_async.local.domain.scene_text import Box, Sighting
from rtstream_async.local.engines.offline import opencv, pixels
from rtstream_async.local.engines.offline.detector import Detector
from tests.engines.pictures import BLANKS, as_h264, photograph, surveillance


def plain(blue, green, red):
    return np.full((90, 160, 3), (blue, green, red), np.uint8)


@pytest.mark.parametrize(
    ("red", "green", "blue", "name"),
    [
        (0, 0, 0, "black"),
        (40, 40, 42, "black"),
        (128, 128, 128, "grey"),
        (90, 95, 100, "grey"),
        (255, 255, 255, "white"),
        (235, 240, 238, "white"),
        (200, 20, 30, "red"),
        (120, 10, 10, "red"),
        (250, 140, 20, "orange"),
        (120, 70, 30, "brown"),
        (240, 220, 40, "yellow"),
        (30, 160, 50, "green"),
        (40, 80, 30, "green"),
        (40, 200, 190, "turquoise"),
        (30, 60, 200, "blue"),
        (20, 30, 90, "blue"),
        (130, 40, 200, "purple"),
        (240, 100, 180, "pink"),
        (250, 170, 180, "pink"),
    ],
)
def test_colours_have_the_names_that_people_give_them(red, green, blue, name):
    """'mostly brown' for a green lawn would make the search useless."""
    assert pixels.color_shares(plain(blue, green, red)) == {name: 1.0}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_every_pixel_has_just_one_colour(red, green, blue):
    """Shares are told as parts of a whole."""
    shares = pixels.color_shares(plain(blue, green, red))
    assert sum(shares.values()) == pytest.approx(1)
    if max(red, green, blue) - min(red, green, blue) <= 20:
        assert set(shares) <= {"black", "grey", "white"}
    hue = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)[0] * 360
    if set(shares) <= {"green"}:
        assert 60 < hue < 170


def test_brightness_and_contrast_are_shares():
    """The text names light by them."""
    look = pixels.look(plain(255, 255, 255))
    assert (look.brightness, look.contrast) == (1.0, 0.0)
    assert pixels.look(BLANKS["chessboard"]).contrast == pytest.approx(0.5, abs=0.02)
    assert pixels.look(surveillance(0)).colors["green"] > 0.3


def share(before, after):
    return pixels.changed_share(pixels.sketch(before), pixels.sketch(after))


def test_a_still_picture_does_not_change_through_an_encoder():
    """Encoder noise taken for change would have every camera read for words all day."""
    still = cv2.resize(surveillance(0), (1280, 720))
    shown = as_h264([still] * 26)
    assert share(shown[0], shown[11]) == share(shown[0], shown[25]) == 0


def test_somebody_who_walks_is_a_change():
    """Change is what tells a watcher where to look."""
    assert 0.01 < share(surveillance(0), surveillance(20)) < 0.25


def test_a_cut_is_a_change_of_nearly_everything():
    """A new slide must be read at once."""
    assert share(surveillance(0), photograph("astronaut.png")) > 0.7
    assert share(BLANKS["black"], BLANKS["white"]) == 1


def test_a_letter_that_becomes_another_is_a_change():
    """A counter that ticks is the only thing that moves on some screens."""
    one, two = BLANKS["white"].copy(), BLANKS["white"].copy()
    cv2.putText(one, "17", (600, 400), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
    cv2.putText(two, "18", (600, 400), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
    assert 0 < share(one, two) < 0.01


def person(picture, left, top, right, bottom, score=0.8):
    height, width = picture.shape[:2]
    box = Box(left=left / width, top=top / height, right=right / width, bottom=bottom / height)
    return Sighting(label="person", score=score, box=box)


@pytest.mark.parametrize(
    ("index", "worn"),
    [(0, {"black"}), (400, {"black"}), (500, {"black", "red"}), (740, {"black", "blue", "red"})],
)
def test_clothes_of_real_people_are_named(index, worn):
    """People are looked for by their jackets; here every jacket was looked at by eye."""
    picture = surveillance(index)
    people = [found for found in Detector().find(picture) if found.label == "person"]
    assert {pixels.clothes(picture, one) for one in people} - {None} == worn


def test_clothes_that_can_not_be_told_are_not():
    """A wrong jacket sends the watcher after the wrong man."""
    picture = np.full((360, 640, 3), 128, np.uint8)
    picture[:, ::2] = (0, 0, 200)
    many = person(picture, 100, 100, 200, 340)
    assert pixels.clothes(picture, many) is None
    red = np.full((360, 640, 3), (0, 0, 200), np.uint8)
    assert pixels.clothes(red, person(red, 100, 100, 200, 340)) == "red"
    assert pixels.clothes(red, person(red, 100, 100, 104, 110)) is None
    assert pixels.clothes(red, person(red, 100, 100, 200, 340, score=0.5)) is None


def test_a_picture_without_colours_is_known():
    """At night a camera shows grey jackets, whatever their colour."""
    assert pixels.is_monochrome(photograph("camera.png"))
    assert not pixels.is_monochrome(surveillance(0))


def test_a_damaged_jpeg_is_no_picture():
    """Half a picture filled with grey would be described as it stands."""
    whole = cv2.imencode(".jpg", BLANKS["bricks"])[1].tobytes()
    assert opencv.decode(whole) is not None
    assert opencv.decode(whole, shrink=4).shape == (180, 320, 3)
    assert opencv.decode(whole[: len(whole) // 2]) is None
    assert opencv.decode(b"") is None
    assert opencv.decode(b"\xff\xd8 no picture at all \xff\xd9") is None
    assert opencv.decode(b"GIF89a") is None


def test_a_header_that_lies_about_the_size_is_no_picture():
    """A few bytes that ask for twelve gigabytes must not end the process."""
    whole = cv2.imencode(".jpg", BLANKS["bricks"])[1].tobytes()
    size = whole.index(b"\xff\xc0") + 5
    lying = whole[:size] + b"\xff\xdc\xff\xdc" + whole[size + 4 :]
    assert opencv.decode(lying) is None
