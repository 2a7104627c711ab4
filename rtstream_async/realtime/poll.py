"""Channels that nothing in this connection armed: polled over REST, or said to be silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rtstream_async.models.records import Scene

__all__ = ["Poller"]


class Poller(Protocol):
    """How the records of indexes are read without the socket."""

    async def running_indexes(self, rtstream_id: str, channel: str) -> Sequence[str]:
        """Return the ids of the stream's running indexes that make messages of `channel`.

        `channel` is `scene_index` or `audio_index`.
        """
        ...

    async def records(self, rtstream_id: str, index_id: str, since: float) -> Sequence[Scene]:
        """Return the records that end after `since` (Unix time, seconds), in any order."""
        ...
