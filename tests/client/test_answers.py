"""Every shape of answer that the service's contract knows, through the whole client."""

from __future__ import annotations

import httpx
import pytest
import respx

import rtstream_async as rts

BASE = "https://api.example.test"
STREAM = {"id": "rts-1", "name": "Door", "status": "connected"}


def refusal(message: str, code: str | None = None) -> dict[str, object]:
    return {"success": False, "message": message, **({"error_code": code} if code else {})}


REFUSALS = {
    400: rts.ValidationError,
    401: rts.AuthenticationError,
    402: rts.OutOfCreditsError,
    403: rts.PermissionDeniedError,
    404: rts.NotFoundError,
    409: rts.ConflictError,
    410: rts.NotFoundError,
    418: rts.InvalidRequestError,
    422: rts.ValidationError,
    429: rts.RateLimitError,
    500: rts.ServerError,
    502: rts.ServerError,
    503: rts.ServerError,
    504: rts.ServerError,
}

ODD = {
    "HTML with 200": (httpx.Response(200, html="<p>maintenance</p>"), rts.ProtocolError),
    "a JSON list": (httpx.Response(200, json=[1, 2]), rts.ProtocolError),
    "JSON null": (httpx.Response(200, json=None), rts.ProtocolError),
    "no success, no data": (httpx.Response(200, json={"id": "rts-1"}), rts.ProtocolError),
    "no data": (httpx.Response(200, json={"success": True}), rts.ProtocolError),
    "success: false with 200": (httpx.Response(200, json=refusal("no")), rts.ValidationError),
    "a redirect": (
        httpx.Response(302, headers={"location": "https://elsewhere.test/"}),
        rts.ProtocolError,
    ),
    "HTML with 404": (httpx.Response(404, html="<p>not here</p>"), rts.NotFoundError),
}


@pytest.fixture
async def conn():
    async with rts.connect("sk-very-secret", base_url=BASE, retries=0) as connection:
        yield connection


@pytest.fixture
def service():
    with respx.mock(base_url=BASE, assert_all_called=False) as router:
        router.get("/collection/default").respond(
            json={"success": True, "data": {"id": "c-1", "name": "Default"}}
        )
        yield router


@pytest.mark.parametrize("status", REFUSALS)
async def test_each_status_is_an_error_of_its_own(conn, service, status):
    """The official SDK has one class for all but 401; nobody can tell a 404 from an outage."""
    service.get("/rtstream/rts-1").respond(
        status, json=refusal("the service's words", "E_CODE"), headers={"x-request-id": "req-7"}
    )
    coll = await conn.get_collection()
    with pytest.raises(REFUSALS[status]) as caught:
        await coll.get_rtstream("rts-1")
    error = caught.value
    assert type(error) is REFUSALS[status]
    assert (error.status, error.error_code, error.request_id) == (status, "E_CODE", "req-7")
    assert (error.method, error.path, error.attempts) == ("GET", "/rtstream/rts-1", 1)
    assert "the service's words" in str(error)
    assert "secret" not in f"{error!r} {error}"


@pytest.mark.parametrize(("answer", "kind"), ODD.values(), ids=ODD)
async def test_an_odd_answer_is_a_typed_error(conn, service, answer, kind):
    """The official SDK lets AttributeError and TypeError through."""
    service.get("/rtstream/rts-1").mock(return_value=answer)
    coll = await conn.get_collection()
    with pytest.raises(kind):
        await coll.get_rtstream("rts-1")


async def test_the_key_is_sent_and_the_body_is_json(conn, service):
    """Without these the service refuses everything."""
    made = service.post("/rtstream").respond(201, json={"success": True, "data": STREAM})
    coll = await conn.get_collection()
    await coll.connect_rtstream("rtsp://cam/door", "Door", store=True, ws_connection_id=None)
    request = made.calls.last.request
    assert request.headers["x-access-token"] == "sk-very-secret"
    assert request.headers["content-type"] == "application/json"


async def test_more_than_we_know_is_kept(conn, service):
    """The service grows faster than its SDKs."""
    data = {**STREAM, "status": "hibernating", "brand_new": {"deep": [1]}}
    service.get("/rtstream/rts-1").respond(json={"success": True, "data": data})
    coll = await conn.get_collection()
    stream = await coll.get_rtstream("rts-1")
    assert stream.status == "hibernating"
    assert stream["brand_new"] == {"deep": [1]}


async def test_the_id_that_was_asked_for_is_kept(conn, service):
    """The official SDK loses it when the answer leaves it out; nothing works after that."""
    service.get("/rtstream/rts-1").respond(json={"success": True, "data": {"name": "Door"}})
    coll = await conn.get_collection()
    stream = await coll.get_rtstream("rts-1")
    assert (stream.id, stream.name) == ("rts-1", "Door")
