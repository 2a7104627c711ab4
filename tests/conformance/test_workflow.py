"""The reference's complete workflow, request by request, beside the official SDK's."""

from __future__ import annotations

import contextlib
import json
from urllib.parse import parse_qsl, urlsplit

import pytest

import rtstream_async as rts
from tests.conformance.driver import STREAM, VIDEO, recorded
from tests.loopback import answer, serve

ROWS = recorded("workflow.jsonl")
START, END = 1710000000.25, 1710001800.25
LOOK = ("GET", f"/rtstream/{STREAM}")
"""What we ask after each start and stop: the official SDK believes that it worked."""

WHOLE = 231  # the row whose workflow goes all the way, by the search that the reference means
OTHER_ROW = {
    230: WHOLE,  # our `search()` is the reference's, which reads what was indexed
    232: 233,
    234: WHOLE,  # a start of what runs already is no error
}
OTHER_OUTCOME = {
    232: rts.NoResultsError,  # the same error whether the service refuses or finds nothing
    233: rts.NoResultsError,  # an `InvalidRequestError`, as the reference expects
    234: None,
}


WHY = {
    230: "`video.search()` is the reference's, which reads what was indexed",
    232: "nothing found is the same error whether the service refuses or finds nothing",
    233: "a `NoResultsError` is an `InvalidRequestError`, as the reference expects",
    234: "a start of what runs already is no error",
}
"""Why ours differs, by row."""


async def workflow(conn):
    """The reference, ported by adding `await`."""
    coll = await conn.get_collection()
    rtstream = await coll.connect_rtstream(
        url="rtmp://your-stream-server/live/stream-key", name="Weekly Standup", store=True
    )
    await rtstream.start()
    await rtstream.stop()
    playback = await rtstream.generate_stream(start=START, end=END)
    export_result = await rtstream.export(name="Weekly Standup Recording")
    video = await coll.get_video(export_result.video_id)
    await video.index_spoken_words(force=True)
    results = await video.search("action items and next steps")
    return {"playback": playback, "clip": await results.compile()}


def replies(row):
    """Return what the service says to each request, by method and path."""
    pairs = [*zip(ROWS[WHOLE]["requests"], ROWS[WHOLE]["answers"], strict=True)]
    pairs += zip(row["requests"], row["answers"], strict=True)
    said = {}
    for sent, told in pairs:
        action = (sent["body"] or {}).get("action") if isinstance(sent["body"], dict) else None
        said[sent["method"], sent["path"], action] = told
    # The official SDK asked the newer search, to whose answer ours is what its v1 has.
    newer = said.pop(("POST", f"/video/{VIDEO}/search/v2", None), None)
    if newer is not None:
        said["POST", f"/video/{VIDEO}/search", None] = newer
    return said


@pytest.mark.parametrize("number", ROWS)
async def test_the_workflow_is_the_official_one_or_differs_on_purpose(number):
    """A program that was ported must do the same to the same account."""
    row = ROWS[number]
    said = replies(row)
    state = "stopped"

    async def handler(seen, writer):
        nonlocal state
        path = urlsplit(seen.path).path
        body = seen.json if seen.body else None
        action = body.get("action") if isinstance(body, dict) else None
        if (seen.method, path) == LOOK:
            writer.write(answer({"success": True, "data": {"id": STREAM, "status": state}}))
            return
        state = {"start": "connected", "stop": "stopped"}.get(action, state)
        told = said[seen.method, path, action]
        writer.write(answer(told["json"], status=told["status"]))

    kind = row["error"] and getattr(rts, row["error"])
    error = OTHER_OUTCOME.get(number, kind)
    done = None
    async with serve(handler) as server, rts.connect("sk-test", base_url=server.url) as conn:
        with pytest.raises(error, match="No results found") if error else contextlib.nullcontext():
            done = await workflow(conn)
    sent = [_sent(seen) for seen in server.seen]
    assert [item for item in sent if item[:2] != LOOK] == [
        (item["method"], item["path"], item["query"], item["body"])
        for item in ROWS[OTHER_ROW.get(number, number)]["requests"]
    ]
    assert sum(item[:2] == LOOK for item in sent) == 2
    if error is None:
        clip = ROWS[WHOLE]["result"]["clip"]
        # A manifest, as the reference says; the official SDK gives its page.
        playback = said["GET", f"/rtstream/{STREAM}/stream", None]["json"]["data"]["stream_url"]
        assert done == {"playback": playback, "clip": clip}


def _sent(seen):
    parts = urlsplit(seen.path)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return seen.method, parts.path, query, json.loads(seen.body) if seen.body else None
