"""How one local server behaves."""

from __future__ import annotations

from pathlib import Path

import attrs

from rtstream_async.local.datadir import ASSETS, SEGMENTS
from rtstream_async.local.hub import HubSettings

__all__ = ["Settings"]


@attrs.frozen(kw_only=True)
class Settings:
    """What a server is told at its start; times in seconds."""

    data_dir: Path
    media_root: Path | None = None  #: files are read below it; `None`: no files at all
    strict_start: bool = False  #: refuse `start` of a running stream, as the service does
    scripted: bool = False  #: take `scripted://` sources, which only `control` feeds
    quota_bytes: int | None = None  #: recordings beyond it go, oldest first
    unstored_seconds: float = 600.0  #: what is kept of a stream with `store=False`
    open_timeout: float = 10.0  #: how long connecting waits for the source
    clip_lifetime: float = 86_400.0  #: how long an issued manifest URL plays
    clip_patience: float = 5.0  #: how long playback waits for the end of its window
    job_patience: float = 20.0  #: how long a request waits for long work before it says "later"
    capture_timeout: float = 60.0  #: how long a capture session goes on with no publisher
    capture_settle: float = 5.0  #: how long its first publisher waits for the others
    drain: float = 8.0  #: how long recordings and indexes may take to finish at shutdown
    webhook_allow: tuple[str, ...] | None = None  #: hosts that webhooks may call; `None`: all
    hub: HubSettings = attrs.field(factory=HubSettings)

    @property
    def segments_dir(self) -> Path:
        """Where recordings are kept, a directory for each stream."""
        return self.data_dir / SEGMENTS

    @property
    def assets_dir(self) -> Path:
        """Where exported videos are kept, a directory for each."""
        return self.data_dir / ASSETS
