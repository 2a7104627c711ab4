"""Where a window of a stream can be played: URLs with a token in place of the key."""

from __future__ import annotations

from urllib.parse import urlencode

import attrs

from rtstream_async.local.tokens import Grant, Tokens
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["WindowUrls", "window_urls"]


@attrs.frozen(kw_only=True)
class WindowUrls:
    """The same window, for a player and for a person."""

    stream_url: str  #: its manifest
    player_url: str  #: a page that plays it


def window_urls(
    tokens: Tokens,
    base_url: str,
    *,
    stream_id: str,
    start: float,
    end: float,
    lifetime: float,
    title: str,
    description: str | None = None,
) -> WindowUrls:
    """Return the URLs of a window; whether anything of it is recorded is not looked at.

    Args:
        tokens: Issues the token.
        base_url: `http://host:port` of the server.
        stream_id: The stream.
        start: Begin of the window, Unix seconds.
        end: End of the window, Unix seconds.
        lifetime: Seconds for which the URLs are good.
        title: Of the page.
        description: Of the page.
    """
    grant = Grant(
        kind="clip", subject=stream_id, start_us=microseconds(start), end_us=microseconds(end)
    )
    token = tokens.issue(grant, lifetime=lifetime)
    name = f"{grant.start_us}-{grant.end_us}.m3u8"
    stream_url = f"{base_url}/manifests/{stream_id}/{name}?{urlencode({'token': token})}"
    page = {"url": stream_url, "title": title, "description": description}
    asked = urlencode({key: value for key, value in page.items() if value})
    return WindowUrls(stream_url=stream_url, player_url=f"{base_url}/player?{asked}")
