"""HLS playlists from recorded segments, for any window of Unix time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import attrs

__all__ = [
    "NotRecorded",
    "Playlist",
    "Segment",
    "Shot",
    "join_shots",
    "make_playlist",
    "select",
]

GAP = 0.05
"""Neighbouring segments further apart than this, in seconds, do not follow each other."""


@attrs.frozen(kw_only=True)
class Segment:
    """One recorded piece of a stream: a file that plays by itself."""

    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds; for the open segment, how far it is written
    name: str  #: file name
    size: int = 0  #: bytes
    discontinuity: bool = False  #: does not continue the timestamps of the segment before


@attrs.frozen(kw_only=True)
class Shot:
    """A part of a recording, to be played among others."""

    segments: Sequence[Segment]  #: what holds it, in order of time
    start: float  #: where it begins, Unix seconds
    uri: Callable[[Segment], str]  #: where a player finds a segment


@attrs.frozen(kw_only=True)
class Playlist:
    """A playlist and what it covers."""

    text: str  #: M3U8
    start: float  #: where its first segment starts, Unix seconds
    end: float  #: where its last segment ends, Unix seconds
    duration: float  #: what it plays, in seconds, gaps not counted
    segments: Sequence[Segment]


@attrs.frozen(kw_only=True)
class NotRecorded:
    """Nothing of the window is recorded."""

    start: float  #: the window asked for, Unix seconds
    end: float


def select(segments: Iterable[Segment], *, start: float, end: float) -> list[Segment]:
    """Return the segments that hold some of [start, end), in order of time."""
    chosen = [segment for segment in segments if segment.start < end and segment.end > start]
    return sorted(chosen, key=lambda segment: segment.start)


def make_playlist(
    segments: Iterable[Segment],
    *,
    start: float,
    end: float,
    uri: Callable[[Segment], str],
    complete: bool = True,
) -> Playlist | NotRecorded:
    """Return the playlist of a window, or the fact that nothing of it is recorded.

    Args:
        segments: What is recorded; the one still being written may be the last.
        start: Begin of the window, Unix seconds. Players start there, inside the first segment.
        end: End of the window, Unix seconds; the last segment is played whole.
        uri: Where a player finds a segment.
        complete: Nothing will be added, so a player stops at the end instead of asking again.
    """
    chosen = select(segments, start=start, end=end)
    if not chosen:
        return NotRecorded(start=start, end=end)
    shot = Shot(segments=chosen, start=start, uri=uri)
    return Playlist(
        text=_text([shot], complete=complete),
        start=chosen[0].start,
        end=chosen[-1].end,
        duration=sum(segment.end - segment.start for segment in chosen),
        segments=chosen,
    )


def join_shots(shots: Iterable[Shot]) -> str | None:
    """Return the playlist that plays `shots` one after the other; `None` when all are empty.

    Players start inside the first one as asked; each other one begins with its first segment.
    """
    kept = [shot for shot in shots if shot.segments]
    return _text(kept, complete=True) if kept else None


def _text(shots: Sequence[Shot], *, complete: bool) -> str:
    lines = _head(shots, complete=complete)
    previous: Segment | None = None
    for shot in shots:
        for number, segment in enumerate(shot.segments):
            if previous is not None and (number == 0 or _is_cut(previous, segment)):
                lines.append("#EXT-X-DISCONTINUITY")
            lines += _entry(segment, shot.uri(segment))
            previous = segment
    if complete:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _head(shots: Sequence[Shot], *, complete: bool) -> list[str]:
    longest = max(segment.end - segment.start for shot in shots for segment in shot.segments)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        f"#EXT-X-TARGETDURATION:{max(1, math.ceil(longest))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if complete else 'EVENT'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    offset = shots[0].start - shots[0].segments[0].start
    if offset > 0:
        lines.append(f"#EXT-X-START:TIME-OFFSET={offset:.6f},PRECISE=YES")
    return lines


def _is_cut(previous: Segment, segment: Segment) -> bool:
    return segment.discontinuity or segment.start - previous.end > GAP


def _entry(segment: Segment, uri: str) -> list[str]:
    moment = datetime.fromtimestamp(segment.start, UTC).isoformat(timespec="milliseconds")
    return [
        f"#EXT-X-PROGRAM-DATE-TIME:{moment.replace('+00:00', 'Z')}",
        f"#EXTINF:{segment.end - segment.start:.6f},",
        uri,
    ]
