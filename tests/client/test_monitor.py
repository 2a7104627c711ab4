"""`conn.monitor()` against the package's own server."""

from __future__ import annotations

import asyncio
import time

import pytest

import rtstream_async as rts

BATCH = {"type": "time", "value": 2, "frame_count": 1}
FAST = rts.HubSettings(poll_interval=0.01, poll_idle_interval=0.02, sweep_delay=0.05)
PATIENCE = 60  # seconds


@pytest.fixture
async def watcher(server):
    """A connection that polls often."""
    async with rts.connect(server.api_key, base_url=server.url, realtime=FAST) as connection:
        yield connection


async def doors(conn, count: int) -> list[rts.RTStream]:
    coll = await conn.get_collection()
    return [await coll.connect_rtstream(f"scripted://{n}", f"Door {n}") for n in range(count)]


async def read_until(monitor, done) -> list[object]:
    """Read until `done(item)`; return all items."""
    items: list[object] = []
    async with asyncio.timeout(PATIENCE):
        while not (items and done(items[-1])):
            items.append(await monitor.receive())
    return items


@pytest.mark.parametrize(
    ("streams", "options", "argument"),
    [
        ((), {}, "streams"),
        ([""], {}, "streams"),
        ([" "], {}, "streams"),
        ("rts-1", {}, "streams"),
        (7, {}, "streams"),
        (None, {}, "streams"),
        (["rts-1", 7], {}, "streams"),
        ([["rts-1"]], {}, "streams"),
        (["rts-1"], {"channels": ()}, "channels"),
        (["rts-1"], {"channels": "alert"}, "channels"),
        (["rts-1"], {"channels": None}, "channels"),
        (["rts-1"], {"channels": ["alerts"]}, "channels"),
        (["rts-1"], {"channels": ["alert", 7]}, "channels"),
        (["rts-1"], {"maxsize": 0}, "maxsize"),
        (["rts-1"], {"maxsize": "many"}, "maxsize"),
        (["rts-1"], {"overflow": "drop"}, "overflow"),
        (["rts-1"], {"where": "text"}, "where"),
    ],
)
async def test_what_can_not_be_monitored_is_refused_at_once(streams, options, argument):
    """A misspelt name would be a wait for ever; nobody is asked to find that out."""
    conn = rts.connect("sk-x", base_url="http://127.0.0.1:9")
    with pytest.raises(rts.InvalidArgumentError) as caught:
        conn.monitor(streams, **options)
    assert caught.value.argument == argument
    await conn.aclose()


async def test_a_bad_stream_changes_nothing(conn):
    """Half a list that was added is harder to mend than none."""
    monitor = conn.monitor(["rts-1"])
    for change in (monitor.add, monitor.remove, monitor.health):
        with pytest.raises(rts.InvalidArgumentError):
            change("rts-1", "rts-2", 7)
    assert monitor.streams == ("rts-1",)


async def test_a_closed_connection_has_no_monitors(server):
    """It would wait for what nobody sends."""
    conn = rts.connect(server.api_key, base_url=server.url)
    async with conn:
        monitor = conn.monitor(["rts-1"])
    for call in (lambda: conn.monitor(["rts-1"]), lambda: monitor.add("rts-2")):
        with pytest.raises(rts.ConnectionClosedError):
            call()


async def test_streams_are_watched_side_by_side(server, conn):
    """The whole of it, as a program that watches a house would use it."""
    front, back, cellar = await doors(conn, 3)
    for door in (front, back):
        await door.index_visuals("Who?", BATCH)
    at = time.time()
    async with conn.monitor([front, back.id]) as monitor:
        for n in range(3):
            for door in (front, back):
                await server.control.add_scene(door.id, f"{n}", start=at + n, end=at + n + 1)
        items = [await monitor.receive(timeout=PATIENCE) for _ in range(6)]
        for door in (front, back):
            assert [one.text for one in items if one.rtstream_id == door.id] == ["0", "1", "2"]
        health = monitor.health()
        assert health[front.id].state == "live"
        assert health[front.id].channels == {"scene_index": "live", "alert": "not_armed"}
        assert health[front.id].last_end == pytest.approx(at + 3, abs=0.001)
        monitor.remove(front)
        monitor.add(cellar)
        assert monitor.streams == (back.id, cellar.id)


