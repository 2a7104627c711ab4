"""Handle every scene at least once: `python examples/consume.py rtsp://camera/door door.db`.

Stop it with Ctrl-C, or kill it, and start it again: it goes on where it was.
"""

import asyncio
import sys

import rtstream_async as rts

NAME = "Who is at the door?"


async def handle(scene: rts.SceneMessage) -> None:
    """Do what is to be done with `scene`; what this raises is tried again."""
    print(f"{scene.origin:7} {scene.start_time:%H:%M:%S}  {scene.text}", flush=True)


async def bury(scene: rts.SceneMessage, error: Exception) -> None:
    """Put away a scene that failed again and again, so that the others go on."""
    print(f"failed  {scene.start_time:%H:%M:%S}  {error!r}", file=sys.stderr)


async def main(url: str, path: str) -> None:
    """Watch the stream at `url`, and remember in `path` what was handled."""
    async with rts.connect() as conn:
        coll = await conn.get_collection()
        door = await coll.connect_rtstream(url=url, name="Entrance", reuse=True)
        indexes = await door.list_scene_indexes()
        if not any(index.name == NAME and index.is_running for index in indexes):
            batch = {"type": "time", "value": 2, "frame_count": 5}
            await door.index_visuals(prompt=NAME, batch_config=batch, name=NAME)
        async with door.events("scene_index") as scenes:
            await conn.consume(
                scenes, handle, checkpoint=rts.SQLiteCheckpoint(path), dead_letter=bury
            )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
