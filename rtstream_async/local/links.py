"""Where a window of a stream can be played: URLs with a token in place of the key."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlencode

import attrs

from rtstream_async.local.tokens import Grant, Tokens
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["WindowUrls", "page_url", "window_urls"]

_BETWEEN_WORDS = re.compile(r"[^a-z0-9]+")
_LONGEST_SLUG = 40


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
    slug_prefix: str | None = None,
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
        slug_prefix: What the page's name begins with; its title when not given.
    """
    grant = Grant(
        kind="clip", subject=stream_id, start_us=microseconds(start), end_us=microseconds(end)
    )
    token = tokens.issue(grant, lifetime=lifetime)
    name = f"{grant.start_us}-{grant.end_us}.m3u8"
    stream_url = f"{base_url}/manifests/{stream_id}/{name}?{urlencode({'token': token})}"
    page = page_url(
        base_url, stream_url, title=title, description=description, slug_prefix=slug_prefix
    )
    return WindowUrls(stream_url=stream_url, player_url=page)


def page_url(
    base_url: str,
    stream_url: str,
    *,
    title: str,
    description: str | None = None,
    slug_prefix: str | None = None,
) -> str:
    """Return the page that plays one of our manifests.

    It ends in `/watch?v=...` because the official SDK makes embed code of no other page, and
    `/watch?` is where it puts `/embed?` in. `v` is a name for people; `url` is what is played.
    """
    words = _BETWEEN_WORDS.sub("-", (slug_prefix or title).lower()).strip("-")[:_LONGEST_SLUG]
    sign = hashlib.sha256(stream_url.encode()).hexdigest()[:8]
    page = {
        "v": f"{words}-{sign}" if words else sign,
        "url": stream_url,
        "title": title,
        "description": description,
    }
    asked = urlencode({key: value for key, value in page.items() if value})
    return f"{base_url}/player/watch?{asked}"
