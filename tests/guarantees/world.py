"""A client, its streams, its subscriptions, and the server that things go wrong with."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import attrs

import rtstream_async as rts
from tests.guarantees.books import Account, Books, Closed, Frame, Said, faults
from tests.guarantees.process import PATIENCE, Process

__all__ = ["Listener", "World"]

BATCH = {"type": "time", "value": 2, "frame_count": 1}
REALTIME = rts.HubSettings(
    first_frame_timeout=0.5,
    block_timeout=0.3,
    overlap=5.0,
    sweep_delay=1.0,
    recovery_jitter=0.02,
    recovering_at_most=0.1,
    poll_interval=0.05,
    poll_idle_interval=0.1,
    watch_interval=0.1,
    silence_least=1.0,
    silence_unknown=1.0,
)
LIVELY = rts.SocketOptions(ping_interval=0.5, ping_timeout=0.5, close_timeout=0.2, proxy=None)
CHANNELS = ("transcript", "scene_index", "alert", "capture_session")
CAPTURE = ("starting", "active", "stopping", "stopped")
PLENTY = 100_000


@attrs.define(eq=False)
class Listener:
    """A subscription and the task that reads it."""

    name: str
    sub: rts.Subscription[Any]
    policy: str
    streams: frozenset[str] | None
    channels: frozenset[str]
    opened_at: float
    pace: float = 0.0  #: seconds that it thinks about each
    items: list[object] = attrs.field(factory=list)
    is_closed: bool = False
    may_read: asyncio.Event = attrs.field(factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def read(self) -> None:
        """Take what comes, as long as nobody says stop."""
        while True:
            await self.may_read.wait()
            try:
                self.items.append(await self.sub.receive())
            except rts.SlowConsumerError as exc:
                self.items.append(exc)
            except (rts.ConnectionClosedError, StopAsyncIteration):
                return
            if self.pace:
                await asyncio.sleep(self.pace)

    def begin(self) -> None:
        self.may_read.set()
        self.task = asyncio.create_task(self.read(), name=f"reader of {self.name}")

    async def cancel(self) -> None:
        """End the task in the middle of whatever it does."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])
            if not self.task.cancelled():
                self.task.result()

    @property
    def account(self) -> Account:
        stats = self.sub.stats
        return Account(
            name=self.name,
            policy=self.policy,
            streams=self.streams,
            channels=self.channels,
            opened_at=self.opened_at,
            is_closed=self.is_closed,
            items=tuple(self.items),
            received=stats.received,
            delivered=stats.delivered,
            dropped=stats.dropped,
            depth=stats.depth,
        )


