"""Connect a stream, look it up, list all: `python examples/streams.py rtsp://camera/door`."""

import asyncio
import sys

import rtstream_async as rts


async def main(url: str) -> None:
    """Connect the stream at `url`, and print what the service has."""
    async with rts.connect() as conn:
        coll = await conn.get_collection()
        stream = await coll.connect_rtstream(
            url=url,
            name="Front door",
            media_types=["video", "audio"],
            store=True,  # keep the recording for export
        )
        again = await coll.get_rtstream(stream.id)
        print("connected", again.id, again.name)

        async for found in coll.list_rtstreams(status="connected", ordering="-created_at"):
            print(f"{found.id}: {found.name} - {found.status}")

        await stream.stop()
        print("stopped", stream.status)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
