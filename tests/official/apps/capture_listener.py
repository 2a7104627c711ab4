"""The back end of a desktop recorder: a session, a token for the desktop, and all that happens."""

import asyncio
import json
import os
import sys
import time

import videodb
from videodb import RTStreamChannelType

conn = videodb.connect(base_url=os.environ["VIDEO_DB_BASE_URL"])
told = {"events": [], "scenes": 0}


async def main():
    ws = await conn.connect_websocket().connect()
    session = conn.create_capture_session(
        end_user_id="user-1",
        ws_connection_id=ws.connection_id,
        metadata={"app": "capture-quickstart"},
    )
    token = conn.generate_client_token(expires_in=600)
    print(json.dumps({"session_id": session.id, "token": token}))
    sys.stdout.flush()

    async for msg in ws.receive():
        channel = msg.get("channel")
        if channel == "capture_session":
            event = msg["event"]
            told["events"].append(event)
            if event == "capture_session.active":
                start_pipelines(msg, ws.connection_id)
            elif event in ("capture_session.stopped", "capture_session.failed"):
                break
        elif channel in ("scene_index", "visual_index"):
            told["scenes"] += 1
            print(json.dumps({"seen": msg["data"]["text"]}))
            sys.stdout.flush()
    await ws.close()
    return session.id


def start_pipelines(msg, connection_id):
    session = conn.get_capture_session(msg["capture_session_id"])
    told["pushed"] = sorted(item["rtstream_id"] for item in msg["data"]["rtstreams"])
    told["streams"] = sorted(stream.id for stream in session.rtstreams)
    (screen,) = session.get_rtstream(RTStreamChannelType.screen)
    screen.index_visuals(
        prompt="What is on the screen?",
        batch_config={"type": "time", "value": 1, "frame_count": 1},
        ws_connection_id=connection_id,
    )


session_id = asyncio.run(main())
session = conn.get_capture_session(session_id)
told["displays"] = [channel.id for channel in session.displays]
deadline = time.time() + 60
while time.time() < deadline:
    export = session.export()
    if export["export_status"] in ("exported", "failed"):
        break
    time.sleep(0.5)
told["export"] = export
told["again"] = conn.get_capture_session(session_id).export_status
print(json.dumps(told))
