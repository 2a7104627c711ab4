"""What a consumer with a checkpoint is owed: histories, read first, and again when that is due."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, Protocol, runtime_checkable

import anyio

from rtstream_async.errors import RTStreamError
from rtstream_async.protocol.checkpoint import CheckpointKey, Cursor, Ticket, historic
from rtstream_async.protocol.router import Key
from rtstream_async.realtime.archive import Archive
from rtstream_async.realtime.consume import ConsumeSettings
from rtstream_async.realtime.cursors import Cursors

__all__ = ["Named", "Replay"]

logger = logging.getLogger("rtstream_async.realtime")

_AT_ONCE: Final = 4  # histories that are read and handed over at the same time
_SHORT: Final = 1.0  # seconds: history that took longer to hand over has grown meanwhile
_SLACK: Final = 2.0  # seconds: the service tells its time to the second


@runtime_checkable
class Named(Protocol):
    """A source that knows which streams and channels it is about."""

    @property
    def keys(self) -> Iterable[Key]:
        """Streams and channels; `None` stands for all of them."""
        ...

    def wants(self, message: Any) -> bool:
        """Whether it would give `message`, which is of one of its keys."""
        ...


class Replay:
    """The cursors of one consumer, and the histories that they are compared with.

    Only those of a source that names its keys: of others, no history is read.

    Attributes:
        is_behind: There is history to be handed over before anything that the source gives.
    """

    def __init__(
        self,
        source: AsyncIterable[Any],
        cursors: Cursors,
        *,
        settings: ConsumeSettings[Any],
        archive: Archive,
        begin: Callable[[CheckpointKey], float | None],
        armed: Callable[[], Iterable[CheckpointKey]],
        hand_over: Callable[[Any, Callable[[], None]], Awaitable[None]],
        on_failure: Callable[[Exception], None],
    ) -> None:
        """Read nothing yet.

        Args:
            source: Gives the messages that are pushed.
            cursors: Know what was handled.
            settings: Of the consumer.
            archive: Reads history.
            begin: Returns since when (the service's Unix time) a key is ours, if that is known.
            armed: Returns the keys that are pushed to us.
            hand_over: Takes a message of the history, and what notes that it was handled.
            on_failure: Told what went wrong; it ends everything.
        """
        self._source = source
        self._named = source if isinstance(source, Named) else None
        self._cursors = cursors
        self._settings = settings
        self._archive = archive
        self._begin = begin
        self._armed = armed
        self._hand_over = hand_over
        self._on_failure = on_failure
        self._limit = anyio.Semaphore(_AT_ONCE)
        self._keys: dict[CheckpointKey, None] = {}  # whose history is read
        self._resumed: list[CheckpointKey] = []  # of these, those that come first
        self._due: list[float] = []  # when it is read again, by the clock of the event loop
        self.is_behind = False
        self._dropped = 0

    async def load(self) -> None:
        """Read the checkpoint."""
        await self._cursors.load()

    async def begin(self) -> None:
        """Open a cursor for each key of the source."""
        self._resumed = self._look_for_keys()
        self.is_behind = bool(self._resumed)
        await self._cursors.commit()  # new ones begin here, whatever happens next

    async def commit_on(self) -> None:
        """Commit until cancelled."""
        await self._cursors.commit_on(self._settings.commit_every)

    async def aclose(self) -> None:
        """Commit what was done, and let go of the checkpoint."""
        await self._cursors.aclose()

    def push(self, key: CheckpointKey, message: Any) -> Ticket | None:
        """Take a message that the source gave; `None`: it was handed over before."""
        cursor = self._cursors.get(key)
        if cursor is None:
            # Of a stream that the source did not name: all that is known is that it is here now.
            self._open(key, min(message.start, self._archive.now()))
            cursor = self._cursor(key)
        return cursor.push(message)

    def done(self, key: CheckpointKey, ticket: Ticket) -> None:
        """Note that a message was handled."""
        self._cursor(key).done(ticket)
        self._cursors.stir(key)

    async def catch_up(self) -> None:
        """Hand over all that the history has and that was not handled, in order of time."""
        keys, takes_long = self._resumed, True
        while keys and takes_long:
            begun = anyio.current_time()
            keys = await self._sweep(keys)
            takes_long = anyio.current_time() - begun > _SHORT
        self.is_behind = False
        self._plan()

    async def tend(self, scope: anyio.CancelScope) -> None:
        """Look at what the source drops and which keys it has; read again when that is due."""
        if self._named is None:
            return
        with scope:
            while True:
                await anyio.sleep(self._settings.tick)
                await self._sweep(self._look_for_keys())
                self._look_for_drops()
                if not self.is_behind and self._due and self._due[0] <= anyio.current_time():
                    now = anyio.current_time()
                    self._due = [due for due in self._due if due > now]
                    await self._sweep(list(self._keys))

    def _cursor(self, key: CheckpointKey) -> Cursor:
        cursor = self._cursors.get(key)
        assert cursor is not None, key  # noqa: S101 - whoever asks has opened it
        return cursor

    def _look_for_keys(self) -> list[CheckpointKey]:
        """Open a cursor for each new key of the source; return those whose history is owed."""
        if self._named is None:
            return []
        known = {*self._cursors.known, *self._armed()}
        latest, since = self._archive.now() - _SLACK, self._settings.since
        owed: list[CheckpointKey] = []
        for key in historic(self._named.keys, known):
            if self._cursors.get(key) is not None:
                continue
            armed_at = self._begin(key)
            begin = latest
            if armed_at is not None:
                # What came early, since it was armed, is ours; not what somebody read for hours.
                begin = min(latest, max(armed_at, latest - self._settings.overlap))
            if self._open(key, begin if since is None else since) or since is not None:
                owed.append(key)
        return owed

    def _open(self, key: CheckpointKey, begin: float) -> bool:
        has_history = self._named is not None
        if has_history:
            self._keys[key] = None
            self._plan()
        return self._cursors.open(key, begin=begin, has_history=has_history)

    def _look_for_drops(self) -> None:
        dropped = getattr(getattr(self._source, "stats", None), "dropped", 0)
        if dropped != self._dropped:
            self._dropped = dropped
            self._plan()

    def _plan(self) -> None:
        """Have history read again after each of the delays, and not later than planned before."""
        now = anyio.current_time()
        self._due = sorted({*self._due[:1], *(now + delay for delay in self._settings.sweeps)})

    async def _sweep(self, keys: Sequence[CheckpointKey]) -> list[CheckpointKey]:
        """Hand over what the histories of `keys` have that is new; return those that had any."""
        found: list[CheckpointKey] = []
        async with anyio.create_task_group() as group:
            for key in keys:
                group.start_soon(self._sweep_one, key, found)
        return found

    async def _sweep_one(self, key: CheckpointKey, found: list[CheckpointKey]) -> None:
        try:
            async with self._limit:  # until it is handed over: only a few are in memory
                new = await self._read(key)
                if new:
                    found.append(key)
                for message, ticket in new:
                    await self._hand_over(message, partial(self.done, key, ticket))
        except Exception as exc:  # noqa: BLE001 - not swallowed: it ends everything
            self._on_failure(exc)

    async def _read(self, key: CheckpointKey) -> list[tuple[Any, Ticket]]:
        assert self._named is not None  # noqa: S101 - only its keys have a history
        cursor = self._cursor(key)
        try:
            messages = await self._archive.read(key, cursor.since)
        except RTStreamError as exc:
            if self.is_behind or not exc.is_retryable:
                raise
            logger.warning("the history of %s of %s is read later: %s", key[1], key[0], exc)
            self._plan()
            return []
        self._cursors.stir(key)
        wanted: list[Any] = [message for message in messages if self._named.wants(message)]
        return cursor.read(wanted)
