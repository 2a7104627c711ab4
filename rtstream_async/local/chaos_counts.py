"""What was made to go wrong, counted, so that a test can account for every frame."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from rtstream_async.local.domain.chaos import CutHow

__all__ = ["ChaosCounts", "Cut", "FrameCounts"]


@attrs.frozen(kw_only=True)
class FrameCounts:
    """The frames of one connection id.

    What was to be sent, with the greeting, and `duplicated` and `garbage` together are as many as
    `sent`, `dropped`, `overflowed`, `waiting`, `unsent` and `gone` together.
    """

    is_open: bool = False
    sent: int = 0  #: written to the connection, the greeting included; a cut may still lose them
    dropped: int = 0  #: lost in silence, as asked for
    duplicated: int = 0  #: sent once more
    garbage: int = 0  #: sent though nobody can read them
    delayed: int = 0
    reordered: int = 0
    overflowed: int = 0  #: given up because the reader was too slow
    waiting: int = 0  #: to be sent yet
    unsent: int = 0  #: waited when the connection ended
    gone: int = 0  #: came when it had ended


@attrs.frozen(kw_only=True)
class Cut:
    """One connection that was ended, or left open and dead, on purpose."""

    at: float  #: Unix time, seconds
    connection_id: str
    how: CutHow
    code: int | None = None  #: of a close


@attrs.frozen(kw_only=True)
class ChaosCounts:
    """All of it, since the server's start or its last reset."""

    connections: Mapping[str, FrameCounts]
    cuts: tuple[Cut, ...]
    handshakes: Mapping[str, int]  #: by kind of fault
    rest: Mapping[str, int]  #: by HTTP status, `slow` and `reset`
    late_records: int  #: records that came into the lists later than they were stored
