"""After a loss, against the package's own server: what was missed comes, or is said to be gone."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import attrs
import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from rtstream_async.protocol.recovery import Track

BATCH = {"type": "time", "value": 2, "frame_count": 1}
QUICK = rts.HubSettings(
    poll_interval=0.02,
    poll_idle_interval=0.05,
    sweep_delay=0.3,
    recovery_jitter=0.0,
    recovering_at_most=30.0,
)


@pytest.fixture
async def server(tmp_path):
    async with LocalServer(tmp_path, control=True) as running:
        yield running


@asynccontextmanager
async def watched(server, **settings):
    """A connection, and a stream that is watched by it."""
    realtime = attrs.evolve(QUICK, **settings)
    async with (
        rts.connect(server.api_key, base_url=server.url, realtime=realtime) as conn,
        asyncio.timeout(60),
    ):
        door = await (await conn.get_collection()).connect_rtstream(
            "scripted://door", "Door", media_types=["video", "audio"]
        )
        yield conn, door


async def until(sub, kind, **attributes):
    """Read up to something of a kind; return all that came."""
    items = []
    while True:
        items.append(await sub.receive())
        last = items[-1]
        if isinstance(last, kind) and all(
            getattr(last, name) == value for name, value in attributes.items()
        ):
            return items


def said(items):
    return [(item.text, item.origin) for item in items if isinstance(item, rts.Message)]


async def read(sub, count):
    """Read so many messages, one by one."""
    texts = []
    while len(texts) < count:
        texts.append((await sub.receive()).text)
        await asyncio.sleep(0)
    return texts


async def cut_while(server, work):
    """Cut all sockets, and do `work` before the client is back."""
    server.control.refuse_handshakes(1)
    server.control.cut()
    await work()


async def test_speech_is_armed_again_and_what_was_missed_is_fetched(server):
    """A transcript with a hole is a wrong transcript."""
    async with watched(server) as (_, door):
        await door.start_transcript()
        async with door.events("transcript", control=True) as sub:
            await sub.ready()
            at = time.time()
            await server.control.add_utterance(door.id, "before", at, at + 1)
            pushed = (await until(sub, rts.TranscriptMessage))[-1]

            async def speak():
                await server.control.add_utterance(door.id, "missed", at + 1, at + 2)

            await cut_while(server, speak)
            items = await until(sub, rts.GapClosed, channel="transcript")
            assert said(items) == [("missed", "backfill")]
            (fetched,) = (item for item in items if isinstance(item, rts.Message))
            assert set(fetched.raw) <= set(pushed.raw)  # a program that reads frames reads it too
            assert set(pushed["data"]) <= set(fetched["data"])
            assert abs(fetched["data"]["end"] - pushed["data"]["end"] - 1000) <= 1
            assert items[-1].recovered == 1
            assert items[-1].since < items[-1].until
            assert [item.cause for item in items if isinstance(item, rts.Gap)][1:] == ["rearm"]
            await server.control.add_utterance(door.id, "after", at + 3, at + 4)
            assert said(await until(sub, rts.TranscriptMessage)) == [("after", "push")]
            stats = sub.stats
            assert (stats.gaps, stats.recovered, stats.dropped) == (1, 1, 0)


async def test_an_index_that_can_not_be_armed_again_goes_on_by_polling(server):
    """The same loop must go on, and say how: the service offers no way to move an index."""
    async with watched(server) as (_, door):
        await door.index_visuals("Who?", BATCH)
        async with door.events("scene_index", control=True) as sub:
            await sub.ready()
            at = time.time()
            await server.control.add_scene(door.id, "a cat", start=at, end=at + 1)
            await until(sub, rts.SceneMessage)

            async def show():
                await server.control.add_scene(door.id, "a dog", start=at + 1, end=at + 2)

            await cut_while(server, show)
            items = await until(sub, rts.GapClosed, channel="scene_index")
            assert said(items) == [("a dog", "backfill")]
            await server.control.add_scene(door.id, "a cow", start=at + 2, end=at + 3)
            assert said(await until(sub, rts.SceneMessage)) == [("a cow", "poll")]


async def test_an_index_is_made_anew_where_that_was_asked_for(server):
    """Who needs it quick rather than cheap opts in."""
    async with watched(server) as (_, door):
        index = await door.index_visuals("Who?", BATCH, rearm="recreate")
        async with door.events("scene_index", control=True) as sub:
            await sub.ready()
            at = time.time()
            await server.control.add_scene(door.id, "a cat", start=at, end=at + 1)
            await until(sub, rts.SceneMessage)

            async def show():
                await server.control.add_scene(door.id, "a dog", start=at + 1, end=at + 2)

            await cut_while(server, show)
            items = await until(sub, rts.GapClosed, channel="scene_index")
            assert said(items) == [("a dog", "backfill")]
            await server.control.add_scene(door.id, "a cow", start=at + 2, end=at + 3)
            assert said(await until(sub, rts.SceneMessage)) == [("a cow", "push")]
            assert [scene.text async for scene in index.get_scenes()] == ["a cow", "a dog", "a cat"]
            await index.stop()
        assert [one.is_running for one in await door.list_scene_indexes()] == [False, False]


async def test_of_two_indexes_the_one_that_stays_where_it_was_is_polled(server):
    """What was recreated is pushed again: that must not be taken for all there is."""
    async with watched(server, sweep_delay=0.01) as (_, door):
        await door.index_visuals("Who?", BATCH, rearm="recreate")
        stays = await door.index_visuals("What?", BATCH)
        async with door.events("scene_index", control=True) as sub:
            await sub.ready()
            server.control.cut()
            await until(sub, rts.GapClosed, channel="scene_index")
            indexes = [one for one in await door.list_scene_indexes() if one.is_running]
            ids = {one.rtstream_index_id for one in indexes}
            (moved,) = ids - {stays.rtstream_index_id}
            at, came = time.time(), []
            for number in range(4):
                for index_id in (moved, stays.rtstream_index_id):
                    start = at + number
                    await server.control.add_scene(
                        door.id, index_id, start=start, end=start + 1, index_id=index_id
                    )
                while len(came) < 2 * (number + 1):
                    came += [text for text, _ in said(await until(sub, rts.SceneMessage))]
            assert came.count(moved) == came.count(stays.rtstream_index_id) == 4


async def test_an_alert_is_armed_again_and_its_loss_is_told(server):
    """There is no history of alerts: who needs them must at least know when they were deaf."""
    async with watched(server) as (conn, door):
        index = await door.index_visuals("Who?", BATCH)
        event = await conn.create_event("a person", "person")
        alert = await index.create_alert(event)
        async with door.events("alert", control=True) as sub:
            await sub.ready()
            asked = time.time()
            server.control.cut()
            (gap,) = [
                item
                for item in await until(sub, rts.GapUnrecoverable, channel="alert")
                if isinstance(item, rts.GapUnrecoverable)
            ]
            assert gap.since <= asked <= gap.until
            by_id = {one.alert_id: one for one in await index.list_alerts()}
            assert len(by_id) == 2
            at = time.time()
            await server.control.add_scene(door.id, "a person at the door", start=at, end=at + 1)
            items = await until(sub, rts.AlertMessage)
            assert items[-1].label == "person"
            await index.disable_alert(alert)  # the present one is meant
            assert not any(one.is_enabled for one in await index.list_alerts())


async def test_what_is_said_twice_is_given_twice_and_what_is_known_once(server):
    """Two indexes may say the same of the same time; no third copy comes out of a recovery."""
    async with watched(server) as (_, door):
        await door.index_visuals("Who?", BATCH)
        await door.index_visuals("What?", BATCH)
        async with door.events("scene_index", control=True) as sub:
            await sub.ready()
            at = time.time()
            await server.control.add_scene(door.id, "a cat", start=at, end=at + 1)
            await until(sub, rts.SceneMessage)
            await until(sub, rts.SceneMessage)

            async def show():
                await server.control.add_scene(door.id, "a dog", start=at + 1, end=at + 2)

            await cut_while(server, show)
            items = await until(sub, rts.GapClosed, channel="scene_index")
            assert said(items) == [("a dog", "backfill"), ("a dog", "backfill")]


async def test_cut_again_and_again_nothing_is_lost_and_nothing_comes_twice(server):
    """A recovery that is itself interrupted must be taken up where it stood."""
    async with watched(server, recovering_at_most=0.05) as (_, door):
        await door.start_transcript()
        async with door.events("transcript") as sub:
            await sub.ready()
            at, count = time.time(), 120
            heard: list[str] = []

            async def listen():
                while len(heard) < count:
                    heard.append((await sub.receive()).text)

            async with asyncio.TaskGroup() as group:
                group.create_task(listen())
                for number in range(count):
                    await server.control.add_utterance(
                        door.id, f"{number}", at + number / 10, at + number / 10 + 0.1
                    )
                    if number % 15 == 7:
                        server.control.cut()
                    await asyncio.sleep(0.01)
            assert sorted(heard, key=int) == [f"{number}" for number in range(count)]
            with pytest.raises(TimeoutError):
                await sub.receive(timeout=1)


async def test_what_was_stopped_by_hand_is_not_started_again(server):
    """A reconnect must not undo what somebody has decided."""
    async with watched(server) as (_, door):
        await door.start_transcript()
        await door.index_visuals("Who?", BATCH)
        await door.stop_transcript()
        async with door.events("scene_index", control=True) as sub:
            await sub.ready()
            server.control.cut()
            await until(sub, rts.GapClosed, channel="scene_index")
        assert not (await door.get_transcript_status()).is_running


async def test_who_reads_all_streams_is_given_what_is_polled_after_a_loss_too(server):
    """A subscription to everything must not become deaf to what this connection had armed."""
    async with watched(server) as (conn, door):
        await door.index_visuals("Who?", BATCH)
        async with conn.events("scene_index", control=True) as sub:
            await sub.ready()
            at = time.time()
            await server.control.add_scene(door.id, "a cat", start=at, end=at + 1)
            await until(sub, rts.SceneMessage)
            server.control.cut()
            await until(sub, rts.GapClosed, rtstream_id=None)
            await server.control.add_scene(door.id, "a dog", start=at + 1, end=at + 2)
            assert said(await until(sub, rts.SceneMessage)) == [("a dog", "poll")]


async def test_history_that_can_not_be_read_is_given_up_aloud(server):
    """Held back for ever, or dropped in silence: both would be worse than to say so."""
    async with watched(server, recovery_budget=0.0) as (_, door):
        await door.start_transcript()
        async with door.events("transcript", control=True) as sub:
            await sub.ready()
            await server.chaos.set(
                rest=[{"method": "GET", "path": "*/transcription", "status": 400}]
            )
            server.control.cut()
            await until(sub, rts.GapUnrecoverable)  # of the time between stop and start
            items = await until(sub, rts.GapUnrecoverable)
            assert "history can't be read" in items[-1].reason
            assert sub.stats.gaps == 1


async def test_a_gap_longer_than_the_budget_is_told_and_its_end_is_fetched(server):
    """An outage of a night must not fetch a night of records, and must not hide that."""
    async with watched(server, recovery_window=5.0, overlap=1.0) as (_, door):
        await door.start_transcript()
        async with door.events("transcript", control=True) as sub:
            await sub.ready()
            # As if it had been armed and lost long ago.
            now, continuity = time.time(), sub._hub._continuity
            tracks = continuity.tracks
            tracks.by_key[door.id, "transcript"] = Track(since=now - 100, settings=tracks._settings)
            await server.control.add_utterance(door.id, "before", now - 1, now)
            await until(sub, rts.TranscriptMessage)
            continuity._recovery.lose(now - 90)

            async def speak():
                await server.control.add_utterance(door.id, "too old", now - 60, now - 59)
                await server.control.add_utterance(door.id, "new", now, now + 1)

            await cut_while(server, speak)
            items = await until(sub, rts.GapClosed, channel="transcript")
            items += await until(sub, rts.GapUnrecoverable)
            assert said(items) == [("new", "backfill")]
            assert items[-1].until <= now + 60


async def talk(server, stream):
    """Say something again and again."""
    while True:
        at = time.time()
        await server.control.add_utterance(stream.id, f"it is {at}", at - 0.01, at)
        await asyncio.sleep(0.02)


async def test_a_channel_that_alone_is_deaf_is_armed_again(server):
    """Somebody else armed it for himself: the socket is well, and this channel is silent."""
    quick = {"watch_interval": 0.05, "silence_least": 0.2, "silence_unknown": 0.2}
    async with (
        watched(server, **quick) as (conn, door),
        rts.connect(server.api_key, base_url=server.url) as other,
    ):
        await door.start_transcript()
        talker = await (await conn.get_collection()).connect_rtstream(
            "scripted://talker", "Talker", media_types=["audio"]
        )
        await talker.start_transcript()
        async with door.events("transcript", control=True) as sub:
            await sub.ready()
            at = time.time()
            await server.control.add_utterance(door.id, "before", at - 2, at - 1)
            await until(sub, rts.TranscriptMessage)
            collection = await other.get_collection()
            same = await collection.get_rtstream(door.id)
            await same.stop_transcript()
            await same.start_transcript(ws_connection_id=None)
            await server.control.add_utterance(door.id, "unheard", at - 1, at)
            talking = asyncio.create_task(talk(server, talker))
            items = await until(sub, rts.GapClosed, channel="transcript")
            talking.cancel()
            assert said(items) == [("unheard", "backfill")]
            assert not [one for one in items if getattr(one, "state", "") == "RECONNECTING"]
            await server.control.add_utterance(door.id, "heard", at, at + 1)
            assert said(await until(sub, rts.TranscriptMessage)) == [("heard", "push")]


async def test_a_reader_gets_time_for_what_is_recovered_and_a_stuck_one_costs_the_others_nothing(
    server,
):
    """A burst of history is no reason to drop, and one who never reads no reason to wait."""
    async with watched(server) as (_, door):
        await door.start_transcript()
        stuck = door.events("transcript", maxsize=2)
        async with door.events("transcript", maxsize=4) as sub:
            await sub.ready()
            at, count = time.time(), 50

            async def speak():
                for number in range(count):
                    await server.control.add_utterance(
                        door.id, f"{number}", at + number / 100, at + number / 100 + 0.01
                    )

            await server.chaos.set(rest=[{"path": "*/transcription", "slow": 0.5}])
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(read(sub, count))
                await cut_while(server, speak)
            heard = reading.result()
            assert heard == [f"{number}" for number in range(count)]
            assert sub.stats.dropped == 0
            assert stuck.stats.dropped == count - 2


@pytest.mark.parametrize("is_back", [False, True])
async def test_what_is_made_while_the_link_is_lost_is_not_deaf(server, is_back):
    """Its connection id was true when it was asked for, and of a lost socket when it was there."""
    async with watched(server) as (conn, door), door.events("scene_index", control=True) as sub:
        await sub.ready()
        changes = conn.states()
        await server.chaos.set(rest=[{"method": "POST", "slow": 0.3, "times": 1}])
        making = asyncio.create_task(door.index_visuals("Who?", BATCH))
        while not server.chaos.counts.rest:  # noqa: ASYNC110 - there is nothing that tells
            await asyncio.sleep(0.001)
        server.control.refuse_handshakes(0 if is_back else 1000)
        server.control.cut()
        while (await anext(changes)).state != ("LIVE" if is_back else "RECONNECTING"):
            continue
        await making
        if not is_back:
            server.control.refuse_handshakes(0)
            conn.force_reconnect()
        await server.control.add_scene(door.id, "a cat", start=time.time() - 1, end=time.time())
        assert said(await until(sub, rts.SceneMessage))[-1][0] == "a cat"
