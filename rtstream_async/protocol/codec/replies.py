"""REST answers -> records: tolerant of everything but a missing identity.

Unknown keys stay in `raw`. Numbers that come as text become numbers, times become Unix seconds.
What can't be understood raises `ProtocolError`, never a builtin error.
"""

from __future__ import annotations

from rtstream_async.errors import ProtocolError
from rtstream_async.models.records import (
    CollectionRecord,
    IndexRecord,
    Page,
    Playback,
    Scene,
    StreamRecord,
)
from rtstream_async.protocol.codec.fields import (
    as_list,
    as_object,
    boolean,
    numbers,
    text,
    texts,
    whole,
    words,
)
from rtstream_async.protocol.codec.times import to_seconds
from rtstream_async.protocol.paging import ByNumber, ByOffset

__all__ = [
    "collection",
    "collections",
    "index",
    "indexes",
    "playback",
    "scene",
    "scene_page",
    "stream",
    "stream_page",
    "websocket_url",
]

_INDEX_IDS = ("rtstream_index_id", "scene_index_id", "index_id", "id")
_SCENE_LISTS = ("scene_index_records", "scenes", "records")


def collection(data: object, *, collection_id: str | None = None) -> CollectionRecord:
    """Return the collection that an answer describes; without an id, it is the one asked for."""
    fields = as_object(data, "collection")
    id_ = text(fields, "id") or collection_id
    if not id_:
        raise ProtocolError("the answer has no `id`: the collection can't be used")
    return CollectionRecord(
        id=id_,
        name=text(fields, "name"),
        description=text(fields, "description"),
        is_public=boolean(fields, "is_public"),
        raw=fields,
    )


def collections(data: object) -> list[CollectionRecord]:
    """Return all collections."""
    fields = as_object(data, "list of collections")
    return as_list(fields, ("collections",), "collections", collection)


def websocket_url(data: object) -> str:
    """Return the address of a socket; it holds a credential."""
    url = text(as_object(data, "websocket"), "websocket_url")
    if not url:
        raise ProtocolError("the answer has no `websocket_url`: no socket can be opened")
    return url


def stream(data: object, *, stream_id: str | None = None) -> StreamRecord:
    """Return the stream that an answer describes; without an id, it is `stream_id`."""
    fields = as_object(data, "stream")
    id_ = text(fields, "id", "rtstream_id") or stream_id
    if not id_:
        raise ProtocolError("the answer has no `id`: the stream can't be used")
    return StreamRecord(
        id=id_,
        name=text(fields, "name"),
        status=text(fields, "status"),
        collection_id=text(fields, "collection_id"),
        sample_rate=whole(fields, "sample_rate"),
        media_types=texts(fields, "media_types"),
        store=boolean(fields, "store"),
        created_at=to_seconds(fields.get("created_at")),
        channel_id=text(fields, "channel_id"),
        exported_asset_id=text(fields, "exported_asset_id"),
        raw=fields,
    )


def stream_page(data: object, *, place: ByOffset) -> tuple[Page[StreamRecord], ByOffset | None]:
    """Return one page of streams, and the place of the next."""
    fields = as_object(data, "list of streams")
    items = as_list(fields, ("results", "rtstreams"), "streams", stream)
    next_url, total = text(fields, "next"), whole(fields, "count")
    page = Page(
        items=items,
        next_page=place.has_more(count=len(items), next_url=next_url, total=total),
        page=place.number,
        page_size=place.limit or len(items),
        total_count=total,
        label="results",
        raw=fields,
    )
    return page, place.after(count=len(items), next_url=next_url, total=total)


def playback(data: object) -> Playback:
    """Return where a recorded window can be played."""
    fields = as_object(data, "stream URL")
    url = text(fields, "stream_url")
    if not url:
        raise ProtocolError("the answer has no `stream_url`: there is nothing to play")
    return Playback(stream_url=url, player_url=text(fields, "player_url"), raw=fields)


def index(data: object, *, rtstream_id: str, index_id: str | None = None) -> IndexRecord:
    """Return the index that an answer describes; without an id, it is `index_id`."""
    fields = as_object(data, "index")
    id_ = text(fields, *_INDEX_IDS) or index_id
    if not id_:
        raise ProtocolError("the answer has no `rtstream_index_id`: the index can't be used")
    return IndexRecord(
        rtstream_index_id=id_,
        rtstream_id=text(fields, "rtstream_id") or rtstream_id,
        extraction_type=text(fields, "extraction_type"),
        extraction_config=numbers(fields.get("extraction_config")),
        prompt=text(fields, "prompt"),
        name=text(fields, "name"),
        status=text(fields, "status"),
        sandbox_id=text(fields, "sandbox_id"),
        raw=fields,
    )


def indexes(data: object, *, rtstream_id: str) -> list[IndexRecord]:
    """Return all indexes of a stream."""
    fields = as_object(data, "list of indexes")
    return as_list(
        fields,
        ("scene_indexes", "indexes"),
        "indexes",
        lambda item: index(item, rtstream_id=rtstream_id),
    )


def scene(data: object) -> Scene:
    """Return one record of an index."""
    fields = as_object(data, "scene")
    start, end = to_seconds(fields.get("start")), to_seconds(fields.get("end"))
    if start is None or end is None:
        raise ProtocolError(
            f"a scene has no usable `start` and `end`: {fields.get('start')!r},"
            f" {fields.get('end')!r}"
        )
    return Scene(start=start, end=end, text=words(fields), raw=fields)


def scene_page(data: object, *, place: ByNumber) -> tuple[Page[Scene], ByNumber | None]:
    """Return one page of scenes, and the place of the next."""
    fields = as_object(data, "list of scenes")
    items = as_list(fields, _SCENE_LISTS, "scenes", scene)
    spans = [(item.start, item.end) for item in items]
    after = place.after(spans=spans, more=bool(fields.get("next_page")))
    page = Page(
        items=items,
        next_page=after is not None,
        page=place.page,
        page_size=place.page_size,
        total_count=whole(fields, "total_count"),
        label="scenes",
        raw=fields,
    )
    return page, after
