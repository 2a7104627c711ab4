"""What things take of memory in the reader, and in queues of our users' own.

Traced allocations, not the size of the process: that grows by whole arenas, and would hide a
hundred bytes. What is the same on both sides (the socket, the library) is taken off.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any

import websockets

from benchmarks.hubs import CHANNEL, opened, streams
from benchmarks.reader import OURS, OWN_WORK, Source, generator
from benchmarks.reader_server import SIZE

__all__ = ["idle", "measure"]

_WANTED = frozenset([CHANNEL])
_SETTLE = 0.2  # seconds, until the consumers wait
_LONGEST = 60.0  # seconds, for what was sent to come
_STREAMS = 100  # that messages are of

Side = Callable[[Source, int], Coroutine[Any, Any, float]]


def measure(*, many: int = 10_000) -> list[dict[str, object]]:
    """Return a row for each kind of thing: bytes of one, ours and the own work.

    Args:
        many: How many of each there are.
    """
    with generator() as source:
        sizes = {what: _sizes(source, many, sides) for what, sides in _THINGS.items()}
    return [
        {
            "what": what,
            "ours, bytes": round(of[OURS]),
            "do-it-yourself, bytes": round(of[OWN_WORK]) if OWN_WORK in of else "-",
            "how many": many,
        }
        for what, of in sizes.items()
    ]


def idle(many: int) -> Mapping[str, float]:
    """Return the bytes of one of so many idle subscriptions, and of as many queues."""
    with generator() as source:
        return _sizes(source, many, _THINGS[_IDLE])


def _sizes(source: Source, many: int, sides: Mapping[str, Side]) -> Mapping[str, float]:
    return {side: asyncio.run(run(source, many)) / many for side, run in sides.items()}


async def _our_idle(_source: Source, many: int) -> float:
    async with opened() as hub:
        names, before = streams(many), _begin()
        kept = [hub.subscribe(streams=frozenset([name]), channels=_WANTED) for name in names]
        size = _end(before)
        for subscription in kept:
            await subscription.aclose()
        return size


async def _own_idle(_source: Source, many: int) -> float:
    names, before = streams(many), _begin()
    kept = {name: asyncio.Queue[object]() for name in names}
    size = _end(before)
    kept.clear()
    return size


async def _our_waiting(source: Source, many: int) -> float:
    names = streams(many)
    async with opened(source.url, names) as hub:

        async def wait(name: str) -> None:
            async for _ in hub.subscribe(streams=frozenset([name]), channels=_WANTED):
                raise ValueError("nothing is sent")

        return await _size_of_tasks(map(wait, names))


async def _own_waiting(_source: Source, many: int) -> float:
    async def wait(_name: str) -> None:
        await asyncio.Queue[object]().get()

    return await _size_of_tasks(map(wait, streams(many)))


async def _our_armed(source: Source, many: int) -> float:
    before = _begin()
    async with opened(source.url, streams(many)):
        return _end(before)


async def _our_queued(source: Source, many: int) -> float:
    async with opened(source.url, streams(_STREAMS)) as hub:
        subscription = hub.subscribe(streams=None, channels=_WANTED, maxsize=many)
        before = _begin()
        source.send(_STREAMS, many, SIZE)
        await _until(lambda: subscription.stats.depth == many)
        return _end(before)


async def _own_queued(source: Source, many: int) -> float:
    queue: asyncio.Queue[object] = asyncio.Queue()

    async def read(socket: websockets.ClientConnection) -> None:
        async for text in socket:
            queue.put_nowait(json.loads(text))

    async with websockets.connect(source.url, compression=None, proxy=None) as socket:
        await socket.recv()
        before = _begin()
        task = asyncio.create_task(read(socket))
        source.send(_STREAMS, many, SIZE)
        await _until(lambda: queue.qsize() == many)
        size = _end(before)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return size


async def _our_delivered(source: Source, many: int) -> float:
    async with opened(source.url, streams(_STREAMS)) as hub:
        subscription = hub.subscribe(streams=None, channels=_WANTED, maxsize=many)
        before = _begin()
        source.send(_STREAMS, many, SIZE)
        for _ in range(many):
            await anext(subscription)
        return _end(before)


async def _size_of_tasks(work: Iterable[Awaitable[None]]) -> float:
    before = _begin()
    tasks = [asyncio.ensure_future(one) for one in work]
    await asyncio.sleep(_SETTLE)
    size = _end(before)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return size


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(_LONGEST):
        while not is_so():  # noqa: ASYNC110 - a counter has no event, and no time is measured
            await asyncio.sleep(0.01)


def _begin() -> int:
    gc.collect()
    tracemalloc.start()
    return tracemalloc.get_traced_memory()[0]


def _end(before: int) -> int:
    gc.collect()
    size = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return size


_IDLE = "an idle subscription"
_THINGS: Mapping[str, Mapping[str, Side]] = {
    _IDLE: {OURS: _our_idle, OWN_WORK: _own_idle},
    "one that is waited for, with the task": {OURS: _our_waiting, OWN_WORK: _own_waiting},
    "a stream that is armed": {OURS: _our_armed},
    "a queued message": {OURS: _our_queued, OWN_WORK: _own_queued},
    "what is remembered of a delivered one": {OURS: _our_delivered},
}
