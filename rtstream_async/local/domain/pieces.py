"""An exported video and the time it was recorded at: gaps are closed up, and remembered.

A recording has holes: a source that was lost, a server that was restarted. The video plays
through them. Its *pieces* say which of its seconds was when.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import attrs

from rtstream_async.local.domain.playlist import GAP

__all__ = ["Piece", "Recorded", "close_gaps", "length", "moment_of_end", "moment_of_start"]


class Recorded(Protocol):
    """What is to be known of a recorded file."""

    @property
    def start(self) -> float:
        """Unix time, seconds."""
        ...

    @property
    def end(self) -> float:
        """Unix time, seconds."""
        ...


@attrs.frozen(kw_only=True)
class Piece:
    """A stretch of a video without a gap; all in seconds."""

    at: float  #: where it begins in the video
    start: float  #: Unix time of its first moment
    end: float  #: Unix time of its end

    @property
    def until(self) -> float:
        """Where it ends in the video."""
        return self.at + self.end - self.start


def close_gaps(files: Iterable[Recorded]) -> list[Piece]:
    """Return the pieces of the video that `files`, in order of time, make."""
    pieces: list[Piece] = []
    for file in files:
        last = pieces[-1] if pieces else None
        if last is not None and abs(file.start - last.end) <= GAP:
            pieces[-1] = attrs.evolve(last, end=max(file.end, last.end))
        else:
            at = 0.0 if last is None else round(last.until, 6)
            pieces.append(Piece(at=at, start=file.start, end=file.end))
    return pieces


def length(pieces: Sequence[Piece]) -> float:
    """Return how long the video is."""
    return pieces[-1].until if pieces else 0.0


def moment_of_start(pieces: Sequence[Piece], seconds: float) -> float:
    """Return the Unix time at which the video's moment `seconds` begins something.

    Where two pieces meet, that is the start of the later one.
    """
    piece = next((piece for piece in reversed(pieces) if piece.at <= seconds), pieces[0])
    return _within(piece, seconds)


def moment_of_end(pieces: Sequence[Piece], seconds: float) -> float:
    """Return the Unix time at which the video's moment `seconds` ends something.

    Where two pieces meet, that is the end of the earlier one.
    """
    piece = next((piece for piece in pieces if seconds <= piece.until), pieces[-1])
    return _within(piece, seconds)


def _within(piece: Piece, seconds: float) -> float:
    return round(min(max(piece.start + seconds - piece.at, piece.start), piece.end), 6)
