"""Whose turn it is, against what fairness means."""

from __future__ import annotations

from collections import Counter, deque

import attrs
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.protocol.turns import Turns

NAMES = st.sampled_from("abcd")
STEPS = st.lists(st.tuples(st.just("put"), NAMES) | st.tuples(st.just("take"), NAMES), max_size=120)


@attrs.define(eq=False)
class Stall:
    """One who has things to give."""

    name: str
    goods: deque[int] = attrs.field(factory=deque)
    is_in_line: bool = False

    @property
    def has_news(self) -> bool:
        return bool(self.goods)


class Market:
    """Stalls in one line, and what came of it."""

    def __init__(self) -> None:
        self.turns: Turns[Stall] = Turns()
        self.stalls = {name: Stall(name) for name in "abcd"}
        self.put_in: dict[str, list[int]] = {name: [] for name in self.stalls}
        self.given: list[tuple[str, int]] = []
        self._numbers = iter(range(10_000))

    def put(self, name: str) -> None:
        number = next(self._numbers)
        self.put_in[name].append(number)
        self.stalls[name].goods.append(number)
        self.turns.enter(self.stalls[name])

    def take(self) -> Stall | None:
        stall = self.turns.begin()
        if stall is not None:
            self.given.append((stall.name, stall.goods.popleft()))
            self.turns.end(stall)
        return stall


def play(market: Market, steps: list[tuple[str, str]]) -> None:
    for step, name in steps:
        if step == "put":
            market.put(name)
        else:
            market.take()


@given(STEPS)
def test_all_is_given_and_each_stall_keeps_its_order(steps):
    """One that falls out of the line is a camera that is silent for ever."""
    market = Market()
    play(market, steps)
    while market.take() is not None:
        pass
    for name, numbers in market.put_in.items():
        assert [number for whose, number in market.given if whose == name] == numbers
    assert len(market.turns) == 0
    assert not any(stall.is_in_line for stall in market.stalls.values())


@given(STEPS)
def test_nobody_is_served_twice_while_another_waits(steps):
    """Else the chatty stream decides how long the alert of another waits."""
    market = Market()
    served_since: dict[str, Counter[str]] = {}
    for step, name in steps:
        if step == "put":
            market.put(name)
            served_since.setdefault(name, Counter())
            continue
        stall = market.take()
        assert (stall is None) == (not served_since)
        if stall is None:
            continue
        del served_since[stall.name]
        for others in served_since.values():
            others[stall.name] += 1
            assert max(others.values()) == 1
        if stall.has_news:
            served_since[stall.name] = Counter()


@given(STEPS, NAMES, STEPS)
def test_a_stall_that_is_emptied_is_passed_over(before, name, after):
    """What is removed must not be given, and must not stop the line."""
    market = Market()
    play(market, before)
    market.stalls[name].goods.clear()
    market.given.clear()
    put_before = {which: list(numbers) for which, numbers in market.put_in.items()}
    play(market, after)
    while market.take() is not None:
        pass
    given_of = [number for whose, number in market.given if whose == name]
    assert given_of == market.put_in[name][len(put_before[name]) :]
    assert not any(stall.is_in_line for stall in market.stalls.values())


def test_a_thousand_things_delay_another_by_one():
    """The promise, as a user would put it."""
    market = Market()
    for _ in range(1000):
        market.put("a")
    market.put("b")
    market.put("c")
    for _ in range(4):
        market.take()
    assert [name for name, _ in market.given] == ["a", "b", "c", "a"]
