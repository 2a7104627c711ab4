"""What the reader puts a subscription's messages into; the reader's half of a subscription."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Protocol

from rtstream_async.errors import RTStreamError
from rtstream_async.models.announcements import Announcement, StateChange
from rtstream_async.models.messages import Message, UnknownMessage
from rtstream_async.protocol.overflow import Overflow, Queue
from rtstream_async.protocol.router import Key
from rtstream_async.realtime.waiting import Waiter

__all__ = ["Inbox", "Keeper"]


class Keeper(Protocol):
    """What an inbox tells its hub."""

    def overflowed(self, inbox: Inbox) -> None:
        """A message was dropped, or the queue asks for reading to stop."""
        ...

    def drained(self, inbox: Inbox) -> None:
        """The queue no longer asks for that."""
        ...

    def abandoned(self, *inboxes: Inbox) -> None:
        """Nobody will read them any more. May come from any thread, within anything."""
        ...


class Inbox(Queue[Message | StateChange]):
    """A queue of messages, and those who wait for the next one.

    Attributes:
        failure: Why nothing comes at present; raised when the queue is empty.
        is_ended: Nothing will ever come.
        has_control: Its consumer asked for announcements.
        spare: What somebody has waited with, for who waits next: another for each message costs.
        takes_all: It wants all channels.
    """

    __slots__ = (
        "duplicates",
        "failure",
        "gaps",
        "has_control",
        "is_ended",
        "is_guarded",
        "keeper",
        "keys",
        "others",
        "recovered",
        "spare",
        "takes_all",
        "unreadable",
        "waiter",
        "where",
    )

    def __init__(
        self,
        keeper: Keeper,
        *,
        keys: tuple[Key, ...],
        maxsize: int,
        policy: Overflow,
        where: Callable[[Any], bool] | None = None,
        key: Callable[[Any], Hashable] | None = None,
        control: bool = False,
        takes_all: bool = False,
    ) -> None:
        # With `error` and `block` it is an exception that tells of what was dropped.
        tells = control and policy not in ("error", "block")
        super().__init__(maxsize=maxsize, policy=policy, key=key, tells=tells)
        self.keeper = keeper
        self.keys = keys
        self.where = where
        self.has_control = control
        self.takes_all = takes_all
        self.is_guarded = where is not None or key is not None
        self.waiter: Waiter | None = None
        self.others: deque[Waiter] | None = None  # who wait behind it
        self.spare: Waiter | None = None
        self.failure: RTStreamError | None = None
        self.is_ended = False
        self.gaps = 0
        self.recovered = 0
        self.duplicates = 0
        self.unreadable = 0

    @property
    def subject(self) -> str | None:
        """The one stream that it is for, in a monitor; `None`: it is for all that it has."""
        return None

    @property
    def has_news(self) -> bool:
        """Whether there is something to take: a message, an announcement, an error."""
        return not self.is_empty or (self.tells and bool(self.untold))

    @property
    def is_readable(self) -> bool:
        """Whether one who waits here would find something."""
        return self.has_news

    def deliver(self, message: Message | StateChange) -> None:
        """Queue `message` if it is wanted, and wake one who waits."""
        items = self.items
        if self.is_guarded:
            if not self._is_put(message):
                return
        elif len(items) < self.limit:  # as in `put()`, without the call
            items.append(message)
            if len(items) > self.high_water:
                self.note_depth()
        elif not self.put(message):
            self.keeper.overflowed(self)
        waiter = self.waiter
        if waiter is None:
            return
        if self.others or waiter.is_woken:
            self.wake()
        else:  # as usual: the only one, and it waits
            self.waiter = None
            waiter.wake()

    def _is_put(self, message: Message | StateChange) -> bool:
        """Queue `message`, or what the user's own functions raise about it, unless unwanted."""
        try:
            if self.where is not None and not self.where(message):
                return False
            is_well = self.put(message)
        except Exception as exc:  # noqa: BLE001  (it is for this consumer, not for the reader)
            is_well = self.mark(exc)
        if not is_well:
            self.keeper.overflowed(self)
        return True

    def announce(self, announcement: Announcement | UnknownMessage) -> None:
        """Queue `announcement`, if the consumer asked for such; its `where` is not asked."""
        if not self.has_control:
            return
        if not self.mark(announcement):
            self.keeper.overflowed(self)
        if self.waiter is not None:
            self.wake()

    def fail(self, failure: RTStreamError | None) -> None:
        """Raise `failure` in those who wait, now and until it is taken back with `None`."""
        self.failure = failure
        if failure is not None:
            self.wake_all()

    def end(self) -> None:
        """Let what is queued be read, and nothing more come."""
        self.is_ended = True
        self.wake_all()

    def queue_up(self, waiter: Waiter) -> None:
        """Have `waiter` woken when there may be something to read, after those before it."""
        if self.waiter is None:
            self.waiter = waiter
        elif self.others is None:
            self.others = deque([waiter])
        else:
            self.others.append(waiter)

    def leave(self, waiter: Waiter) -> None:
        """Forget `waiter`, which was cancelled; if it had been woken, it is the next one's turn."""
        if self.waiter is waiter:
            self.waiter = self.others.popleft() if self.others else None
        elif self.others and waiter in self.others:
            self.others.remove(waiter)
        elif self.is_readable:
            self.wake()

    def wake(self) -> None:
        """Wake one who waits."""
        while (waiter := self.waiter) is not None:
            self.waiter = self.others.popleft() if self.others else None
            if not waiter.is_woken:
                waiter.wake()
                return

    def wake_all(self) -> None:
        """Wake all who wait."""
        while self.waiter is not None:
            self.wake()
