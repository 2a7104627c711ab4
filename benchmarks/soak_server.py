"""The server of the soak, as a process: scripted streams that are talked into, and faults.

It takes one JSON object a line on its standard input and answers with one on its standard output.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from typing import Any

from rtstream_async.local import LocalServer

__all__ = ["TICK"]

TICK = 0.05  # seconds between two bursts of messages
_LENGTH = 0.2  # seconds that a record is about


class Feed:
    """Says something in one stream after the other, so and so often a second."""

    def __init__(self, server: LocalServer) -> None:
        self._control = server.control
        self._task: asyncio.Task[None] | None = None
        self.sent = 0
        self.ends = array("d")  #: of each message
        self.unstored = 0  #: shown while no index watched: one was being made anew

    async def feed(self, speaking: list[str], showing: list[str], rate: float) -> None:
        """Begin, at `rate` messages a second over all streams."""
        streams = [(id_, True) for id_ in speaking] + [(id_, False) for id_ in showing]
        self._task = asyncio.create_task(self._run(itertools.cycle(streams), rate))

    async def show(self, stream: str, text: str, count: int) -> None:
        """Show the same in one stream, as fast as it goes."""
        for _ in range(count):
            end = time.time()
            await self._control.add_scene(stream, text, start=end - _LENGTH, end=end)

    async def stop(self) -> list[int]:
        """End; return how many messages there were, and how many of them nobody watched for."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        return [self.sent, self.unstored]

    async def _run(self, streams: Iterator[tuple[str, bool]], rate: float) -> None:
        begun = time.monotonic()
        while True:
            due = int((time.monotonic() - begun) * rate)
            while self.sent < due:
                # Whole or not at all, so that the count is right when this is cancelled.
                await asyncio.shield(self._say(*next(streams)))
            await asyncio.sleep(TICK)

    async def _say(self, stream: str, is_said: bool) -> None:
        number, self.sent = self.sent, self.sent + 1
        end = time.time()
        self.ends.append(end)
        start = end - _LENGTH
        if is_said:
            await self._control.add_utterance(stream, str(number), start, end)
        else:
            made = await self._control.add_scene(stream, str(number), start=start, end=end)
            self.unstored += made == 0


async def serve() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        async with LocalServer(folder, control=True) as server:
            feed = Feed(server)
            _answer(url=server.url, key=server.api_key)
            while line := await loop.run_in_executor(None, sys.stdin.readline):
                _answer(result=await _do(server, feed, **json.loads(line)))


async def _do(server: LocalServer, feed: Feed, what: str, **arguments: Any) -> Any:
    match what:
        case "feed" | "show" | "stop":
            return await getattr(feed, what)(**arguments)
        case "when":
            return [feed.ends[number] for number in arguments["numbers"]]
        case "chaos":
            await server.chaos.set(**arguments)
            return None
        case "calm":
            await server.chaos.off()
            return feed.sent
        case _:
            return getattr(server.control, what)(**arguments)


def _answer(**values: Any) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(serve())
