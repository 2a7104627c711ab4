"""What the local server does wrong on purpose, seen from outside, and counted."""

from __future__ import annotations

import asyncio
import json
import time

import attrs
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rtstream_async.errors import InvalidArgumentError, LocalServerError
from rtstream_async.local import LocalServer
from rtstream_async.local.chaos_counts import FrameCounts
from rtstream_async.local.domain.chaos import ChaosPlan, RestFault
from tests.local.harness import PATIENCE, Api, Ear, ear_of, until

SOON = 0.05  # seconds


async def send(server: LocalServer, ear: Ear, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        await server.control.emit({"n": number}, connection_id=ear.id)


async def hear_until(ear: Ear, last: int) -> list[int]:
    """What comes until a marker, which is sent when nothing goes wrong any more."""
    heard = []
    while not heard or heard[-1] != last:
        heard.append((await ear.hear())["n"])
    return heard


def balance(counts: FrameCounts) -> int:
    """How many frames were to be sent, the greeting included, by what became of them."""
    over = counts.sent + counts.dropped + counts.overflowed + counts.waiting + counts.unsent
    return over + counts.gone - counts.duplicated - counts.garbage


async def socket_url(api: Api) -> str:
    return (await api.call("GET", "/collection/default/websocket"))["websocket_url"]


async def test_chaos_is_there_for_tests_alone() -> None:
    """A server for users must not have a switch that breaks it."""
    async with LocalServer() as server:
        with pytest.raises(LocalServerError):
            _ = server.chaos
        headers = {"x-access-token": server.api_key}
        async with httpx.AsyncClient(base_url=server.url, headers=headers) as http:
            assert (await http.get("/_local/chaos")).status_code == 404


async def test_frames_are_lost_doubled_and_shuffled_and_all_are_accounted_for(
    api: Api, server: LocalServer
) -> None:
    """Whoever blames a client for a lost frame must know that the server did send it."""
    chaos = server.chaos
    async with ear_of(api) as ear, ear_of(api) as other:
        await chaos.set(
            connection_ids=[ear.id], drop=0.2, duplicate=0.2, reorder=0.3, delay_jitter=SOON
        )
        await send(server, ear, 200)
        await send(server, other, 20)
        assert [(await other.hear())["n"] for _ in range(20)] == list(range(20))
        await chaos.off()
        await send(server, ear, 1, start=200)
        heard = await hear_until(ear, 200)
        counts = chaos.counts.connections[ear.id]
        assert counts.dropped == 201 - len(set(heard))
        assert counts.duplicated == len(heard) - len(set(heard))
        assert heard != sorted(heard)
        assert min(counts.dropped, counts.duplicated, counts.reordered, counts.delayed) > 10
        assert balance(counts) == 202
        assert counts.sent == len(heard) + 1
        assert balance(chaos.counts.connections[other.id]) == 21
    await until(lambda: _ended(server, ear))
    ended = chaos.counts.connections[ear.id]
    assert ended == attrs.evolve(counts, is_open=False)
    await send(server, ear, 3)
    assert chaos.counts.connections[ear.id].gone == 3
    await server.control.reset()
    assert ear.id not in chaos.counts.connections


async def _ended(server: LocalServer, ear: Ear) -> bool:
    return not server.chaos.counts.connections[ear.id].is_open


async def test_the_same_seed_does_the_same(api: Api, server: LocalServer) -> None:
    """A failure that can't be had again can't be mended."""
    heard = []
    for _ in range(2):
        await server.chaos.set(seed=7, drop=0.5)
        async with ear_of(api) as ear:
            await send(server, ear, 40)
            await server.chaos.off()
            await send(server, ear, 1, start=40)
            heard.append(await hear_until(ear, 40))
    assert heard[0] == heard[1]
    assert 5 < len(heard[0]) < 36


async def test_delayed_frames_keep_their_order_and_come_at_once_when_all_is_mended(
    api: Api, server: LocalServer
) -> None:
    """`off()` must not lose what it finds on its way."""
    async with ear_of(api) as ear:
        await server.chaos.set(delay=SOON, delay_jitter=SOON)
        await send(server, ear, 20)
        assert [(await ear.hear())["n"] for _ in range(20)] == list(range(20))
        await server.chaos.set(delay=3600.0)
        await send(server, ear, 5)
        assert server.chaos.counts.connections[ear.id].waiting == 5
        await server.chaos.off()
        assert [(await ear.hear())["n"] for _ in range(5)] == list(range(5))
        await server.chaos.set(delay=3600.0)
        await send(server, ear, 5)
    await until(lambda: _ended(server, ear))
    counts = server.chaos.counts.connections[ear.id]
    assert (counts.unsent, counts.waiting, balance(counts)) == (5, 0, 31)


async def test_garbage_of_each_kind_reaches_the_client(api: Api, server: LocalServer) -> None:
    """A reader that was never shown rubbish dies of the first."""
    async with ear_of(api, max_size=None) as ear:
        for kind in ("text", "list", "huge", "binary", "utf8"):
            await server.chaos.set(garbage=1, garbage_kinds=[kind], garbage_bytes=70_000)
            await send(server, ear, 1)
            raw = await ear.socket.recv(decode=False)
            frame = await ear.socket.recv(decode=False) if kind != "binary" else None
            match kind:
                case "list":
                    assert isinstance(json.loads(raw), list)
                case "utf8":
                    with pytest.raises(UnicodeDecodeError):
                        raw.decode()
                case "huge":
                    assert len(raw) == 70_000
                case "binary":
                    assert await ear.hear() == {"n": 0}
                case _:
                    with pytest.raises(json.JSONDecodeError):
                        json.loads(raw)
            assert frame is None or json.loads(frame) == {"n": 0}
        assert server.chaos.counts.connections[ear.id].garbage == 5
        await server.chaos.off()
        await send(server, ear, 1)
        assert await ear.hear() == {"n": 0}


async def test_a_half_open_socket_answers_no_ping_and_goes_on_when_it_is_mended(
    api: Api, server: LocalServer
) -> None:
    """A host that hangs keeps its connections open; only a deadline finds that out."""
    async with ear_of(api) as ear, ear_of(api) as other:
        assert server.chaos.half_open(ear.id) == 1
        await send(server, ear, 3)
        await send(server, other, 1)
        pong = await ear.socket.ping()
        await asyncio.wait_for(await other.socket.ping(), PATIENCE)
        assert await other.hear() == {"n": 0}
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(4 * SOON):
                await ear.socket.recv()
        assert not pong.done()
        assert server.chaos.counts.connections[ear.id].waiting == 3
        assert server.chaos.mend() == 1
        await asyncio.wait_for(pong, PATIENCE)
        assert [(await ear.hear())["n"] for _ in range(3)] == [0, 1, 2]
        server.chaos.half_open(ear.id)
        await server.chaos.off()
        await asyncio.wait_for(await ear.socket.ping(), PATIENCE)
        server.chaos.half_open(ear.id)
        await send(server, ear, 2)
        server.chaos.cut(ear.id)
        with pytest.raises(ConnectionClosed) as caught:
            await ear.hear()
        assert caught.value.rcvd is None
    await until(lambda: _ended(server, ear))
    counts = server.chaos.counts
    assert counts.connections[ear.id].unsent == 2
    assert [cut.how for cut in counts.cuts] == ["half_open", "half_open", "half_open", "cut"]


async def test_a_client_that_leaves_a_half_open_socket_is_seen_when_it_is_mended(
    api: Api, server: LocalServer
) -> None:
    """A dead socket must not stay in the server when the test is over."""
    async with ear_of(api, close_timeout=SOON) as ear:
        server.chaos.half_open(ear.id)
    assert [state.connection_id for state in server.control.sockets()] == [ear.id]
    await server.chaos.off()
    await until(lambda: _ended(server, ear))
    async with ear_of(api) as ear:
        server.chaos.half_open(ear.id)
        await server.aclose()  # the fixture's own end finds nothing left to do
        with pytest.raises(ConnectionClosed):
            await ear.hear()


async def test_sockets_are_cut_every_so_often_and_each_cut_is_noted(
    api: Api, server: LocalServer
) -> None:
    """The soak counts its reconnects against these."""
    began = time.time()
    cut_by = {}
    await server.chaos.set(cut_every=SOON, cut_jitter=SOON)
    for how, code in (("cut", None), ("close", 1012), ("half_open", None)):
        await server.chaos.set(cut_how=how, close_code=1012)
        async with connect(await socket_url(api), close_timeout=SOON) as socket:
            # Half open, it is cut by the one after that.
            await asyncio.wait_for(socket.wait_closed(), PATIENCE)
            assert (socket.close_code == 1012) is (code == 1012)
            cut_by[how] = code
    await server.chaos.off()
    cuts = server.chaos.counts.cuts
    assert {cut.how: cut.code for cut in cuts} == cut_by
    assert [cut.at for cut in cuts] == sorted(cut.at for cut in cuts)
    assert all(began <= cut.at <= time.time() for cut in cuts)
    async with ear_of(api) as ear:
        await send(server, ear, 1)
        assert await ear.hear() == {"n": 0}
    with pytest.raises(InvalidArgumentError):
        server.chaos.close(code=1006)


async def test_handshakes_are_refused_expired_stalled_and_muted(
    api: Api, server: LocalServer
) -> None:
    """Each is another way for a connect to hang, or to be told to ask for a new URL."""
    await server.chaos.set(
        handshakes=[
            {"kind": "expire", "times": 1},
            {"kind": "refuse", "status": 502, "times": 1},
            {"kind": "stall", "seconds": SOON, "times": 1},
            {"kind": "mute", "times": 1},
        ]
    )
    url = await socket_url(api)
    for status, code in ((403, "EXPIRED"), (502, "REFUSED")):
        with pytest.raises(InvalidStatus) as caught:
            await connect(url)
        assert caught.value.response.status_code == status
        assert json.loads(caught.value.response.body or b"")["error_code"] == code
    async with connect(url) as stalled, connect(url) as mute:
        assert "connection_id" in json.loads(await stalled.recv())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2 * SOON):
                await mute.recv()
    await server.chaos.set(handshakes=[{"kind": "stall", "seconds": 3600}])
    async with connect(url):
        await server.chaos.off()
    async with ear_of(api):
        assert server.chaos.counts.handshakes == {"expire": 1, "refuse": 1, "stall": 2, "mute": 1}


