"""What this package itself says in band, to subscriptions opened with `control=True`."""

from __future__ import annotations

import attrs

__all__ = [
    "Announcement",
    "Dropped",
    "Gap",
    "GapClosed",
    "GapUnrecoverable",
    "NotArmed",
    "StateChange",
]


@attrs.frozen(kw_only=True)
class Announcement:
    """The root of all announcements."""

    at: float  #: Unix time, seconds, of the local clock


@attrs.frozen(kw_only=True)
class StateChange(Announcement):
    """The link went from one state to another."""

    previous: str
    state: str  #: `CONNECTING`, `LIVE`, `RECONNECTING`, ...
    generation: int  #: how many connections have been live so far
    reason: str = ""


@attrs.frozen(kw_only=True)
class Gap(Announcement):
    """Messages from `since` on may have been lost."""

    since: float  #: Unix time, seconds
    cause: str  #: for example `link lost: closed by the server (1011)`
    rtstream_id: str | None = None  #: `None`: all streams of the subscription
    channel: str | None = None  #: `None`: all channels of the subscription


@attrs.frozen(kw_only=True)
class GapClosed(Announcement):
    """Everything that the service still had of the gap has been delivered."""

    since: float  #: Unix time, seconds
    until: float  #: Unix time, seconds
    recovered: int  #: messages that the gap would have lost
    rtstream_id: str | None = None
    channel: str | None = None


@attrs.frozen(kw_only=True)
class GapUnrecoverable(Announcement):
    """Messages between `since` and `until` may be missing, and will not be fetched."""

    since: float  #: Unix time, seconds
    until: float  #: Unix time, seconds
    reason: str
    rtstream_id: str | None = None
    channel: str | None = None


@attrs.frozen(kw_only=True)
class Dropped(Announcement):
    """This subscription's queue was full, and its overflow policy gave up messages."""

    count: int  #: messages dropped since the last such announcement
    policy: str  #: `drop_oldest`, `drop_newest` or `latest`
    rtstream_id: str | None = None  #: in a monitor, the stream whose queue it was


@attrs.frozen(kw_only=True)
class NotArmed(Announcement):
    """Nothing in this connection makes messages for this channel, and nothing can be polled."""

    channel: str
    rtstream_id: str | None = None  #: of a capture session's channel, the session's id
