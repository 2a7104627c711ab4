"""Makes the calls that were recorded of the official SDK, and says what ours are to be.

`golden/` has what the official SDK 0.5.1 sent, what a scripted service answered, and
what it raised or returned. Where we differ, we differ on purpose: `tables/` says in what, and why.
"""

from __future__ import annotations

import json
from pathlib import Path

import rtstream_async as rts
from rtstream_async.models.records import CollectionRecord, IndexRecord, Playback, StreamRecord
from rtstream_async.models.understandings import StreamIndexRecord, UnderstandingRecord
from rtstream_async.protocol.codec import captures as capture_answers
from rtstream_async.protocol.codec import search as searches
from rtstream_async.protocol.codec import videos as video_answers
from tests.conformance.tables import (
    alerts,
    captures,
    connection,
    indexes,
    search,
    sound,
    streams,
    understandings,
    videos,
)

TABLES = (connection, captures, streams, indexes, sound, alerts, search, understandings, videos)

GOLDEN = Path(__file__).with_name("golden")


def recorded(name):
    """Return the rows of one file, by number."""
    lines = (GOLDEN / name).read_text(encoding="utf-8").splitlines()
    return {row["row"]: row for row in map(json.loads, lines)}


ROWS = {
    row: said
    for name in ("rest", "videos", "captures", "more")
    for row, said in recorded(f"{name}.jsonl").items()
}
COLLECTION = "c-81fc6459-fe30-44ac-8c5b-ea0898c2e152"
STREAM = "rts-019719b2-0c84-7a71-a037-311855a8d160"
INDEX = "318f52d1a4524559"
VIDEO = "m-12345"

OTHER_REQUEST = {row: change for table in TABLES for row, change in table.OTHER_REQUEST.items()}
OTHER_OUTCOME = {row: kind for table in TABLES for row, kind in table.OTHER_OUTCOME.items()}
OTHER_NAME = {row: name for table in TABLES for row, name in table.OTHER_NAME.items()}
OTHER_RESULT = {row: change for table in TABLES for row, change in table.OTHER_RESULT.items()}


def made_stream(conn, row):
    """Return the stream that `row` is about; of some, a window was asked for before."""
    record = StreamRecord(id=STREAM, name="Arizona Flood Stream", collection_id=COLLECTION)
    stream = rts.RTStream(conn._context, record)
    if "played" in row:
        stream._playback = Playback(stream_url="https://s", player_url=row["played"])
    return stream


def made_response(conn, row):
    """Return the answer of a Search v2 that `row` is about."""
    if "response_type" not in row["receiver"]:
        return made_result(conn, row)
    answer = video_answers.search_answer(row["receiver"], video_id=VIDEO)
    return rts.SearchResponse(conn._context, answer, COLLECTION)


def made_video(conn, row):
    """Return the video that `row` is about; of some, a part was played before."""
    video = rts.Video(conn._context, video_answers.video(row["receiver"]))
    if "played" in row:
        video._playback = Playback(stream_url=row["played"])
    return video


def made_result(conn, row):
    """Return the result of a search that `row` is about; some were compiled before."""
    found = video_answers.search_result(row["receiver"], video_id=VIDEO, collection_id=COLLECTION)
    result = rts.SearchResult(conn._context, found, COLLECTION)
    if "compiled" in row:
        result._playback = Playback(stream_url=row["compiled"])
    return result


