"""Whether a stream that is there already is the one that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

__all__ = ["may_come_from"]

_SOURCE_KEYS = ("url", "source", "source_url")
"""Where an answer may tell a stream's source. The documentation of the service names none; the
local server has `source`, without user, password and query."""


def may_come_from(stream: Mapping[str, Any], url: str) -> bool:
    """Return whether a stream, as the service describes it, may have this source.

    Users, passwords and fragments are left out, and queries where either has none: descriptions
    do not tell them. A description that tells no source may have any.
    """
    told = next((stream[key] for key in _SOURCE_KEYS if isinstance(stream.get(key), str)), None)
    if told is None:
        return True
    (place, query), (wanted, wanted_query) = _place(told), _place(url)
    return place == wanted and (query == wanted_query or not (query and wanted_query))


def _place(url: str) -> tuple[tuple[str, str, str], str]:
    """Split a URL, or the path of a file, into where it is and its query."""
    try:
        parts = urlsplit(url)
    except ValueError:  # an address that is none, such as a broken IPv6 one
        return ("", "", url), ""
    host = parts.netloc.rpartition("@")[2].lower()
    return (parts.scheme, host, parts.path.rstrip("/")), parts.query
