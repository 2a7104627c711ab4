"""The measure of webhooks runs, and counts what came."""

from __future__ import annotations

from benchmarks import webhooks


def test_each_target_gets_each_scene_once() -> None:
    """The rate would else be one of webhooks that nobody got."""
    (row,) = webhooks.measure(targets=(2,), scenes=5)
    assert (row["webhooks"], row["came twice"]) == (10, 0)
    assert int(str(row["a second"])) > 0