async def test_calls_are_refused_slow_and_broken_off(api: Api, server: LocalServer) -> None:
    """Retries, deadlines and what was done without an answer are tried on these."""
    chaos = server.chaos
    await chaos.set(
        rest=[
            RestFault(method="GET", path="/rtstream/*", status=429, retry_after=0.5, times=2),
            RestFault(path="/rtstream", status=503, probability=0),
        ]
    )
    stream = await api.connect()
    for _ in range(2):
        answer = await api.http.get(f"/rtstream/{stream}")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "0.5")
        assert answer.json()["error_code"] == "CHAOS"
    assert (await api.stream(stream))["id"] == stream
    await chaos.set(rest=[{"path": "/rtstream", "method": "POST", "reset": True, "times": 1}])
    with pytest.raises(httpx.TransportError):
        await api.http.post("/rtstream", json={"url": "scripted://x", "name": "made all the same"})
    found = await api.call("GET", "/rtstream", params={"name": "made"})
    assert [item["name"] for item in found["results"]] == ["made all the same"]
    await chaos.set(rest=[{"slow": 3600.0}])
    slow = asyncio.create_task(api.stream(stream))
    await until(lambda: _slow_calls(server), lambda count: count == 1)
    assert (await api.call("GET", "/_local/chaos"))["counts"]["rest"]["slow"] == 1
    await chaos.off()
    assert (await asyncio.wait_for(slow, PATIENCE))["id"] == stream
    assert chaos.counts.rest == {"429": 2, "reset": 1, "slow": 1}


