"""What an account has: its collections, and the events that alerts are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtstream_async.errors import InvalidArgumentError

if TYPE_CHECKING:
    from rtstream_async.models.alerts import Event
    from rtstream_async.models.records import CollectionRecord
    from rtstream_async.resources.collection import Collection
    from rtstream_async.resources.context import Context

__all__ = ["Account"]

# Endpoints are imported where they are used: with them come the records and their readers, and
# none of it is needed to connect.


class Account:
    """Gives `Connection` what belongs to the account."""

    _context: Context

    async def get_collection(self, collection_id: str = "default") -> Collection:
        """Return the collection with this id; `default` is the account's first."""
        from rtstream_async.api import collections

        record = await collections.get(self._context.caller, collection_id)
        return self._collection(record)

    async def get_collections(self) -> list[Collection]:
        """Return all collections of the account."""
        from rtstream_async.api import collections

        records = await collections.list_all(self._context.caller)
        return [self._collection(record) for record in records]

    async def create_collection(
        self, name: str, description: str, is_public: bool = False
    ) -> Collection:
        """Return a new collection.

        Not sent again when it is not known what became of it: it would be made twice.

        Args:
            name: Its name.
            description: What is in it; may be empty.
            is_public: Whether others can see it.

        Raises:
            InvalidArgumentError: `name` is empty.
        """
        from rtstream_async.api import collections

        if not name.strip():
            raise InvalidArgumentError("name", "is empty")
        record = await collections.create(
            self._context.caller, name=name, description=description, is_public=is_public
        )
        return self._collection(record)

    async def update_collection(
        self,
        id: str,  # noqa: A002 - the reference's name
        name: str,
        description: str,
    ) -> Collection:
        """Rename the collection with this id, and return it as it is then."""
        from rtstream_async.api import collections

        record = await collections.change(
            self._context.caller, id, name=name, description=description
        )
        return self._collection(record)

    async def create_event(self, event_prompt: str, label: str) -> str:
        """Return the id of a new event: a rule that alerts of any index can be made of.

        Not sent again when it is not known what became of it: it would be made twice.

        Args:
            event_prompt: What is to be detected, in words.
            label: What its alerts are called.

        Raises:
            InvalidArgumentError: One of them is empty.
        """
        from rtstream_async.api import events
        from rtstream_async.protocol.bounds import filled

        return await events.create(
            self._context.caller,
            event_prompt=filled("event_prompt", event_prompt),
            label=filled("label", label),
        )

    async def list_events(self) -> list[Event]:
        """Return all events of the account."""
        from rtstream_async.api import events

        return await events.list_all(self._context.caller)

    def _collection(self, record: CollectionRecord) -> Collection:
        # It brings all that a collection has: streams, videos, sessions. First used, then loaded.
        from rtstream_async.resources.collection import Collection

        return Collection(self._context, record)
