"""What can be set about the link and the subscriptions."""

from __future__ import annotations

import attrs

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.checks import count, seconds

__all__ = ["HubSettings"]


@attrs.frozen(kw_only=True)
class HubSettings:
    """Deadlines and bounds; all times in seconds."""

    first_frame_timeout: float = attrs.field(default=10.0, validator=seconds())
    """From the open socket to the connection id."""
    connect_timeout: float = attrs.field(default=30.0, validator=seconds())
    """For the first connection id, all attempts together."""
    outage_budget: float | None = attrs.field(default=900.0, validator=seconds(or_none=True))
    """How long a lost link is tried to be opened again until it is SUSPENDED; `None`: for ever."""
    block_timeout: float = attrs.field(default=5.0, validator=seconds())
    """How long a subscription with `overflow="block"` may stop the socket for all."""
    early_messages: int = attrs.field(default=1024, validator=count(0))
    """Messages kept for each (stream, channel) that was armed and has no subscription yet."""
    overlap: float | None = attrs.field(default=None, validator=seconds(or_zero=True, or_none=True))
    """How far before the end of what was delivered last a gap is read back over REST: results come
    late and out of order. `None`: learned from how late they come."""
    sweep_delay: float | None = attrs.field(
        default=None, validator=seconds(or_zero=True, or_none=True)
    )
    """After a gap was closed, how long until REST is read a second time, for what was still in
    work. `None`: learned from how late results come."""
    recovery_window: float = attrs.field(default=3600.0, validator=seconds())
    """The longest gap that is fetched; what is older is given up."""
    recovery_records: int = attrs.field(default=10_000, validator=count(1))
    """Records of one stream and channel fetched for one gap."""
    recovery_calls: int = attrs.field(default=4, validator=count(1))
    """REST calls that recovery makes at once, however many the streams; polls are among them."""
    recovery_budget: float = attrs.field(default=120.0, validator=seconds(or_zero=True))
    """How long reading the history is tried until it is given up."""
    recovery_jitter: float = attrs.field(default=0.1, validator=seconds(or_zero=True))
    """The longest that recovery waits, by chance, before it begins."""
    recovering_at_most: float = attrs.field(default=0.1, validator=seconds(or_zero=True))
    """How long the link is RECOVERING at most; it is LIVE then, and each `GapClosed` tells of one
    more channel that is whole."""
    held_messages: int = attrs.field(default=10_000, validator=count(0))
    """Held of one stream and channel while its history is read."""
    poll_interval: float = attrs.field(default=2.0, validator=seconds())
    """Between two looks at an index that does not push to us."""
    poll_idle_interval: float = attrs.field(default=10.0, validator=seconds())
    """The same, after it has had nothing new for a while."""
    poll_calls: int = attrs.field(default=4, validator=count(1))
    """Indexes that are polled at once, however many there are; within `recovery_calls`."""
    log_quiet: float = attrs.field(default=60.0, validator=seconds(or_zero=True))
    """After a warning, its like are only counted for this long."""
    watch_interval: float | None = attrs.field(default=1.0, validator=seconds(or_none=True))
    """Between two looks at what is silent for longer than usual, and so may be deaf; `None`: it is
    not watched."""
    silence_least: float = attrs.field(default=10.0, validator=seconds())
    """A channel that is silent for less is never suspected; for three times as long as usual, it
    is."""
    silence_most: float = attrs.field(default=600.0, validator=seconds())
    """A channel that is silent for longer is asked about over REST, whatever is usual on it."""
    silence_unknown: float = attrs.field(default=60.0, validator=seconds())
    """The same, of a channel that has had fewer than two messages."""

    def __attrs_post_init__(self) -> None:
        if self.silence_most < self.silence_least:
            raise InvalidArgumentError(
                "silence_most", f"must not be below silence_least ({self.silence_least!r})"
            )
