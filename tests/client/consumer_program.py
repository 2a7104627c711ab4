"""A consumer to be killed: it writes down each message that it has handled, and nothing else."""

from __future__ import annotations

import asyncio
import os
import sys

import rtstream_async as rts


async def main(url: str, key: str, stream: str, since: str, checkpoint: str, log: str) -> None:
    """Consume the scenes of one stream until killed."""
    realtime = rts.HubSettings(poll_interval=0.05, poll_idle_interval=0.1)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def handler(message: rts.Message) -> None:
        await asyncio.sleep(0.005)
        os.write(descriptor, f"{message.text}\n".encode())

    async with rts.connect(key, base_url=url, realtime=realtime) as conn:
        door = await (await conn.get_collection()).get_rtstream(stream)
        await conn.consume(
            door.events("scene_index"),
            handler,
            checkpoint=rts.SQLiteCheckpoint(checkpoint),
            since=float(since),
        )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
