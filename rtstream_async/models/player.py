"""A player's page, to be put into another page."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from rtstream_async.errors import InvalidArgumentError

__all__ = ["embed_code", "player_page"]

_CONSOLE = "https://console.videodb.io/player"


def embed_code(
    player_url: str | None,
    *,
    width: str | int,
    height: int,
    title: str,
    allow_fullscreen: bool,
) -> str:
    """Return the HTML of an iframe that shows a player.

    Args:
        player_url: The page that plays; the service's `/watch` pages are embedded as `/embed`.
        width: CSS width, or pixels.
        height: Pixels, above 0.
        title: What a screen reader says of it.
        allow_fullscreen: Whether it may fill the screen.

    Raises:
        InvalidArgumentError: There is no page, or `height` is no height.
    """
    if not player_url:
        raise InvalidArgumentError(
            "player_url", "is not known: there is nothing to show, or no stream was made of it yet"
        )
    if type(height) is not int or height <= 0:
        raise InvalidArgumentError("height", f"must be a whole number above 0, not {height!r}")
    page = escape(player_url.replace("/watch?", "/embed?", 1))
    fullscreen = " allowfullscreen" if allow_fullscreen else ""
    return (
        f'<iframe src="{page}" width="{escape(str(width))}" height="{height}"'
        f' title="{escape(title)}" frameborder="0"{fullscreen}></iframe>'
    )


def player_page(stream_url: str, player_url: str | None) -> str:
    """Return the address of a page that plays a stream: its own, or the service's for any."""
    return player_url or f"{_CONSOLE}?url={quote(stream_url, safe=':/')}"
