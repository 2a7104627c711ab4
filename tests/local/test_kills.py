"""The server killed again and again on one data directory; `make bench` does it for longer.

Both run the same rounds: `benchmarks/crashes.py` says what is at work and what is looked at.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.crashes import run

ROUNDS = 4


async def test_a_server_that_is_killed_again_and_again_loses_nothing(tmp_path: Path) -> None:
    """A machine with a bad power supply: each cut must find what the last one has left in order."""
    outcome = await run(tmp_path, rounds=ROUNDS, seed=1)
    assert outcome.problems == []
    assert outcome.kills == ROUNDS
    assert outcome.exports == 1
    assert outcome.webhooks > ROUNDS
    assert outcome.records > outcome.webhooks