class World:
    """One connection with streams of all kinds, from its opening to the last account."""

    def __init__(self, server: Process, stack: AsyncExitStack) -> None:
        self.server = server
        self._stack = stack
        self.conn: rts.Connection
        self.streams: dict[str, rts.RTStream] = {}
        self.listeners: list[Listener] = []
        self.happened: Counter[str] = Counter()
        self._session = ""
        self._captured = 0
        self._stopped_at: float | None = None  # the transcript, by hand
        self._closed: list[Closed] = []

    @property
    def main(self) -> Listener:
        """The subscription to everything that is never slow and never closed."""
        return self.listeners[0]

    async def open(self, **settings: Any) -> None:
        """Connect, arm one of each kind, and listen."""
        await self.server.ask("reset")
        self.conn = await self._stack.enter_async_context(
            rts.connect(
                self.server.key,
                base_url=self.server.url,
                timeout=10.0,
                retries=rts.RetryPolicy(attempts=8, base=0.05, cap=0.2),
                realtime=attrs.evolve(REALTIME, **settings),
                websocket=LIVELY,
            )
        )
        collection = await self.conn.get_collection()
        for name in ("hall", "door", "yard", "lab"):
            self.streams[name] = await collection.connect_rtstream(
                f"scripted://{name}", name, media_types=["video", "audio"]
            )
        await self.streams["hall"].start_transcript()
        event = await self.conn.create_event("a person", "person")
        for name, rearm in (("door", "poll"), ("yard", "recreate")):
            index = await self.streams[name].index_visuals("Who?", BATCH, rearm=rearm)
            await index.create_alert(event)
        for prompt in ("Who?", "What?"):
            await self.streams["lab"].index_visuals(prompt, BATCH)
        self._session = (await self.conn.create_capture_session("somebody")).id
        self.listen("main", None, CHANNELS, maxsize=PLENTY)

    # What is sent.

    async def say(self, name: str, how: str, words: str, count: int, apart: float) -> None:
        """Have something said or shown in a stream from now on."""
        stream = self.streams[name].id
        await self.server.ask("say", stream=stream, how=how, words=words, count=count, apart=apart)
        self.happened[f"say {how}"] += count

    async def capture(self) -> None:
        """Move the capture session on."""
        if self._captured < len(CAPTURE):
            await self.server.ask("capture", session=self._session, status=CAPTURE[self._captured])
            self._captured += 1
            self.happened["capture"] += 1

    # What goes wrong.

    async def end_sockets(self, how: str, **arguments: Any) -> None:
        """Cut, close or freeze them."""
        self.happened[how] += await self.server.ask("end", how=how, **arguments)

    async def chaos(self, name: str, **changes: Any) -> None:
        """Have things go wrong from now on."""
        await self.server.ask("chaos", **changes)
        self.happened[name] += 1

    async def mend(self) -> None:
        """Have nothing go wrong for now."""
        await self.server.ask("calm")

    # What the user does.

    def listen(
        self,
        name: str,
        stream: str | None,
        channels: tuple[str, ...],
        *,
        maxsize: int,
        overflow: Any = "drop_oldest",
        pace: float = 0.0,
    ) -> Listener:
        """Subscribe, and read."""
        source = self.conn if stream is None else self.streams[stream]
        sub = source.events(*channels, control=True, maxsize=maxsize, overflow=overflow)
        listener = Listener(
            name=name,
            sub=sub,
            policy=overflow,
            streams=None if stream is None else frozenset({self.streams[stream].id}),
            channels=frozenset(channels),
            # Before the first, everything is kept for it.
            opened_at=time.time() if self.listeners else 0.0,
            pace=pace,
        )
        listener.begin()
        self.listeners.append(listener)
        return listener

    async def unlisten(self, listener: Listener) -> None:
        """Unsubscribe while messages come."""
        await listener.sub.aclose()
        await listener.cancel()
        listener.is_closed = True

    async def restart(self, listener: Listener) -> None:
        """Cancel a reader, and let another one go on."""
        await listener.cancel()
        listener.begin()

    async def force_reconnect(self) -> None:
        """Have a new socket."""
        self.conn.force_reconnect()
        self.happened["forced"] += 1

    async def switch_transcript(self) -> None:
        """Stop it by hand, or start it again."""
        hall = self.streams["hall"]
        if self._stopped_at is None:
            self._stopped_at = time.time()
            await _insist(hall.stop_transcript)
        else:
            await _insist(hall.start_transcript)
            self._closed.append(self._closing(time.time()))
            self._stopped_at = None
        self.happened["switch"] += 1

    def _closing(self, until: float) -> Closed:
        assert self._stopped_at is not None
        stream = self.streams["hall"].id
        return Closed(stream=stream, channel="transcript", since=self._stopped_at, until=until)

    # The end.

    async def books(self) -> Books:
        """Mend all, wait for what is still to come, and return the accounts."""
        await self.mend()
        for listener in self.listeners:
            listener.may_read.set()
        for _ in range(2):  # what comes twice would come by then
            for name in self.streams:
                how = "final" if name == "hall" else "scene"
                await self.say(name, how, "at last", 1, 0.0)
            books = await self._settle()
        return books

    async def _settle(self) -> Books:
        """Wait until all that was promised has come, or nothing more can be hoped for."""
        deadline = time.monotonic() + PATIENCE / 3
        while True:
            books = await self._written()
            is_quiet = not _recoveries() and not any(
                listener.sub.stats.depth for listener in self.listeners if not listener.is_closed
            )
            if (is_quiet and not faults(books)) or time.monotonic() > deadline:
                return books
            await asyncio.sleep(0.1)

    async def _written(self) -> Books:
        log = await self.server.ask("log")
        yard, lines = self.streams["yard"].id, log["said"]
        closed = [*self._closed]
        if self._stopped_at is not None:
            closed.append(self._closing(time.time()))
        seen = self.happened
        return Books(
            said=[Said(**line, is_moving=line["stream"] == yard) for line in lines],
            frames=[Frame(**line) for line in log["frames"]],
            accounts=[listener.account for listener in self.listeners],
            closed=closed,
            has_duplicates=bool(seen["duplicate"]),
            has_reordered=bool(seen["reorder"]),
            is_calm=not (seen["history"] or seen["rest"] or seen["reorder"]),
        )

    async def close(self) -> None:
        """End everything; nothing of it may be left."""
        try:
            for listener in self.listeners:
                await listener.cancel()
        finally:
            async with asyncio.timeout(PATIENCE):
                await self._stack.aclose()
        left = [task for task in asyncio.all_tasks() if "rtstream" in task.get_name()]
        assert not left, left


def _recoveries() -> list[str]:
    return [
        task.get_name()
        for task in asyncio.all_tasks()
        if task.get_name().startswith("rtstream-async recovery")
    ]


async def _insist(call: Callable[[], Awaitable[object]]) -> None:
    """Do something by hand, again if the service was ill."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await call()
            except rts.RTStreamError as exc:
                if not exc.is_retryable:
                    raise
                await asyncio.sleep(0.05)
            else:
                return
