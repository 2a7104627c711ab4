"""What the service says of understandings and of the indexes made of them.

Times are Unix seconds. What the service sent beyond the fields is in `raw`, unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from rtstream_async.models.base import Keyed, moment, no_fields, raw_field

__all__ = ["StreamIndexRecord", "UnderstandingRecord", "UnderstoodRecord"]

_RUNNING = frozenset({"active", "connected", "running"})


def _nothing() -> Sequence[Any]:
    return ()


@attrs.frozen(kw_only=True)
class UnderstandingRecord(Keyed):
    """A pipeline that understands a stream, window by window."""

    id: str
    rtstream_id: str
    status: str | None = None  #: `running`, `stopped`, `failed` or any other word of the service
    store: bool | None = None  #: whether its output is kept, so that it can be indexed
    segmentation: Mapping[str, Any] = attrs.field(factory=no_fields)
    analyzers: Sequence[Any] = attrs.field(factory=_nothing)
    outputs: Mapping[str, Any] = attrs.field(factory=no_fields)
    """Descriptions of what it makes, by name, as the service sent them: what `index()` takes."""
    raw: Mapping[str, Any] = raw_field()

    @property
    def is_running(self) -> bool:
        """Whether `status` is one of the words that the service uses for what runs."""
        return self.status in _RUNNING


@attrs.frozen(kw_only=True)
class StreamIndexRecord(Keyed):
    """An index made of what an understanding puts out."""

    id: str
    rtstream_id: str
    name: str | None = None
    status: str | None = None  #: `running`, `stopped`, `failed` or any other word of the service
    use_for: tuple[str, ...] = ()  #: what it can do, for example `semantic`
    source_understanding_id: str | None = None
    output: str | None = None  #: which output of the understanding it is made of
    raw: Mapping[str, Any] = raw_field()

    @property
    def is_running(self) -> bool:
        """Whether `status` is one of the words that the service uses for what runs."""
        return self.status in _RUNNING


@attrs.frozen(kw_only=True)
class UnderstoodRecord(Keyed):
    """What an understanding, or an index made of it, has of one window."""

    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds
    text: str = ""  #: the record's text, where it has one
    data: Mapping[str, Any] = attrs.field(factory=no_fields)  #: all that the analyzer said
    raw: Mapping[str, Any] = raw_field()

    @property
    def start_time(self) -> datetime:
        """`start` as an aware `datetime` in UTC."""
        return moment(self.start)

    @property
    def end_time(self) -> datetime:
        """`end` as an aware `datetime` in UTC."""
        return moment(self.end)
