"""Watch a camera; when somebody is seen, a webhook of ours is called."""

import json
import os
import queue
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import videodb

alerts = queue.Queue()


class Webhook(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        alerts.put(json.loads(self.rfile.read(length)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


server = HTTPServer(("127.0.0.1", 0), Webhook)
threading.Thread(target=server.serve_forever, daemon=True).start()

conn = videodb.connect(base_url=os.environ["VIDEO_DB_BASE_URL"])
coll = conn.get_collection()

camera = coll.connect_rtstream(name="Front door", url=os.environ["STREAM_URL"])
scene_index = camera.index_visuals(
    prompt="Describe the people in the picture and what they do.",
    batch_config={"type": "time", "value": 2, "frame_count": 2},
    model_name="mini",
    name="visitors",
)

event_id = conn.create_event(
    event_prompt="Detect when a person is in the picture",
    label="visitor",
)
alert_id = scene_index.create_alert(event_id, callback_url=f"http://127.0.0.1:{server.server_port}")

alert = alerts.get(timeout=100)
scene_index.disable_alert(alert_id)
scene_index.stop()
camera.stop()
server.shutdown()

print(
    json.dumps(
        {
            "stream": camera.id,
            "event": event_id,
            "alert": alert,
            "alerts": scene_index.list_alerts(),
            "events": conn.list_events(),
        }
    )
)