async def _slow_calls(server: LocalServer) -> int:
    return server.chaos.counts.rest.get("slow", 0)


async def test_records_come_into_the_lists_after_a_while(api: Api, server: LocalServer) -> None:
    """What is pushed and can't be read yet is what a second sweep is for."""
    stream = await api.connect(media_types=["video", "audio"], enable_transcript=False)
    index = await api.index(stream)
    understanding = (await api.call("POST", f"/rtstream/{stream}/understand", json={}))["id"]
    paths = {
        f"/rtstream/{stream}/index/scene/{index}": "scene_index_records",
        f"/rtstream/{stream}/transcription": "transcription_records",
        f"/rtstream/{stream}/understand/{understanding}/records": "records",
    }

    async def add(number: int) -> None:
        say = f"{number}"
        await server.control.add_scene(stream, say, start=1000 + number, end=1001 + number)
        await server.control.add_utterance(stream, say, start=1000 + number, end=1001 + number)

    async def listed(size: int) -> list[tuple[set[str], int, bool]]:
        found = []
        for path, key in paths.items():
            texts, page, more = set(), 1, True
            while more:
                data = await api.call("GET", path, params={"page": page, "page_size": size})
                texts |= {item["text"] for item in data[key]}
                page, more = page + 1, data["next_page"]
            found.append((texts, page - 1))
        return found

    await add(1)
    await server.chaos.set(history_lag=3600.0)
    await add(2)
    await add(3)
    assert await listed(1) == [({"1"}, 1)] * 3
    data = await api.call("GET", f"/rtstream/{stream}/transcription")
    assert data["total_count"] == 1
    await server.chaos.set(history_lag=SOON, history_jitter=SOON)
    await add(4)
    await until(lambda: listed(2), lambda seen: seen == [({"1", "4"}, 1)] * 3)
    await server.chaos.off()
    await add(5)
    assert await listed(2) == [({"1", "2", "3", "4", "5"}, 3)] * 3
    assert server.chaos.counts.late_records == 9


