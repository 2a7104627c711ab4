import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.bounds import (
    at_least,
    filled,
    optional_window,
    unix_seconds,
    web_address,
    window,
)

NOON = datetime(2024, 3, 9, 12, tzinfo=UTC)


def test_numbers_stay_as_they_are():
    """Rows 84, 85: the wire gets what the caller wrote, to the last digit."""
    assert window(1710000000, 1710000060.25) == (1710000000, 1710000060.25)
    assert type(window(0, 1)[0]) is int


def test_an_aware_datetime_is_a_moment():
    """Whatever its zone."""
    there = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert unix_seconds("start", there) == unix_seconds("start", NOON) == 1709985600.0


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "not NoneType"),
        ("1710000000", "not str"),
        (True, "not bool"),
        (math.nan, "finite"),
        (-math.inf, "finite"),
        (1710000000000, "in seconds"),
        (NOON.replace(tzinfo=None), "time zone"),
    ],
)
def test_a_bound_that_is_no_moment_is_refused(value, problem):
    """Milliseconds would ask for a window in the year 56158, and find nothing."""
    with pytest.raises(InvalidArgumentError, match=problem) as caught:
        window(1, value)
    assert caught.value.argument == "end"


def test_an_empty_window_is_refused():
    """Rows 86, 91: the official SDK asks for it."""
    for start, end in ((2, 1), (1, 1)):
        with pytest.raises(InvalidArgumentError, match="after start"):
            window(start, end)


def test_optional_bounds_stand_alone():
    """Rows 152 to 154: the official SDK drops zero, and a bound without the other."""
    assert optional_window(None, None) == (None, None)
    assert optional_window(0, None) == (0, None)
    assert optional_window(None, NOON) == (None, 1709985600.0)
    assert optional_window(5, 5) == (5, 5)
    with pytest.raises(InvalidArgumentError, match="before start"):
        optional_window(5, 4)


def test_a_count_has_a_least_value():
    """Page 0 is the first page for some services and an error for others."""
    assert at_least("page", 1, 1) == 1
    for wrong in (0, True, 1.0, "1", None):
        with pytest.raises(InvalidArgumentError, match="page"):
            at_least("page", wrong, 1)


def test_text_has_something_in_it():
    """An event of blanks fires always or never."""
    assert filled("label", " a ") == " a "
    for wrong in ("", " \n", None, 5, b"x"):
        with pytest.raises(InvalidArgumentError, match="label"):
            filled("label", wrong)


@pytest.mark.parametrize(
    "address", ["https://x.test/a?b=1", "http://127.0.0.1:8080", "http://[::1]/"]
)
def test_a_web_address_is_taken_as_it_is(address):
    """Its query may hold the secret that tells whose call it is."""
    assert web_address("callback_url", address) == address


@pytest.mark.parametrize(
    "address",
    ["x.test/a", "ftp://x.test", "https:/a?b", "file:///etc/passwd", "http://[::1", 5, b"x"],
)
def test_what_is_no_web_address_is_refused_and_not_quoted(address):
    """It would never be called, and the first alert would be the first sign of it."""
    with pytest.raises(InvalidArgumentError) as caught:
        web_address("callback_url", address)
    assert caught.value.argument == "callback_url"
    assert str(address) not in str(caught.value)


@given(
    st.integers()
    | st.floats()
    | st.text()
    | st.datetimes()
    | st.datetimes(timezones=st.timezones())
)
def test_a_bound_is_a_finite_number_or_an_error(value):
    """Nothing else reaches the wire."""
    try:
        seconds = unix_seconds("start", value)
    except InvalidArgumentError:
        return
    assert math.isfinite(seconds)
