"""What it costs to hand messages on to a log, and to read them behind it, in another process.

The log is NATS JetStream, in memory, with one process that takes from it. Sixteen tasks read one
subscription of all streams, and each goes on when the log has acknowledged its message: what dies
in between is handed on again by who reads next. Beside it, the same tasks take messages and do
nothing with them.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import nats
from nats.js import JetStreamContext

from benchmarks.hubs import CHANNEL, opened, streams
from rtstream_async.models.messages import Message

__all__ = ["STREAM", "SUBJECTS", "measure"]

STREAM, SUBJECTS = "messages", "rtstream.>"

_TASKS = 16
_LONGEST = 120.0  # seconds, for the last message to come
_UNPACED = 1e9  # messages a second

Take = Callable[[Message], Awaitable[object]]


@attrs.frozen
class _Run:
    delays: Sequence[float]  #: seconds, sorted
    seconds: float  #: from the first message that was asked for to the last that came
    cpu: float  #: seconds, of the process that reads


def measure(
    *, keys: int = 100, count: int = 5_000, rate: float = 500, rounds: int = 3
) -> list[dict[str, object]]:
    """Return a row for a reader that handles messages itself, and one for a reader and a log.

    Args:
        keys: Streams.
        count: Messages of a run: one at a steady rate, for the delay, and one as fast as it goes.
        rate: Messages a second of the first.
        rounds: Interleaved; medians.
    """
    return asyncio.run(_measure(keys, count, rate, rounds))


async def _measure(keys: int, count: int, rate: float, rounds: int) -> list[dict[str, object]]:
    sides = {"in the reader's process": _here, "behind a log": _behind}
    paced: dict[str, list[_Run]] = {name: [] for name in sides}
    fast: dict[str, list[_Run]] = {name: [] for name in sides}
    async with _log() as address:
        for _ in range(rounds):
            for name, side in sides.items():
                paced[name].append(await side(address, keys, count, rate))
                fast[name].append(await side(address, keys, count, _UNPACED))
    return [
        {
            "handled": name,
            "p50 ms": round(_percentile(paced[name], 0.5) * 1e3, 2),
            "p99 ms": round(_percentile(paced[name], 0.99) * 1e3, 2),
            "reader's CPU us a message": round(
                statistics.median(run.cpu for run in fast[name]) / count * 1e6, 1
            ),
            "messages a second": round(count / statistics.median(r.seconds for r in fast[name])),
            "streams": keys,
            "messages": count,
            "paced, a second": rate,
            "rounds": rounds,
        }
        for name in sides
    ]


def _percentile(runs: Sequence[_Run], share: float) -> float:
    return statistics.median(run.delays[int(len(run.delays) * share)] for run in runs)


async def _here(_address: str, keys: int, count: int, rate: float) -> _Run:
    delays: list[float] = []
    done = asyncio.Event()

    async def take(message: Message) -> None:
        delays.append(time.time() - _sent_at(message))
        if len(delays) == count:
            done.set()

    async def all_came() -> list[float]:
        await done.wait()
        return delays

    return await _read(take, all_came, keys, count, rate)


async def _behind(address: str, keys: int, count: int, rate: float) -> _Run:
    async with await nats.connect(address) as client:
        log = client.jetstream()
        await log.add_stream(name=STREAM, subjects=[SUBJECTS], storage="memory")
        child = [sys.executable, "-m", "benchmarks.handing_on_consumer", address, str(count)]
        consumer = await asyncio.create_subprocess_exec(*child, stdout=asyncio.subprocess.PIPE)
        if consumer.stdout is None:
            raise RuntimeError("the consumer has no pipe")
        output = consumer.stdout
        try:
            await output.readline()  # it is there

            async def all_came() -> list[float]:
                delays: list[float] = json.loads(await output.read())
                return delays

            return await _read(_hand_on(log), all_came, keys, count, rate)
        finally:
            if consumer.returncode is None:
                await consumer.wait()
            await log.delete_stream(STREAM)


def _hand_on(log: JetStreamContext) -> Take:
    async def take(message: Message) -> None:
        if not isinstance(message.source, bytes):
            raise TypeError("this benchmark reads the socket alone")
        await log.publish(f"rtstream.{message.rtstream_id}.{message.channel}", message.source)

    return take


async def _read(
    take: Take, all_came: Callable[[], Awaitable[list[float]]], keys: int, count: int, rate: float
) -> _Run:
    names = streams(keys)
    async with _generator() as (url, send), opened(url, names) as hub:
        messages = hub.subscribe(
            streams=frozenset(names), channels=frozenset([CHANNEL]), maxsize=count
        )

        async def work() -> None:
            async for message in messages:
                await take(message)

        workers = [asyncio.create_task(work()) for _ in range(_TASKS)]
        begun, cpu = time.perf_counter(), time.process_time()
        send(f"{keys} {count} {rate}\n")
        async with asyncio.timeout(_LONGEST):
            delays = await all_came()
        run = _Run(sorted(delays), time.perf_counter() - begun, time.process_time() - cpu)
        await messages.aclose()
        await asyncio.gather(*workers)
    return run


def _sent_at(message: Message) -> float:
    return float(message["data"]["start"])


@asynccontextmanager
async def _generator() -> AsyncIterator[tuple[str, Callable[[str], None]]]:
    """Give the address of a process that sends, and a function that tells it what."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.latency_server"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the generator has no pipes")
    pipe = process.stdin
    try:
        port = int(await process.stdout.readline())
        yield f"ws://127.0.0.1:{port}/", lambda line: pipe.write(line.encode())
    finally:
        pipe.close()
        await process.wait()


@asynccontextmanager
async def _log() -> AsyncIterator[str]:
    """Give the address of a NATS server with JetStream, of its own and on loopback."""
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *("nats-server", "--jetstream", "--store_dir", folder),
            *("--addr", "127.0.0.1", "--port", "-1", "--ports_file_dir", folder),
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            ports = Path(folder) / f"nats-server_{process.pid}.ports"
            async with asyncio.timeout(_LONGEST):
                while not ports.exists() or not ports.read_text():  # noqa: ASYNC110 - a file
                    await asyncio.sleep(0.01)
            yield json.loads(ports.read_text())["nats"][0]
        finally:
            process.terminate()
            await process.wait()
