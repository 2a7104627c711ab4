"""The other end of the latency benchmark: a process that sends messages at a steady rate.

A line `SUBSCRIPTIONS COUNT RATE` on its standard input makes it send to who connected last.
Each message carries the moment at which it was written, as its `start`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import websockets

__all__ = ["main"]


class _Generator:
    def __init__(self) -> None:
        self.socket: websockets.ServerConnection | None = None

    async def accept(self, socket: websockets.ServerConnection) -> None:
        await socket.send('{"connection_id":"bench"}')
        self.socket = socket
        await socket.wait_closed()

    async def send(self, subscriptions: int, count: int, rate: float) -> None:
        if self.socket is None:
            raise RuntimeError("nobody is connected")
        begun = time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            await self.socket.send(_message(number % subscriptions))


def _message(stream: int) -> str:
    now = time.time()
    data = {"text": "x" * 100, "start": now, "end": now + 0.5}
    return json.dumps({"channel": "scene_index", "rtstream_id": f"rts-{stream:06d}", "data": data})


async def main() -> None:
    """Serve until standard input ends; the port is the first line of the output."""
    generator = _Generator()
    async with websockets.serve(generator.accept, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            subscriptions, count, rate = line.split()
            await generator.send(int(subscriptions), int(count), float(rate))


if __name__ == "__main__":
    asyncio.run(main())
