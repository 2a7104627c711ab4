"""What is made ahead of its time comes in order, no further ahead than it may, and to an end."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from rtstream_async.local.media.ahead import Ahead


class Maker:
    """Makes the number of each second, from 0 on, and tells how far it is."""

    def __init__(self, *, until: int = 100, failure: Exception | None = None) -> None:
        self.made = 0
        self.threads: set[threading.Thread] = set()
        self._until = until
        self._failure = failure

    def __iter__(self) -> Iterator[tuple[float, int]]:
        for number in range(self._until):
            self.threads.add(threading.current_thread())
            self.made = number + 1
            yield float(number), number
        if self._failure is not None:
            raise self._failure


@pytest.mark.parametrize("seconds", [0.0, 3.0, 1000.0])
def test_all_comes_in_order(seconds: float) -> None:
    """A packet that is lost or out of order is a broken picture."""
    with Ahead(iter(Maker()), seconds=seconds) as ahead:
        assert list(ahead) == [(float(number), number) for number in range(100)]


def test_it_is_filled_before_it_is_needed() -> None:
    """What is made while nobody waits does not have to be made when somebody does."""
    maker = Maker()
    with Ahead(iter(maker), seconds=10.0) as ahead:
        assert maker.made == 0
        ahead.fill()
        assert maker.made == 11  # the seconds 0 to 10
        assert maker.threads == {threading.current_thread()}
        assert list(itertools.islice(ahead, 3)) == [(0.0, 0), (1.0, 1), (2.0, 2)]


def test_it_is_never_further_ahead_than_it_may() -> None:
    """A film of hours would fill the memory."""
    maker = Maker()
    with Ahead(iter(maker), seconds=10.0) as ahead:
        for due, _ in ahead:
            assert maker.made <= due + 10.0 + 2
    assert maker.made == 100


def test_a_failure_comes_after_what_was_made_before_it() -> None:
    """The last packets before a damaged one are whole."""
    maker = Maker(until=5, failure=OSError("the disk is gone"))
    seen: list[int] = []
    with Ahead(iter(maker), seconds=1000.0) as ahead:
        ahead.fill()
        with pytest.raises(OSError, match="disk"):
            seen.extend(number for _, number in ahead)
    assert seen == [0, 1, 2, 3, 4]


def test_nothing_is_taken_after_the_end_of_the_block() -> None:
    """What is taken from is closed then, and reading from what is closed ends the process."""
    maker = Maker(until=10**9)
    with Ahead(iter(maker), seconds=5.0) as ahead:
        ahead.fill()
        for due, _ in ahead:
            if due == 20.0:
                break
    made = maker.made
    assert not any(thread.is_alive() for thread in maker.threads - {threading.current_thread()})
    assert made < 40
    assert maker.made == made
