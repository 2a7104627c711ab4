"""What can be set about the link and the subscriptions."""

from __future__ import annotations

import attrs

__all__ = ["HubSettings"]


@attrs.frozen(kw_only=True)
class HubSettings:
    """Deadlines and bounds; all times in seconds."""

    first_frame_timeout: float = 10.0  #: from the open socket to the connection id
    connect_timeout: float = 30.0  #: for the first connection id, all attempts together
    outage_budget: float | None = 900.0
    """How long a lost link is tried to be opened again until it is SUSPENDED; `None`: for ever."""
    block_timeout: float = 5.0
    """How long a subscription with `overflow="block"` may stop the socket for all."""
    early_messages: int = 1024
    """Messages kept for each (stream, channel) that was armed and has no subscription yet."""
    poll_interval: float = 2.0  #: between two looks at an index that does not push to us
    poll_idle_interval: float = 10.0  #: the same, after it has had nothing new for a while
    log_quiet: float = 60.0  #: after a warning, its like are only counted for this long
