"""The streams of a capture session: `python examples/capture.py cap-...`."""

import asyncio
import sys

import rtstream_async as rts


async def main(session_id: str) -> None:
    """Index what the session's screen shows and its microphone hears, and print it."""
    async with rts.connect() as conn:
        session = await conn.get_capture_session(session_id)
        print("session", session.id, session.status)

        for screen in await session.get_rtstream("screen"):
            print("screen", screen.id, screen.name)
            await screen.index_visuals(
                prompt="What is the user doing?",
                batch_config={"type": "time", "value": 2, "frame_count": 2},
            )
        for mic in await session.get_rtstream("mic"):
            print("mic", mic.id, mic.name)
            await mic.start_transcript()

        async for msg in conn.events("scene_index", "transcript"):
            print(msg.channel, msg.text, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
