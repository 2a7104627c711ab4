from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.embedding_pace import FIRST_BATCH, next_batch, rest_after


def test_a_fast_engine_gets_more_at_once():
    """An endpoint across a network takes a hundred milliseconds for one text as for sixty."""
    size = FIRST_BATCH
    for _ in range(10):
        size = next_batch(size, 0.05)
    assert size == 64


def test_a_slow_engine_gets_one_at_a_time():
    """A question waits for the batch that is under way."""
    size = FIRST_BATCH
    for _ in range(10):
        size = next_batch(size, 10.0)
    assert size == 1


@given(st.integers(1, 64), st.floats(0, 1000))
def test_a_batch_is_never_empty_nor_endless(texts, seconds):
    """An empty batch would never end, a great one would keep searches waiting."""
    assert 1 <= next_batch(texts, seconds) <= 64


@given(st.floats(0, 1000))
def test_half_of_the_time_is_left_to_live_work(seconds):
    """Old records can wait; a live stream can't."""
    assert rest_after(seconds) <= seconds
    assert rest_after(seconds) <= 2
