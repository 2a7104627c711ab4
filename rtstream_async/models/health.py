"""How each stream of a monitor is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Literal, get_args

import attrs

__all__ = ["ChannelState", "HealthState", "StreamHealth", "channel_state", "stream_state"]

ChannelState = Literal["down", "recovering", "polled", "live", "not_armed"]
"""`down`: it is pushed, and the link is not open. `recovering`: it is pushed, and what the last
loss cost is being fetched. `polled`: nothing pushes it to us; it is read over REST. `live`: it is
pushed, and whole. `not_armed`: nothing pushes it to us, and nothing is polled."""

HealthState = Literal["down", "recovering", "polled", "live", "silent", "not_armed"]
"""Of its channels' states, the one that needs care most: the first of these that one of them is in.
`silent`: it would be `live`, and nothing has come yet."""

_BY_CARE: Final[tuple[ChannelState, ...]] = get_args(ChannelState)


@attrs.frozen(kw_only=True)
class StreamHealth:
    """How one stream of a monitor is, and what has become of its messages."""

    rtstream_id: str
    state: HealthState
    channels: Mapping[str, ChannelState]  #: by channel
    last_message_at: float | None  #: Unix time, seconds, of the local clock; `None`: none came
    last_end: float | None
    """Up to when it is described: the latest `end` of a message (Unix time, seconds)."""
    missing_since: float | None
    """Since when messages are missing that may still come (the service's Unix time, seconds)."""
    received: int  #: messages that matched, those dropped included
    delivered: int  #: messages that the consumer has taken
    dropped: int  #: messages given up by the overflow policy
    depth: int  #: messages queued now
    lag: float  #: seconds that the oldest queued message has waited
    gaps: int  #: how often messages may have been lost since it was added
    recovered: int  #: messages fetched after gaps
    duplicates: int  #: messages taken out because they had been delivered before


def channel_state(
    *, is_armed: bool, is_polled: bool, is_up: bool, is_missing: bool
) -> ChannelState:
    """Return the state of one channel of a stream.

    Args:
        is_armed: Something was told to push it to this connection.
        is_polled: It is read over REST.
        is_up: The link is open.
        is_missing: Messages are missing that may still come.
    """
    if is_polled:
        return "polled"
    if not is_armed:
        return "not_armed"
    if not is_up:
        return "down"
    return "recovering" if is_missing else "live"


def stream_state(channels: Collection[ChannelState], *, is_heard: bool) -> HealthState:
    """Return the state of a stream whose channels are in these; `is_heard`: something has come."""
    for state in _BY_CARE:
        if state in channels:
            return "silent" if state == "live" and not is_heard else state
    return "not_armed"
