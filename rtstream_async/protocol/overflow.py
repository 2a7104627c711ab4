"""A bounded queue that says what it gives up: the five overflow policies.

| policy | a message comes, and the queue is full |
|---|---|
| `drop_oldest` | the oldest queued message is dropped |
| `drop_newest` | the message that came is dropped |
| `latest` | the oldest is dropped; and, full or not, a message replaces a queued one of its key |
| `error` | it is dropped, and so is what follows until the consumer has been told by an error |
| `block` | it is kept, and the caller is asked to stop reading until the queue is half empty |

Nothing here waits, logs or raises: the shell looks at the flags and does what they ask for.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final, Generic, Literal, TypeVar, cast, get_args

__all__ = ["OVERFLOWS", "SLOW", "Mark", "Overflow", "Queue"]

T = TypeVar("T")

Overflow = Literal["drop_oldest", "drop_newest", "latest", "error", "block"]

OVERFLOWS: tuple[Overflow, ...] = get_args(Overflow)

_MAX_MARKS = 256  # a consumer that never reads must not pile up announcements either
_UNUSED: Final[deque[Any]] = deque(maxlen=0)  # 10,000 idle queues share it: a deque takes 760 bytes


class _Slow(enum.Enum):
    SLOW = "SLOW"


SLOW: Final = _Slow.SLOW
"""In a `Mark`: here the consumer is to be told that it was too slow."""


class Mark:
    """Something other than a message, with its place among the messages; never dropped for one."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


class _Cell:
    """The place in the queue that a key's latest message has."""

    __slots__ = ("key", "value")

    def __init__(self, key: Hashable, value: object) -> None:
        self.key = key
        self.value = value


