"""Vectors in memory: all are compared, none is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtstream_async.local.engines.ports import EngineError
from rtstream_async.local.search.shelf import Shelf
from rtstream_async.local.search.vectors import pack, read
from rtstream_async.local.store.documents import VectorRow

SIZE = 24


def vectors(count: int, size: int = SIZE) -> np.ndarray:
    made = np.random.default_rng(count).normal(size=(count, size)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def row(number: int, vector: np.ndarray, owner: str = "a") -> VectorRow:
    return VectorRow(number=number, owner=owner, vector=pack(vector.astype("<f4").tobytes()))


@given(st.integers(1, 3000), st.integers(1, 50), st.integers(1, 4))
@settings(max_examples=25)
def test_the_nearest_are_found_wherever_they_are(count: int, wanted: int, owners: int) -> None:
    """A record must not be lost because it stands at the end of a block."""
    made = vectors(count)
    shelf = Shelf()
    rows = [row(n + 1, vector, f"o{n % owners}") for n, vector in enumerate(made)]
    for begin in range(0, count, 700):
        shelf.add(rows[begin : begin + 700])
    assert len(shelf) == count
    asked = vectors(1)[0]
    chosen = {f"o{n}" for n in range(0, owners, 2)}
    found = shelf.look(asked, owners=chosen, count=wanted, also=())
    similar = {n + 1: float(made[n] @ asked) for n in range(count) if f"o{n % owners}" in chosen}
    best = sorted(similar, key=lambda number: -similar[number])[:wanted]
    assert len(found) == len(best)
    assert all(abs(found[number] - similar[number]) < 0.01 for number in found)
    assert min(found.values()) > similar[best[-1]] - 0.02


def test_of_equals_the_newest_are_told() -> None:
    """There may be more equals than are asked for, and they come in any order."""
    (same,) = vectors(1)
    shelf = Shelf()
    shelf.add([row(number, same) for number in (5, 9, 1, 7, 3)])
    assert sorted(shelf.look(same, owners=["a"], count=2, also=())) == [7, 9]


def test_documents_that_are_asked_for_are_told_wherever_they_come() -> None:
    """One that has the words may be far away in meaning."""
    made = vectors(50)
    shelf = Shelf()
    shelf.add([row(n, vector, "b" if n == 7 else "a") for n, vector in enumerate(made)])
    far = int(np.argmin(made @ made[0]))
    found = shelf.look(made[0], owners=["a"], count=1, also=[far, 7, 1000])
    assert set(found) == {0, far}


def test_dropped_vectors_are_gone_and_others_stay() -> None:
    """A deleted stream must not take the place of what is still there."""
    made = vectors(100)
    shelf = Shelf()
    shelf.add([row(n, vector) for n, vector in enumerate(made)])
    shelf.keep(list(range(0, 100, 2)))
    assert len(shelf) == 50
    assert set(shelf.look(made[3], owners=["a"], count=100, also=[3])) == set(range(0, 100, 2))
    shelf.add([row(3, made[3])])
    assert shelf.look(made[3], owners=["a"], count=1, also=())[3] == pytest.approx(1, abs=0.01)
    shelf.keep([])
    assert shelf.look(made[3], owners=["a"], count=1, also=()) == {}


def test_nothing_is_near_where_nothing_is() -> None:
    """The first search may come before the first record."""
    shelf = Shelf()
    shelf.add([])
    assert shelf.look(vectors(1)[0], owners=["a"], count=5, also=()) == {}
    shelf.add([row(1, vectors(1)[0])])
    assert shelf.look(vectors(1)[0], owners=["unknown"], count=5, also=()) == {}


def test_vectors_of_another_size_are_refused_whole() -> None:
    """An endpoint may change its model overnight; half of a batch must not stay."""
    shelf = Shelf()
    shelf.add([row(1, vectors(1)[0])])
    with pytest.raises(EngineError, match="of 8 numbers, where the others have 24"):
        shelf.add([row(2, vectors(2)[1]), row(3, vectors(1, 8)[0])])
    assert len(shelf) == 1
    with pytest.raises(EngineError, match="of 8 numbers"):
        shelf.look(vectors(1, 8)[0], owners=["a"], count=1, also=())


@pytest.mark.parametrize(
    "vector", [b"", b"abc", np.zeros(4, "<f4").tobytes(), np.full(4, np.nan, "<f4").tobytes()]
)
def test_what_is_no_vector_is_refused(vector: bytes) -> None:
    """Rubbish in the database would be there for ever."""
    with pytest.raises(EngineError, match="gave a vector of"):
        pack(vector)


def test_a_kept_vector_is_a_quarter_as_large_and_nearly_the_same() -> None:
    """That is what keeps a hundred thousand of them in 40 MB."""
    made = vectors(50, 384)
    for vector in made:
        kept = pack((3 * vector).astype("<f4").tobytes())
        assert len(kept) == 384 + 4
        assert read(vector.astype("<f4").tobytes()) == pytest.approx(vector, abs=1e-6)
    shelf = Shelf()
    shelf.add([row(n, vector) for n, vector in enumerate(made)])
    found = shelf.look(made[0], owners=["a"], count=50, also=())
    exact = made @ made[0]
    assert max(abs(found[n] - exact[n]) for n in found) < 0.002
