"""The measures of delay and memory run, and return what their tables say."""

from __future__ import annotations

from benchmarks import latency, memory


def test_the_delay_is_measured_without_and_with_a_stuck_consumer_that_loses_messages() -> None:
    """Whoever reads the table would else compare two runs that had nobody stuck."""
    rows = latency.measure(rounds=1, subscriptions=4, count=1_500, rate=5_000)
    assert [row["stuck consumers"] for row in rows] == [0, 1]
    assert [bool(row["dropped of the stuck"]) for row in rows] == [False, True]


def test_an_idle_subscription_takes_at_most_one_kib() -> None:
    """A monitor of ten thousand streams would else pay for what waits."""
    (row,) = memory.measure(counts=(1_000,))
    assert 0 < float(str(row["ours KiB"])) <= 1
