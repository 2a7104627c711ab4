"""Find what was seen: `python examples/search.py rtsp://camera/door "somebody with a cat"`."""

import asyncio
import sys

import rtstream_async as rts

SCENES = 12


async def main(url: str, query: str) -> None:
    """Index `url` for a while, then print what fits `query`."""
    async with rts.connect() as conn:
        coll = await conn.get_collection()
        stream = await coll.connect_rtstream(url=url, name="Front door", store=True)
        index = await stream.index_visuals(
            prompt="Describe what is seen.",
            batch_config={"type": "time", "value": 2, "frame_count": 2},
        )
        async with stream.events("scene_index") as messages:
            for _ in range(SCENES):
                await messages.receive()
        await index.stop()

        results = await stream.search(query, result_threshold=3)
        for shot in results.shots:
            print("shot", shot.start, shot.end, shot.text)
            print("plays at", await shot.generate_stream())

        everywhere = await coll.search(query, namespace="rtstream")
        print("in all streams", len(everywhere.shots))
        await stream.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
