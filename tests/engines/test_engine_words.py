"""Reading what is written in pictures."""

from __future__ import annotations

import cv2
import pytest
import rapidocr

from rtstream_async.local.engines.offline import opencv
from rtstream_async.local.engines.offline.words import Page, Reader, believable
from rtstream_async.local.engines.ports import EngineError
from tests.engines.pictures import (
    BLANKS,
    TERMINAL,
    as_h264,
    photograph,
    recall,
    screen,
    surveillance,
)

EVERYTHING = 1_000_000


@pytest.fixture(scope="module")
def reader():
    opencv.use_one_thread()
    reader = Reader()
    reader.warm_up()
    return reader


def read(reader, picture, known=None, pixels=EVERYTHING):
    return reader.read(picture, known or Page(), pixels=pixels)


def text(page):
    return " ".join(page.words().lines)


@pytest.mark.parametrize(
    "look",
    [
        {"size": 26},
        {"size": 18},
        {"size": 14},
        {"size": 24, "ink": 20, "paper": 250},
        {"size": 14, "width": 1920},
        {"size": 20, "width": 854},
    ],
)
def test_the_words_on_a_screen_are_read(reader, look):
    """Who searches for an error message must find the minute in which it was on the screen."""
    shown = as_h264([screen(TERMINAL, **look)] * 3)[-1]
    assert recall(" ".join(TERMINAL), text(read(reader, shown))) >= 0.95


def test_lines_come_in_reading_order(reader):
    """Shuffled lines are another text."""
    lines = ("Quarterly results", "Revenue grew 18 percent", "Payment is not ready")
    assert read(reader, screen(lines, size=40)).words().lines == lines


def test_lines_that_share_a_row_go_from_left_to_right(reader):
    """A table read by columns of chance is no table."""
    picture = screen((), size=30)
    for row, pair in enumerate((("Door", "open"), ("Gate", "closed"))):
        for column, word in enumerate(pair):
            at = (900 * column + 60, 200 * row + 200 - 8 * column)
            cv2.putText(picture, word, at, cv2.FONT_HERSHEY_SIMPLEX, 2, (255,) * 3, 4)
    assert read(reader, picture).words().lines == ("Door", "open", "Gate", "closed")


def test_painted_letters_are_read(reader):
    """Cameras paint their names and times into the picture."""
    picture = surveillance(0).copy()
    cv2.putText(picture, "CAM 4 14:32:07", (20, 540), cv2.FONT_HERSHEY_SIMPLEX, 1, (255,) * 3, 2)
    assert recall("CAM 4 14:32:07", text(read(reader, picture))) == 1


@pytest.mark.parametrize("name", BLANKS)
def test_a_blank_has_no_words(reader, name):
    """Invented words would be found by every search."""
    assert read(reader, BLANKS[name]).words().lines == ()


@pytest.mark.parametrize(
    "name", ["grass.png", "gravel.png", "brick.png", "coins.png", "astronaut.png", "baboon.jpg"]
)
def test_things_that_are_not_writing_are_not_read(reader, name):
    """Leaves and gravel look like letters to a reader that wants to find some."""
    words = read(reader, photograph(name)).words().lines
    assert words in {(), ("NASA",)}


def test_nothing_is_read_on_the_yard(reader):
    """Real footage without writing that can be made out at this size."""
    assert text(read(reader, surveillance(0))).lower() in {"", "fire assembly point"}


@pytest.mark.parametrize(
    ("words", "score", "told"),
    [
        ("Quarterly results", 0.99, True),
        ("Quarterly results", 0.6, False),
        ("A1", 0.95, True),
        ("A1", 0.8, False),
        ("x", 0.99, False),
        ("----", 0.99, False),
        ("", 0.0, False),
    ],
)
def test_only_sure_readings_are_believed(words, score, told):
    """One letter is what the reader sees in a lamp post."""
    assert believable(words, score) is told


def test_known_lines_are_not_read_again(reader):
    """Reading takes ten times what everything else does."""
    first, second = as_h264([screen(TERMINAL[:4])] * 26)[::25]
    page = read(reader, first)
    again = read(reader, second, page.as_seen_in(second))
    assert set(again.lines) == set(page.lines)


def test_a_line_that_changed_is_read_again_and_the_others_are_not(reader):
    """A clock that stands still in the text tells the wrong time."""
    before = screen(("Loading dock", "Gate open 14:32:07"), size=30)
    after = screen(("Loading dock", "Gate open 14:32:08"), size=30)
    page = read(reader, before)
    seen = page.as_seen_in(after)
    assert [line.text for line in seen.lines] == ["Loading dock"]
    again = read(reader, after, seen)
    assert again.words().lines == ("Loading dock", "Gate open 14:32:08")
    assert set(seen.lines) < set(again.lines)


def test_a_picture_of_another_shape_has_no_known_lines(reader):
    """A stream that turns from wide to tall shows its lines somewhere else."""
    wide = screen(("Loading dock",), size=40)
    page = read(reader, wide)
    assert page.words().lines == ("Loading dock",)
    assert page.as_seen_in(cv2.resize(wide, (600, 1000))).words().lines == ()


def test_a_line_that_grew_is_told_once(reader):
    """A terminal in which somebody types must not stutter."""
    page = read(reader, screen(("git commit",), size=30))
    grown = screen(("git commit --message fixed",), size=30)
    assert read(reader, grown, page.as_seen_in(grown)).words().lines == (
        "git commit --message fixed",
    )


def test_what_there_was_no_time_for_is_counted_and_read_next(reader):
    """With many screens each gets its titles first, and nothing is given up."""
    picture = screen(TERMINAL, size=20)
    cv2.putText(picture, "Build server", (60, 600), cv2.FONT_HERSHEY_SIMPLEX, 3, (255,) * 3, 6)
    page = read(reader, picture, pixels=2000)
    assert 0 < len(page.lines) < len(TERMINAL)
    assert page.words().lines[-1] == "Build server"
    assert page.words().unread == len(TERMINAL) + 1 - len(page.lines)
    rest = read(reader, picture, page)
    assert rest.words().unread == 0
    assert recall(" ".join(TERMINAL), text(rest)) >= 0.9


@pytest.mark.parametrize("way", [cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_90_CLOCKWISE])
def test_an_upright_sign_is_read(reader, way):
    """Signs and book spines are turned by a quarter."""
    turned = cv2.rotate(screen(("Emergency exit",), size=40), way)
    assert recall("Emergency exit", text(read(reader, turned))) == 1


def test_a_missing_model_is_named_and_not_fetched(monkeypatch, tmp_path):
    """A server without a network must say what its install lacks."""
    monkeypatch.setattr(rapidocr, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(EngineError, match=r"PP-OCRv6_det_small\.onnx; install rapidocr"):
        Reader()
