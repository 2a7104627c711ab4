"""Record a stream and play it back: `python examples/record.py rtsp://camera/door 60`."""

import asyncio
import sys
import time

import rtstream_async as rts


async def main(url: str, seconds: float) -> None:
    """Record `url` for so long, and print where the recording plays."""
    async with rts.connect() as conn:
        coll = await conn.get_collection()
        stream = await coll.connect_rtstream(url=url, name="Front door", store=True)
        await stream.start()  # no error: it runs already

        start = time.time()
        await asyncio.sleep(seconds)
        end = time.time()
        await stream.stop()

        stream_url = await stream.generate_stream(start=start, end=end)
        print("manifest", stream_url)
        print("player", stream.player_url)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
