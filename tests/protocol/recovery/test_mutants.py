"""The simulation would notice: each client that gets one thing wrong is caught by it."""

from __future__ import annotations

import pytest

from tests.protocol.recovery.client import simulate
from tests.protocol.recovery.mutants import MUTANTS, REAL
from tests.protocol.recovery.world import make_world

SEEDS = (16, 24, 48, *range(12))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_a_client_that_gets_one_thing_wrong_is_caught(mutant):
    """A simulation that lets a mistake pass would let it into a release."""
    assert any(not simulate(make_world(seed), mutant).is_clean for seed in SEEDS)


def test_the_client_as_it_is_passes_the_very_same():
    """A simulation that nothing passes would say nothing about the mistakes."""
    assert [seed for seed in SEEDS if not simulate(make_world(seed), REAL).is_clean] == []


def test_each_mistake_has_a_name_of_its_own():
    """The table in the docs has a row for each."""
    assert len({one.name for one in MUTANTS}) == len(MUTANTS) >= 20
