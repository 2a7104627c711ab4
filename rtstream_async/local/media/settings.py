"""What an ingest is told at its start."""

from __future__ import annotations

import attrs

from rtstream_async.local.domain.sources import Source

__all__ = ["IngestSettings"]


@attrs.frozen(kw_only=True)
class IngestSettings:
    """One stream's ingest; all durations in seconds."""

    source: Source  #: checked by the server; for a file, `url` is its absolute, allowed path
    directory: str  #: where the segments go; it exists
    media_types: tuple[str, ...] = ("video", "audio")  #: what is analysed; all is recorded
    realtime: bool = True  #: `False` reads a file as fast as possible
    segment: float = 2.0  #: a segment ends at the first key frame after this
    open_timeout: float = 15.0  #: for connecting and finding out what is sent
    read_timeout: float = 10.0  #: silence after which a source counts as lost
    not_before: float = 0.0  #: Unix time up to which something is recorded already
