"""What came of a demo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from rtstream_async.cli.tally import Tally
from rtstream_async.models.records import Scene

__all__ = ["Outcome", "played_seconds", "summary"]

_EXTINF = re.compile(r"^#EXTINF:(\d+(?:\.\d+)?)", re.MULTILINE)


@attrs.frozen(kw_only=True)
class Outcome:
    """What was seen, and where it can be played."""

    tally: Tally
    scenes: list[Scene]  #: newest first
    rtstream_id: str
    stream_url: str
    player_url: str
    recorded: float  #: seconds that were recorded
    asked: float  #: seconds of the window that was asked for
    played: float  #: seconds that the manifest of that window plays

    @property
    def engine(self) -> str:
        """Which engine made the texts."""
        return ", ".join(self.tally.engines) or "an engine without a name"


def summary(outcome: Outcome) -> Mapping[str, Any]:
    """Return the outcome for machines; times in seconds."""
    tally = outcome.tally
    return {
        "messages": tally.total,
        "scenes": tally.scenes,
        "words_read": tally.words_read,
        "lines_read": list(tally.lines_read),
        "people": tally.people,
        "objects": tally.objects,
        "engines": list(tally.engines),
        "delay_median": tally.median_delay,
        "delay_longest": tally.longest_delay,
        "recorded_seconds": outcome.recorded,
        "asked_seconds": outcome.asked,
        "played_seconds": outcome.played,
        "rtstream_id": outcome.rtstream_id,
        "stream_url": outcome.stream_url,
        "player_url": outcome.player_url,
    }


def played_seconds(manifest: str) -> float:
    """Return how long an HLS media playlist plays."""
    return sum(float(length) for length in _EXTINF.findall(manifest))
