"""Accounts of what was sent, stored and received: pure, so that they can be tested themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs

import rtstream_async as rts

__all__ = ["Account", "Books", "Closed", "Frame", "Said", "faults", "identity_of"]

SLACK = 1.6  # seconds: the service tells its time to the second, and frames were delayed
RECORDS = ("transcript", "scene_index")
Key = tuple[str | None, str]


def identity_of(message: rts.Message) -> str:
    """Return what a message is known by within its stream and channel."""
    if isinstance(message, rts.AlertMessage):
        return f"{message.end:.3f}"
    if isinstance(message, rts.CaptureMessage):
        return message.event
    return getattr(message, "text", "")


def subject_of(message: rts.Message) -> str | None:
    """Return the stream of a message, or the capture session."""
    return message.session_id if isinstance(message, rts.CaptureMessage) else message.rtstream_id


@attrs.frozen(kw_only=True)
class Said:
    """Something that was said or shown in a stream; times are Unix seconds."""

    stream: str
    channel: str
    text: str
    begun: float
    ended: float
    is_record: bool = True  #: it has a history
    stored: int = 1  #: how many records of it there are
    is_moving: bool = False  #: what makes the records may be made anew after a loss

    @property
    def key(self) -> Key:
        return self.stream, self.channel


@attrs.frozen(kw_only=True)
class Frame:
    """A frame that the server was asked to send, or that was sent in vain."""

    connection: str
    channel: str
    subject: str | None
    identity: str
    at: float

    @property
    def key(self) -> Key:
        return self.subject, self.channel


@attrs.frozen(kw_only=True)
class Closed:
    """A stretch of time in which somebody had stopped something by hand: nothing is owed."""

    stream: str
    channel: str
    since: float
    until: float


@attrs.frozen(kw_only=True)
class Account:
    """What one subscription got, and what it says about that."""

    name: str
    policy: str
    streams: frozenset[str] | None
    channels: frozenset[str]
    opened_at: float
    is_closed: bool = False  #: it was unsubscribed on the way, and so is owed nothing more
    items: Sequence[object]  #: messages, announcements and `SlowConsumerError`, as they came
    received: int
    delivered: int
    dropped: int
    depth: int = 0

    @property
    def messages(self) -> list[rts.Message]:
        return [item for item in self.items if isinstance(item, rts.Message)]

    def wants(self, key: Key) -> bool:
        stream, channel = key
        return channel in self.channels and (self.streams is None or stream in self.streams)


@attrs.frozen(kw_only=True)
class Books:
    """All of it."""

    said: Sequence[Said]
    frames: Sequence[Frame]
    accounts: Sequence[Account]
    closed: Sequence[Closed] = ()
    has_duplicates: bool = False  #: frames were sent twice on purpose
    has_reordered: bool = False
    is_calm: bool = False  #: REST answered at once, and showed all that there was


def faults(books: Books) -> list[str]:
    """Return what is wrong; nothing, if all promises were kept."""
    found: list[str] = []
    for account in books.accounts:
        for check in CHECKS:
            found += [f"{account.name}: {fault}" for fault in check(books, account)]
    return found


def _came_too_often(books: Books, account: Account) -> Iterator[str]:
    """What comes was sent, and comes as often as there is of it."""
    copies: Counter[tuple[Key, str]] = Counter()
    doubled = 2 if books.has_duplicates else 1
    for frame in books.frames:
        if frame.channel not in RECORDS:
            copies[frame.key, frame.identity] += doubled
    for said in books.said:
        # Of several that make records, a frame that comes twice may be of each.
        is_known = said.is_record and said.stored < 2
        copies[said.key, said.text] = max(1, said.stored) * (1 if is_known else doubled)
    came = Counter(
        ((subject_of(message), message.channel), identity_of(message))
        for message in account.messages
    )
    for name, count in came.items():
        if count > copies[name]:
            yield f"{name} came {count} times, and there are {copies[name]}"


def _is_missing(books: Books, account: Account) -> Iterator[str]:
    """What was sent came, or lies in an announced interval, or was dropped and counted."""
    if account.is_closed:
        return
    came = Counter(
        ((subject_of(message), message.channel), identity_of(message))
        for message in account.messages
    )
    missing = [*_missing_words(books, account, came), *_missing_frames(books, account, came)]
    if len(missing) > account.dropped:
        yield from (f"{one} did not come, and nothing was announced" for one in missing)


def _missing_words(
    books: Books, account: Account, came: Mapping[tuple[Key, str], int]
) -> Iterator[Said]:
    for said in books.said:
        is_owed = account.wants(said.key) and said.begun > account.opened_at
        if not is_owed or any(_is_within(said, one) for one in books.closed):
            continue
        owed = 1 if said.is_moving else max(1, said.stored)
        lacks = owed - came.get((said.key, said.text), 0)
        if lacks > 0 and not _is_said_excused(account, said):
            yield from [said] * lacks


def _missing_frames(
    books: Books, account: Account, came: Mapping[tuple[Key, str], int]
) -> Iterator[Frame]:
    for frame in books.frames:
        if frame.channel in RECORDS or not account.wants(frame.key):
            continue
        if frame.at <= account.opened_at or (frame.key, frame.identity) in came:
            continue
        if not _is_excused(account, frame.key, frame.at, (rts.GapUnrecoverable,)):
            yield frame


def _is_said_excused(account: Account, said: Said) -> bool:
    if not said.is_record:
        ends = (rts.GapClosed, rts.GapUnrecoverable)
        return _is_excused(account, said.key, said.ended, ends)
    if said.stored and not said.is_moving:
        return False  # the history has it
    return _is_excused(account, said.key, said.ended, (rts.GapUnrecoverable,), cause="rearm")


def _is_excused(
    account: Account, key: Key, at: float, ends: tuple[type, ...], *, cause: str = ""
) -> bool:
    """Return whether a gap was announced, and its end, that `at` lies in."""
    has_begun = account.opened_at > 0  # who came later may have come in the middle of one
    for item in account.items:
        if isinstance(item, rts.Gap) and _is_about(item, key) and item.cause.startswith(cause):
            has_begun = has_begun or item.since - SLACK <= at
        elif isinstance(item, rts.NotArmed) and _is_about(item, key):
            if item.at - SLACK <= at:
                return True
        elif isinstance(item, ends) and _is_about(item, key) and has_begun:
            assert isinstance(item, rts.GapClosed | rts.GapUnrecoverable)
            if item.since - SLACK <= at <= item.until + SLACK:
                return True
    return False


def _is_about(
    item: rts.Gap | rts.GapClosed | rts.GapUnrecoverable | rts.NotArmed, key: Key
) -> bool:
    stream, channel = key
    return item.rtstream_id in {None, stream} and item.channel in {None, channel}


def _is_within(said: Said, closed: Closed) -> bool:
    is_same = said.key == (closed.stream, closed.channel)
    return is_same and closed.since <= said.ended and said.begun <= closed.until


def _is_lost_on_the_way(books: Books, account: Account) -> Iterator[str]:
    """On one connection, nothing is missing before something that came: no clock needed."""
    if account.is_closed or account.dropped or books.has_reordered:
        return
    came = {
        ((subject_of(message), message.channel), identity_of(message))
        for message in account.messages
        if message.origin == "push"
    }
    # What was sent on two of them may have come by the other one.
    ways = Counter(
        name for name, _ in {((one.key, one.identity), one.connection) for one in books.frames}
    )
    missing: dict[str, list[Frame]] = {}
    for frame in books.frames:
        if not account.wants(frame.key) or frame.at <= account.opened_at:
            continue
        if ways[frame.key, frame.identity] > 1:
            continue
        if (frame.key, frame.identity) in came:
            for lost in missing.pop(frame.connection, ()):
                yield f"{lost} did not come, and a later one of its connection did"
        elif frame.channel not in RECORDS:
            missing.setdefault(frame.connection, []).append(frame)


def _is_out_of_order(books: Books, account: Account) -> Iterator[str]:
    """What is pushed comes in its order; and all that has a history, if that was at hand."""
    if books.has_reordered:
        return
    places = {(said.key, said.text): place for place, said in enumerate(books.said)}
    singles = {said.key for said in books.said} - {
        said.key for said in books.said if said.stored > 1
    }
    last: dict[tuple[Key, bool], int] = {}
    for message in account.messages:
        key = subject_of(message), message.channel
        place = places.get((key, identity_of(message)))
        if place is None:
            continue
        lines = [message.origin == "push"] if message.origin == "push" else []
        if books.is_calm and key in singles:
            lines.append(False)
        for line in lines:
            if place < last.get((key, line), -1):
                how = "pushed" if line else message.origin
                yield f"{identity_of(message)!r} of {key} came late ({how})"
            last[key, line] = max(place, last.get((key, line), -1))


def _is_miscounted(_: Books, account: Account) -> Iterator[str]:
    """What was dropped was counted and told, and the counters add up."""
    if account.received != account.delivered + account.dropped + account.depth:
        yield f"{account.received} received are not {account.delivered} + {account.dropped} dropped"
    if not account.is_closed and account.delivered != len(account.messages):
        yield f"{account.delivered} delivered, and {len(account.messages)} came"
    if account.is_closed:
        return
    if account.policy in {"error", "block"}:
        slow = [item for item in account.items if isinstance(item, rts.SlowConsumerError)]
        told = slow[-1].dropped if slow else 0
    else:
        told = sum(item.count for item in account.items if isinstance(item, rts.Dropped))
    if told != account.dropped:
        yield f"{account.dropped} were dropped, and {told} told"


def _is_left_open(_: Books, account: Account) -> Iterator[str]:
    """No gap stays open when all is well again."""
    if account.is_closed:
        return
    is_open = False
    for item in account.items:
        if isinstance(item, rts.Gap) and item.rtstream_id is None:
            is_open = True
        elif isinstance(item, rts.GapClosed | rts.GapUnrecoverable):
            is_open = False
    if is_open:
        yield "a gap was announced, and no end of it"


CHECKS: tuple[Callable[[Books, Account], Iterator[str]], ...] = (
    _came_too_often,
    _is_missing,
    _is_lost_on_the_way,
    _is_out_of_order,
    _is_miscounted,
    _is_left_open,
)
