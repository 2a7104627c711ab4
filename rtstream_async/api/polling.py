"""Reads the records of indexes over REST, for channels that are not pushed to us."""

from __future__ import annotations

import time

from rtstream_async.api import scene_indexes
from rtstream_async.api.caller import Caller
from rtstream_async.models.records import Scene
from rtstream_async.protocol.paging import ByNumber, Given

__all__ = ["IndexPoller"]

_HEARD = "transcript"  # the extraction type of an index that listens; any other one watches


class IndexPoller:
    """Finds the running indexes of a stream, and what they have made."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def now(self) -> float:
        """Return the service's Unix time, seconds; the local one until it has answered once."""
        return time.time() + (self._caller.clock_offset or 0.0)

    async def running_indexes(self, rtstream_id: str, channel: str) -> list[str]:
        """Return the ids of the stream's running indexes that make messages of `channel`.

        `channel` is `scene_index` or `audio_index`.
        """
        wants_heard = channel == "audio_index"
        return [
            index.rtstream_index_id
            for index in await scene_indexes.list_all(self._caller, rtstream_id)
            if index.is_running and (index.extraction_type == _HEARD) is wants_heard
        ]

    async def records(self, rtstream_id: str, index_id: str, since: float) -> list[Scene]:
        """Return the records that end after `since` (Unix time, seconds), in any order.

        The service is not asked for a start: whether that means a record's start or its end is
        not documented, and a long record would be lost. It lists the newest first, so reading
        ends with the first page that goes back far enough.
        """
        found: list[Scene] = []
        place: ByNumber | None = ByNumber()
        given: Given | None = Given()
        while place is not None and given is not None:
            page, place = await scene_indexes.scene_page(self._caller, rtstream_id, index_id, place)
            fresh, given = given.sift([(s.start, s.end, s.text) for s in page.items])
            found += [page.items[n] for n in fresh if page.items[n].end > since]
            ends = [scene.end for scene in page.items]
            if ends and ends[0] >= ends[-1] <= since:
                break
        return found
