"""Collections, and the socket's URL."""

from __future__ import annotations

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.refusal import conflict
from rtstream_async.local.store import statements
from rtstream_async.local.store.captures import delete_captures
from rtstream_async.local.store.collections import CollectionRow
from rtstream_async.models.records import CollectionRecord
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import emit

__all__ = ["ENDPOINTS", "check_collection"]


def check_collection(call: Call, id_: str) -> str:
    """Return the id of the collection that `id_`, or the word `default`, names.

    Raises:
        Refusal: There is no such collection.
    """
    return call.services.collections.find(id_).id


async def list_collections(call: Call) -> Reply:
    """Answer all collections, the default one first."""
    collections = call.services.collections
    return Reply(
        data={
            "collections": [_collection(row) for row in collections],
            "default_collection": collections.default_id,
        }
    )


async def get_collection(call: Call) -> Reply:
    """Answer one collection."""
    return Reply(data=_collection(call.services.collections.find(call.ids["collection_id"])))


async def create_collection(call: Call) -> Reply:
    """Answer a new collection."""
    call.body.only(("name", "description", "is_public"))
    row = await call.services.collections.add(
        call.body.required_text("name"),
        call.body.text("description") or "",
        is_public=call.body.flag("is_public", default=False),
    )
    return Reply(data=_collection(row))


async def change_collection(call: Call) -> Reply:
    """Change a collection's name, description or openness; answer what it is then."""
    call.body.only(("name", "description", "is_public"))
    before = call.services.collections.find(call.ids["collection_id"])
    row = await call.services.collections.change(
        before.id,
        name=call.body.text("name") or before.name,
        description=call.body.text("description") or before.description,
        is_public=call.body.flag("is_public", default=before.is_public),
    )
    return Reply(data=_collection(row))


async def delete_collection(call: Call) -> Reply:
    """Delete a collection with what is in it; what still runs must be stopped first."""
    services = call.services
    id_ = check_collection(call, call.ids["collection_id"])
    if id_ == services.collections.default_id:
        raise conflict("the default collection can't be deleted")
    streams = await services.store.run(statements.stream_ids, id_)
    # After a restart, what is wanted may not be up again yet.
    wanted = {row.id for row in await services.store.run(statements.wanted_streams)}
    running = [one for one in streams if one in wanted or services.director.live(one)]
    if running:
        raise conflict(f"streams of this collection still run; stop them: {', '.join(running)}")
    await services.exporter.forget_streams(streams)
    for stream in streams:
        await services.director.forget(stream)
    await services.exporter.forget_collection(id_)
    await services.store.run(delete_captures, id_)
    await services.collections.remove(id_)
    return Reply(message="the collection is deleted")


async def get_websocket(call: Call) -> Reply:
    """Answer a URL that opens one socket, soon."""
    check_collection(call, call.ids["collection_id"])
    return Reply(data={"websocket_url": call.services.hub.issue_url(call.base_url)})


def _collection(row: CollectionRow) -> dict[str, object]:
    record = CollectionRecord(
        id=row.id, name=row.name, description=row.description, is_public=row.is_public
    )
    return emit.collection(record, owner="local")


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.COLLECTION_LIST, list_collections),
    (routes.COLLECTION_CREATE, create_collection),
    (routes.COLLECTION, get_collection),
    (routes.COLLECTION_UPDATE, change_collection),
    (routes.COLLECTION_DELETE, delete_collection),
    (routes.WEBSOCKET, get_websocket),
)
