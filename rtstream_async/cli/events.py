"""What `watch` and `demo` tell beyond messages and announcements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import attrs

from rtstream_async.models.announcements import Announcement
from rtstream_async.models.messages import Message

__all__ = ["Happening", "Note", "StreamState", "StreamView"]


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


class StreamView(Protocol):
    """A stream as it is shown: a handle of the SDK, or a record."""

    @property
    def id(self) -> str:
        """Id of the stream."""
        ...

    @property
    def name(self) -> str | None:
        """Its name."""
        ...

    @property
    def status(self) -> str | None:
        """The service's word for its state."""
        ...

    @property
    def created_at(self) -> float | None:
        """When it was connected, Unix time in seconds."""
        ...

    @property
    def media_types(self) -> tuple[str, ...]:
        """What of it is analysed."""
        ...

    @property
    def store(self) -> bool | None:
        """Whether the recording is kept for export."""
        ...

    @property
    def raw(self) -> Mapping[str, Any]:
        """The service's own answer."""
        ...

    def __getitem__(self, key: str) -> Any: ...
