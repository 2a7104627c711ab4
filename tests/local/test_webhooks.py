"""Webhooks of alerts: delivered to a real receiver, at least once, whatever dies on the way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from rtstream_async.local import LocalServer
from tests.local.harness import PATIENCE, Api, api_of, until
from tests.local.test_alerts import Watched, people, watched
from tests.loopback import Seen, answer, serve

SERVER = """
import asyncio, json, sys
from rtstream_async.local import LocalServer

async def main():
    server = LocalServer(sys.argv[1], control=True)
    await server.start()
    print(json.dumps([server.url, server.api_key]), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@attrs.define
class Receiver:
    """Answers with one status after the other; the last one for ever."""

    statuses: list[int]
    headers: dict[str, str] = attrs.field(factory=dict)
    gate: asyncio.Event = attrs.field(factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self.gate.set()

    async def take(self, _: Seen, writer: asyncio.StreamWriter) -> None:
        await self.gate.wait()
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if not status:
            writer.transport.abort()
            return
        writer.write(answer({}, status=status, headers=self.headers))


def hurry(server: LocalServer, *, timeout: float = PATIENCE) -> None:
    """Let attempts follow each other a hundred thousand times faster."""
    running: Any = server._up
    running._alerts._webhooks._pace = 1e-5
    running._alerts._webhooks._timeout = timeout


async def settled(at: Watched, alert: str, **counts: int) -> dict[str, Any]:
    wanted = {"waiting": 0, "delivered": 0, "undelivered": 0, **counts}
    return await until(lambda: at.show(alert), lambda seen: seen["webhooks"] == wanted)


async def test_the_body_is_that_of_the_service(server: LocalServer, api: Api) -> None:
    """Receivers that were written for the service must read ours."""
    at = await watched(server, api)
    async with serve(Receiver([200]).take) as target:
        event = await at.event("more than five people", "busy")
        body = {"event_id": event, "callback_url": f"{target.url}/hook?token=t"}
        alert = (await api.call("POST", at.path, json=body))["alert_id"]
        await at.scene("Six people.", **people(6))
        await settled(at, alert, delivered=1)
        (seen,) = target.seen
    assert (seen.method, seen.path) == ("POST", "/hook?token=t")
    assert seen.headers["content-type"] == "application/json"
    assert list(seen.json) == [
        *("event_id", "label", "confidence", "explanation", "timestamp", "start_time"),
        *("end_time", "stream_url", "player_url"),
    ]
    assert seen.json["event_id"] == f"event-{event}"
    assert seen.json["label"] == "busy"
    assert 0 < seen.json["confidence"] <= 1
    assert seen.json["explanation"].startswith("6 people are in the picture")
    assert seen.json["start_time"] == "2023-11-14T22:13:20.250000+00:00"
    assert seen.json["end_time"] == "2023-11-14T22:13:22.250000+00:00"
    assert datetime.fromisoformat(seen.json["timestamp"]).utcoffset() == timedelta(0)
    assert (seen.json["stream_url"], seen.json["player_url"]) == (None, None)  # none is recorded
    assert seen.headers["x-rtstream-alert"] == alert
    assert seen.headers["x-rtstream-decided-by"] == "rules"
    assert seen.headers["x-webhook-attempt"] == "1"
    assert seen.headers["idempotency-key"].startswith(f"{alert}-")


@pytest.mark.parametrize("trouble", [500, 503, 429, 408, 0])
async def test_trouble_that_passes_costs_no_webhook(
    server: LocalServer, api: Api, trouble: int
) -> None:
    """Receivers are deployed in the middle of the day."""
    hurry(server)
    at = await watched(server, api)
    async with serve(Receiver([trouble, trouble, 204]).take) as target:
        alert = await at.alert("a person", callback_url=target.url)
        await at.scene(**people(1))
        shown = await settled(at, alert, delivered=1)
        assert shown["last_error"] is None
        assert [seen.headers["x-webhook-attempt"] for seen in target.seen] == ["1", "2", "3"]
        assert len({seen.headers["idempotency-key"] for seen in target.seen}) == 1
        assert len({seen.body for seen in target.seen}) == 1


@pytest.mark.parametrize(("status", "story"), [(410, "410"), (400, "400"), (404, "404")])
async def test_a_target_that_will_not_have_it_is_left_alone(
    server: LocalServer, api: Api, status: int, story: str
) -> None:
    """Whoever has taken his receiver down must see that here, and not find us at his door."""
    at = await watched(server, api)
    async with serve(Receiver([status]).take) as target:
        alert = await at.alert("a person", callback_url=target.url)
        await at.scene(**people(1))
        shown = await settled(at, alert, undelivered=1)
        assert story in shown["last_error"]
        assert len(target.seen) == 1


async def test_a_redirect_is_not_followed(server: LocalServer, api: Api) -> None:
    """It would lead to where webhooks may not go."""
    at = await watched(server, api)
    async with (
        serve(Receiver([200]).take) as elsewhere,
        serve(Receiver([307], headers={"location": elsewhere.url}).take) as target,
    ):
        alert = await at.alert("a person", callback_url=target.url)
        await at.scene(**people(1))
        shown = await settled(at, alert, undelivered=1)
        assert "redirects are not followed" in shown["last_error"]
        assert elsewhere.seen == []


async def test_nobody_at_the_door_shows_while_it_lasts(server: LocalServer, api: Api) -> None:
    """The most frequent mistake: the receiver is not started, or somewhere else."""
    hurry(server)
    at = await watched(server, api)
    async with serve(Receiver([200]).take) as target:
        url = target.url
    alert = await at.alert("a person", callback_url=url)
    await at.scene(**people(1))
    shown = await until(lambda: at.show(alert), lambda seen: seen["last_error"])
    assert "can't be reached" in shown["last_error"]
    shown = await settled(at, alert, undelivered=1)
    assert "given up after 16 attempts" in shown["last_error"]


async def test_a_target_that_hangs_delays_itself_alone(server: LocalServer, api: Api) -> None:
    """One customer's dead server must not silence the others' alarms."""
    at = await watched(server, api)
    hanging = Receiver([200])
    hanging.gate.clear()
    async with serve(hanging.take) as stuck, serve(Receiver([200]).take) as fine:
        bad = await at.alert("a person", callback_url=stuck.url)
        good = await at.alert("a person", callback_url=fine.url)
        for _ in range(8):
            await at.scene(**people(1))
        await settled(at, good, delivered=8)
        assert (await at.show(bad))["webhooks"]["waiting"] == 8
        assert stuck.connections <= 2
        hanging.gate.set()
        await settled(at, bad, delivered=8)


async def test_a_target_that_hangs_is_given_up_for_a_while(server: LocalServer, api: Api) -> None:
    """A receiver that takes the request and says nothing is no receiver."""
    hurry(server, timeout=0.2)
    at = await watched(server, api)
    hanging = Receiver([200])
    hanging.gate.clear()
    async with serve(hanging.take) as stuck:
        alert = await at.alert("a person", callback_url=stuck.url)
        await at.scene(**people(1))
        shown = await until(lambda: at.show(alert), lambda seen: seen["last_error"])
        assert "has not answered" in shown["last_error"]
        hanging.gate.set()
        await settled(at, alert, delivered=1)


async def test_a_host_that_may_no_longer_be_called_is_told(tmp_path: Path) -> None:
    """Who narrows the list of hosts must not have the old ones called once more."""
    async with serve(Receiver([503]).take) as target:
        async with LocalServer(tmp_path, control=True) as server, api_of(server) as api:
            at = await watched(server, api)
            alert = await at.alert("a person", callback_url=target.url)
            await at.scene(**people(1))
            await until(lambda: at.show(alert), lambda seen: seen["last_error"])
        asked = len(target.seen)
        allowed = ["example.com"]
        async with (
            LocalServer(tmp_path, control=True, webhook_allow=allowed) as server,
            api_of(server) as api,
        ):
            at = Watched(server, api, at.stream, at.index)
            shown = await settled(at, alert, undelivered=1)
            assert "webhook_allow" in shown["last_error"]
        assert len(target.seen) == asked


async def test_a_webhook_whose_alert_is_deleted_is_forgotten(server: LocalServer, api: Api) -> None:
    """A deleted camera must not ring on."""
    hurry(server)
    at = await watched(server, api)
    async with serve(Receiver([503]).take) as target:
        await at.alert("a person", callback_url=target.url)
        await at.scene(**people(1))
        await target.saw(1)
        await server.control.reset()
        other = await watched(server, api)
        alert = await other.alert("a person", callback_url=f"{target.url}/other")
        await other.scene(**people(1))
        await until(lambda: other.show(alert), lambda seen: seen["webhooks"]["undelivered"])
        paths = [seen.path for seen in target.seen]
        assert "/" not in paths[-8:]


async def test_a_store_that_fails_is_tried_again(
    server: LocalServer, api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that was full for a moment must not end all alerts until the next restart."""
    from rtstream_async.local.pipelines import webhooks as pipeline
    from rtstream_async.local.store import alerts as stored

    hurry(server)
    monkeypatch.setattr(pipeline, "_PAUSE", 0.01)
    at = await watched(server, api)
    failures = {"settle": 1, "due_targets": 1, "note_delivered": 1}

    def failing(module: Any, name: str) -> None:
        real = getattr(module, name)

        def fail(*args: Any, **kwargs: Any) -> Any:
            if failures[name]:
                failures[name] -= 1
                raise sqlite3.OperationalError("database or disk is full")
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, fail)

    async with serve(Receiver([200]).take) as target:
        alert = await at.alert("a person", callback_url=target.url)
        failing(stored, "settle")
        failing(pipeline.stored, "due_targets")
        failing(pipeline.stored, "note_delivered")
        await at.scene(**people(1))
        await until(lambda: asyncio.sleep(0, "could not be stored" in caplog.text))
        await at.scene(**people(2))
        await settled(at, alert, delivered=2)
        keys = [seen.headers["idempotency-key"] for seen in target.seen]
        assert (len(keys), len(set(keys))) == (3, 2)
    assert "can't be read" in caplog.text
    assert "is not settled" in caplog.text


@asynccontextmanager
async def server_process(data: Path) -> AsyncIterator[tuple[Api, int]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER, str(data)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            url, key = json.loads(await process.stdout.readline())
        headers = {"x-access-token": key}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE) as http:
            yield Api(http), process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def post_scene(api: Api, stream: str, number: int) -> None:
    start = 1_700_000_000 + 2 * number
    body = {"rtstream_id": stream, "text": "x", "start": start, "end": start + 2}
    await api.call("POST", "/_local/scenes", json={**body, "metadata": people(number % 2)})


async def test_a_killed_server_judges_each_record_once_and_delivers_each_webhook(
    tmp_path: Path,
) -> None:
    """A power cut must not eat an alarm, nor ring for every record of the day again."""
    receiver = Receiver([200])
    receiver.gate.clear()
    async with serve(receiver.take) as target:
        async with server_process(tmp_path) as (api, pid):
            stream = await api.connect()
            index = await api.index(stream)
            path = f"/rtstream/{stream}/index/{index}/alert"
            asked = {"event_prompt": "a person", "label": "seen"}
            event = (await api.call("POST", "/rtstream/event", json=asked))["event_id"]
            body = {"event_id": event, "callback_url": target.url}
            alert = (await api.call("POST", path, json=body))["alert_id"]
            for number in range(20):
                await post_scene(api, stream, number)
            await target.saw(2)
            os.kill(pid, signal.SIGKILL)
        receiver.gate.set()
        async with LocalServer(tmp_path, control=True) as server, api_of(server) as api:
            at = Watched(server, api, stream, index)
            shown = await until(
                lambda: at.show(alert), lambda seen: seen["webhooks"]["delivered"] == 10
            )
            assert shown["fired"] == 10
            assert shown["webhooks"] == {"waiting": 0, "delivered": 10, "undelivered": 0}
        starts = {seen.json["start_time"] for seen in target.seen}
        keys = {seen.headers["idempotency-key"] for seen in target.seen}
        assert len(starts) == len(keys) == 10
        assert len(target.seen) > 10
