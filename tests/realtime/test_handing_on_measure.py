"""The measure of what it takes to hand messages on runs, against a real log."""

from __future__ import annotations

from benchmarks import handing_on


def test_each_message_comes_out_of_the_log_once() -> None:
    """A time would else be that of messages that nobody took."""
    rows = handing_on.measure(keys=5, count=100, rate=200, rounds=1)
    assert [row["handled"] for row in rows] == ["in the reader's process", "behind a log"]
    here, behind = (float(str(row["p50 ms"])) for row in rows)
    assert here > 0
    assert behind > 0
