import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.errors import (
    InvalidArgumentError,
    NotFoundError,
    ProtocolError,
    RateLimitError,
    RequestTimeoutError,
    RTStreamError,
    ServerError,
    TransportError,
    ValidationError,
    error_for_status,
)
from rtstream_async.protocol.retry import GiveUp, Retry, RetryPolicy, again, decide

POLICY = RetryPolicy()


def verdict(error, *, policy=POLICY, repeatable=True, attempt=1, elapsed=0.0, jitter=1.0):
    return decide(
        error, policy=policy, repeatable=repeatable, attempt=attempt, elapsed=elapsed, jitter=jitter
    )


def refused(status, **fields):
    return error_for_status(status)("no", status=status, **fields)


@pytest.mark.parametrize(
    ("error", "for_get", "for_post"),
    [
        (TransportError("refused", may_have_acted=False), True, True),
        (TransportError("reset"), True, False),
        (RequestTimeoutError("connect", may_have_acted=False), True, True),
        (RequestTimeoutError("read"), True, False),
        (refused(408), True, False),
        (refused(425), True, True),
        (refused(429), True, True),
        (refused(500), True, False),
        (refused(502), True, False),
        (refused(503), True, False),
        (refused(503, retry_after=1.0), True, False),
        (refused(504), True, False),
        (refused(501), False, False),
        (refused(400), False, False),
        (refused(401), False, False),
        (refused(404), False, False),
        (ProtocolError("HTML"), False, False),
        (RTStreamError("other"), False, False),
    ],
)
def test_a_call_is_repeated_where_it_helps_and_does_no_harm(error, for_get, for_post):
    """A POST sent twice makes two streams, and both are billed."""
    assert isinstance(verdict(error, repeatable=True), Retry) is for_get
    assert isinstance(verdict(error, repeatable=False), Retry) is for_post


def test_the_wait_grows_to_its_cap():
    """A service in trouble is not helped by clients that never slow down."""
    policy = RetryPolicy(attempts=100, base=1.0, cap=5.0, deadline=1e6)
    waits = [verdict(TransportError("x"), policy=policy, attempt=n).after for n in (1, 2, 3, 4, 99)]
    assert waits == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_a_wish_to_wait_is_obeyed_up_to_the_cap():
    """Coming early is refused again; sleeping for an hour helps nobody either."""
    policy = RetryPolicy(retry_after_cap=10.0, base=1.0)
    polite = verdict(refused(429, retry_after=10.0), policy=policy, jitter=0.0)
    assert polite == Retry(10.0)
    rude = verdict(refused(429, retry_after=10.5), policy=policy)
    assert isinstance(rude, GiveUp)
    assert "10.5" in rude.reason


def test_attempts_and_time_end_it():
    """The deadline is the caller's."""
    assert verdict(TransportError("x"), attempt=4) == GiveUp("no attempts left")
    assert verdict(TransportError("x"), elapsed=119.9) == GiveUp("no time left")


@given(
    attempt=st.integers(1, 10_000),
    elapsed=st.floats(0, 1e9),
    jitter=st.floats(0, 1),
    asked=st.none() | st.floats(0, 1e9),
)
def test_no_verdict_breaks_the_limits(attempt, elapsed, jitter, asked):
    """Whatever the dice say: not before the service wants it, not beyond the deadline."""
    policy = RetryPolicy(attempts=10_000, cap=20.0)
    found = verdict(
        RateLimitError("slow down", status=429, retry_after=asked),
        policy=policy,
        attempt=attempt,
        elapsed=elapsed,
        jitter=jitter,
    )
    if isinstance(found, Retry):
        assert attempt < policy.attempts
        assert (asked or 0) <= found.after <= (asked or 0) + policy.cap
        assert elapsed + found.after < policy.deadline


def test_a_number_of_retries_makes_a_policy():
    """`connect(retries=0)` means one attempt."""
    assert RetryPolicy.of(0).attempts == 1
    assert RetryPolicy.of(3) == RetryPolicy()
    own = RetryPolicy(attempts=9)
    assert RetryPolicy.of(own) is own


@pytest.mark.parametrize("retries", [-1, True, 1.5, "3", None])
def test_a_number_of_retries_is_checked(retries):
    """`retries=True` would mean one."""
    with pytest.raises(InvalidArgumentError, match="retries"):
        RetryPolicy.of(retries)


@pytest.mark.parametrize(
    "fields",
    [
        {"attempts": 0},
        {"attempts": True},
        {"attempts": 2.0},
        {"base": 0.0},
        {"cap": float("nan")},
        {"deadline": float("inf")},
        {"retry_after_cap": -1.0},
    ],
)
def test_a_policy_is_checked(fields):
    """A policy that never ends is found where it is written."""
    with pytest.raises(InvalidArgumentError):
        RetryPolicy(**fields)


def test_errors_say_whether_it_may_help_to_repeat():
    """For callers with a loop of their own."""
    assert TransportError("x").is_retryable
    assert ServerError("x", status=503).is_retryable
    assert not ValidationError("x", status=400).is_retryable
    assert not NotFoundError("x", status=404).is_retryable


def test_the_users_own_work_is_done_again_whatever_it_raised():
    """Only the user knows; the limits are those of calls."""
    policy = RetryPolicy(attempts=3, base=1.0, cap=1.5, deadline=10.0)
    assert again(policy=policy, attempt=1, elapsed=0.0, jitter=0.5) == Retry(0.5)
    assert again(policy=policy, attempt=2, elapsed=0.0, jitter=1.0) == Retry(1.5)
    assert again(policy=policy, attempt=3, elapsed=0.0, jitter=1.0) == GiveUp("no attempts left")
    assert again(policy=policy, attempt=1, elapsed=9.5, jitter=1.0) == GiveUp("no time left")
