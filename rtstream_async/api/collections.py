"""Endpoints of collections."""

from __future__ import annotations

from rtstream_async.api.caller import Caller
from rtstream_async.models.records import CollectionRecord
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import replies

__all__ = ["get", "get_websocket_url"]


async def get(caller: Caller, collection_id: str) -> CollectionRecord:
    """Return the collection; `default` is the account's first."""
    return await caller.call(
        routes.COLLECTION,
        lambda data: replies.collection(data, collection_id=collection_id),
        collection_id=collection_id,
    )


async def get_websocket_url(caller: Caller, collection_id: str = "default") -> str:
    """Return a fresh address for one socket; it holds a credential."""
    return await caller.call(routes.WEBSOCKET, replies.websocket_url, collection_id=collection_id)
