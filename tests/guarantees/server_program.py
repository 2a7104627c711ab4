"""The server, as a process: it says things in streams, does harm when told to, and keeps the log.

It takes one JSON object a line on its standard input and answers with one on its standard output.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
import time
from typing import Any

from rtstream_async.local import LocalServer
from rtstream_async.protocol.codec.frames import decode_frame
from tests.guarantees.books import identity_of, subject_of

LENGTH = 0.2  # seconds that a record is about
STEP = 0.002  # seconds: no two records end in one millisecond


class Service:
    """What can be asked of the process."""

    def __init__(self, server: LocalServer) -> None:
        self._control = server.control
        self._chaos = server.chaos
        self._hub: Any = server.control._hub
        self._hub.send = self._logged(self._hub.send)
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: dict[str, asyncio.Lock] = {}
        self._ends: dict[str, float] = {}
        self._said: list[dict[str, Any]] = []
        self._frames: list[dict[str, Any]] = []
        self._count = 0

    async def reset(self) -> None:
        """Forget all, and mend all."""
        await self._done()
        await self._control.reset()
        self._said.clear()
        self._frames.clear()

    async def say(self, stream: str, how: str, words: str, count: int, apart: float) -> None:
        """Begin to say or show something; return at once."""
        task = asyncio.create_task(self._say(stream, how, words, count, apart))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def chaos(self, **changes: Any) -> None:
        """Have things go wrong from now on."""
        await self._chaos.set(**changes)

    async def calm(self) -> None:
        """Mend all."""
        await self._chaos.off()

    async def end(self, how: str, **arguments: Any) -> int:
        """End all sockets in one way or another; return how many."""
        ended: int = getattr(self._chaos, how)(**arguments)
        return ended

    async def capture(self, session: str, status: str) -> None:
        """Move a capture session."""
        await self._control.capture(session, status)

    async def log(self) -> dict[str, Any]:
        """Return what was said, shown and sent, when all of it is."""
        await self._done()
        return {"said": self._said, "frames": self._frames}

    async def _done(self) -> None:
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _say(self, stream: str, how: str, words: str, count: int, apart: float) -> None:
        for _ in range(count):
            async with self._turns.setdefault(stream, asyncio.Lock()):
                await self._say_one(stream, how, words)
            await asyncio.sleep(apart)

    async def _say_one(self, stream: str, how: str, words: str) -> None:
        self._count += 1
        text, begun = f"#{self._count} {words}", time.time()
        end = self._ends[stream] = max(begun, self._ends.get(stream, 0.0) + STEP)
        stored = 1
        if how == "scene":
            stored = await self._control.add_scene(stream, text, start=end - LENGTH, end=end)
        else:
            is_final = how == "final"
            await self._control.add_utterance(stream, text, end - LENGTH, end, is_final=is_final)
        self._said.append(
            {
                "stream": stream,
                "channel": "scene_index" if how == "scene" else "transcript",
                "text": text,
                "begun": begun,
                "ended": time.time(),
                "is_record": how != "partial",
                "stored": stored,
            }
        )

    def _logged(self, send: Any) -> Any:
        def logged(connection: str, frame: Any) -> Any:
            data = frame if isinstance(frame, str | bytes) else json.dumps(frame)
            message = decode_frame(data.encode() if isinstance(data, str) else data, 0.0, 0)
            self._frames.append(
                {
                    "connection": connection,
                    "channel": message.channel,
                    "subject": subject_of(message),
                    "identity": identity_of(message),
                    "at": time.time(),
                }
            )
            return send(connection, frame)

        return logged


async def serve() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        async with LocalServer(folder, control=True) as server:
            service = Service(server)
            answer(url=server.url, key=server.api_key)
            while line := await loop.run_in_executor(None, sys.stdin.readline):
                request = json.loads(line)
                answer(result=await getattr(service, request.pop("what"))(**request))


def answer(**values: Any) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    asyncio.run(serve())
