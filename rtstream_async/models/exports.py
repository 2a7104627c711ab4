"""What a recording was exported to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from rtstream_async.models.base import Keyed, raw_field
from rtstream_async.models.player import embed_code

__all__ = ["RTStreamExportResult"]


@attrs.frozen(kw_only=True)
class RTStreamExportResult(Keyed):
    """The asset that a recording was exported to."""

    video_id: str  #: `m-...` for a video, `a-...` for sound alone
    # Both may hold a token, and a repr ends up in logs.
    stream_url: str | None = attrs.field(default=None, repr=False)
    """HLS manifest; `None` for sound alone."""
    player_url: str | None = attrs.field(default=None, repr=False)
    """A page that plays it; `None` for sound alone."""
    name: str | None = None
    duration: float | None = None  #: seconds; may be `None` when it had been exported before
    raw: Mapping[str, Any] = raw_field()

    def get_embed_code(
        self,
        width: str | int = "100%",
        height: int = 405,
        title: str = "VideoDB Player",
        allow_fullscreen: bool = True,
    ) -> str:
        """Return the HTML of an iframe that plays it; not to be awaited, since all is known.

        Args:
            width: CSS width, or pixels.
            height: Pixels.
            title: What a screen reader says of it.
            allow_fullscreen: Whether it may fill the screen.

        Raises:
            InvalidArgumentError: There is no `player_url`, as for sound alone; or `height` is no
                height.
        """
        return embed_code(
            self.player_url,
            width=width,
            height=height,
            title=title,
            allow_fullscreen=allow_fullscreen,
        )
