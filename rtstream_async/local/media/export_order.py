"""What an export is told at its start, and what it tells at its end."""

from __future__ import annotations

import attrs

from rtstream_async.local.domain.assembly import File
from rtstream_async.local.domain.pieces import Piece

__all__ = ["Exported", "Order"]


@attrs.frozen(kw_only=True)
class Order:
    """What is to be made."""

    files: tuple[File, ...]  #: in order of time
    target: str  #: the file to write
    title: str
    sounds: tuple[tuple[File, ...], ...] = ()
    """Further recordings, to be mixed in; then `files` must not lie where the target does.

    Their like with all sound is written beside the target, under their names.
    """


@attrs.frozen(kw_only=True)
class Exported:
    """What was made."""

    has_picture: bool
    has_sound: bool
    duration: float  #: seconds
    pieces: tuple[Piece, ...]  #: which of its seconds was when
    unreadable: tuple[str, ...]  #: names of files that are not in it
    recoded_pictures: int
    recoded_sound: bool
