"""What the service says of events, which are rules, and of alerts, which bind them to indexes.

What the service sent beyond the fields is in `raw`, unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from rtstream_async.models.base import Keyed, raw_field

__all__ = ["Alert", "Event"]

_ENABLED = frozenset({"active", "enabled"})


@attrs.frozen(kw_only=True)
class Event(Keyed):
    """A detection rule."""

    event_id: str
    event_prompt: str | None = None  #: what is to be detected
    label: str | None = None  #: what its alerts are called
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class Alert(Keyed):
    """An event that watches an index."""

    alert_id: str
    event_id: str | None = None
    prompt: str | None = None  #: the event's
    label: str | None = None  #: the event's
    callback_url: str | None = attrs.field(default=None, repr=False)
    """Where detections are posted to; empty or `None`: nowhere. Not shown: it may hold a secret."""
    status: str | None = None  #: `enabled`, `disabled` or any other word of the service
    raw: Mapping[str, Any] = raw_field()

    @property
    def is_enabled(self) -> bool:
        """Whether `status` is one of the words that the service uses for an alert that watches."""
        return self.status in _ENABLED
