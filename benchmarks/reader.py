"""What a message costs the process that reads it: ours, the do-it-yourself, the SDK, the floor.

Each round runs every side once, one after the other, against a generator in its own process.
CPU time of the reading process, microseconds a message. No side compresses. Then the same on the
event loop of uvloop, for all sides.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from functools import partial
from typing import IO, Any

import attrs
import msgspec
import uvloop
import websockets
from videodb.websocket_client import WebSocketConnection

from benchmarks.hubs import CHANNEL, opened, streams
from benchmarks.reader_server import SIZE
from rtstream_async.realtime.hub import Hub
from rtstream_async.transport.socket import Closed, Sink, SocketOptions, opener

__all__ = ["OURS", "OWN_WORK", "SIDES", "Source", "generator", "measure"]

OURS, OWN_WORK = "ours", "do-it-yourself"

_QUEUE = 100_000  # messages: nothing is dropped, as in the unbounded queues of the others

_LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
_SIZES = {
    "asyncio": [(1, 1), (100, 1), (1_000, 1), (10_000, 1), (10, 10), (10, 100)],
    "uvloop": [(1, 1), (100, 1), (1_000, 1), (10_000, 1)],
}  # streams, and subscribers of each

_OF_EACH = 10  # messages of each stream, at least: the first one costs more
_MANY = 100  # subscribers of a stream: so many take as much of a message as ten streams

Send = Callable[[], None]
Side = Callable[[str, Send, int, int, int], Coroutine[Any, Any, float]]


def measure(*, rounds: int = 11, count: int = 50_000) -> list[dict[str, Any]]:
    """Return a row for each loop, number of subscriptions and subscribers, and each side."""
    rows: list[dict[str, Any]] = []
    with generator() as source:
        for loop, sizes in _SIZES.items():
            for keys, each in sizes:
                number = max(count, _OF_EACH * keys) if each < _MANY else count // 10
                medians = source.costs(keys, each, number, rounds, loop=loop)
                rows += _rows(medians, loop, keys, each, number, rounds)
    return rows


@attrs.frozen
class Source:
    """A process that sends messages to who connected last."""

    url: str
    pipe: IO[str]

    def send(self, keys: int, count: int, size: int) -> None:
        """Have it send `count` messages of `size` bytes, of `keys` streams in turn."""
        self.pipe.write(f"{keys} {count} {size}\n")
        self.pipe.flush()

    def costs(
        self,
        keys: int,
        each: int,
        count: int,
        rounds: int,
        *,
        size: int = SIZE,
        sides: Sequence[str] = (),
        loop: str = "asyncio",
    ) -> dict[str, float]:
        """Return the median cost of a message by side, CPU microseconds.

        Args:
            keys: Streams.
            each: Subscribers of each.
            count: Messages of a round.
            rounds: Interleaved.
            size: Bytes of a message.
            sides: Which; none: all.
            loop: Whose event loop it runs on: asyncio or uvloop.
        """
        send = partial(self.send, keys, count, size)
        times: dict[str, list[float]] = {name: [] for name in sides or SIDES}
        for _ in range(rounds):
            for name, values in times.items():
                with asyncio.Runner(loop_factory=_LOOPS[loop]) as runner:
                    seconds = runner.run(SIDES[name](self.url, send, keys, each, count))
                values.append(seconds / count * 1e6)
        return {name: statistics.median(values) for name, values in times.items()}


@contextlib.contextmanager
def generator() -> Iterator[Source]:
    """Run the process while the block runs."""
    child = [sys.executable, "-m", "benchmarks.reader_server"]
    with subprocess.Popen(
        child, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the generator has no pipes")
        yield Source(f"ws://127.0.0.1:{int(process.stdout.readline())}/", process.stdin)
        process.stdin.close()


def _rows(
    medians: Mapping[str, float], loop: str, keys: int, each: int, count: int, rounds: int
) -> list[dict[str, Any]]:
    return [
        {
            "loop": loop,
            "subscriptions": keys * each,
            "subscribers a key": each,
            "side": name,
            "CPU us a message": round(median, 2),
            "ours is faster by": round(median / medians[OURS], 2),
            "message bytes": SIZE,
            "messages": count,
            "rounds": rounds,
        }
        for name, median in medians.items()
    ]


class _Goal:
    """Counts what has been read; `reached` is set by the last."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.reached = asyncio.Event()

    def read(self, text: str, start: float) -> None:
        if not text or start <= 0:
            raise ValueError("not what was sent")
        self.left -= 1
        if not self.left:
            self.reached.set()


