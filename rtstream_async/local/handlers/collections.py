"""Collections, and the socket's URL."""

from __future__ import annotations

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.refusal import not_found
from rtstream_async.models.records import CollectionRecord
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import emit

__all__ = ["ENDPOINTS", "check_collection"]

_DEFAULT = "default"


def check_collection(call: Call, id_: str) -> str:
    """Return the id of the collection that `id_`, or the word `default`, names.

    Raises:
        Refusal: There is no such collection.
    """
    if id_ not in (_DEFAULT, call.services.collection_id):
        raise not_found("collection", id_)
    return call.services.collection_id


async def list_collections(call: Call) -> Reply:
    """Answer all collections: this server has one."""
    return Reply(data={"collections": [_collection(call)]})


async def get_collection(call: Call) -> Reply:
    """Answer one collection."""
    check_collection(call, call.ids["collection_id"])
    return Reply(data=_collection(call))


async def get_websocket(call: Call) -> Reply:
    """Answer a URL that opens one socket, soon."""
    check_collection(call, call.ids["collection_id"])
    return Reply(data={"websocket_url": call.services.hub.issue_url(call.base_url)})


def _collection(call: Call) -> dict[str, object]:
    record = CollectionRecord(
        id=call.services.collection_id,
        name="Default",
        description="Default collection",
        is_public=False,
    )
    return emit.collection(record, owner="local")


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.COLLECTION_LIST, list_collections),
    (routes.COLLECTION, get_collection),
    (routes.WEBSOCKET, get_websocket),
)
