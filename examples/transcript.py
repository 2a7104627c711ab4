"""Write down what is said: `python examples/transcript.py rtsp://camera/meeting`."""

import asyncio
import sys

import rtstream_async as rts

ENOUGH = 3  # sentences


async def main(url: str) -> None:
    """Print what is said at `url` while it is said, then the whole of it."""
    async with rts.connect() as conn:
        coll = await conn.get_collection()
        stream = await coll.connect_rtstream(
            url=url, name="Meeting", media_types=["video", "audio"], enable_transcript=False
        )
        await stream.start_transcript()

        finals = 0
        async for msg in stream.events("transcript"):
            print("said" if msg.is_final else "   …", msg.text, flush=True)
            finals += msg.is_final
            if finals == ENOUGH:
                break

        await stream.stop_transcript()
        async for segment in stream.get_transcript(page_size=100):
            print("record", segment.start, segment.end, segment.text)
        await stream.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
