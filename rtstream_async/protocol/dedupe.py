"""Which records have been seen: by what they say, since they have no id."""

from __future__ import annotations

from collections import OrderedDict

import attrs

from rtstream_async.models.messages import Message

__all__ = ["Identity", "Seen", "identity"]

Identity = tuple[int, int, str]
"""Start and end in milliseconds, and the text: the socket has ms where REST has us."""


def identity(message: Message) -> Identity | None:
    """Return what `message` is known by among those of its stream and channel, if it has times."""
    start, end = getattr(message, "start", None), getattr(message, "end", None)
    if start is None or end is None:
        return None
    return round(start * 1e3), round(end * 1e3), getattr(message, "text", "")


@attrs.define
class Seen:
    """The last `maxsize` records of one stream and channel, and which indexes had each.

    Two indexes on one stream may well say the same of the same time; the frames of the socket do
    not say which index they are from.
    """

    maxsize: int = 4096
    _indexes: OrderedDict[Identity, set[str | None]] = attrs.field(
        factory=OrderedDict[Identity, set[str | None]], init=False
    )

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been seen."""
        return not self._indexes

    def add(self, message: Message, index_id: str | None) -> bool:
        """Note a record of the index `index_id`; return whether it is new."""
        key = identity(message)
        if key is None:
            return True
        indexes = self._indexes.setdefault(key, set())
        if index_id in indexes:
            return False
        indexes.add(index_id)
        if len(self._indexes) > self.maxsize:
            self._indexes.popitem(last=False)
        return True

    def has(self, message: Message) -> bool:
        """Return whether any index had this record."""
        return identity(message) in self._indexes
