"""Small pieces of text."""

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.cli.render.text import (
    clock,
    count,
    iso,
    printable,
    seconds,
    shown_url,
    span,
    stamp,
)

NOON = 1_772_366_400.0  # 2026-03-01 12:00:00 UTC


def test_moments_are_shown_on_the_wall_clock():
    """Nobody compares Unix seconds with what they saw at the door."""
    assert clock(NOON, zone=UTC) == "12:00:00"
    assert span(NOON, NOON + 5, zone=UTC) == "12:00:00-12:00:05"
    assert stamp(NOON, zone=UTC) == "2026-03-01 12:00:00"
    assert iso(NOON + 0.25) == "2026-03-01T12:00:00.250+00:00"
    assert iso(None) is None


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (42.4, "42 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_a_length_of_time_has_the_unit_that_fits_it(length, shown):
    """Ten hours in seconds, or a latency in whole minutes, is no information."""
    assert seconds(length) == shown


def test_one_thing_is_not_plural():
    """`1 messages` looks unfinished."""
    assert [count(n, "message") for n in (0, 1, 2)] == ["0 messages", "1 message", "2 messages"]
    assert count(2, "index", "indexes") == "2 indexes"


@given(st.text())
def test_what_is_printed_can_not_command_the_terminal(text):
    """Words on a filmed screen end up in somebody's terminal: they must not move its cursor."""
    shown = printable(text)
    assert "\x1b" not in shown
    assert "\n" not in shown
    assert shown.isprintable()


def test_ordinary_text_is_printed_as_it_is():
    """Names and words in other scripts are no commands."""
    assert printable("Grüße, 東京 \U0001f600") == "Grüße, 東京 \U0001f600"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://cam.local/door", "rtsp://cam.local/door"),
        ("rtsp://admin:s3cret@cam.local:554/door", "rtsp://admin:***@cam.local:554/door"),
        ("https://cdn/live.m3u8?token=abc&x", "https://cdn/live.m3u8?token=***&x"),
        ("file:///clips/a.mp4?loop=1", "file:///clips/a.mp4?loop=1"),
        ("http://[half/open", "an address that can't be read"),
        ("rtsp://admin:s3cret/x@cam/door", "an address that can't be read"),
    ],
)
def test_the_secrets_of_an_address_are_not_shown(url, shown):
    """Terminals are shared, recorded and pasted; camera passwords are in their addresses."""
    assert shown_url(url) == shown
