"""Which records were handled, so that a consumer that died goes on where it was.

Records have no id and no number; they come late and out of order. So what is kept of a stream and
channel is no bare time. It is a time up to which nothing is owed any more, some way before the
newest record, and what was handled of all that ends after it: times and a digest of the text, each
with a number, since two indexes may say the same of the same moment.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Iterable
from typing import Final, TypeVar, cast

import attrs

from rtstream_async.models.messages import (
    AudioMessage,
    Message,
    SceneMessage,
    TranscriptMessage,
)
from rtstream_async.protocol.ledger import Timed
from rtstream_async.protocol.router import Key

__all__ = [
    "HISTORIC",
    "CheckpointKey",
    "Cursor",
    "Handled",
    "Position",
    "Ticket",
    "historic",
    "key_of",
]

HISTORIC: Final = ("scene_index", "audio_index", "transcript")
"""The channels whose messages can be read again over REST."""

CheckpointKey = tuple[str, str]
"""Id of a stream, and one of `HISTORIC`."""

_TOLERANCE = 0.0015  # seconds: the socket has ms where REST has us
_MARGIN = 2 * _TOLERANCE
_SLOT = (
    0.01  # seconds; wider than the tolerance, so that two neighbours are all there is to look at
)
_DIGEST_BYTES = 12


R = TypeVar("R", bound=Timed)


@attrs.frozen(kw_only=True)
class Handled:
    """A record that was handled."""

    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds
    digest: str  #: of its text
    count: int = 1  #: how many records were alike


@attrs.frozen(kw_only=True)
class Position:
    """How far one stream and channel was handled."""

    since: float
    """Unix time, seconds: what ends then or before is not owed any more."""
    handled: tuple[Handled, ...] = ()  #: of what ends after that

    def onto(self, position: Position | None) -> Position:
        """Return what a checkpoint holds once this progress is committed on top of `position`.

        That is what every checkpoint has to do: take the new `since`, add what was handled, and
        forget what ends then or before.
        """
        counts: dict[tuple[float, float, str], int] = {}
        for handled in (*(position.handled if position else ()), *self.handled):
            if handled.end > self.since:
                mark = handled.end, handled.start, handled.digest
                counts[mark] = counts.get(mark, 0) + handled.count
        return Position(
            since=self.since,
            handled=tuple(
                Handled(start=start, end=end, digest=digest, count=counts[end, start, digest])
                for end, start, digest in sorted(counts)
            ),
        )


def key_of(message: object) -> CheckpointKey | None:
    """Return the stream and channel of a message that has a history, and `None` for all others.

    A partial transcript has none, nor has an alert, nor what is not about a time.
    """
    if not isinstance(message, SceneMessage | AudioMessage | TranscriptMessage):
        return None
    if isinstance(message, TranscriptMessage) and not message.is_final:
        return None
    if message.rtstream_id is None or message.channel not in HISTORIC:
        return None
    if not (math.isfinite(message.start) and math.isfinite(message.end)):
        return None
    return message.rtstream_id, cast("Message", message).channel


def historic(keys: Iterable[Key], known: Iterable[CheckpointKey]) -> list[CheckpointKey]:
    """Return those streams and channels that `keys` mean and that have a history.

    Args:
        keys: Of a subscription: `None` stands for all streams, or all channels.
        known: What "all streams" are.
    """
    everything = list(known)
    found: dict[CheckpointKey, None] = {}
    for stream, channel in keys:
        for name in HISTORIC if channel is None else (channel,):
            if name not in HISTORIC:
                continue
            if stream is not None:
                found[stream, name] = None
            else:
                found.update(dict.fromkeys(key for key in everything if key[1] == name))
    return list(found)


@attrs.define(eq=False)
class _Entry:
    """One identity: all records of the same times, within the tolerance, and the same text."""

    start: float
    end: float
    digest: str
    taken: int = 0  #: records given to the handler, by earlier processes too
    pushed: int = 0  #: records that the source gave, in this process
    unsaved: int = 0  #: records handled, and in no `Position` yet


@attrs.define(eq=False)
class Ticket:
    """One record in work; for `Cursor.done()`."""

    entry: _Entry
    is_done: bool = False


class Cursor:
    """What became of the records of one stream and channel.

    Each record is taken once, whether the source gives it or the history: of records that are
    alike, as many as the larger of both has.
    """

    def __init__(
        self, position: Position, *, overlap: float, is_saved: bool, has_history: bool
    ) -> None:
        """Go on from `position`.

        Args:
            position: What the checkpoint has, or where a new one begins.
            overlap: How far before the newest record what was handled is remembered, in seconds;
                a record that comes later than that after its neighbours may be missed.
            is_saved: Whether the checkpoint has it.
            has_history: Whether `read()` will come; until then nothing is forgotten, since what
                it has to find may be older than what the source gives meanwhile.
        """
        self._overlap = overlap
        self._is_owed = has_history
        self._reached = self._newest = position.since
        self._saved = position.since if is_saved else None
        self._slots: dict[tuple[str, int], list[_Entry]] = {}
        self._by_end: list[tuple[float, int, _Entry]] = []
        self._in_work: list[tuple[float, int, Ticket]] = []
        self._unsaved: dict[_Entry, None] = {}
        self._number = 0
        for handled in position.handled:
            entry = self._open(handled.start, handled.end, handled.digest)
            entry.taken += handled.count

    @property
    def since(self) -> float:
        """Unix time, seconds: history is to be read from here on."""
        return self._reached

    def push(self, record: Timed) -> Ticket | None:
        """Take a record that the source gave; `None`: it was taken before, from the history."""
        entry = self._entry(record)
        entry.pushed += 1
        return self._take(entry) if entry.pushed > entry.taken else None

    def read(self, records: Iterable[R]) -> list[tuple[R, Ticket]]:
        """Take what is new of the history, all that it has after `since`; in order of time."""
        self._is_owed = False
        stored: dict[_Entry, int] = {}
        new: list[tuple[R, Ticket]] = []
        for record in sorted(records, key=lambda record: (record.start, record.end)):
            # Not of what was asked for, but of now: what has been forgotten since looks new.
            if record.end <= self._reached:
                continue
            entry = self._entry(record)
            stored[entry] = stored.get(entry, 0) + 1
            if stored[entry] > entry.taken:
                new.append((record, self._take(entry)))
        return new

    def done(self, ticket: Ticket) -> None:
        """Note that a record was handled."""
        if not ticket.is_done:
            ticket.is_done = True
            ticket.entry.unsaved += 1
            self._unsaved[ticket.entry] = None

    def progress(self, now: float) -> Position | None:
        """Return what is to be committed now, to be put `onto()` the last; `None`: nothing is new.

        It is given once. Nothing in it is ahead of what was handled: a record in work holds it
        back, however old it is.

        Args:
            now: The service's Unix time, seconds. A record of the future, which a wrong clock
                makes, moves nothing beyond that.
        """
        since = self._advance(now)
        handled = tuple(
            Handled(start=entry.start, end=entry.end, digest=entry.digest, count=entry.unsaved)
            for entry in self._unsaved
            if entry.end > since
        )
        for entry in self._unsaved:
            entry.unsaved = 0
        self._unsaved.clear()
        if not handled and since == self._saved:
            return None
        self._saved = since
        return Position(since=since, handled=handled)

    def _advance(self, now: float) -> float:
        while self._in_work and self._in_work[0][2].is_done:
            heapq.heappop(self._in_work)
        oldest = self._in_work[0][0] if self._in_work else math.inf
        if not self._is_owed:
            low = min(self._newest, oldest, now)
            self._reached = max(self._reached, low - self._overlap)
            self._forget()
        return min(self._reached, oldest - _MARGIN)

    def _forget(self) -> None:
        while self._by_end and self._by_end[0][0] <= self._reached:
            entry = heapq.heappop(self._by_end)[2]
            slot = entry.digest, _slot(entry.end)
            self._slots[slot].remove(entry)
            if not self._slots[slot]:
                del self._slots[slot]

    def _take(self, entry: _Entry) -> Ticket:
        entry.taken += 1
        self._newest = max(self._newest, entry.end)
        ticket = Ticket(entry)
        self._number += 1
        heapq.heappush(self._in_work, (entry.end, self._number, ticket))
        return ticket

    def _entry(self, record: Timed) -> _Entry:
        digest = _digest(record.text)
        number = _slot(record.end)
        near = [
            (abs(entry.end - record.end) + abs(entry.start - record.start), entry)
            for slot in (number - 1, number, number + 1)
            for entry in self._slots.get((digest, slot), ())
            if abs(entry.end - record.end) <= _TOLERANCE
            and abs(entry.start - record.start) <= _TOLERANCE
        ]
        if near:
            return min(near, key=lambda found: found[0])[1]
        return self._open(record.start, record.end, digest)

    def _open(self, start: float, end: float, digest: str) -> _Entry:
        entry = _Entry(start, end, digest)
        self._slots.setdefault((digest, _slot(end)), []).append(entry)
        self._number += 1
        heapq.heappush(self._by_end, (end, self._number, entry))
        return entry


def _slot(end: float) -> int:
    return math.floor(end / _SLOT)


def _digest(text: str) -> str:
    # A lone surrogate, which JSON can write, is no text to every codec.
    return hashlib.blake2b(
        text.encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES
    ).hexdigest()
