"""A consumer with a checkpoint, as a process: it writes down what becomes of each message.

A message whose number is a multiple of 7 fails once, and one of 11 always, so that it is dead. At
SIGTERM `consume()` is cancelled; SIGKILL needs nobody's consent.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections import Counter
from typing import Any

import rtstream_async as rts

_REALTIME = rts.HubSettings(
    first_frame_timeout=0.5, poll_interval=0.05, poll_idle_interval=0.1, recovery_jitter=0.02
)
_RETRIES = rts.RetryPolicy(attempts=2, base=0.01, cap=0.02)


class Handler:
    """Handles, fails, and writes it down."""

    def __init__(self, log: str) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._failures: Counter[int] = Counter()

    async def handle(self, message: Any) -> None:
        await asyncio.sleep(0.002)
        number = int(re.findall(r"\d+", message.text)[0])
        if number % 11 == 0 or (number % 7 == 0 and not self._failures[number]):
            self._failures[number] += 1
            raise RuntimeError(f"{number} fails, as asked for")
        self._write("handled", message, number)

    async def bury(self, message: rts.Message, error: Exception) -> None:
        self._write("dead", message, int(str(error).split()[0]))

    def _write(self, what: str, message: rts.Message, number: int) -> None:
        os.write(self._log, f"{what} {message.channel} {number} {message.origin}\n".encode())


async def main(url: str, key: str, hall: str, door: str, since: str, path: str, log: str) -> None:
    """Consume what is said in one stream and shown in another, until stopped."""
    handler = Handler(log)
    async with rts.connect(
        key,
        base_url=url,
        realtime=_REALTIME,
        retries=rts.RetryPolicy(attempts=8, base=0.05, cap=0.2),
    ) as conn:
        collection = await conn.get_collection()
        await (await collection.get_rtstream(hall)).start_transcript()
        consuming = asyncio.create_task(
            conn.consume(
                conn.monitor([hall, door], channels=("transcript", "scene_index")),
                handler.handle,
                checkpoint=rts.SQLiteCheckpoint(path),
                since=float(since),
                retries=_RETRIES,
                dead_letter=handler.bury,
                commit_every=0.1,
                overlap=0.5,  # or all that there is would be read again each time
            )
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, consuming.cancel)
        await asyncio.wait([consuming])
    if not consuming.cancelled():
        consuming.result()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
