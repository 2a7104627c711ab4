"""Settings are checked where they are made, and the error names the field."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.checks import choice, count, seconds


@attrs.frozen(kw_only=True)
class Knobs:
    """One field for each check."""

    wait: float = attrs.field(default=1.0, validator=seconds())
    pause: float = attrs.field(default=0.0, validator=seconds(or_zero=True))
    budget: float | None = attrs.field(default=None, validator=seconds(or_none=True))
    calls: int = attrs.field(default=1, validator=count(1))
    mode: str | None = attrs.field(default="a", validator=choice("a", None))


WRONG: list[tuple[str, Any]] = [
    ("wait", 0),
    ("wait", -1),
    ("wait", float("inf")),
    ("wait", float("nan")),
    ("wait", "1"),
    ("wait", True),
    ("wait", None),
    ("pause", -0.1),
    ("pause", None),
    ("budget", 0),
    ("budget", float("inf")),
    ("calls", 0),
    ("calls", 1.0),
    ("calls", True),
    ("mode", "b"),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_value_is_refused_with_the_name_of_its_field(field: str, value: object) -> None:
    """A deadline of "10" fails hours later, deep in the reader, where nobody looks for it."""
    with pytest.raises(InvalidArgumentError) as raised:
        Knobs(**{field: value})  # type: ignore[arg-type]  # wrong on purpose
    assert raised.value.argument == field


def test_what_may_be_chosen_is_told() -> None:
    """A list to choose from saves a look at the docs."""
    with pytest.raises(InvalidArgumentError) as raised:
        Knobs(mode="b")
    assert raised.value.allowed == ("a", None)


@given(
    wait=st.floats(1e-9, 1e9) | st.integers(1, 10**9),
    pause=st.floats(0, 1e9),
    budget=st.none() | st.floats(1e-9, 1e9),
    calls=st.integers(1),
    mode=st.sampled_from(["a", None]),
)
def test_what_makes_sense_is_taken_as_it_is(
    wait: float, pause: float, budget: float | None, calls: int, mode: str | None
) -> None:
    """A check that refuses a good value is worse than none."""
    knobs = Knobs(wait=wait, pause=pause, budget=budget, calls=calls, mode=mode)
    assert (knobs.wait, knobs.pause, knobs.budget) == (wait, pause, budget)
    assert (knobs.calls, knobs.mode) == (calls, mode)
