"""The collections of a server: few, so that they are known without asking the database."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import attrs

from rtstream_async.local.domain.ids import ENTROPY, collection_id
from rtstream_async.local.refusal import conflict, not_found
from rtstream_async.local.store import collections as stored
from rtstream_async.local.store.collections import CollectionRow
from rtstream_async.local.store.worker import Worker
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["DEFAULT", "Collections"]

DEFAULT = "default"
"""The name that every client may use for the first collection."""


class Collections:
    """All collections; there is always the default one."""

    def __init__(self, store: Worker, rows: list[CollectionRow]) -> None:
        self._store = store
        self._rows = {row.id: row for row in rows}

    @classmethod
    async def load(cls, store: Worker) -> Collections:
        """Return the collections of a database; a new one gets its default collection."""
        new = _new_row("Default", "Default collection", is_public=False)
        return cls(store, await store.run(stored.load_collections, new))

    @property
    def default_id(self) -> str:
        """Id of the default collection, which is the oldest."""
        return next(iter(self._rows))

    def __iter__(self) -> Iterator[CollectionRow]:
        return iter(list(self._rows.values()))

    def find(self, id_: str) -> CollectionRow:
        """Return the collection that `id_`, or the word `default`, names.

        Raises:
            Refusal: There is none.
        """
        row = self._rows.get(self.default_id if id_ == DEFAULT else id_)
        if row is None:
            raise not_found("collection", id_)
        return row

    async def add(self, name: str, description: str, *, is_public: bool) -> CollectionRow:
        """Keep a new collection."""
        row = _new_row(name, description, is_public=is_public)
        await self._store.run(stored.save_collection, row)
        self._rows[row.id] = row
        return row

    async def change(
        self, id_: str, *, name: str, description: str, is_public: bool
    ) -> CollectionRow:
        """Keep what a collection is called from now on, and whether all may see it."""
        row = attrs.evolve(self.find(id_), name=name, description=description, is_public=is_public)
        await self._store.run(stored.save_collection, row)
        self._rows[row.id] = row
        return row

    async def remove(self, id_: str) -> None:
        """Forget a collection; what was in it is gone already.

        Raises:
            Refusal: There is none, or it is the default one.
        """
        row = self.find(id_)
        if row.id == self.default_id:
            raise conflict("the default collection can't be deleted")
        await self._store.run(stored.delete_collection, row.id)
        del self._rows[row.id]


def _new_row(name: str, description: str, *, is_public: bool) -> CollectionRow:
    now = time.time()
    return CollectionRow(
        id=collection_id(now, os.urandom(ENTROPY)),
        name=name,
        description=description,
        is_public=is_public,
        created_us=microseconds(now),
    )
