"""What the service says of search hits in streams.

Times are Unix seconds. What the service sent beyond the fields is in `raw`, unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from rtstream_async.models.base import Keyed, raw_field

__all__ = ["ShotRecord", "ShotsRecord"]


@attrs.frozen(kw_only=True)
class ShotRecord(Keyed):
    """A window of a stream that answers a query."""

    rtstream_id: str
    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds
    text: str = ""
    rtstream_name: str | None = None
    search_score: float | None = None  #: the higher, the better
    scene_index_id: str | None = None
    scene_index_name: str | None = None
    metadata: Mapping[str, Any] | None = None
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class ShotsRecord(Keyed):
    """What a search in streams found, the best first."""

    shots: tuple[ShotRecord, ...] = ()
    warnings: tuple[Any, ...] = ()  #: what the service wants to be known, in its own words
    raw: Mapping[str, Any] = raw_field()