async def test_a_stream_that_another_program_armed_is_polled(server, conn, watcher):
    """The one makes the index, the other watches: the service pushes to the first alone."""
    front, back = await doors(conn, 2)
    await front.index_visuals("Who?", BATCH)
    monitor = watcher.monitor([front, back], ["scene_index"], control=True)
    told = await read_until(monitor, lambda item: isinstance(item, rts.NotArmed))
    assert told[-1].rtstream_id == back.id
    at = time.time() + 5
    await server.control.add_scene(front.id, "a cat", start=at, end=at + 2)
    items = await read_until(monitor, lambda item: isinstance(item, rts.SceneMessage))
    assert (items[-1].text, items[-1].origin) == ("a cat", "poll")
    health = monitor.health()
    assert (health[front.id].state, health[back.id].state) == ("polled", "not_armed")
    await back.index_visuals("Who?", BATCH)
    async with asyncio.timeout(PATIENCE):
        while monitor.health(back)[back.id].state != "polled":  # noqa: ASYNC110  (nothing tells)
            await asyncio.sleep(0.01)


async def test_after_a_loss_each_stream_is_made_whole_and_says_so(server, watcher):
    """What was seen while the socket was down is what a guard is asked about."""
    streams = await doors(watcher, 3)
    for door in streams:
        await door.index_visuals("Who?", BATCH)
    at = time.time()
    async with watcher.monitor(streams, ["scene_index"], control=True) as monitor:
        await monitor.ready()
        assert {one.state for one in monitor.health().values()} == {"silent"}
        server.chaos.fail_handshakes("refuse", 2)
        server.chaos.cut()
        items = await read_until(monitor, lambda item: isinstance(item, rts.Gap))
        assert {one.state for one in monitor.health().values()} == {"down"}
        assert all(one.missing_since for one in monitor.health().values())
        for door in streams:
            await server.control.add_scene(door.id, "seen", start=at, end=at + 1)
        closed: set[str | None] = set()
        while {door.id for door in streams} - closed:
            items += await read_until(monitor, lambda item: isinstance(item, rts.GapClosed))
            closed.add(items[-1].rtstream_id)
        seen = [item for item in items if isinstance(item, rts.SceneMessage)]
        assert sorted(item.rtstream_id for item in seen) == sorted(door.id for door in streams)
        assert {item.origin for item in seen} <= {"backfill", "poll"}
        health = monitor.health().values()
        assert {one.state for one in health} == {"polled"}  # an index can't be told another id
        assert {(one.missing_since, one.gaps) for one in health} == {(None, 1)}
        assert sum(isinstance(item, rts.Gap) for item in items) == 1


async def test_a_monitor_is_consumed(server, conn):
    """The handler of a house is the handler of a door."""
    streams = await doors(conn, 3)
    handled: dict[str | None, list[str]] = {door.id: [] for door in streams}
    for door in streams:
        await door.index_visuals("Who?", BATCH)
    monitor = conn.monitor(streams)

    async def handle(message):
        handled[message.rtstream_id].append(message.text)
        if sum(map(len, handled.values())) == 9:
            await monitor.aclose()

    at = time.time()
    for n in range(3):
        for door in streams:
            await server.control.add_scene(door.id, f"{n}", start=at + n, end=at + n + 1)
    async with asyncio.timeout(PATIENCE):
        consumed = await conn.consume(monitor, handle)
    assert consumed.handled == 9
    assert set(map(tuple, handled.values())) == {("0", "1", "2")}
