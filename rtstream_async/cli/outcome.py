"""What came of a demo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from rtstream_async.cli.hearing import words_of, wrong_words
from rtstream_async.cli.tally import Tally
from rtstream_async.models.exports import RTStreamExportResult
from rtstream_async.models.records import Scene
from rtstream_async.models.transcripts import TranscriptSegment

__all__ = ["Hit", "Outcome", "played_seconds", "summary"]

_EXTINF = re.compile(r"^#EXTINF:(\d+(?:\.\d+)?)", re.MULTILINE)


@attrs.frozen(kw_only=True)
class Hit:
    """The best answer to a query."""

    query: str
    text: str
    url: str  #: where it plays


@attrs.frozen(kw_only=True)
class Outcome:
    """What was seen and heard, and where it can be played."""

    tally: Tally
    scenes: list[Scene]  #: newest first
    segments: list[TranscriptSegment]  #: oldest first
    said: str  #: what the clip says, by its script
    seen: Hit | None  #: found in the stream
    heard: Hit | None  #: found in the exported video
    exported: RTStreamExportResult
    rtstream_id: str
    stream_url: str
    player_url: str
    recorded: float  #: seconds that were recorded
    asked: float  #: seconds of the window that was asked for
    played: float  #: seconds that the manifest of that window plays

    @property
    def engines(self) -> tuple[str, ...]:
        """Which engines made the texts."""
        heard = {segment.engine for segment in self.segments if segment.engine}
        return tuple(sorted({*self.tally.engines, *heard}))

    @property
    def words_said(self) -> int:
        """How many words the clip says."""
        return len(words_of(self.said))

    @property
    def words_wrong(self) -> int:
        """How many of them were not heard, or heard wrongly, or added."""
        heard = " ".join(segment.text for segment in self.segments)
        return wrong_words(words_of(self.said), words_of(heard))


def summary(outcome: Outcome) -> Mapping[str, Any]:
    """Return the outcome for machines; times in seconds."""
    tally = outcome.tally
    return {
        "messages": tally.total,
        "messages_by_channel": dict(tally.messages),
        "scenes": tally.scenes,
        "words_read": tally.words_read,
        "lines_read": list(tally.lines_read),
        "people": tally.people,
        "objects": tally.objects,
        "words_said": outcome.words_said,
        "words_wrong": outcome.words_wrong,
        "alerts": dict(tally.alerts),
        "engines": list(outcome.engines),
        "delay_median": tally.median_delay,
        "delay_longest": tally.longest_delay,
        "recorded_seconds": outcome.recorded,
        "asked_seconds": outcome.asked,
        "played_seconds": outcome.played,
        "seen": None if outcome.seen is None else attrs.asdict(outcome.seen),
        "heard": None if outcome.heard is None else attrs.asdict(outcome.heard),
        "video_id": outcome.exported.video_id,
        "video_seconds": outcome.exported.duration,
        "video_url": outcome.exported.player_url,
        "rtstream_id": outcome.rtstream_id,
        "stream_url": outcome.stream_url,
        "player_url": outcome.player_url,
    }


def played_seconds(manifest: str) -> float:
    """Return how long an HLS media playlist plays."""
    return sum(float(length) for length in _EXTINF.findall(manifest))
