"""What `watch` and `demo` tell beyond messages and announcements."""

from __future__ import annotations

import attrs

from rtstream_async.models.announcements import Announcement
from rtstream_async.models.messages import Message

__all__ = ["Happening", "Note", "StreamState"]


@attrs.frozen(kw_only=True)
class StreamState:
    """The service says that the stream is in another state than before."""

    at: float  #: Unix time, seconds, of the local clock
    rtstream_id: str
    status: str  #: the service's word
    note: str = ""  #: the service's reason, if it gave one


@attrs.frozen(kw_only=True)
class Note:
    """Something that the command itself did."""

    at: float  #: Unix time, seconds, of the local clock
    text: str


Happening = Message | Announcement | StreamState | Note
"""What can be told, one line each."""
