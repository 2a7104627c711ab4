"""Reads records over REST, for channels that are not pushed to us."""

from __future__ import annotations

from collections.abc import Sequence

from rtstream_async.api import scene_indexes, transcripts
from rtstream_async.api.caller import Caller
from rtstream_async.models.records import Scene
from rtstream_async.models.transcripts import TranscriptSegment
from rtstream_async.protocol.paging import ByNumber, Given

__all__ = ["RecordPoller"]

_TRANSCRIPT = "transcript"
"""A channel, and the extraction type of an index that listens; any other one watches."""

_LONGEST_SEGMENT = 60.0  # seconds


class RecordPoller:
    """Finds what makes records of a stream, and what it has made."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def now(self) -> float:
        """Return the service's Unix time, seconds; the local one until it has answered once."""
        return self._caller.now()

    async def sources(self, rtstream_id: str, channel: str) -> list[str]:
        """Return what makes messages of `channel` now: ids of indexes, or the one transcript.

        `channel` is `scene_index`, `audio_index` or `transcript`.
        """
        if channel == _TRANSCRIPT:
            status = await transcripts.get_status(self._caller, rtstream_id)
            return [_TRANSCRIPT] if status.is_running else []
        wants_heard = channel == "audio_index"
        return [
            index.rtstream_index_id
            for index in await scene_indexes.list_all(self._caller, rtstream_id)
            if index.is_running and (index.extraction_type == _TRANSCRIPT) is wants_heard
        ]

    async def makers(self, rtstream_id: str, channel: str) -> list[str]:
        """Return what made messages of `channel`, whether it still runs or not."""
        if channel == _TRANSCRIPT:
            return [_TRANSCRIPT]
        wants_heard = channel == "audio_index"
        return [
            index.rtstream_index_id
            for index in await scene_indexes.list_all(self._caller, rtstream_id)
            if (index.extraction_type == _TRANSCRIPT) is wants_heard
        ]

    async def records(
        self,
        rtstream_id: str,
        channel: str,
        source: str,
        since: float,
        *,
        limit: int | None = None,
    ) -> Sequence[Scene | TranscriptSegment]:
        """Return what a source made that ends after `since` (Unix seconds), in any order.

        Not more than about `limit` records: the newest.
        """
        if channel == _TRANSCRIPT:
            return await self._segments(rtstream_id, since, limit)
        return await self._scenes(rtstream_id, source, since, limit)

    async def _scenes(
        self, rtstream_id: str, index_id: str, since: float, limit: int | None
    ) -> list[Scene]:
        """Return the records of an index.

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
            if limit is not None and len(found) >= limit:
                break
        return found

    async def _segments(
        self, rtstream_id: str, since: float, limit: int | None
    ) -> list[TranscriptSegment]:
        """Return the segments of the transcript.

        Their order is not documented, so that reading can't end early: the service is asked for
        what is new. Whether `since` means a segment's start or its end is not documented either,
        so it is asked for as much more as a segment may be long.
        """
        found: list[TranscriptSegment] = []
        place: ByNumber | None = ByNumber(since=max(0.0, since - _LONGEST_SEGMENT))
        given: Given | None = Given()
        while place is not None and given is not None:
            page, place = await transcripts.segment_page(self._caller, rtstream_id, place)
            fresh, given = given.sift([(s.start, s.end, s.text) for s in page.items])
            found += [page.items[n] for n in fresh if page.items[n].end > since]
        return found if limit is None else sorted(found, key=_end)[-limit:]


def _end(segment: TranscriptSegment) -> float:
    return segment.end
