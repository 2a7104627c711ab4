"""Sum up what is said: `python examples/summaries.py rtsp://camera/meeting`."""

import asyncio
import sys

import rtstream_async as rts


async def main(url: str) -> None:
    """Print a summary of every 20 words that are said at `url`, until Ctrl-C."""
    async with rts.connect() as conn:
        coll = await conn.get_collection()
        stream = await coll.connect_rtstream(
            url=url, name="Meeting", media_types=["video", "audio"]
        )
        await stream.index_audio(
            prompt="Summarise what is being discussed.",
            batch_config={"type": "word", "value": 20},  # or "sentence", or "time" in seconds
            name="discussion",
        )
        async for msg in stream.events("audio_index"):
            print(f"{msg.start_time:%H:%M:%S}  {msg.text}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
