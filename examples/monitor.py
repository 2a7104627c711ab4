"""Watch many streams at once: `python examples/monitor.py rtsp://front/door rtsp://back/door`.

`VIDEO_DB_BASE_URL` and `VIDEO_DB_API_KEY` say which server to ask; `rtstream serve` prints both.
"""

import asyncio
import sys

import rtstream_async as rts


async def main(urls: list[str]) -> None:
    """Print what is seen in the streams at `urls`, and every 10 s how they are, until Ctrl-C."""
    async with rts.connect() as conn:
        coll = await conn.get_collection()
        doors: dict[str, rts.RTStream] = {}
        for number, url in enumerate(urls, start=1):
            door = await coll.connect_rtstream(url=url, name=f"Door {number}")
            await door.index_visuals(
                prompt="Who is at the door?",
                batch_config={"type": "time", "value": 2, "frame_count": 2},
            )
            doors[door.id] = door
        async with conn.monitor(doors.values()) as monitor, asyncio.TaskGroup() as group:
            group.create_task(tell_health(monitor, doors))
            async for msg in monitor:
                name = doors[msg.rtstream_id or ""].name
                print(f"{name}  {msg.channel}  {msg.text}", flush=True)


async def tell_health(monitor: rts.Monitor[rts.Message], doors: dict[str, rts.RTStream]) -> None:
    """Print every 10 s what the streams' states are, and what waits to be read."""
    while True:
        await asyncio.sleep(10)
        for stream_id, health in monitor.health().items():
            print(f"{doors[stream_id].name}  is {health.state}, {health.depth} queued", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
