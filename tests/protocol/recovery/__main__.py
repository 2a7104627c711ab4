"""Prints what each step of recovery is for: `python -m tests.protocol.recovery [worlds]`."""

from __future__ import annotations

import sys

from tests.protocol.recovery.client import Policy, simulate
from tests.protocol.recovery.mutants import MUTANTS, REAL
from tests.protocol.recovery.world import World, make_world

_WORLDS = 60


def row(policy: Policy, worlds: list[World]) -> str:
    outcomes = [simulate(world, policy) for world in worlds]
    caught = sum(not outcome.is_clean for outcome in outcomes)
    counts = [
        sum(outcome.lost for outcome in outcomes),
        sum(outcome.duplicated for outcome in outcomes),
        sum(outcome.disordered for outcome in outcomes),
        sum(outcome.foreign for outcome in outcomes),
    ]
    return f"| {policy.name} | {' | '.join(f'{n:,}' for n in counts)} | {caught} of {len(worlds)} |"


def main(count: int) -> None:
    worlds = [make_world(seed) for seed in range(count)]
    sent = sum(simulate(world, REAL).sent for world in worlds)
    outages = sum(len(world.outages) for world in worlds)
    lines = [
        f"{count} worlds, {outages} outages, {sent:,} records",
        "",
        "| recovery | lost | twice | out of order | not ours | worlds that go wrong |",
        "|---|---|---|---|---|---|",
        *(row(policy, worlds) for policy in (REAL, *MUTANTS)),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else _WORLDS)
