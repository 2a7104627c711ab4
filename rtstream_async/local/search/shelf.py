"""The vectors of all documents in memory, and which of them are near to another one.

A byte for each number: 100,000 documents of the offline engine take 41 MB. They are compared all,
in blocks that stay in the processor's cache; that takes some 10 ms, and finds what there is, where
an approximate index would find most of it.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rtstream_async.local.engines.ports import EngineError
from rtstream_async.local.search.vectors import SCALE_BYTES, Floats
from rtstream_async.local.store.documents import VectorRow

__all__ = ["Shelf"]

_BLOCK = 512  # vectors; more of them as floats leave the cache, and BLAS would split them
_GROWTH = 1.25
_LEAST = 4096

Rows = NDArray[np.intp]
N = TypeVar("N", bound=np.generic)


class Shelf:
    """Vectors by the numbers of their documents. Blocking, and safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owners: dict[str, int] = {}
        self._count = 0
        self._bytes: NDArray[np.int8] = np.empty((0, 0), np.int8)
        self._scales: NDArray[np.float32] = np.empty(0, np.float32)
        self._numbers: NDArray[np.int64] = np.empty(0, np.int64)
        self._owner: NDArray[np.int32] = np.empty(0, np.int32)

    def __len__(self) -> int:
        return self._count

    def add(self, rows: Sequence[VectorRow]) -> None:
        """Put vectors there; no document may have one already.

        Raises:
            EngineError: A vector has more or fewer numbers than those before it.
        """
        if not rows:
            return
        with self._lock:
            self._make_room(len(rows), len(rows[0].vector) - SCALE_BYTES)
            for row in rows:  # all or none
                self._check(len(row.vector) - SCALE_BYTES)
            for row in rows:
                self._put(row)

    def keep(self, numbers: Sequence[int]) -> None:
        """Drop all vectors but those of the documents `numbers`."""
        listed = np.array(numbers, np.int64)
        with self._lock:
            kept = np.flatnonzero(np.isin(self._numbers[: self._count], listed))
            self._count = len(kept)
            self._bytes = self._bytes[kept]
            self._scales = self._scales[kept]
            self._numbers = self._numbers[kept]
            self._owner = self._owner[kept]

    def look(
        self, vector: Floats, *, owners: Collection[str], count: int, also: Collection[int]
    ) -> dict[int, float]:
        """Return how similar the nearest documents are to a vector (cosine), by number.

        Args:
            vector: Of length 1.
            owners: Whose documents are looked at.
            count: How many; among equals, the newest.
            also: Numbers of documents that are told of too, wherever they come.

        Raises:
            EngineError: The vector has more or fewer numbers than those of the documents.
        """
        with self._lock:
            rows = self._rows_of(owners)
            if not len(rows):
                return {}
            self._check(len(vector))
            similar = self._compare(vector, rows)
            numbers = self._numbers[rows]
        asked = np.flatnonzero(np.isin(numbers, np.fromiter(also, np.int64, len(also))))
        chosen = np.union1d(_best(similar, numbers, count), asked)
        return dict(zip(numbers[chosen].tolist(), similar[chosen].tolist(), strict=True))

    def _put(self, row: VectorRow) -> None:
        at = self._count
        self._bytes[at] = np.frombuffer(row.vector, np.int8, offset=SCALE_BYTES)
        self._scales[at] = np.frombuffer(row.vector, "<f4", count=1)[0]
        self._numbers[at] = row.number
        self._owner[at] = self._owners.setdefault(row.owner, len(self._owners))
        self._count += 1

    def _check(self, size: int) -> None:
        if size != self._bytes.shape[1]:
            raise EngineError(
                f"the embedding engine gave a vector of {size} numbers, where the others have"
                f" {self._bytes.shape[1]}"
            )

    def _make_room(self, rows: int, size: int) -> None:
        needed = self._count + rows
        if needed <= len(self._numbers):
            return
        room = max(needed, int(len(self._numbers) * _GROWTH), _LEAST)
        size = self._bytes.shape[1] if self._count else size
        self._bytes = _grown(self._bytes.reshape(-1, size), (room, size), self._count)
        self._scales = _grown(self._scales, (room,), self._count)
        self._numbers = _grown(self._numbers, (room,), self._count)
        self._owner = _grown(self._owner, (room,), self._count)

    def _rows_of(self, owners: Collection[str]) -> Rows:
        wanted = np.zeros(len(self._owners) + 1, np.bool_)
        wanted[[self._owners[owner] for owner in owners if owner in self._owners]] = True
        return np.flatnonzero(wanted[self._owner[: self._count]])

    def _compare(self, vector: Floats, rows: Rows) -> Floats:
        similar: Floats = np.empty(len(rows), np.float32)
        block = np.empty((_BLOCK, len(vector)), np.float32)
        is_everything = len(rows) == self._count
        for begin in range(0, len(rows), _BLOCK):
            end = min(begin + _BLOCK, len(rows))
            part = block[: end - begin]
            chosen = slice(begin, end) if is_everything else rows[begin:end]
            np.copyto(part, self._bytes[chosen])
            np.dot(part, vector, out=similar[begin:end])
        similar *= self._scales[rows]
        return similar


def _grown(array: NDArray[N], shape: tuple[int, ...], count: int) -> NDArray[N]:
    larger: NDArray[N] = np.empty(shape, array.dtype)
    larger[:count] = array[:count]
    return larger


def _best(similar: Floats, numbers: NDArray[np.int64], count: int) -> Rows:
    """Return where the `count` greatest similarities are, of equal ones those of the newest."""
    if count < len(similar):
        least = np.partition(similar, len(similar) - count)[len(similar) - count]
        rows = np.flatnonzero(similar >= least)
    else:
        rows = np.arange(len(similar))
    order = np.lexsort((-numbers[rows], -similar[rows]))
    return rows[order[:count]]
