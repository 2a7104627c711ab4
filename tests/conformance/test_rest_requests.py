"""Our requests, errors and results beside those of the official SDK 0.5.1, which was recorded."""

from __future__ import annotations

import contextlib
import json
from urllib.parse import parse_qsl, urlsplit

import pytest

import rtstream_async as rts
from tests.conformance.driver import (
    OTHER_OUTCOME,
    OTHER_REQUEST,
    OTHER_RESULT,
    ROWS,
    STREAM,
    TABLES,
    agree,
    answers,
    call,
    outcome,
    wanted,
)
from tests.loopback import answer, serve


@pytest.mark.parametrize("number", ROWS)
async def test_a_call_is_the_official_one_or_differs_on_purpose(number, monkeypatch):
    """A program ported from the official SDK must meet the same service."""
    row = ROWS[number]
    canned = answers(row)

    async def handler(seen, writer):
        given = canned.pop(0) if canned else {"status": 200, "json": _as_it_is(seen)}
        body = given["json"] if "json" in given else given["text"].encode()
        writer.write(answer(body, status=given["status"], headers=given.get("headers")))

    monkeypatch.setenv("VIDEO_DB_API_KEY", "sk-from-env")
    if row["variant"] == "no credentials" or number == 9:
        monkeypatch.delenv("VIDEO_DB_API_KEY")
    expected, error = wanted(row), outcome(row)
    async with serve(handler) as server:
        options = {"base_url": server.url, "retries": 0}
        if row["call"].startswith("videodb"):
            options |= row["args"]
            options["base_url"] = server.url + ("/" if number == 6 else "")
        with pytest.raises(error) if error else contextlib.nullcontext():
            async with rts.connect(**options) as conn:
                agree(row, await call(conn, row))
    if expected is None:
        assert server.seen == []
        return
    sent = server.seen[0]
    parts = urlsplit(sent.path)
    body = json.loads(sent.body) if sent.body else None
    assert (
        sent.method,
        parts.path,
        dict(parse_qsl(parts.query, keep_blank_values=True)),
        body,
    ) == (expected)
    if "key" in row:
        assert sent.headers["x-access-token"] == row["key"]
        assert row["headers"].items() <= sent.headers.items()


def _as_it_is(seen):
    """Answer the look that follows a change of state."""
    assert seen.method == "GET"
    return {"success": True, "data": {"id": STREAM, "status": "connected"}}


def test_every_difference_is_one():
    """A reason for a difference that is gone is a lie."""
    told = OTHER_REQUEST.keys() | OTHER_OUTCOME.keys() | OTHER_RESULT.keys()
    assert told <= ROWS.keys()


def test_each_row_is_told_of_once():
    """Two tables that disagree would hide one of the two reasons."""
    rows = [
        row for table in TABLES for row in table.OTHER_REQUEST.keys() | table.OTHER_OUTCOME.keys()
    ]
    assert len(rows) == len(set(rows))