HANDLES = {
    "videodb": lambda conn, _: conn,
    "connection": lambda conn, _: conn,
    "collection": lambda conn, _: rts.Collection(conn._context, CollectionRecord(id=COLLECTION)),
    "rtstream": made_stream,
    "scene_index": lambda conn, _: rts.RTStreamSceneIndex(
        conn._context, IndexRecord(rtstream_index_id=INDEX, rtstream_id=STREAM)
    ),
    "understanding": lambda conn, _: rts.RTStreamUnderstanding(
        conn._context, UnderstandingRecord(id="und-1", rtstream_id=STREAM)
    ),
    "rtstream_index": lambda conn, _: rts.RTStreamIndex(
        conn._context, StreamIndexRecord(id="idx-1", rtstream_id=STREAM)
    ),
    "rtstream_shot": lambda conn, row: rts.RTStreamShot(
        conn._context, searches.shot(row["receiver"], rtstream_id=STREAM)
    ),
    "video": made_video,
    "shot": lambda conn, row: made_result(conn, row)[0],
    "search_result": made_result,
    "search_response": made_response,
    "capture_session": lambda conn, row: rts.CaptureSession(
        conn._context, capture_answers.session(row["receiver"], collection_id=COLLECTION)
    ),
}
"""By the first word of a recorded call: what it was made on."""

OTHER_CLASS = {"AudioChannel": "CaptureChannel", "VideoChannel": "CaptureChannel"}
"""Whose place ours takes; a channel says its type itself."""

PUSHING = {
    *("connect_rtstream", "create_alert", "index_audio", "index_scenes", "index_spoken_words"),
    *("create_capture_session", "index_visuals", "start_transcript", "understand"),
    "capture_session.export",
}
"""Here, these push to our own socket unless told not to; the official SDK knows no socket."""


def call(conn, row):
    """Return the coroutine that `row` is about."""
    owner, method = row["call"].split(".")
    method = OTHER_NAME.get(row["row"], method)
    handle = HANDLES[owner](conn, row)
    args = dict(row["args"])
    if owner == "videodb":
        method, args = "get_collection", {}
    if row["call"] == "collection.get_rtstream":
        args = {"id": STREAM}
    if (method in PUSHING and owner != "video") or row["call"] in PUSHING:
        args.setdefault("ws_connection_id", None)
    return getattr(handle, method)(**args)


def answers(row):
    """Return what the service says to the calls of `row`, in turn."""
    change = OTHER_REQUEST.get(row["row"]) or {}
    if "answer" in change:
        return [{"status": 200, "json": {"success": True, "data": change["answer"]}}]
    return [row["answer"]] if row["answer"] else []


def wanted(row):
    """Return method, path, query and body that we are to send; None: nothing is sent."""
    change = OTHER_REQUEST.get(row["row"], {})
    if change is None:
        return None
    method = change.get("method", row["method"])
    if method is None:
        return None
    body = row["body"]
    if isinstance(body, list):
        return method, row["path"], row["query"], body
    if body is not None or "body" in change:
        body = {
            key: value for key, value in (body or {}).items() if key not in change.get("drop", ())
        }
        body |= change.get("body", {})
    return method, change.get("path", row["path"]), row["query"] | change.get("query", {}), body


def outcome(row):
    """Return the class of error that we are to raise; None: none."""
    official = row["error"] and getattr(rts, row["error"], ValueError)
    return OTHER_OUTCOME.get(row["row"], official)


def agree(row, ours):
    """Check that `ours`, read by key, is what the official SDK returned, or what it should be."""
    if "result" not in row:
        return
    official = row["result"]
    change = OTHER_RESULT.get(row["row"], {})
    if isinstance(change, list | str):
        official = change
    elif isinstance(official, dict):
        official = official | change
    elif isinstance(official, list):  # by place
        official = [item | change[n] if n in change else item for n, item in enumerate(official)]
    same(ours, official)


def same(ours, official):
    """Check one value: of ours, the official keys are asked for."""
    if isinstance(official, dict) and not isinstance(ours, dict):
        for key in official.keys() - {"__class__"}:
            same(_get(ours, key), official[key])
        kind = official.get("__class__")
        assert OTHER_CLASS.get(kind, kind) in (None, type(ours).__name__)
    elif isinstance(official, list):
        for mine, theirs in zip(ours, official, strict=True):
            same(mine, theirs)
    else:
        assert ours == official


def _get(value, key):
    return value.get(key) if hasattr(value, "get") else getattr(value, key)
