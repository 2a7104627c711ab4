"""Watch a live stream: `python examples/watch.py rtsp://camera/door`.

`VIDEO_DB_BASE_URL` and `VIDEO_DB_API_KEY` say which server to ask; `rtstream serve` prints both.
"""

import asyncio
import sys

import rtstream_async as rts


async def main(url: str) -> None:
    """Connect the stream at `url` and print what is seen in it, until Ctrl-C."""
    async with rts.connect() as conn:
        coll = await conn.get_collection()
        door = await coll.connect_rtstream(url=url, name="Front door", store=True)
        await door.index_visuals(
            prompt="Who is at the door?",
            batch_config={"type": "time", "value": 2, "frame_count": 5},
        )
        async for msg in door.events("scene_index"):
            print(f"{msg.start_time:%H:%M:%S}  {msg.text}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
