"""What is refused, and in which words; one server for all, because none of it changes anything."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import attrs
import httpx
import pytest
import pytest_asyncio

from rtstream_async.local import LocalServer
from tests.local.harness import Api, api_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@attrs.frozen
class Shared:
    """A server with one stream that has one index."""

    server: LocalServer
    api: Api
    stream: str
    index: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncGenerator[Shared]:
    async with LocalServer(control=True) as server, api_of(server) as api:
        stream = await api.connect()
        yield Shared(server, api, stream, await api.index(stream))


@pytest.fixture
def api(shared: Shared) -> Api:
    return shared.api


@pytest.mark.parametrize("path", ["/collection", "/rtstream", "/nowhere", "/_local/sockets"])
async def test_nothing_is_told_without_the_key(shared: Shared, path: str) -> None:
    """Whoever can reach the port must not see the cameras."""
    async with httpx.AsyncClient(base_url=shared.server.url) as stranger:
        for headers in ({}, {"x-access-token": ""}, {"x-access-token": shared.server.api_key[:-1]}):
            response = await stranger.get(path, headers=headers)
            assert response.status_code == 401
            assert response.json()["error_code"] in {"NO_KEY", "WRONG_KEY"}
            assert shared.server.api_key not in response.text


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("localhost:8787", True),
        ("127.0.0.1", True),
        ("[::1]:99", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
async def test_only_our_own_names_are_answered(api: Api, host: str, is_ours: bool) -> None:
    """A web page whose name is made to point here must not drive a browser at us."""
    response = await api.http.get("/collection/default", headers={"host": host})
    assert response.status_code == (200 if is_ours else 421)


@pytest.mark.parametrize(
    "path",
    [
        "/collection/default",
        "/collection/default/",
        "/collection//default",
        "/collection/default//",
    ],
)
async def test_slashes_lead_to_the_same_place_without_a_redirect(api: Api, path: str) -> None:
    """A redirect turns POST into GET in most clients."""
    response = await api.http.get(path)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("DELETE", "/rtstream", 405, "WRONG_METHOD"),
        ("GET", "/collection/c-nobody", 404, "NOT_FOUND"),
        ("GET", "/collection/c-nobody/websocket", 404, "NOT_FOUND"),
        ("GET", "/rtstream/rts-nobody", 404, "NOT_FOUND"),
        ("PATCH", "/rtstream/rts-nobody/status", 404, "NOT_FOUND"),
        ("GET", "/rtstream/rts-nobody/stream", 404, "NOT_FOUND"),
        ("GET", "/rtstream/rts-nobody/index/scene", 404, "NOT_FOUND"),
        ("POST", "/rtstream/rts-nobody/index/scene", 404, "NOT_FOUND"),
        ("GET", "/rtstream/a%2Fb", 404, "NOT_FOUND"),
    ],
)
async def test_what_is_not_there_is_refused_in_the_envelope(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    """An HTML page in place of the envelope breaks clients."""
    body = await api.refused(method, path, status)
    assert body["error_code"] == code


BAD_BODIES: list[tuple[dict[str, Any], str]] = [
    ({"name": "n"}, "url"),
    ({"url": ""}, "url"),
    ({"url": 5}, "url"),
    ({"url": "gopher://x"}, "url"),
    ({"url": "scripted://a", "medai_types": ["video"]}, "media_types"),
    ({"url": "scripted://a", "media_types": ["image"]}, "video, audio"),
    ({"url": "scripted://a", "media_types": []}, "media_types"),
    ({"url": "scripted://a", "media_types": "video"}, "video, audio"),
    ({"url": "scripted://a", "sample_rate": 0}, "1 to 240"),
    ({"url": "scripted://a", "sample_rate": "fast"}, "sample_rate"),
    ({"url": "scripted://a", "sample_rate": True}, "sample_rate"),
    ({"url": "scripted://a", "sample_rate": 1.5}, "sample_rate"),
    ({"url": "scripted://a", "store": "maybe"}, "store"),
    ({"url": "scripted://a", "name": ["x"]}, "name"),
    ({"url": "scripted://a", "collection_id": "c-nobody"}, "c-nobody"),
]


@pytest.mark.parametrize(("body", "told"), BAD_BODIES)
async def test_a_bad_argument_is_named_with_what_would_be_taken(
    api: Api, body: dict[str, Any], told: str
) -> None:
    """`400 Bad Request` alone costs somebody an afternoon."""
    response = await api.http.post("/rtstream", json=body)
    assert response.status_code in {400, 404}
    assert told in response.json()["message"]
    assert (await api.call("GET", "/rtstream"))["count"] == 1


@pytest.mark.parametrize("content", [b"{", b"[]", b'"x"', b"\xff\xfe", b'{"url": NaN}'])
async def test_a_body_that_is_no_json_object_is_refused(api: Api, content: bytes) -> None:
    """It is the client's mistake, so it must not look like the server's."""
    assert "body" in (await api.refused("POST", "/rtstream", 400, content=content))["message"]


async def test_a_body_beyond_the_limit_is_refused(api: Api) -> None:
    """Memory is not the client's to take."""
    content = b'{"name": "' + b"x" * (2 * 1024 * 1024) + b'"}'
    body = await api.refused("POST", "/rtstream", 413, content=content)
    assert body["error_code"] == "TOO_LARGE"


