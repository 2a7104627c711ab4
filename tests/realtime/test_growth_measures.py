"""The measures of growth and of readers side by side run, and can be drawn."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from benchmarks import growth, shards
from benchmarks.reader import OURS, OWN_WORK


def test_each_chart_has_both_sides(tmp_path) -> None:
    """A line without a name says nothing, and a chart of one side compares nothing."""
    rows = growth.measure(subscriptions=(1, 10), sizes=(200, 70_000), count=300, rounds=1)
    assert all(float(str(row[side])) > 0 for row in rows for side in (OURS, OWN_WORK))
    files = growth.draw(rows, tmp_path)
    assert sorted(file.name for file in files) == [
        "growth-cpu-us-a-message-by-message-bytes.svg",
        "growth-cpu-us-a-message-by-subscriptions.svg",
        "growth-kib-a-subscription-by-subscriptions.svg",
    ]
    for file in files:
        chart = ET.parse(file).getroot()
        words = {text.strip() for text in chart.itertext()}
        assert {OURS, OWN_WORK} <= words


def test_readers_side_by_side_share_the_streams() -> None:
    """The row of two would else be twice the work."""
    rows = shards.measure(processes=(1, 2), streams=20, count=200, rounds=1)
    assert [(row["readers"], row["streams of each"]) for row in rows] == [(1, 20), (2, 10)]
    assert all(float(str(row["CPU us a message"])) > 0 for row in rows)
