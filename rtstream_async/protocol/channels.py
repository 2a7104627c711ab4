"""Which stream of a capture session is the microphone, the screen, or the sound of the system.

The service has several spellings. Its documents name streams `mic:default`, `display:1` and
`system_audio:default`; programs that work with it also read `Capture mic - cap-83e6`; and the
categories that a caller asks for are `mic`, `screen` and `system_audio`. The official SDK compares
a category with the whole id of a channel, and so finds nothing in `mic:default`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

from rtstream_async.errors import InvalidArgumentError

__all__ = ["CATEGORIES", "Channelled", "category_of", "matching"]

CATEGORIES: Final = ("mic", "screen", "system_audio")

_SPELLINGS: Final = {
    "mic": "mic",
    "microphone": "mic",
    "screen": "screen",
    "display": "screen",
    "system_audio": "system_audio",
    "system-audio": "system_audio",
    "systemaudio": "system_audio",
}
_NAMED: Final = re.compile(r"capture (?P<kind>[\w-]+) - .+")


class Channelled(Protocol):
    """What comes from a channel of a session."""

    @property
    def channel_id(self) -> str | None:
        """Id of the channel."""
        ...

    @property
    def name(self) -> str | None:
        """Name of the stream, which often is the id of the channel."""
        ...


T = TypeVar("T", bound=Channelled)


def category_of(label: str | None) -> str | None:
    """Return `mic`, `screen` or `system_audio` for the id or name of a channel; `None`: neither."""
    plain = _plain(label)
    named = _NAMED.fullmatch(plain)
    return _SPELLINGS.get(named["kind"] if named else plain.partition(":")[0])


def matching(wanted: object, streams: Iterable[T], *, known: Iterable[str | None] = ()) -> list[T]:
    """Return those of a session's streams that `wanted` means, whatever the case of its letters.

    Args:
        wanted: `mic`, `screen` or `system_audio`; or the id of a channel; or the name of a stream.
        streams: All streams of the session.
        known: Ids of channels that may have no stream yet.

    Raises:
        InvalidArgumentError: It is none of these. A misspelt one would be a list of nothing.
    """
    plain = _plain(wanted) if isinstance(wanted, str) else ""
    everything = list(streams)
    if plain in _SPELLINGS:
        return [item for item in everything if _category(item) == _SPELLINGS[plain]]
    found = [item for item in everything if plain and plain in map(_plain, _labels(item))]
    labels = [*known, *(label for item in everything for label in _labels(item))]
    if found or category_of(plain) is not None or (plain and plain in map(_plain, labels)):
        return found
    choices = dict.fromkeys([*CATEGORIES, *(label for label in labels if label)])
    raise InvalidArgumentError("category", f"can't be {wanted!r}", allowed=tuple(choices))


def _category(item: Channelled) -> str | None:
    return next(filter(None, map(category_of, _labels(item))), None)


def _labels(item: Channelled) -> tuple[str | None, str | None]:
    return item.channel_id, item.name


def _plain(label: str | None) -> str:
    return (label or "").strip().lower()
