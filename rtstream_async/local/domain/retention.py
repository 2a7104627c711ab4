"""What of the recordings has to go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

__all__ = ["Piece", "beyond_quota", "outdated"]


class Piece(Protocol):
    """What is to be known of a recorded file."""

    @property
    def end_us(self) -> int:
        """Where it ends, Unix microseconds."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...


P = TypeVar("P", bound=Piece)


def outdated(pieces: Sequence[P], *, keep_us: int) -> list[P]:
    """Return the files of one stream that ended `keep_us` before its last one did."""
    last = max((piece.end_us for piece in pieces), default=0)
    return [piece for piece in pieces if piece.end_us <= last - keep_us]


def beyond_quota(pieces: Iterable[P], *, excess: int) -> list[P]:
    """Return the first of `pieces`, as many as free at least `excess` bytes."""
    going: list[P] = []
    for piece in pieces:
        if excess <= 0:
            break
        going.append(piece)
        excess -= piece.size
    return going
