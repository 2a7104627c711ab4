"""The measures of delay and memory run, and return what their tables say."""

from __future__ import annotations

from benchmarks import latency, memory
from benchmarks.reader import OURS


def test_the_delay_is_measured_without_and_with_each_kind_of_stuck_consumer() -> None:
    """Whoever reads the table would else compare runs that had nobody stuck."""
    rows = latency.measure(rounds=1, subscriptions=4, count=1_500, rate=5_000)
    assert [row["stuck consumer"] for row in rows] == ["none", "drop_oldest", "latest", "error"]
    assert [bool(row["it lost"]) for row in rows] == [False, True, True, True]


def test_an_idle_subscription_takes_at_most_one_kib() -> None:
    """A monitor of ten thousand streams would else pay for what waits."""
    assert 0 < memory.idle(1_000)[OURS] <= 1024


def test_each_kind_of_thing_is_weighed() -> None:
    """A row of nothing would look like something that takes no memory."""
    rows = memory.measure(many=500)
    assert all(int(str(row["ours, bytes"])) > 0 for row in rows)
    assert len(rows) == 5
