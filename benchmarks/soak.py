"""A long run with faults: what is lost, what comes twice, how long the link is down, what leaks.

The server is another process (`soak_server.py`). Of every ten streams five are transcribed, three
have an index that goes on by polling after a loss, and two one that is made anew.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs

import rtstream_async as rts

__all__ = ["SOCKET", "Outcome", "Watch", "measure", "record", "served", "settle"]

RESULTS = Path(__file__).parent / "results"
_BATCH = {"type": "time", "value": 2, "frame_count": 1}
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SAMPLE = 2.0  # seconds between two looks at memory and tasks
_PATIENCE = 90.0  # seconds that the last messages may take to come
_REALTIME = rts.HubSettings(sweep_delay=3.0)
SOCKET = rts.SocketOptions(ping_interval=2, ping_timeout=2, proxy=None)
_FAULTS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("cut", {}),
    ("cut", {}),
    ("close", {"code": 1011, "reason": "as asked for"}),
    ("close", {}),
)


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of a run."""

    seconds: float
    streams: int
    sent: int
    received: int
    announced: int  #: missing, and `GapUnrecoverable` has told so: shown while no index watched
    lost: int  #: missing, and nothing has told so
    duplicated: int
    recovered: int  #: messages that came although their push was lost
    gaps: int
    reconnects: int
    live_again_median: float  #: seconds from the loss to LIVE
    down: float  #: share of the time that the link was not live
    rss_slope: float  #: KiB a minute, over the second half
    tasks: int  #: most that were ever there
    memory: list[int]  #: MiB, at ten moments, the last at the end


class Server:
    """The other process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lock = asyncio.Lock()

    async def read(self) -> dict[str, Any]:
        """Return its next answer."""
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return answer

    async def ask(self, what: str, **arguments: Any) -> Any:
        """Have it do something; return what came of that."""
        assert self._process.stdin is not None
        async with self._lock:
            request = json.dumps({"what": what, **arguments})
            self._process.stdin.write(request.encode() + b"\n")
            await self._process.stdin.drain()
            return (await self.read())["result"]


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Server, str, str]]:
    """Run the server; give it, its address and its key."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.soak_server"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        server = Server(process)
        ready = await server.read()
        yield server, ready["url"], ready["key"]
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@attrs.define
class Watch:
    """What is seen while it runs."""

    counts: bytearray  #: how often each message came; made at once, or it would look like a leak
    distinct: int = 0
    received: int = 0
    origins: Counter[str] = attrs.field(factory=Counter[str])
    gaps: int = 0
    given_up: dict[str | None, list[tuple[float, float]]] = attrs.field(
        factory=lambda: defaultdict[str | None, list[tuple[float, float]]](list)
    )
    outages: list[float] = attrs.field(factory=list[float])
    memory: list[tuple[float, float]] = attrs.field(factory=list[tuple[float, float]])
    tasks: int = 0

    async def read(self, sub: rts.Subscription[Any]) -> None:
        """Count all that comes."""
        async for item in sub:
            if isinstance(item, rts.Message):
                number = int(item.text)  # type: ignore[attr-defined]
                self.distinct += self.counts[number] == 0
                self.counts[number] += 1
                self.received += 1
                self.origins[item.origin] += 1
            else:
                self.note(item)

    def note(self, item: Any) -> None:
        """Count what was announced."""
        if isinstance(item, rts.Gap) and item.cause != "rearm":
            self.gaps += 1
        elif isinstance(item, rts.GapUnrecoverable):
            self.given_up[item.rtstream_id].append((item.since, item.until))

    def is_announced(self, stream: str, end: float) -> bool:
        """Return whether it was told that a message with this end is missing."""
        return any(
            since <= end <= until for since, until in self.given_up[stream] + self.given_up[None]
        )

    async def follow(self, states: AsyncIterator[rts.StateChange]) -> None:
        """Note how long each outage is, a suspicion before it included."""
        since: float | None = None
        async for change in states:
            if change.state != "LIVE":
                since = change.at if since is None else since
            elif since is not None:
                if change.previous != "STALE":  # else all was well
                    self.outages.append(change.at - since)
                since = None

    async def sample(self) -> None:
        """Look at memory and tasks now and then."""
        while True:
            self.memory.append((time.monotonic(), _resident()))
            self.tasks = max(self.tasks, len(asyncio.all_tasks()))
            await asyncio.sleep(_SAMPLE)


