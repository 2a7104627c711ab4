"""The whole way: `python examples/workflow.py rtsp://camera/meeting 1800 "action items"`.

Record a meeting, play it back, export it, index what was said, search it, and cut what was found.
"""

import asyncio
import sys
import time

import rtstream_async as rts
from rtstream_async import InvalidRequestError


async def main(url: str, seconds: float, query: str) -> None:
    """Record `url` for so long, and search what was said."""
    async with rts.connect() as conn:
        coll = await conn.get_collection()

        # 1. Connect and start recording
        rtstream = await coll.connect_rtstream(url=url, name="Weekly Standup", store=True)
        await rtstream.start()

        # 2. Record for the duration of the meeting
        start_ts = time.time()
        await asyncio.sleep(seconds)
        end_ts = time.time()
        await rtstream.stop()

        # An immediate playback URL for the captured window
        stream_url = await rtstream.generate_stream(start=start_ts, end=end_ts)
        print(f"Recorded stream: {stream_url}")

        # 3. Export to a permanent video
        export_result = await rtstream.export(name="Weekly Standup Recording")
        print(f"Exported video: {export_result.video_id}, {export_result.duration:.1f} s")

        # 4. Index the exported video for search
        video = await coll.get_video(export_result.video_id)
        await video.index_spoken_words(force=True)

        # 5. Search, and cut what was found
        try:
            results = await video.search(query)
            for shot in results.shots:
                print(f"{shot.start:.1f}-{shot.end:.1f} s: {shot.text}")
            print(f"Clip: {await results.compile()}")
        except InvalidRequestError as exc:
            if "No results found" not in str(exc):
                raise
            print(f"Nothing of it was said: {query}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), sys.argv[3]))
