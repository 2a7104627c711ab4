"""Small pieces of text: moments, lengths of time, sizes, and what must not reach a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from urllib.parse import SplitResult, urlsplit, urlunsplit

__all__ = ["clock", "count", "iso", "printable", "seconds", "shown_url", "span", "stamp"]

_OPEN_OPTIONS = {"loop", "listen"}


def clock(moment: float, *, zone: tzinfo | None = None) -> str:
    """Return `14:03:05`: Unix seconds as the wall clock of `zone` (`None`: this machine's)."""
    return _at(moment, zone).strftime("%H:%M:%S")


def stamp(moment: float, *, zone: tzinfo | None = None) -> str:
    """Return `2026-03-01 14:03:05`: as `clock()`, with the day."""
    return _at(moment, zone).strftime("%Y-%m-%d %H:%M:%S")


def span(start: float, end: float, *, zone: tzinfo | None = None) -> str:
    """Return `14:03:05-14:03:10`: an interval of Unix seconds."""
    return f"{clock(start, zone=zone)}-{clock(end, zone=zone)}"


def iso(moment: float | None) -> str | None:
    """Return Unix seconds as ISO 8601 in UTC, with milliseconds; `None` stays `None`."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, tz=UTC).isoformat(timespec="milliseconds")


def seconds(length: float) -> str:
    """Return a length of time as people write it: `0.8 s`, `42 s`, `3 min 05 s`, `2 h 10 min`."""
    if length < 10:  # noqa: PLR2004 - below, tenths matter
        return f"{length:.1f} s"
    whole = round(length)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 message`, `2 messages`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def printable(text: str) -> str:
    """Return `text` on one line, without characters that command a terminal.

    What a stream shows ends up here: words on a screen must not be able to move the cursor.
    """
    flat = " ".join(text.split())
    return "".join(char for char in flat if char.isprintable())


def shown_url(url: str) -> str:
    """Return `url` fit to be shown: a password and what its query carries are hidden."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # asking checks it: a `/` in a password makes one of it
        masked = parts._replace(netloc=_host_only(parts), query=_names_only(parts.query))
    except ValueError:
        return "an address that can't be read"
    return printable(urlunsplit(masked))


def _host_only(parts: SplitResult) -> str:
    if parts.password is None:
        return parts.netloc
    return f"{parts.username}:***@{parts.netloc.rpartition('@')[2]}"


def _names_only(query: str) -> str:
    pairs = [pair.partition("=") for pair in query.split("&")]
    return "&".join(
        f"{name}{sign}{value if name in _OPEN_OPTIONS or not value else '***'}"
        for name, sign, value in pairs
    )


def _at(moment: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(moment, tz=UTC).astimezone(zone)
