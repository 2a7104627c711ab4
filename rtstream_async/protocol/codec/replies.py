"""REST answers -> records: tolerant of everything but a missing identity.

Unknown keys stay in `raw`. Numbers that come as text become numbers, times become Unix seconds.
What can't be understood raises `ProtocolError`, never a builtin error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from rtstream_async.errors import ProtocolError
from rtstream_async.models.records import (
    CollectionRecord,
    IndexRecord,
    Page,
    Playback,
    Scene,
    StreamRecord,
)
from rtstream_async.protocol.codec.times import to_seconds
from rtstream_async.protocol.paging import ByNumber, ByOffset

__all__ = [
    "collection",
    "index",
    "indexes",
    "playback",
    "scene",
    "scene_page",
    "stream",
    "stream_page",
    "websocket_url",
]

T = TypeVar("T")

_INDEX_IDS = ("rtstream_index_id", "scene_index_id", "index_id", "id")
_SCENE_LISTS = ("scene_index_records", "scenes", "records")
_MAX_DIGITS = 15


def collection(data: object, *, collection_id: str) -> CollectionRecord:
    """Return the collection that an answer describes; without an id, it is the one asked for."""
    fields = _object(data, "collection")
    return CollectionRecord(
        id=_text(fields, "id") or collection_id,
        name=_text(fields, "name"),
        description=_text(fields, "description"),
        is_public=_boolean(fields, "is_public"),
        raw=fields,
    )


def websocket_url(data: object) -> str:
    """Return the address of a socket; it holds a credential."""
    url = _text(_object(data, "websocket"), "websocket_url")
    if not url:
        raise ProtocolError("the answer has no `websocket_url`: no socket can be opened")
    return url


def stream(data: object, *, stream_id: str | None = None) -> StreamRecord:
    """Return the stream that an answer describes; without an id, it is `stream_id`."""
    fields = _object(data, "stream")
    id_ = _text(fields, "id", "rtstream_id") or stream_id
    if not id_:
        raise ProtocolError("the answer has no `id`: the stream can't be used")
    return StreamRecord(
        id=id_,
        name=_text(fields, "name"),
        status=_text(fields, "status"),
        collection_id=_text(fields, "collection_id"),
        sample_rate=_whole(fields, "sample_rate"),
        media_types=_texts(fields, "media_types"),
        store=_boolean(fields, "store"),
        created_at=to_seconds(fields.get("created_at")),
        channel_id=_text(fields, "channel_id"),
        exported_asset_id=_text(fields, "exported_asset_id"),
        raw=fields,
    )


def stream_page(data: object, *, place: ByOffset) -> tuple[Page[StreamRecord], ByOffset | None]:
    """Return one page of streams, and the place of the next."""
    fields = _object(data, "list of streams")
    items = _list(fields, ("results", "rtstreams"), "streams", stream)
    next_url, total = _text(fields, "next"), _whole(fields, "count")
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
    fields = _object(data, "stream URL")
    url = _text(fields, "stream_url")
    if not url:
        raise ProtocolError("the answer has no `stream_url`: there is nothing to play")
    return Playback(stream_url=url, player_url=_text(fields, "player_url"), raw=fields)


def index(data: object, *, rtstream_id: str, index_id: str | None = None) -> IndexRecord:
    """Return the index that an answer describes; without an id, it is `index_id`."""
    fields = _object(data, "index")
    id_ = _text(fields, *_INDEX_IDS) or index_id
    if not id_:
        raise ProtocolError("the answer has no `rtstream_index_id`: the index can't be used")
    return IndexRecord(
        rtstream_index_id=id_,
        rtstream_id=_text(fields, "rtstream_id") or rtstream_id,
        extraction_type=_text(fields, "extraction_type"),
        extraction_config=_numbers(fields.get("extraction_config")),
        prompt=_text(fields, "prompt"),
        name=_text(fields, "name"),
        status=_text(fields, "status"),
        raw=fields,
    )


def indexes(data: object, *, rtstream_id: str) -> list[IndexRecord]:
    """Return all indexes of a stream."""
    fields = _object(data, "list of indexes")
    return _list(
        fields,
        ("scene_indexes", "indexes"),
        "indexes",
        lambda item: index(item, rtstream_id=rtstream_id),
    )


def scene(data: object) -> Scene:
    """Return one record of an index."""
    fields = _object(data, "scene")
    start, end = to_seconds(fields.get("start")), to_seconds(fields.get("end"))
    if start is None or end is None:
        raise ProtocolError(
            f"a scene has no usable `start` and `end`: {fields.get('start')!r},"
            f" {fields.get('end')!r}"
        )
    return Scene(start=start, end=end, text=_words(fields), raw=fields)


def scene_page(data: object, *, place: ByNumber) -> tuple[Page[Scene], ByNumber | None]:
    """Return one page of scenes, and the place of the next."""
    fields = _object(data, "list of scenes")
    items = _list(fields, _SCENE_LISTS, "scenes", scene)
    ends = [item.end for item in items]
    after = place.after(ends=ends, more=bool(fields.get("next_page")))
    page = Page(
        items=items,
        next_page=after is not None,
        page=place.page,
        page_size=place.page_size,
        total_count=_whole(fields, "total_count"),
        label="scenes",
        raw=fields,
    )
    return page, after


def _object(data: object, what: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        kind = "nothing" if data is None else type(data).__name__
        raise ProtocolError(f"the answer should be about: {what}; and has {kind} in `data`")
    return cast("dict[str, Any]", data)


def _list(
    fields: Mapping[str, Any], keys: Sequence[str], what: str, read: Callable[[object], T]
) -> list[T]:
    named = [fields[key] for key in keys if key in fields]
    found = next((value for value in named if value is not None), None)
    if found is None and (named or not fields.keys() - {"next_page", "message"}):
        return []  # null, or nothing at all, was said: the service has nothing to list
    if not isinstance(found, list):
        raise ProtocolError(f"the answer should list {what}, and has no list in `{keys[0]}`")
    return [read(item) for item in cast("list[object]", found)]


def _text(fields: Mapping[str, Any], *keys: str) -> str | None:
    for key in keys:
        value = fields.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def _words(fields: Mapping[str, Any]) -> str:
    return _text(fields, "description") or _text(fields, "text") or ""


def _texts(fields: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = fields.get(key)
    if isinstance(value, str):
        return (value,)
    items = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, str))


def _boolean(fields: Mapping[str, Any], key: str) -> bool | None:
    value = fields.get(key)
    return value if isinstance(value, bool) else None


def _whole(fields: Mapping[str, Any], key: str) -> int | None:
    value = _number(fields.get(key))
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value)


def _numbers(config: object) -> dict[str, Any]:
    if not isinstance(config, dict):
        return {}
    fields = cast("dict[str, Any]", config)
    return {key: _number(value) for key, value in fields.items()}


def _number(value: object) -> object:
    """Return a number for text that is one (the service sends `"10"`); else the value itself."""
    if not isinstance(value, str) or not value.isascii() or len(value) > _MAX_DIGITS:
        return value
    if value.removeprefix("-").isdecimal():
        return int(value)
    whole, point, fraction = value.removeprefix("-").partition(".")
    return float(value) if point and whole.isdecimal() and fraction.isdecimal() else value
