from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.backoff import retry_delay


def test_the_first_try_again_comes_soon_and_later_ones_do_not_hurry():
    """A camera that reboots is back in seconds; one that is gone must not be hammered."""
    delays = [retry_delay(n, jitter=1.0) for n in range(1, 12)]
    assert delays == [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 30.0, 30.0, 30.0, 30.0]


@given(st.integers(0, 10**9), st.floats(0, 1))
def test_every_delay_is_within_its_bounds(failures, jitter):
    """Neither a busy loop nor a stream that is never tried again."""
    assert 0.25 <= retry_delay(failures, jitter=jitter) <= 30.0
