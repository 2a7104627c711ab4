"""What recovery needs of others: who arms again, and whom it gives what it finds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from rtstream_async.models.announcements import Announcement
from rtstream_async.models.messages import Message
from rtstream_async.protocol.rearm import Arm, Rearmed
from rtstream_async.protocol.router import Key

__all__ = ["Outlet", "Rearmer"]


class Rearmer(Protocol):
    """How something is told to publish to another connection id."""

    async def rearm(self, arm: Arm, connection_id: str) -> Rearmed:
        """Have what was armed publish to `connection_id`, as far as the service offers a way.

        Raises:
            RTStreamError: It failed, and may work later.
        """
        ...


class Outlet(Protocol):
    """Whom recovered messages and announcements go to."""

    def give(self, message: Message) -> None:
        """Give a message to whoever reads its stream and channel, whether there is room or not."""
        ...

    async def pour(self, key: Key, messages: Sequence[Message]) -> None:
        """Give these messages, in this order, to whoever reads `key`, as fast as they take them."""
        ...

    def tell(self, key: Key, announcement: Announcement) -> None:
        """Tell whoever reads `key`."""
        ...

    def tell_rest(self, keys: Iterable[Key], announcement: Announcement) -> None:
        """Tell everybody who reads none of `keys`, and those who read all streams."""
        ...

    def leave_to_poll(self, key: Key) -> None:
        """Nothing pushes `key` any more: poll it for as long as it is read."""
        ...
