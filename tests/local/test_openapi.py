"""The server's description of itself: whole, true, and no way to break it."""

from __future__ import annotations

import re

import pytest

from rtstream_async.local import LocalServer
from rtstream_async.local.app import ENDPOINTS
from rtstream_async.local.openapi.answers import ANSWERS
from rtstream_async.local.openapi.document import make_document
from rtstream_async.local.openapi.operations import OPERATIONS
from tests.local.harness import api_of

ALLOWED = re.compile(r"is not known here; allowed: (.*)")


def test_every_call_is_described_and_nothing_else():
    """What is not in the document is not found by those who generate their client from it."""
    assert {route for route, _ in ENDPOINTS} == set(OPERATIONS)
    used = {operation.answer for operation in OPERATIONS.values()}
    assert used <= set(ANSWERS)


@pytest.fixture
async def api(tmp_path):
    async with LocalServer(control=True) as server, api_of(server) as api:
        yield api


async def objects(api):
    """One of each, by what a path calls it."""
    stream = await api.connect()
    index = await api.index(stream)
    event = await api.call("POST", "/rtstream/event", json={"event_prompt": "a", "label": "b"})
    alert = await api.call(
        "POST", f"/rtstream/{stream}/index/{index}/alert", json={"event_id": event["event_id"]}
    )
    made = await api.call("POST", f"/rtstream/{stream}/understand", json={})
    path = f"/rtstream/{stream}/indexes"
    second = await api.call("POST", path, json={"source": made["outputs"]["scene"]})
    session = await api.call(
        "POST", "/collection/default/capture/session", json={"end_user_id": "u"}
    )
    return {
        "collection_id": "default",
        "stream_id": stream,
        "index_id": index,
        "alert_id": alert["alert_id"],
        "understanding_id": made["id"],
        "session_id": session["session_id"],
        "second": second["id"],
    }


async def test_the_arguments_are_those_that_are_read(api):
    """A description that has drifted from the handlers is worse than none."""
    known = await objects(api)
    checked = 0
    for route, operation in OPERATIONS.items():
        ids = known | ({"index_id": known["second"]} if "/indexes/" in route.template else {})
        if not set(re.findall(r"\{(\w+)\}", route.template)) <= ids.keys() or operation.items:
            continue
        path = route.template.format(**ids)
        asked = {"params": {"no_such": "1"}} if operation.body is None else {"json": {"no_such": 1}}
        response = await api.http.request(route.method, path, **asked)
        found = ALLOWED.search(response.json()["message"])
        if found is None:  # it reads none at all
            assert not operation.query, route
            assert not operation.body, route
            continue
        names = set(found[1].split(", ")) if found[1] else set()
        described = operation.query if operation.body is None else operation.body
        assert names == set(described), route
        checked += 1
    assert checked > 25


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/rtstream/{stream_id}/export"),
        ("post", "/video/{video_id}/index"),
        ("get", "/video/{video_id}/transcription"),
        ("post", "/video/{video_id}/transcription"),
        ("post", "/audio/{audio_id}/transcription"),
    ],
)
def test_work_that_takes_a_while_is_described_as_such(method, path):
    """A client that is made of the document must not take `processing` for a broken answer."""
    operation = make_document(ENDPOINTS)["paths"][path][method]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    done, later = schema["anyOf"]
    assert "data" in done["properties"]
    assert "status" in later["required"]


async def test_the_document_is_served(api):
    """With the key, as everything is."""
    response = await api.http.get("/openapi.json")
    document = response.json()
    assert document["openapi"] == "3.1.0"
    assert len(document["paths"]) > 45
    summaries = [one["summary"] for path in document["paths"].values() for one in path.values()]
    assert all(summaries)
