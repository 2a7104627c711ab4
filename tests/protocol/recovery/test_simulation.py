"""Through all that can go wrong at once: nothing is lost, nothing comes twice."""

from __future__ import annotations

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocol.recovery.client import Policy, simulate
from tests.protocol.recovery.mutants import REAL
from tests.protocol.recovery.world import make_world

SEEDS = st.integers(0, 2**32 - 1)
BUDGETS = {"records": 40, "held": 10, "window": 20.0}


@settings(derandomize=True, deadline=None, max_examples=120)
@given(SEEDS)
def test_every_record_comes_once_and_in_order(seed):
    """Who watches a door must see each visitor, though the link was cut while he came."""
    outcome = simulate(make_world(seed), REAL)
    assert outcome.sent > 0
    assert outcome.is_clean


@settings(derandomize=True, deadline=None, max_examples=80)
@given(SEEDS)
def test_beyond_the_budgets_nothing_is_lost_in_silence(seed):
    """A monitor runs for months: its memory is bounded, and what that costs must be said."""
    world = make_world(seed)
    sources = tuple(attrs.evolve(one, can_rearm=True) for one in world.sources)
    outcome = simulate(attrs.evolve(world, sources=sources), Policy(settings=BUDGETS))
    assert outcome.unannounced == outcome.foreign == 0
    most = 3 * BUDGETS["records"] * len(sources) + BUDGETS["held"]
    assert outcome.remembered <= most + 2 * 16  # that are folded together
