"""Endpoints of collections."""

from __future__ import annotations

from rtstream_async.api.caller import Caller
from rtstream_async.models.records import CollectionRecord
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import replies

__all__ = ["change", "create", "delete", "get", "get_websocket_url", "list_all"]


async def get(caller: Caller, collection_id: str) -> CollectionRecord:
    """Return the collection; `default` is the account's first."""
    return await caller.call(
        routes.COLLECTION,
        lambda data: replies.collection(data, collection_id=collection_id),
        collection_id=collection_id,
    )


async def list_all(caller: Caller) -> list[CollectionRecord]:
    """Return all collections of the account."""
    return await caller.call(routes.COLLECTION_LIST, replies.collections)


async def create(
    caller: Caller, *, name: str, description: str, is_public: bool
) -> CollectionRecord:
    """Create a collection and return it."""
    return await caller.call(
        routes.COLLECTION_CREATE,
        replies.collection,
        body={"name": name, "description": description, "is_public": is_public},
    )


async def change(
    caller: Caller, collection_id: str, *, name: str, description: str
) -> CollectionRecord:
    """Rename a collection and return it."""
    return await caller.call(
        routes.COLLECTION_UPDATE,
        lambda data: replies.collection(data, collection_id=collection_id),
        body={"name": name, "description": description},
        collection_id=collection_id,
    )


async def delete(caller: Caller, collection_id: str) -> None:
    """Delete a collection with all that is in it."""
    await caller.call(routes.COLLECTION_DELETE, lambda _: None, collection_id=collection_id)


async def get_websocket_url(caller: Caller, collection_id: str = "default") -> str:
    """Return a fresh address for one socket; it holds a credential."""
    return await caller.call(routes.WEBSOCKET, replies.websocket_url, collection_id=collection_id)