BAD_INDEXES: list[tuple[dict[str, Any], str]] = [
    ({"extraction_type": "magic"}, "time, time_based"),
    ({"extraction_type": "transcript"}, "'audio' in media_types"),
    ({"extraction_type": "transcript", "extraction_config": {"segmenter": "verse"}}, "word, sen"),
    ({"extraction_type": "transcript", "extraction_config": {"time": 2}}, "segmenter"),
    (
        {"extraction_type": "transcript", "extraction_config": {"segmentation_value": 0}},
        "whole number from 1",
    ),
    (
        {"extraction_type": "transcript", "extraction_config": {"segmentation_value": "1.5"}},
        "whole number from 1",
    ),
    (
        {"extraction_type": "shot", "extraction_config": {"threshold": 0}},
        "extraction_config.threshold",
    ),
    (
        {"extraction_type": "shot_based", "extraction_config": {"threshold": 256}},
        "extraction_config.threshold",
    ),
    (
        {"extraction_type": "shot", "extraction_config": {"min_length": 5, "max_length": 4}},
        "extraction_config.max_length",
    ),
    (
        {"extraction_type": "shot", "extraction_config": {"min_length": 0.1, "frame_count": 9}},
        "frames a second",
    ),
    ({"extraction_type": "shot", "extraction_config": {"value": 2}}, "max_length, min_length"),
    ({"extraction_config": {"time": 0}}, "extraction_config.time"),
    ({"extraction_config": {"time": -1}}, "extraction_config.time"),
    ({"extraction_config": {"time": "soon"}}, "extraction_config.time"),
    ({"extraction_config": {"time": 2, "frame_count": 0}}, "extraction_config.frame_count"),
    ({"extraction_config": {"time": 2, "frame_count": 2.5}}, "extraction_config.frame_count"),
    ({"extraction_config": {"time": 1, "frame_count": 60}}, "frames a second"),
    ({"extraction_config": {"tiem": 2}}, "frame_count, time"),
    ({"extraction_config": [1]}, "extraction_config"),
    ({"prompt": 5}, "prompt"),
    ({"promt": "x"}, "promt"),
]


@pytest.mark.parametrize(("body", "told"), BAD_INDEXES)
async def test_a_bad_index_is_refused_and_not_made(
    shared: Shared, body: dict[str, Any], told: str
) -> None:
    """An index that never makes a record is worse than an error."""
    api, stream = shared.api, shared.stream
    refused = await api.refused("POST", f"/rtstream/{stream}/index/scene", 400, json=body)
    assert told in refused["message"]
    listed = await api.call("GET", f"/rtstream/{stream}/index/scene")
    assert len(listed["scene_indexes"]) == 1


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"page": 0}, "page"),
        ({"page": -1}, "page"),
        ({"page": "x"}, "page"),
        ({"page_size": 1001}, "1 to 1000"),
        ({"page_size": 0}, "page_size"),
        ({"start": "nan"}, "start"),
        ({"end": "inf"}, "end"),
        ({"start": -5}, "start"),
        ({"start": 1e12}, "seconds"),
        ({"start": 5, "end": 4}, "start"),
        ({"strat": 5}, "strat"),
    ],
)
async def test_bad_paging_is_refused(shared: Shared, query: dict[str, Any], told: str) -> None:
    """A page that is silently another one makes a reader lose records."""
    path = f"/rtstream/{shared.stream}/index/scene/{shared.index}"
    assert told in (await shared.api.refused("GET", path, 400, params=query))["message"]