def _resident() -> float:
    """How much memory this process has, KiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 1024


async def measure(
    *, seconds: float, streams: int = 500, rate: float = 500.0, every: float = 6.0, seed: int = 0
) -> Outcome:
    """Talk into `streams` streams at `rate` messages a second; a fault about `every` seconds."""
    chance = random.Random(seed)
    watch = Watch(counts=bytearray(int(rate * (seconds + _PATIENCE))))
    async with (
        served() as (server, url, key),
        rts.connect(key, base_url=url, realtime=_REALTIME, websocket=SOCKET) as conn,
    ):
        speaking, showing = await _arm(conn, streams)
        async with (
            conn.events("transcript", "scene_index", control=True, maxsize=100_000) as sub,
            asyncio.TaskGroup() as group,
        ):
            helpers = [
                group.create_task(work)
                for work in (watch.read(sub), watch.follow(conn.states()), watch.sample())
            ]
            await server.ask("feed", speaking=speaking, showing=showing, rate=rate)
            ends = time.monotonic() + seconds
            while (left := ends - time.monotonic()) > 0:
                await asyncio.sleep(min(left, every * chance.uniform(0.5, 1.5)))
                what, arguments = chance.choice(_FAULTS)
                await server.ask(what, **arguments)
            sent, unstored = await server.ask("stop")
            helpers.pop().cancel()  # what is to be even is what is at work
            await settle(watch, sent - unstored)
            for helper in helpers:
                helper.cancel()
            ids = speaking + showing
            missing = [number for number in range(sent) if not watch.counts[number]]
            ends = await server.ask("when", numbers=missing)
    announced = sum(
        watch.is_announced(ids[number % len(ids)], end)
        for number, end in zip(missing, ends, strict=True)
    )
    return _outcome(watch, seconds=seconds, streams=streams, sent=sent, announced=announced)


async def _arm(conn: rts.Connection, streams: int) -> tuple[list[str], list[str]]:
    collection = await conn.get_collection()
    speaking: list[str] = []
    showing: list[str] = []
    for number in range(streams):
        stream = await collection.connect_rtstream(
            f"scripted://{number}", f"stream {number}", media_types=["video", "audio"]
        )
        kind = number % 10
        if kind < 5:
            await stream.start_transcript()
            speaking.append(stream.id)
        else:
            await stream.index_visuals("Who?", _BATCH, rearm="poll" if kind < 8 else "recreate")
            showing.append(stream.id)
    return speaking, showing


async def settle(watch: Watch, sent: int) -> None:
    """Wait for the last messages; what does not come in time is lost."""
    deadline = time.monotonic() + _PATIENCE
    while watch.distinct < sent and time.monotonic() < deadline:  # noqa: ASYNC110 - a counter
        await asyncio.sleep(0.2)
    await asyncio.sleep(5)  # what comes twice may come late


def _outcome(watch: Watch, *, seconds: float, streams: int, sent: int, announced: int) -> Outcome:
    return Outcome(
        seconds=seconds,
        streams=streams,
        sent=sent,
        received=watch.received,
        announced=announced,
        lost=sent - announced - watch.distinct,
        duplicated=watch.received - watch.distinct,
        recovered=watch.origins["backfill"] + watch.origins["poll"],
        gaps=watch.gaps,
        reconnects=len(watch.outages),
        live_again_median=statistics.median(watch.outages or [0.0]),
        down=sum(watch.outages) / seconds,
        rss_slope=_slope(watch.memory[len(watch.memory) // 2 :]) * 60,
        tasks=watch.tasks,
        memory=[round(kib / 1024) for _, kib in _tenths(watch.memory)],
    )


def _tenths(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    return [points[len(points) * tenth // 10 - 1] for tenth in range(1, 11)]


def _slope(points: Sequence[tuple[float, float]]) -> float:
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def record(outcome: attrs.AttrsInstance, name: str = "soak") -> Path:
    """Keep what came of a run of `name` beside those before it; return where."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"{name}-{now:%Y-%m-%d-%H%M%S}.json"
    said = {"at": now.isoformat(timespec="seconds"), **attrs.asdict(outcome)}
    path.write_text(json.dumps(said, indent=2) + "\n")
    return path
