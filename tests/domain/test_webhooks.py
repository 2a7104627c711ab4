"""What becomes of a webhook, by what its target said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.webhooks import (
    ATTEMPTS,
    OLDEST,
    Delivered,
    GivenUp,
    Retry,
    decide,
    target_of,
    visible,
)


def after(status: int | None, attempts: int = 1, age: float = 0.0, **kwargs: object) -> object:
    return decide(status, attempts=attempts, age=age, jitter=1.0, **kwargs)  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_taken(status: int) -> None:
    """Many receivers answer 204; sent again, their pager rings twice."""
    assert after(status) == Delivered()


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 408, 425, 429])
def test_what_may_pass_is_tried_again(status: int) -> None:
    """A receiver that restarts must not lose the alert for it."""
    assert after(status) == Retry(1.0, f"the target answered {status}")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_what_will_not_pass_is_given_up(status: int) -> None:
    """Knocking for hours at a door that is gone hides that it is gone."""
    assert after(status) == GivenUp(f"the target answered {status}")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """It could lead around the list of hosts that webhooks may call."""
    result = after(status)
    assert isinstance(result, GivenUp)
    assert "redirects are not followed" in result.reason


def test_no_answer_is_tried_again_if_that_can_help() -> None:
    """A refused address stays refused; a lost connection may be back in a second."""
    assert after(None, problem="cut") == Retry(1.0, "cut")
    assert after(None, problem="refused", is_transient=False) == GivenUp("refused")


def test_attempts_and_age_are_bounded() -> None:
    """Webhooks to a host that never comes back must not pile up for ever."""
    assert isinstance(after(500, attempts=ATTEMPTS - 1), Retry)
    assert isinstance(after(500, attempts=ATTEMPTS), GivenUp)
    assert isinstance(after(500, age=OLDEST), GivenUp)
    assert after(200, attempts=99, age=2 * OLDEST) == Delivered()


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("7", 7.0), ("0", 1.0), ("999999", 3600.0), ("soon", 1.0), ("\u0663", 1.0)],
)
def test_a_target_may_ask_for_time(asked: str, seconds: float) -> None:
    """A receiver that is overrun is not helped by more of the same."""
    assert after(429, headers={"retry-after": asked}) == Retry(seconds, "the target answered 429")


@given(st.integers(1, ATTEMPTS - 1), st.floats(0, 1))
def test_delays_double_up_to_an_hour_and_are_spread(attempts: int, jitter: float) -> None:
    """A thousand alerts to one host that was away must not all come back in one moment."""
    result = decide(503, attempts=attempts, age=0.0, jitter=jitter)
    assert isinstance(result, Retry)
    most = min(3600.0, 2.0 ** (attempts - 1))
    assert most / 2 <= result.after <= most


def test_a_target_is_scheme_host_and_port() -> None:
    """Two ports of one machine are two services: one that hangs must not delay the other."""
    assert target_of("https://u:p@Example.com/a?b") == "https://example.com:443"
    assert target_of("http://example.com:8080/") == "http://example.com:8080"
    assert target_of("http://[::1]/x") == "http://::1:80"


def test_passwords_are_not_shown() -> None:
    """A list of alerts is read on shared screens."""
    assert visible("https://user:secret@host:1/x?y=1") == "https://host:1/x?y=1"
    assert visible("https://host/x") == "https://host/x"
