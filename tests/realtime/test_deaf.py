"""Sockets that are open and dead, or alive and deaf, against the package's own server."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import attrs
import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer

BATCH = {"type": "time", "value": 2, "frame_count": 1}
WATCHFUL = rts.HubSettings(
    watch_interval=0.05,
    silence_least=0.3,
    silence_unknown=0.3,
    sweep_delay=0.1,
    recovery_jitter=0.0,
    poll_interval=0.02,
    poll_idle_interval=0.05,
)
BLIND = rts.HubSettings(watch_interval=None, sweep_delay=0.1, recovery_jitter=0.0)
LIVELY = rts.SocketOptions(ping_interval=0.1, ping_timeout=0.1, close_timeout=0.1)


@pytest.fixture
async def server(tmp_path):
    async with LocalServer(tmp_path, control=True) as running:
        yield running


@asynccontextmanager
async def speaking(server, realtime, websocket=None):
    """A connection, a stream that it transcribes, and a subscription to that."""
    async with (
        rts.connect(
            server.api_key, base_url=server.url, realtime=realtime, websocket=websocket
        ) as conn,
        asyncio.timeout(60),
    ):
        door = await (await conn.get_collection()).connect_rtstream(
            "scripted://door", "Door", media_types=["video", "audio"]
        )
        await door.start_transcript()
        async with door.events("transcript", control=True) as sub:
            await sub.ready()
            await say(server, door, "first")
            await until_said(sub, "first")
            yield conn, door, sub


async def say(server, stream, text):
    await asyncio.sleep(0.01)  # of two that end in the same millisecond, neither is the newer one
    at = time.time()
    await server.control.add_utterance(stream.id, text, at - 0.5, at)


async def until_said(sub, text):
    """Read up to a message; return all that came."""
    items = []
    while True:
        items.append(await sub.receive())
        if isinstance(items[-1], rts.TranscriptMessage) and items[-1].text == text:
            return items


async def read_on(sub):
    """Read until that fails."""
    while True:
        await sub.receive()


def states(items):
    return [item.state for item in items if isinstance(item, rts.StateChange)]


async def test_a_deaf_socket_is_found_out_and_nothing_is_lost(server):
    """Its pings are answered: without a question to REST this would be a quiet night."""
    async with speaking(server, WATCHFUL) as (conn, door, sub):
        await server.chaos.set(drop=1.0, connection_ids=[await conn.ws_connection_id()])
        await say(server, door, "unheard")
        items = await until_said(sub, "unheard")
        assert items[-1].origin == "backfill"
        assert "RECONNECTING" in states(items)
        (gap,) = [item for item in items if isinstance(item, rts.Gap) and item.cause != "rearm"]
        assert gap.cause == (
            f"link lost: deaf: records of transcript of {door.id} are stored and were not pushed"
        )
        await server.chaos.off()
        while not isinstance(item := await sub.receive(), rts.GapClosed):
            assert not isinstance(item, rts.Message)
        await say(server, door, "heard")
        items = await until_said(sub, "heard")
        assert items[-1].origin == "push"


async def test_a_quiet_stream_is_asked_about_and_left_alone(server):
    """Most silences are just that."""
    async with speaking(server, WATCHFUL) as (conn, door, sub):
        connection_id = await conn.ws_connection_id()
        for state, previous in [("STALE", "LIVE"), ("LIVE", "STALE")] * 2:
            while not isinstance(item := await sub.receive(), rts.StateChange):
                pass
            assert (item.state, item.previous) == (state, previous)
        assert item.reason == "REST has no records that were not pushed"
        await say(server, door, "after all")
        items = await until_said(sub, "after all")
        assert items[-1].origin == "push"
        assert await conn.ws_connection_id() == connection_id


async def test_one_channel_that_is_deaf_is_mended_while_the_others_go_on(server):
    """Somebody else took the transcript: that is no reason to arm five hundred indexes again."""
    async with (
        speaking(server, WATCHFUL) as (conn, door, sub),
        rts.connect(server.api_key, base_url=server.url) as other,
    ):
        connection_id = await conn.ws_connection_id()
        yard = await (await conn.get_collection()).connect_rtstream("scripted://yard", "Yard")
        await yard.index_visuals("Who?", BATCH)
        elsewhere = await (await other.get_collection()).get_rtstream(door.id)
        await elsewhere.stop_transcript()
        await elsewhere.start_transcript()
        await say(server, door, "unheard")

        async def stir():
            while True:
                at = time.time()
                await server.control.add_scene(yard.id, "a cat", start=at - 1, end=at)
                await asyncio.sleep(0.05)

        stirring = asyncio.create_task(stir())
        items = await until_said(sub, "unheard")
        stirring.cancel()
        assert items[-1].origin == "backfill"
        assert set(states(items)) <= {"STALE", "LIVE"}
        gap = next(item for item in items if isinstance(item, rts.Gap))
        assert (gap.rtstream_id, gap.channel) == (door.id, "transcript")
        assert await conn.ws_connection_id() == connection_id
        await say(server, door, "heard")
        items = await until_said(sub, "heard")
        assert items[-1].origin == "push"


async def test_a_socket_whose_other_end_is_gone_is_ended_by_its_pings(server):
    """A router that forgot the connection sends no goodbye."""
    async with speaking(server, BLIND, LIVELY) as (_, door, sub):
        assert server.chaos.half_open() == 1
        await say(server, door, "unheard")
        items = await until_said(sub, "unheard")
        assert items[-1].origin == "backfill"
        gap = next(item for item in items if isinstance(item, rts.Gap))
        assert "keepalive ping timeout" in gap.cause


async def test_a_dead_socket_does_not_delay_the_next_one(server):
    """Its goodbye is never answered; who asked for a new socket would wait for nothing."""
    slow = rts.SocketOptions(ping_interval=None, close_timeout=3600)
    async with speaking(server, BLIND, slow) as (conn, door, sub):
        assert server.chaos.half_open() == 1
        await say(server, door, "unheard")
        conn.force_reconnect()
        items = await until_said(sub, "unheard")
        assert items[-1].origin == "backfill"
        server.chaos.mend()


@pytest.mark.parametrize(
    ("status", "error", "state"),
    [(503, rts.LinkClosedError, "SUSPENDED"), (401, rts.AuthenticationError, "AUTH_FAILED")],
)
async def test_what_was_missed_comes_although_the_link_had_given_up(server, status, error, state):
    """Whoever mends the network at night and presses the button wants what the night has made."""
    impatient = attrs.evolve(BLIND, outage_budget=0.3)
    async with speaking(server, impatient) as (conn, door, sub):
        changes = conn.states()
        server.control.refuse_handshakes(1000, status=status)
        server.control.cut()
        with pytest.raises(error):
            await read_on(sub)
        assert [(await anext(changes)).state for _ in range(2)] == ["RECONNECTING", state]
        await say(server, door, "unheard")
        server.control.refuse_handshakes(0)
        conn.force_reconnect()
        items = await until_said(sub, "unheard")
        assert items[-1].origin == "backfill"
        assert states(items)[:2] == ["RECONNECTING", "RECOVERING"]
        assert not any(isinstance(item, rts.Gap) and item.cause != "rearm" for item in items)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (rts.HubSettings, "first_frame_timeout", 0),
        (rts.HubSettings, "outage_budget", -1),
        (rts.HubSettings, "recovery_calls", 0),
        (rts.HubSettings, "watch_interval", "1"),
        (rts.HubSettings, "silence_most", 5),
        (rts.SocketOptions, "ping_interval", 0),
        (rts.SocketOptions, "ping_timeout", float("nan")),
        (rts.SocketOptions, "max_size", 1e6),
        (rts.SocketOptions, "compression", "gzip"),
    ],
)
def test_settings_that_can_not_work_are_refused_at_once(kind, field, value):
    """An error in the reader's task, an hour later, would be blamed on the network."""
    with pytest.raises(rts.InvalidArgumentError) as raised:
        kind(**{field: value})
    assert raised.value.argument == field


def test_it_is_known_when_a_dead_socket_is_found():
    """Who needs it sooner must know what to turn, and who turned it off, what that means."""
    assert rts.SocketOptions().dead_after == 42
    assert rts.SocketOptions(ping_interval=1, ping_timeout=2, close_timeout=3).dead_after == 6
    assert rts.SocketOptions(ping_interval=None).dead_after == float("inf")
    assert rts.SocketOptions(ping_timeout=None).dead_after == float("inf")
