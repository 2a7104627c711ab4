"""Reads back over REST what one channel of this connection has missed."""

from __future__ import annotations

from collections.abc import Sequence

from rtstream_async.models.messages import Message
from rtstream_async.protocol.rearm import Arms
from rtstream_async.protocol.recovery import Found, Window
from rtstream_async.realtime.poll import Poller, as_message
from rtstream_async.realtime.tracks import Tracks

__all__ = ["History"]

_LATE = 60.0  # seconds: an index that was stopped before may still have stored something


class History:
    """The records of what this connection armed, whatever it was made anew as."""

    def __init__(self, poller: Poller, *, arms: Arms, tracks: Tracks, limit: int) -> None:
        """Read nothing yet.

        Args:
            poller: Makes the calls.
            arms: Knows what took whose place.
            tracks: Know what makes which records.
            limit: The most records of one source that are read, the newest.
        """
        self._poller = poller
        self._arms = arms
        self._tracks = tracks
        self._limit = limit

    async def read(
        self, stream: str, channel: str, window: Window
    ) -> tuple[list[Found[Message]], float | None]:
        """Return the records of a window, and back to when they are whole, if not to its start.

        Raises:
            RTStreamError: REST does not say.
        """
        found: list[Found[Message]] = []
        whole_since: float | None = None
        for source in await self._sources(stream, channel, window.since - _LATE):
            records = await self._poller.records(
                stream, channel, source, window.since, limit=self._limit
            )
            if len(records) >= self._limit:
                oldest = min(record.end for record in records)
                whole_since = oldest if whole_since is None else max(whole_since, oldest)
            found += [
                Found(
                    source=source,
                    message=as_message(channel, stream, record, source=source, origin="backfill"),
                )
                for record in records
            ]
        return found, whole_since

    async def _sources(self, stream: str, channel: str, since: float) -> Sequence[str]:
        """What has made records of a channel since then: as was noted, else as REST says."""
        known: dict[str, None] = {}
        for source in self._tracks.sources(stream, channel):
            known.update(dict.fromkeys(self._arms.lineage(source, since=since)))
        return list(known) or await self._poller.sources(stream, channel)