async def _timed(send: Send, goal: _Goal) -> float:
    await asyncio.sleep(0.05)  # the consumers wait by now
    begun = time.process_time()
    send()
    async with asyncio.timeout(60):
        await goal.reached.wait()
    return time.process_time() - begun


async def _ours(url: str, send: Send, keys: int, each: int, count: int) -> float:
    goal = _Goal(count * each)

    async def consume(hub: Hub, stream: str) -> None:
        subscription = hub.subscribe(
            streams=frozenset([stream]), channels=frozenset([CHANNEL]), maxsize=_QUEUE
        )
        async for message in subscription:
            goal.read(message.text, message.start)

    names = streams(keys)
    async with opened(url, names) as hub:
        tasks = [asyncio.create_task(consume(hub, name)) for name in names for _ in range(each)]
        try:
            return await _timed(send, goal)
        finally:
            await _end(tasks)


async def _own_work(url: str, send: Send, keys: int, each: int, count: int) -> float:
    queues: dict[str, list[asyncio.Queue[dict[str, Any]]]] = {
        stream: [asyncio.Queue() for _ in range(each)] for stream in streams(keys)
    }
    goal = _Goal(count * each)

    async def consume(queue: asyncio.Queue[dict[str, Any]]) -> None:
        while True:
            _read_dict(goal, await queue.get())

    async def read(socket: websockets.ClientConnection) -> None:
        async for text in socket:
            message = json.loads(text)
            for queue in queues[message["rtstream_id"]]:
                queue.put_nowait(message)

    async with websockets.connect(url, compression=None, proxy=None) as socket:
        await socket.recv()
        tasks = [
            asyncio.create_task(consume(queue)) for those in queues.values() for queue in those
        ]
        tasks.append(asyncio.create_task(read(socket)))
        try:
            return await _timed(send, goal)
        finally:
            await _end(tasks)


async def _official(url: str, send: Send, _keys: int, _each: int, count: int) -> float:
    goal = _Goal(count)

    async def read(connection: WebSocketConnection) -> None:
        async for message in connection.receive():
            _read_dict(goal, message)

    # It offers compression; the generator does not take it up.
    async with WebSocketConnection(url) as connection:
        tasks = [asyncio.create_task(read(connection))]
        try:
            return await _timed(send, goal)
        finally:
            await _end(tasks)


class _Body(msgspec.Struct, gc=False):
    text: str
    start: float


class _Bare(msgspec.Struct, gc=False):
    rtstream_id: str
    data: _Body


async def _floor(url: str, send: Send, _keys: int, _each: int, count: int) -> float:
    goal = _Goal(count)
    decode = msgspec.json.Decoder(_Bare).decode
    greeted = asyncio.Event()

    def take(data: bytes) -> None:
        body = decode(data).data
        goal.read(body.text, body.start)

    def greet(_data: bytes) -> None:
        sink.frame = take
        greeted.set()

    def refuse(size: int, limit: int) -> None:
        raise ValueError(f"{size} bytes, more than {limit}")

    sink = Sink(frame=greet, oversize=refuse)
    socket = await opener(SocketOptions(proxy=None, compression=None))(url, sink)
    await greeted.wait()
    closed: asyncio.Future[Closed] = socket.closed
    try:
        return await _timed(send, goal)
    finally:
        await socket.aclose()
        await closed


def _read_dict(goal: _Goal, message: dict[str, Any]) -> None:
    data = message["data"]
    goal.read(data["text"], data["start"])


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task


SIDES: dict[str, Side] = {
    OURS: _ours,
    OWN_WORK: _own_work,
    "official receive(), no fan-out": _official,
    "bare frames and msgspec, no fan-out": _floor,
}