class Queue(Generic[T]):
    """A bounded queue of messages, with marks between them.

    As long as `is_special` is false, `items.popleft()` is the next message, and a reader may take
    it so; else it has to call `take()`.

    Attributes:
        items: What is queued, oldest first.
        limit: `put()` needs no thought while fewer than this are queued.
        is_special: There is more to reading than taking the oldest item.
        is_deaf: Messages are dropped until the consumer has taken the mark that tells it.
        is_holding: The queue is full and asks its caller to stop reading.
        untold: Messages and marks dropped since the shell last told the consumer.
    """

    __slots__ = (
        "_cells",
        "_front",
        "_marks",
        "delivered",
        "dropped",
        "high_water",
        "is_deaf",
        "is_holding",
        "is_special",
        "items",
        "key",
        "limit",
        "maxsize",
        "policy",
        "tells",
        "untold",
    )

    def __init__(
        self,
        *,
        maxsize: int,
        policy: Overflow = "drop_oldest",
        key: Callable[[T], Hashable] | None = None,
        tells: bool = False,
    ) -> None:
        """Make an empty queue of at most `maxsize` messages.

        `tells`: the shell tells the consumer about drops. `key`: of a message, for `latest`;
        without it, all messages share one.
        """
        self.maxsize = maxsize
        self.policy: Overflow = policy
        self.key = key
        self.tells = tells
        self.items: deque[Any] = _UNUSED
        self.limit = 0
        self.is_special = policy == "latest"
        self.is_deaf = False
        self.is_holding = False
        self.untold = 0
        self.dropped = 0
        self.delivered = 0
        self.high_water = 0
        self._marks = 0
        self._front: deque[Mark] | None = None
        self._cells: dict[Hashable, _Cell] | None = {} if policy == "latest" else None

    @property
    def depth(self) -> int:
        """How many messages are queued."""
        return len(self.items) - self._marks

    @property
    def received(self) -> int:
        """How many messages have been put in so far, those dropped included."""
        return self.delivered + self.dropped + self.depth

    @property
    def is_empty(self) -> bool:
        """Whether `take()` has nothing to give."""
        return not self.items and not self._front

    @property
    def oldest(self) -> T | None:
        """The message that has been queued longest."""
        messages = (item for item in self.items if type(item) is not Mark)
        first: Any = next(messages, None)
        return cast("T | None", first.value if type(first) is _Cell else first)

    def put(self, message: T) -> bool:
        """Queue `message`; return false if something was dropped, or reading should stop."""
        items = self.items
        if len(items) < self.limit:
            items.append(message)
            if len(items) > self.high_water:
                self.note_depth()
            return True
        return self._put_slowly(message)

    def note_depth(self) -> None:
        """Note that more may be queued than ever before."""
        self.high_water = max(self.high_water, self.depth)

    def mark(self, value: object) -> bool:
        """Put a mark after what is queued; return false if there are too many already."""
        if self._marks + len(self._front or ()) >= _MAX_MARKS:
            self.untold += 1
            self._settle()
            return False
        self._open()
        self.items.append(Mark(value))
        self._marks += 1
        self._settle()
        return True

    def give_up(self) -> None:
        """Drop what comes from now on, until the consumer has read up to here and is told."""
        self.is_holding = False
        self.is_deaf = True
        self._open()
        # Beyond the bound of marks, if need be: without this one the queue would stay deaf.
        self.items.append(Mark(SLOW))
        self._marks += 1
        self._settle()

    def take(self) -> T | Mark | None:
        """Return the next message or mark, or `None` if nothing is queued."""
        if self._front:
            mark = self._front.popleft()
            self._settle()
            return mark
        if not self.items:
            return None
        item = self.items.popleft()
        if type(item) is Mark:
            self._marks -= 1
            if item.value is SLOW:
                self.is_deaf = False
        else:
            self.delivered += 1
            if self._cells is not None:
                del self._cells[item.key]
                item = item.value
        if self.is_holding and self.depth <= self.maxsize // 2:
            self.is_holding = False
        self._settle()
        return cast("T | Mark", item)

    def put_back(self, messages: Iterable[T]) -> None:
        """Queue messages again that were taken and not used: in this order, before all others.

        They may be more than fit; what comes next finds the queue full then. A message whose key
        has a later one queued is dropped, if only the latest is kept.
        """
        if self.items is _UNUSED and self.is_deaf:
            return  # closed
        self._open()
        for message in reversed(list(messages)):
            self.delivered -= 1
            if self._cells is None:
                self.items.appendleft(message)
                continue
            key = None if self.key is None else self.key(message)
            if key in self._cells:
                self._drop()
            else:
                self._cells[key] = cell = _Cell(key, message)
                self.items.appendleft(cell)
        self.note_depth()
        self._settle()

    def tell(self) -> int:
        """Return how many messages were dropped since the last call."""
        untold, self.untold = self.untold, 0
        self._settle()
        return untold

    def close(self) -> None:
        """Forget what is queued, and take nothing more."""
        self.items = _UNUSED
        self._front = None
        self._marks = 0
        self.untold = 0
        if self._cells is not None:
            self._cells = {}
        self.is_holding = False
        self.is_deaf = True
        self._settle()

    def _put_slowly(self, message: T) -> bool:
        if self.is_deaf:
            return self._drop()
        self._open()
        if self._cells is not None:
            return self._put_latest(message, self._cells)
        if self.depth < self.maxsize:
            self._settle()
            return self.put(message)
        return self._put_full(message)

    def _put_full(self, message: T) -> bool:
        match self.policy:
            case "drop_newest":
                return self._drop()
            case "error":
                self.give_up()
                return self._drop()
            case "block":
                self.items.append(message)
                self.note_depth()
                self.is_holding = True
                self._settle()
                return False
            case _:
                self._drop_oldest()
                self.items.append(message)
                return False

    def _put_latest(self, message: T, cells: dict[Hashable, _Cell]) -> bool:
        key = None if self.key is None else self.key(message)
        cell = cells.get(key)
        if cell is not None:
            cell.value = message
            return self._drop()
        fits = self.depth < self.maxsize or self._drop_oldest()
        cells[key] = cell = _Cell(key, message)
        self.items.append(cell)
        self.note_depth()
        return fits

    def _open(self) -> None:
        if self.items is _UNUSED:
            self.items = deque()

    def _settle(self) -> None:
        needs_thought = self.is_deaf or self._cells is not None or self.items is _UNUSED
        self.limit = 0 if needs_thought else self.maxsize + self._marks
        self.is_special = bool(
            self._marks
            or self._front
            or self.is_holding
            or self._cells is not None
            or (self.tells and self.untold)
        )

    def _drop(self) -> bool:
        self.dropped += 1
        self.untold += 1
        if self.tells:
            self.is_special = True
        return False

    def _drop_oldest(self) -> bool:
        oldest = self.items.popleft()
        while type(oldest) is Mark:
            # Marks at the head keep their place: before everything that is still queued.
            if self._front is None:
                self._front = deque()
            self._front.append(oldest)
            self._marks -= 1
            self._settle()
            oldest = self.items.popleft()
        if self._cells is not None:
            del self._cells[oldest.key]
        return self._drop()
