"""Indexes and their scenes: `python examples/indexes.py rtsp://camera/door`."""

import asyncio
import sys

import rtstream_async as rts


async def main(url: str) -> None:
    """Index `url` until there are three scenes, and page them."""
    async with rts.connect() as conn:
        coll = await conn.get_collection()
        stream = await coll.connect_rtstream(url=url, name="Front door")
        index = await stream.index_visuals(
            prompt="Describe what is happening.",
            batch_config={"type": "time", "value": 2, "frame_count": 2},
            name="door",
        )
        async with stream.events("scene_index") as messages:
            for _ in range(3):
                await messages.receive()

        await index.stop()
        for found in await stream.list_scene_indexes():
            print("index", found.rtstream_index_id, found.name, found.status)

        page = await index.get_scenes(page=1, page_size=2)  # one page
        print("first page", len(page["scenes"]), "more", page["next_page"])
        async for scene in index.get_scenes(page_size=2):  # all of them, newest first
            print("scene", scene["start"], scene["end"], scene["text"])

        again = await stream.get_scene_index(index.rtstream_index_id)
        await again.start()
        print("restarted", again.status)
        await stream.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
