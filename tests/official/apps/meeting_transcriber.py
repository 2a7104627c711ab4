"""Write down a meeting while it goes on, then keep it and find things in it."""

import asyncio
import json
import os
import time

import videodb
from videodb.exceptions import InvalidRequestError

conn = videodb.connect(base_url=os.environ["VIDEO_DB_BASE_URL"])
coll = conn.get_collection()


async def main():
    ws = await conn.connect_websocket().connect()

    meeting = coll.connect_rtstream(
        url=os.environ["STREAM_URL"],
        name="Weekly Standup",
        media_types=["video", "audio"],
        store=True,
        enable_transcript=False,
    )
    meeting.start()
    meeting.start_transcript(ws_connection_id=ws.connection_id)
    meeting.index_audio(
        prompt="Summarize what is said",
        batch_config={"type": "sentence", "value": 1},
        ws_connection_id=ws.connection_id,
    )

    transcript, summaries = [], []
    async for msg in ws.receive():
        channel, data = msg.get("channel"), msg.get("data", {})
        if channel == "transcript" and data.get("is_final"):
            transcript.append(data["text"])
        elif channel == "audio_index":
            summaries.append(data["text"])
        if transcript and summaries:
            break
    await ws.close()

    meeting.stop_transcript()
    meeting.stop()
    return meeting, transcript, summaries


meeting, transcript, summaries = asyncio.run(main())

result = meeting.export(name="Weekly Standup Recording")
video = coll.get_video(result.video_id)
video.index_spoken_words(force=True)
words = video.get_transcript()
try:
    shots = video.search(transcript[0]).get_shots()
    legacy = [shot.text for shot in video.legacy_search(transcript[0]).get_shots()]
except InvalidRequestError as error:
    shots, legacy = [], [str(error)]

print(
    json.dumps(
        {
            "transcript": transcript,
            "summaries": summaries,
            "video": video.id,
            "duration": result.duration,
            "words": len(words),
            "found": [shot.text for shot in shots],
            "legacy": legacy,
            "clip": shots[0].generate_stream() if shots else None,
            "at": time.time(),
        }
    )
)
