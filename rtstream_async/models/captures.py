"""What the service says of capture sessions.

Times are Unix seconds. What the service sent beyond the fields is in `raw`, unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import attrs

from rtstream_async.models.base import Keyed, no_fields, raw_field
from rtstream_async.models.records import StreamRecord

__all__ = ["CaptureChannel", "CaptureExport", "CaptureRecord", "ClientToken"]


@attrs.frozen(kw_only=True)
class CaptureChannel(Keyed):
    """One thing that a session captures: a microphone, a screen, what the loudspeaker plays."""

    id: str  #: for example `mic:default`, `display:1`
    name: str | None = None
    type: str | None = None  #: `audio` or `video`
    store: bool = False  #: whether it is recorded for export
    is_primary: bool = False
    # Who knows them can push.
    rtsp_url: str | None = attrs.field(default=None, repr=False)
    """Where the capturing program pushes it; known to that program alone."""
    rtmp_url: str | None = attrs.field(default=None, repr=False)
    """The same for RTMP, which the local server takes as well."""
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class CaptureRecord(Keyed):
    """A capture session: one user's screen and sound, as streams."""

    id: str
    collection_id: str
    end_user_id: str | None = None
    client_id: str | None = None
    status: str | None = None  #: `created`, `starting`, `active`, ... or any other word
    callback_url: str | None = None
    ws_connection_id: str | None = None
    metadata: Mapping[str, Any] = attrs.field(factory=no_fields)
    created_at: float | None = None  #: Unix time, seconds
    channels: tuple[CaptureChannel, ...] = ()
    primary_video_channel_id: str | None = None
    export_status: str | None = None  #: `pending`, `exporting`, `exported`, `failed`
    exported_video_id: str | None = None
    rtstreams: tuple[StreamRecord, ...] = ()
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class CaptureExport(Keyed):
    """How far the export of a capture session is; the official SDK gives the same as a `dict`."""

    session_id: str
    video_channel_id: str | None = None  #: the channel that is exported
    export_status: str | None = None  #: `exporting`, `exported`, `failed`, or any other word
    video_id: str | None = None  #: what came of it; `None` as long as it goes on
    # Both may hold a token, and a repr ends up in logs.
    stream_url: str | None = attrs.field(default=None, repr=False)
    player_url: str | None = attrs.field(default=None, repr=False)
    name: str | None = None
    duration: float | None = None  #: seconds
    error: str | None = None  #: why it failed
    raw: Mapping[str, Any] = raw_field()

    @property
    def is_exported(self) -> bool:
        """Whether it is done, and can be played."""
        return self.export_status == "exported"

    @property
    def is_over(self) -> bool:
        """Whether it is done, or failed."""
        return self.export_status in {"exported", "failed"}


class ClientToken(str):
    """A token in place of a key, for the machine of an end user; it is the text itself.

    Attributes:
        expires_at: When it ends, Unix time in seconds; `None` if the service did not say.
        expires_in: For how many seconds it was issued; `None` if the service did not say.
    """

    __slots__ = ("expires_at", "expires_in")

    expires_at: float | None
    expires_in: float | None

    def __new__(
        cls, token: str, *, expires_at: float | None = None, expires_in: float | None = None
    ) -> Self:
        """Return `token` with what is known of its end."""
        self = super().__new__(cls, token)
        self.expires_at = expires_at
        self.expires_in = expires_in
        return self

    def __repr__(self) -> str:
        # It opens the account: it must not get into a log because somebody showed an object.
        return f"<ClientToken until {self.expires_at}>"
