"""Records: what the service's REST answers said.

Times are Unix seconds. What the service sent beyond the fields is in `raw`, unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs

from rtstream_async.models.base import UNSET, Keyed, moment, no_fields, raw_field

__all__ = [
    "CollectionRecord",
    "IndexRecord",
    "Page",
    "Playback",
    "Scene",
    "StreamRecord",
]

T = TypeVar("T")

_RUNNING = frozenset({"running", "connected"})


@attrs.frozen(kw_only=True)
class CollectionRecord(Keyed):
    """A collection of streams and videos."""

    id: str
    name: str | None = None
    description: str | None = None
    is_public: bool | None = None
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class StreamRecord(Keyed):
    """A live stream, as the service describes it."""

    id: str
    name: str | None = None
    status: str | None = None  #: `connected`, `stopped` or any other word of the service
    collection_id: str | None = None
    sample_rate: int | None = None
    media_types: tuple[str, ...] = ()
    store: bool | None = None
    created_at: float | None = None  #: Unix time, seconds
    channel_id: str | None = None  #: of streams that come from a capture session
    exported_asset_id: str | None = None
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class IndexRecord(Keyed):
    """A scene or audio index, as the service describes it."""

    rtstream_index_id: str
    rtstream_id: str
    extraction_type: str | None = None  #: `time`, `shot` or `transcript`
    extraction_config: Mapping[str, Any] = attrs.field(factory=no_fields)  #: numbers as numbers
    prompt: str | None = None
    name: str | None = None
    status: str | None = None  #: `running`, `stopped` or any other word of the service
    sandbox_id: str | None = None
    raw: Mapping[str, Any] = raw_field()

    @property
    def is_running(self) -> bool:
        """Whether `status` is one of the words that the service uses for a running index."""
        return self.status in _RUNNING


@attrs.frozen(kw_only=True)
class Scene(Keyed):
    """One record of a scene or audio index."""

    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds
    text: str
    raw: Mapping[str, Any] = raw_field()

    @property
    def start_time(self) -> datetime:
        """`start` as an aware `datetime` in UTC."""
        return moment(self.start)

    @property
    def end_time(self) -> datetime:
        """`end` as an aware `datetime` in UTC."""
        return moment(self.end)


@attrs.frozen(kw_only=True)
class Playback(Keyed):
    """Where a recorded window can be played."""

    stream_url: str  #: HLS manifest
    player_url: str | None = None  #: a page that plays it
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list: `page[0]`, `page["scenes"]` (or what it lists), `page["next_page"]`."""

    items: Sequence[T]
    next_page: bool  #: whether the service has more
    page: int  #: number of this page, from 1
    page_size: int  #: what was asked for
    total_count: int | None = None  #: where the service tells it
    cursor: str | None = None  #: what the next page is asked for by, where the service has one
    label: str = "items"  #: the key under which the synchronous SDK keeps the items
    raw: Mapping[str, Any] = raw_field()

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key: str | int | slice) -> Any:
        if not isinstance(key, str):
            return self.items[key]
        if key in (self.label, "items"):
            return self.items
        if key in ("next_page", "page", "page_size", "total_count", "cursor"):
            return getattr(self, key)
        return self.raw[key]

    def __contains__(self, thing: object) -> bool:
        if isinstance(thing, str):  # a key: no list has records that are text
            return self.get(thing, UNSET) is not UNSET
        return thing in self.items

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or `default` when there is no such key."""
        try:
            return self[key]
        except KeyError:
            return default
