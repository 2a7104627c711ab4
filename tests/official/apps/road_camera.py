"""Index a road camera, read what was seen page by page, and find a moment in it."""

import json
import os
import time

import videodb
from videodb import SceneExtractionType

conn = videodb.connect(base_url=os.environ["VIDEO_DB_BASE_URL"])
coll = conn.get_collection()

road = coll.connect_rtstream(
    name="Road camera", url=os.environ["STREAM_URL"], sample_rate=30, store=True
)
index = road.index_scenes(
    extraction_type=SceneExtractionType.time_based,
    extraction_config={"time": 2, "frame_count": 2},
    prompt="Describe who and what is on the road.",
    name="road",
)

deadline = time.time() + 100
while time.time() < deadline:
    scenes = index.get_scenes(page=1, page_size=100)
    if scenes and len(scenes["scenes"]) >= 3:
        break
    time.sleep(0.5)

pages, page = [], 1
while True:
    answer = index.get_scenes(page=page, page_size=2)
    pages.append([scene["description"] for scene in answer["scenes"]])
    if not answer["next_page"]:
        break
    page += 1

results = road.search(query="people walking on a street", result_threshold=3)
shots = results.get_shots()
everywhere = coll.search(query="people on a street", namespace="rtstream")
player = road.generate_stream(
    start=int(scenes["scenes"][-1]["start"]), end=int(scenes["scenes"][0]["end"])
)

index.stop()
road.stop()
print(
    json.dumps(
        {
            "pages": pages,
            "shots": [[shot.start, shot.end, shot.text, shot.search_score] for shot in shots],
            "everywhere": len(everywhere.shots),
            "clip": shots[0].generate_stream(),
            "player": player,
            "status": [stream.status for stream in coll.list_rtstreams(name="Road")],
            "indexes": [one.name for one in road.list_scene_indexes()],
        }
    )
)
