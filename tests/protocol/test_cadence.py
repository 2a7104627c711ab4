"""When silence is suspicious, and what REST proves then."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rtstream_async.protocol.cadence import Cadence, CadenceSettings, Verdict, judge

INTERVALS = st.lists(st.floats(0, 1e4), min_size=1, max_size=50)


def bounds(least: float, more: float, unknown: float) -> CadenceSettings:
    """Return settings whose floor is not above their cap."""
    return CadenceSettings(least=least, most=least + more, unknown=unknown)


SETTINGS = st.builds(bounds, st.floats(0.1, 100), st.floats(0, 1000), st.floats(0.1, 1000))


def after(intervals: list[float], settings: CadenceSettings | None = None) -> tuple[Cadence, float]:
    """Return the cadence of messages in these intervals, and when the last one came."""
    cadence = Cadence(0.0, settings=settings or CadenceSettings())
    at = 100.0
    cadence.heard(at)
    for interval in intervals:
        at += interval
        cadence.heard(at)
    return cadence, at


@given(intervals=INTERVALS)
def test_what_is_usual_lies_between_the_shortest_and_the_longest_interval(
    intervals: list[float],
) -> None:
    """An estimate beyond all that was seen would be an invention."""
    cadence, _ = after(intervals)
    assert cadence.usual is not None
    assert min(intervals) - 1e-6 <= cadence.usual <= max(intervals) + 1e-6
    assert cadence.usual >= intervals[-1] - 1e-6


@given(intervals=INTERVALS, settings=SETTINGS, quiet=st.integers(0, 50))
def test_patience_stays_between_its_bounds(
    intervals: list[float], settings: CadenceSettings, quiet: int
) -> None:
    """Below the floor REST is asked for nothing, beyond the cap a deaf socket is never found."""
    cadence, at = after(intervals, settings)
    for _ in range(quiet):
        cadence.excuse(at)
    assert min(settings.least, settings.most) <= cadence.patience <= settings.most
    assert cadence.suspicious_at == at + cadence.patience


@given(intervals=INTERVALS)
def test_a_silence_as_long_as_one_just_heard_is_not_suspicious(intervals: list[float]) -> None:
    """A stream that pauses in its usual way must not cost a REST call each time."""
    cadence, at = after(intervals)
    assume(intervals[-1] < cadence.settings.most)
    assert cadence.suspicious_at > at + intervals[-1]


def test_a_long_pause_is_forgotten_bit_by_bit() -> None:
    """One night of silence must not make a deaf socket unseen for all of the next day."""
    once, _ = after([100.0, 1.0])
    later, _ = after([100.0, *[1.0] * 300])
    assert once.usual is not None
    assert once.usual > 90
    assert later.usual is not None
    assert later.usual < 2


def test_before_two_messages_came_the_patience_is_that_of_the_unknown() -> None:
    """The first result of a slow model takes its time, and is not missing."""
    settings = CadenceSettings(unknown=60)
    fresh = Cadence(5.0, settings=settings)
    assert (fresh.usual, fresh.suspicious_at) == (None, 65.0)
    fresh.heard(20.0)
    assert (fresh.usual, fresh.suspicious_at) == (None, 80.0)
    fresh.heard(25.0)
    assert (fresh.usual, fresh.patience) == (5.0, 15.0)


def test_each_quiet_answer_doubles_the_wait_and_a_message_ends_that() -> None:
    """A camera in an empty yard must not be asked about all night; and be watched by day."""
    cadence, at = after([10.0])
    waits: list[float] = []
    for _ in range(8):
        at = cadence.suspicious_at
        cadence.excuse(at)
        waits.append(cadence.suspicious_at - at)
    assert waits == [60, 120, 240, 480, 600, 600, 600, 600]
    cadence.heard(at)
    assert cadence.patience == 600  # that silence was an interval, and so is usual now
    cadence.restart(at)
    assert cadence.patience == 600


def test_a_silence_that_nobody_could_break_is_not_learned() -> None:
    """A night offline is no cadence."""
    cadence, at = after([2.0])
    cadence.restart(at + 1000)
    assert cadence.suspicious_at == at + 1000 + 10
    cadence.heard(at + 1500)
    assert cadence.usual == 2.0
    cadence.heard(at + 1503)
    assert cadence.usual == 3.0


def test_what_stays_deaf_is_acted_on_ever_more_seldom() -> None:
    """A service that never pushes to a channel must not have the link lost every ten seconds."""
    cadence, at = after([2.0])
    waits: list[float] = []
    for _ in range(8):
        at = cadence.suspicious_at
        cadence.accuse(at)
        waits.append(cadence.suspicious_at - at)
    assert waits == [20, 40, 80, 160, 320, 600, 600, 600]
    cadence.heard(at)
    assert (cadence.patience, cadence.usual) == (10.0, 2.0)


ENDS = st.lists(st.floats(0, 2000))


@given(
    ends=ENDS,
    pushed=st.floats(0, 2000),
    lateness=st.floats(0, 100),
    heard=st.floats(0, 2000),
    now=st.floats(0, 2000),
)
def test_nothing_is_called_deaf_without_a_record_that_should_have_come(
    ends: list[float], pushed: float, lateness: float, heard: float, now: float
) -> None:
    """A reconnect for nothing loses what can't be armed again."""
    verdict = judge(ends, pushed_until=pushed, lateness=lateness, heard_at=heard, now=now)
    newer = [end for end in ends if end > pushed + 0.0015]
    due = [end for end in newer if end + lateness <= now]
    assert (verdict is Verdict.QUIET) == (not newer)
    assert (verdict in {Verdict.CHANNEL_DEAF, Verdict.SOCKET_DEAF}) == bool(due)
    if verdict is Verdict.CHANNEL_DEAF:
        assert heard > min(newer) + lateness


@pytest.mark.parametrize(
    ("heard_at", "verdict"), [(104.0, Verdict.SOCKET_DEAF), (108.0, Verdict.CHANNEL_DEAF)]
)
def test_what_was_heard_after_a_lost_push_acquits_the_socket(
    heard_at: float, verdict: Verdict
) -> None:
    """One index that has gone deaf must not cost all others their connection."""
    found = judge([101.0, 102.0], pushed_until=100.0, lateness=5.0, heard_at=heard_at, now=110.0)
    assert found is verdict


def test_a_record_that_was_pushed_with_fewer_digits_is_not_missing() -> None:
    """The socket has milliseconds, REST has microseconds."""
    found = judge([100.0004], pushed_until=100.0, lateness=5.0, heard_at=0.0, now=200.0)
    assert found is Verdict.QUIET
