"""What becomes of the answers that the official SDK 0.5.1 was given, right and wrong ones.

The recorded answers are replayed to our client; what differs from what the official SDK did is
deliberate, and `tables/http.py` says why.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json

import attrs
import pytest

import rtstream_async as rts
from tests.conformance.driver import OTHER_OUTCOME, call, made_stream, recorded
from tests.conformance.tables import http
from tests.loopback import answer, serve

ROWS = recorded("http.jsonl")
DONE = {"status": 200, "json": {"success": True, "status": "done", "data": {"ok": 1}}}


def _answered(row, here, elsewhere):
    """Return the recorded answers, with the addresses of this run in them."""
    answers = row["answers"] + http.MORE_ANSWERS.get(row["row"], [])
    text = json.dumps(answers).replace("http://127.0.0.1:PORT2", elsewhere)
    return json.loads(text.replace("http://127.0.0.1:PORT", here))


def _handler(answers):
    """Return what gives each answer in turn, and then the last one again and again."""

    async def handler(_seen, writer):
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        if given.get("reset"):
            writer.transport.abort()
        elif "sleep" in given:
            await asyncio.Event().wait()
        else:
            body = given["text"].encode() if "text" in given else given["json"]
            writer.write(answer(body, status=given["status"], headers=given.get("headers")))

    return handler


@pytest.mark.parametrize("number", ROWS)
async def test_an_answer_is_told_by_a_typed_error_or_its_result(number):
    """A builtin error, a lost message or a key in foreign hands would be its user's to debug."""
    row = ROWS[number]
    waits = []

    async def wait(seconds):
        waits.append(seconds)

    strangers = []

    async def stranger(seen, writer):
        strangers.append(seen)
        writer.write(answer(DONE["json"]))

    answers = []
    error, attempts = http.OUTCOME[number]
    options = {"timeout": 0.5} if "sleep" in row["answers"][0] else {}
    async with serve(stranger) as other, serve(_handler(answers)) as server:
        answers += _answered(row, server.url, other.url)
        async with rts.connect("sk-secret", base_url=server.url, **options) as conn:
            conn._context.caller._sleep = wait
            asked = dict(row, args=row["args"] | http.MORE_ARGUMENTS.get(number, {}))
            with pytest.raises(error) if error else contextlib.nullcontext() as caught:
                await call(conn, asked)
    looks = [seen for seen in server.seen if _is_of(row, seen)]
    assert len(looks) == attempts
    assert not any("x-access-token" in seen.headers for seen in strangers)
    assert len(strangers) == http.STRANGERS.get(number, 0)
    if error is not None and issubclass(error, rts.APIError) and number not in http.NO_MESSAGE:
        assert caught.value.message in json.dumps(row["answers"])
    for least, waited in zip(http.WAITS.get(number, ()), waits, strict=False):
        assert waited >= least


def _is_of(row, seen):
    """Whether a request is one of the call, and no look that follows a change of state."""
    return not (row["call"] == "rtstream.start" and seen.method == "GET")


async def test_a_service_that_is_not_there_is_no_refusal():
    """Rows 305 to 307: for the official SDK it is the caller's mistake."""
    async with serve(_handler([DONE])) as server:
        gone = server.url
    for url in (gone, "http://no-such-host.invalid"):
        async with rts.connect("sk-secret", base_url=url, retries=0) as conn:
            with pytest.raises(rts.TransportError):
                await conn.get_collection()
            with pytest.raises(rts.TransportError):
                await conn.create_event("p", "l")


def test_an_address_without_a_scheme_is_refused_at_once():
    """Row 308: for the official SDK it is an error of the first call, whichever that is."""
    with pytest.raises(rts.InvalidArgumentError, match="base_url"):
        rts.connect("sk-secret", base_url="api.videodb.io")


def test_no_default_is_shared_between_calls():
    """Row 315: what one caller puts into a default would be in the next one's request."""
    kinds = [getattr(rts, name) for name in rts.__all__ if isinstance(getattr(rts, name), type)]
    for kind in kinds:
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            for parameter in inspect.signature(method).parameters.values():
                shared = isinstance(parameter.default, list | dict | set)
                assert not shared or _is_never_changed(kind, name), f"{kind.__name__}.{name}"


def _is_never_changed(kind, name):
    return (kind.__name__, name) in http.CONSTANT_DEFAULTS


async def test_a_player_s_page_that_comes_later_is_kept():
    """`get_embed_code()` after `generate_stream()` is what the reference shows."""
    async with rts.connect("sk-secret", base_url="http://127.0.0.1:1") as conn:
        stream = made_stream(conn, {"played": "https://p/watch?v=slug"})
        assert "embed?v=slug" in await stream.get_embed_code()
    assert attrs.has(rts.RTStreamExportResult)


def test_every_row_has_its_outcome():
    """A row without one would be a row that is not judged."""
    assert http.OUTCOME.keys() == ROWS.keys()
    assert not OTHER_OUTCOME.keys() & ROWS.keys()
