import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.protocol.codec.times import iso, microseconds, milliseconds, to_seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0.0),
        (1748483434.289908, 1748483434.289908),
        (1710000012340, 1710000012.34),
        (1748483434289908, 1748483434.289908),
        (-1710000012340, -1710000012.34),
        ("1710000012340", 1710000012.34),
        (" 12.5s ", 12.5),
        ("2025-05-29T01:39:48.484134", 1748482788.484134),
        ("2025-05-29T01:39:48Z", 1748482788.0),
        ("2025-05-29T03:39:48+02:00", 1748482788.0),
        (None, None),
        (True, None),
        ([], None),
        ("soon", None),
        ("", None),
        ("nan", None),
        (float("inf"), None),
        (10**400, None),
        ("0001-01-01T00:00:00+14:00", -62135647200.0),
        ("9999-12-31T23:59:59-14:00", 253402351199.0),
    ],
)
def test_a_time_is_read_whatever_its_spelling(value, seconds):
    """The service has four units, and its documents disagree on which is where."""
    assert to_seconds(value) == seconds


@given(st.integers(10**9, 10**10))
def test_the_three_units_mean_the_same(seconds):
    """A message and its record must meet in time, or every record is a duplicate."""
    assert to_seconds(seconds) == to_seconds(seconds * 1_000) == to_seconds(seconds * 1_000_000)


@given(st.floats(1e9, 4e9))
def test_what_goes_out_comes_back(seconds):
    """To the precision of each unit."""
    assert to_seconds(milliseconds(seconds)) == pytest.approx(seconds, abs=0.0005)
    assert to_seconds(microseconds(seconds)) == pytest.approx(seconds, abs=0.000001)
    assert to_seconds(iso(seconds)) == pytest.approx(seconds, abs=0.000001)


def test_iso_text_has_its_zone():
    """A webhook's reader must not guess."""
    assert iso(0.5) == "1970-01-01T00:00:00.500000+00:00"
    assert iso(0, offset=timedelta(hours=2)) == "1970-01-01T02:00:00.000000+02:00"
    assert datetime.fromisoformat(iso(1.25)) == datetime(1970, 1, 1, 0, 0, 1, 250000, tzinfo=UTC)


@given(st.text() | st.floats() | st.integers() | st.binary() | st.datetimes().map(str))
def test_no_value_is_too_odd(value):
    """Times come from anywhere."""
    seconds = to_seconds(value)
    assert seconds is None or math.isfinite(seconds)
