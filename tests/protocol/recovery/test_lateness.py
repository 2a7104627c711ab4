"""What is learned of how late results come."""

from __future__ import annotations

import pytest

from rtstream_async.protocol.lateness import LONGEST_OVERLAP, Lateness

T0 = 1_700_000_000.0


def grown(*lates: float) -> Lateness:
    """A lateness that has seen enough, and these."""
    lateness = Lateness(T0)
    for number in range(130):
        lateness.note(lates[number % len(lates)], T0 + number)
    return lateness


def test_little_that_was_seen_is_not_trusted():
    """The slow one that will be missed may be the first."""
    lateness = Lateness(T0)
    assert (lateness.overlap(), lateness.delay(0.0), lateness.least(3.0)) == (120.0, 30.0, 0.0)
    for number in range(30):
        lateness.note(1.0, T0 + number)
    assert lateness.is_young  # enough, but in too short a time
    lateness.note(1.0, T0 + 121)
    assert not lateness.is_young


def test_few_results_in_a_long_time_are_not_trusted_either():
    """A quiet door says little of how long an answer can take."""
    lateness = Lateness(T0)
    for number in range(15):
        lateness.note(1.0, T0 + number * 100)
    assert lateness.is_young


def test_the_overlap_is_more_than_the_spread():
    """The design's one condition: less than the spread loses records."""
    assert grown(2.0, 40.0).overlap() == pytest.approx(2 * 38 + 10)
    assert grown(45.0, 46.0).overlap() == 30.0
    assert grown(0.0, 9000.0).overlap() == LONGEST_OVERLAP


def test_the_delay_is_more_than_the_greatest():
    """What was in work at the loss must be done at the second look; by the service's clock."""
    assert grown(2.0, 40.0).delay(0.0) == pytest.approx(63.0)
    assert grown(-18.0, 20.0).delay(20.0) == pytest.approx(63.0)
    assert grown(1.0).delay(0.0) == 5.0
    assert grown(9000.0).delay(0.0) == 120.0


def test_the_quickest_is_known_by_the_service_s_clock():
    """The client's clock may be wrong by any amount."""
    assert grown(2.0, 40.0).least(0.0) == 2.0
    assert grown(-18.0, 20.0).least(20.0) == 2.0


def test_one_slow_hour_is_forgotten():
    """A service that was slow once must not make every gap dear for ever."""
    lateness = grown(1.0, 90.0)
    lateness.behind = 100.0
    for number in range(1200):
        lateness.note(1.0, T0 + 200 + number)
    assert lateness.overlap() == pytest.approx(2 * 25 + 10)
    for number in range(1200):
        lateness.note(1.0, T0 + 1400 + number)
    assert lateness.overlap() == 30.0
