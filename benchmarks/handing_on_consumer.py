"""The other end of the benchmark of the log: a process that takes messages and acknowledges each.

`python -m benchmarks.handing_on_consumer ADDRESS COUNT` prints a line when it is there, and the
delays of so many messages, in seconds, when it has them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import nats
from nats.errors import TimeoutError as NothingYet

from benchmarks.handing_on import STREAM, SUBJECTS

__all__ = ["main"]

_LOT = 100  # messages


async def main(address: str, count: int) -> None:
    """Take `count` messages."""
    delays: list[float] = []
    async with await nats.connect(address) as client:
        consumer = await client.jetstream().pull_subscribe(SUBJECTS, "bench", stream=STREAM)
        print("ready", flush=True)
        while len(delays) < count:
            try:
                messages = await consumer.fetch(_LOT, timeout=0.1)
            except NothingYet:
                continue
            now = time.time()
            for message in messages:
                delays.append(now - json.loads(message.data)["data"]["start"])
                await message.ack()
    print(json.dumps(delays), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