async def test_chaos_speaks_rest_too(api: Api, server: LocalServer) -> None:
    """A soak in another process has only REST."""
    begun = await api.call("GET", "/_local/chaos")
    assert begun["settings"] == json.loads(json.dumps(attrs.asdict(ChaosPlan())))
    set_ = await api.call("POST", "/_local/chaos", json={"drop": 1, "rest": [{"status": 503}]})
    assert set_["settings"]["drop"] == 1
    assert (await api.http.get("/rtstream")).status_code == 503
    refused = await api.refused("POST", "/_local/chaos", 400, json={"rest": [{"status": 5}]})
    assert refused["message"].startswith("rest[0].status: 5 is not")
    refused = await api.refused("POST", "/_local/chaos", 400, json={"self": 5})
    assert "self: is not known here; allowed: close_code" in refused["message"]
    assert server.chaos.plan.drop == 1
    ended = await api.call("DELETE", "/_local/chaos")
    assert ended["settings"] == begun["settings"]
    async with ear_of(api) as ear:
        half = {"connection_id": ear.id}
        path = "/_local/sockets/half-open"
        assert await api.call("POST", path, json=half) == {"sockets": 1}
        assert await api.call("POST", path, json={**half, "mend": True}) == {"sockets": 1}
        assert await api.call("POST", path, json={**half, "mend": True}) == {"sockets": 0}
        await api.call("POST", "/_local/sockets/close", json={"code": 1012})
        await api.refused("POST", "/_local/sockets/close", 400, json={"code": 1005})
        counts = (await api.call("GET", "/_local/chaos"))["counts"]
        assert [(cut["how"], cut["code"]) for cut in counts["cuts"]] == [
            ("half_open", None),
            ("close", 1012),
        ]
        assert counts["connections"][ear.id]["sent"] == 1
