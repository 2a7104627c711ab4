"""Cold start to the first message: a fresh interpreter imports, connects, subscribes and gets one.

The server is the double that the package ships, in a process of its own, and sends a message a
few times a second to every socket, so that neither side waits for the other for long. Each side
is the shortest program that its documentation gives.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

from rtstream_async.local import LocalServer

__all__ = ["ROUNDS", "measure"]

ROUNDS = 15

_TICK = 0.005  # seconds between two messages
_FRAME = {
    "channel": "scene_index",
    "rtstream_id": "rts-start",
    "data": {"text": "Two people wait.", "start": 1_760_000_000_000, "end": 1_760_000_002_000},
}

_OURS = """
import asyncio, sys
from rtstream_async import connect

async def main():
    async with connect(sys.argv[2], base_url=sys.argv[1], proxy=False) as connection:
        async with connection.events("scene_index") as scenes:
            async for scene in scenes:
                assert scene.text
                return

asyncio.run(main())
"""

_OFFICIAL = """
import asyncio, sys
import videodb

async def main():
    connection = videodb.connect(api_key=sys.argv[2], base_url=sys.argv[1])
    async with connection.connect_websocket() as socket:
        async for frame in socket.receive():
            assert frame["data"]["text"]
            return

asyncio.run(main())
"""

_PROGRAMS = {"ours": _OURS, "official SDK": _OFFICIAL, "an empty program": ""}


def measure(rounds: int = ROUNDS) -> Sequence[Mapping[str, object]]:
    """Return median seconds from start to end of each program, and the ratio to the official's."""
    taken: dict[str, list[float]] = {name: [] for name in _PROGRAMS}
    with _served() as (url, key):
        for _ in range(rounds + 1):  # the first one warms the caches
            for name, program in _PROGRAMS.items():
                began = time.perf_counter()
                subprocess.run([sys.executable, "-c", program, url, key], check=True, timeout=60)
                taken[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(times[1:]) for name, times in taken.items()}
    official = medians["official SDK"]
    return [
        {"program": name, "median ms": median * 1e3, "to the official SDK": median / official}
        for name, median in medians.items()
    ]


@contextmanager
def _served() -> Generator[tuple[str, str], None, None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.start"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None  # a pipe was asked for
        url, key = json.loads(process.stdout.readline())
        yield url, key
    finally:
        process.communicate()  # the end of its input is its end


async def _serve() -> None:
    async with LocalServer(control=True) as server:
        print(json.dumps([server.url, server.api_key]), flush=True)
        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        while not ended.done():
            await server.control.emit(_FRAME)
            await asyncio.sleep(_TICK)


if __name__ == "__main__":
    asyncio.run(_serve())
