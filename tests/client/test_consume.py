"""`consume()` against the local server: what is stored is handled, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import rtstream_async as rts
from rtstream_async.protocol.checkpoint import _digest
from rtstream_async.realtime import consume

BATCH = {"type": "time", "value": 2, "frame_count": 1}
PROGRAM = Path(__file__).with_name("consumer_program.py")
LONG = 60.0  # seconds until something that should happen counts as not happening
FAST = rts.HubSettings(poll_interval=0.02, poll_idle_interval=0.02)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Look again soon: the delays are for services, and this one is here."""
    monkeypatch.setattr(consume, "_SWEEPS", (0.05, 0.2))
    monkeypatch.setattr(consume, "_TICK", 0.02)


class Feed:
    """Makes numbered scenes, a little apart."""

    def __init__(self, server, stream_id):
        self.server, self.stream_id = server, stream_id
        self.made = []

    async def scene(self, *, late=0.0, **options):
        end = time.time() - late
        self.made.append(f"scene {len(self.made)}")
        await self.server.control.add_scene(
            self.stream_id, self.made[-1], start=end - 1, end=end, **options
        )

    async def scenes(self, count):
        for _ in range(count):
            await self.scene()


class Log:
    """A handler that writes down what it was given."""

    def __init__(self):
        self.messages = []
        self._news = asyncio.Event()

    async def __call__(self, message):
        self.messages.append(message)
        self._news.set()

    @property
    def texts(self):
        return [message.text for message in self.messages]

    async def until(self, count):
        async with asyncio.timeout(LONG):
            while len(self.messages) < count:
                self._news.clear()
                await self._news.wait()


async def until(is_so):
    async with asyncio.timeout(LONG):
        while not is_so():  # noqa: ASYNC110 - there is nothing that tells
            await asyncio.sleep(0.01)


@asynccontextmanager
async def consuming(conn, source, handler, **options):
    """Consume in the background, and cancel that at the end."""
    task = asyncio.create_task(conn.consume(source, handler, **options))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        await task


@pytest.fixture
async def feed(server, door):
    await door.index_visuals("Who is there?", BATCH)
    return Feed(server, door.id)


@pytest.fixture
async def elsewhere(server, feed):
    """Another program's handle of the same stream, which nothing there armed."""
    async with rts.connect(server.api_key, base_url=server.url, realtime=FAST) as conn:
        yield conn, await (await conn.get_collection()).get_rtstream(feed.stream_id)


async def test_it_goes_on_where_it_was(conn, door, feed):
    """What came while it was not there comes first, in order of time, and says so."""
    checkpoint = rts.MemoryCheckpoint()
    for run in range(3):
        log = Log()
        async with (
            door.events("scene_index") as sub,
            consuming(conn, sub, log, checkpoint=checkpoint),
        ):
            await log.until(0 if run == 0 else 5)
            await feed.scenes(5)
            await log.until(5 if run == 0 else 10)
        origins = [message.origin for message in log.messages]
        missed = 0 if run == 0 else 5
        assert origins == ["replay"] * missed + ["push"] * 5
        assert log.texts == feed.made[-5 - missed :]
        await feed.scenes(5)


async def test_a_crash_before_the_first_message_loses_nothing(conn, door, feed, server):
    """The first run commits where it begins, at once."""
    checkpoint = rts.MemoryCheckpoint()
    async with (
        door.events("scene_index") as sub,
        consuming(conn, sub, Log(), checkpoint=checkpoint),
    ):
        await until(lambda: checkpoint.positions)
    await feed.scenes(3)
    async with rts.connect(server.api_key, base_url=server.url, realtime=FAST) as later:
        log = Log()
        again = await (await later.get_collection()).get_rtstream(door.id)
        async with consuming(later, again.events("scene_index"), log, checkpoint=checkpoint):
            await log.until(3)
    assert log.texts == feed.made


async def test_what_an_index_made_is_read_after_it_was_stopped(conn, door, feed, elsewhere):
    """Who stops a camera in the evening still wants what it saw until then."""
    checkpoint = rts.MemoryCheckpoint()
    other, handle = elsewhere
    async with consuming(other, handle.events("scene_index"), Log(), checkpoint=checkpoint):
        await until(lambda: checkpoint.positions)
    await feed.scenes(3)
    (index,) = await door.list_scene_indexes()
    await index.stop()
    log = Log()
    async with consuming(other, handle.events("scene_index"), log, checkpoint=checkpoint):
        await log.until(3)
    assert log.texts == feed.made


async def test_two_indexes_that_say_the_same_are_two_records(conn, door, feed, elsewhere):
    """A set would lose one of them."""
    await door.index_visuals("And again?", BATCH)
    checkpoint, log = rts.MemoryCheckpoint(), Log()
    other, handle = elsewhere
    async with consuming(
        other, handle.events("scene_index"), log, checkpoint=checkpoint, since=time.time() - 9
    ):
        await feed.scenes(4)
        await log.until(8)
    assert Counter(log.texts) == dict.fromkeys(feed.made, 2)
    again = Log()
    async with consuming(other, handle.events("scene_index"), again, checkpoint=checkpoint):
        await feed.scenes(1)
        await again.until(2)
    assert again.texts == [feed.made[-1]] * 2


async def test_a_new_checkpoint_may_begin_in_the_past(feed, elsewhere):
    """Yesterday first, then today."""
    await feed.scene(late=500)
    await feed.scene(late=100)
    await feed.scene(late=50)
    conn, door = elsewhere
    log = Log()
    async with (
        door.events("scene_index") as sub,
        consuming(
            conn, sub, log, checkpoint=rts.MemoryCheckpoint(), since=time.time() - 200
        ) as task,
    ):
        await log.until(2)
        await feed.scene()
        await log.until(3)
        assert not task.done()
    assert log.texts == feed.made[1:]


async def test_what_the_queue_dropped_is_read_again(conn, door, feed):
    """A slow handler makes the subscription drop; the history still has it."""
    release, log = asyncio.Event(), Log()

    async def handler(message):
        await release.wait()
        await log(message)

    checkpoint = rts.MemoryCheckpoint()
    async with (
        door.events("scene_index", maxsize=4) as sub,
        consuming(conn, sub, handler, checkpoint=checkpoint, concurrency=1, lookahead=2),
    ):
        await feed.scenes(30)
        await until(lambda: sub.stats.dropped)
        release.set()
        await log.until(30)
    assert Counter(log.texts) == dict.fromkeys(feed.made, 1)


async def test_only_what_the_subscription_wants_is_replayed(conn, door, feed):
    """`where=` is a promise about history too; and `output` is decoded there too."""
    await feed.scenes(4)
    await feed.scene(index_id=None)
    log = Log()
    sub = door.events("scene_index", where=lambda message: message.text.endswith(("1", "3")))
    async with (
        sub,
        consuming(conn, sub, log, checkpoint=rts.MemoryCheckpoint(), since=time.time() - 60),
    ):
        await log.until(2)
    assert log.texts == ["scene 1", "scene 3"]


async def test_all_streams_are_those_that_the_checkpoint_knows(conn, door, feed):
    """A subscription to everything names no stream; what was once seen is remembered."""
    checkpoint, log = rts.MemoryCheckpoint(), Log()
    async with consuming(conn, conn.events("scene_index"), log, checkpoint=checkpoint):
        await feed.scenes(1)
        await log.until(1)
    await feed.scenes(2)
    async with consuming(conn, conn.events("scene_index"), log, checkpoint=checkpoint):
        await log.until(3)
    assert log.texts == feed.made


async def test_what_is_said_is_replayed_too(conn, server):
    """Final pieces of speech; partial ones have no history."""
    room = await (await conn.get_collection()).connect_rtstream(
        "scripted://room", "Room", ["audio"], enable_transcript=False
    )
    await room.start_transcript()
    checkpoint, log = rts.MemoryCheckpoint(), Log()

    async def say(text, **options):
        now = time.time()
        await server.control.add_utterance(room.id, text, start=now - 1, end=now, **options)

    async with consuming(conn, room.events("transcript"), log, checkpoint=checkpoint):
        await say("hel", is_final=False)
        await say("hello")
        await log.until(2)
    await say("there")
    async with consuming(conn, room.events("transcript"), log, checkpoint=checkpoint):
        await log.until(3)
        await say("goodbye")
        await log.until(4)
    assert log.texts == ["hel", "hello", "there", "goodbye"]
    assert [message.origin for message in log.messages[2:]] == ["replay", "push"]


async def test_a_monitor_is_consumed_with_streams_that_come_later(conn, door, feed, server):
    """They have a checkpoint of their own from the moment that they are added."""
    coll = await conn.get_collection()
    yard = await coll.connect_rtstream("scripted://yard", "Yard")
    await yard.index_visuals("Who is there?", BATCH)
    yard_feed = Feed(server, yard.id)
    checkpoint, log = rts.MemoryCheckpoint(), Log()
    async with (
        conn.monitor([door], channels=("scene_index",)) as monitor,
        consuming(conn, monitor, log, checkpoint=checkpoint),
    ):
        await feed.scenes(2)
        await log.until(2)
        monitor.add(yard)
        await until(lambda: len(checkpoint.positions) == 2)
        await yard_feed.scenes(2)
        await log.until(4)
    await yard_feed.scenes(1)
    async with (
        conn.monitor([door, yard], channels=("scene_index",)) as monitor,
        consuming(conn, monitor, log, checkpoint=checkpoint),
    ):
        await log.until(5)
    assert Counter(log.texts) == Counter(feed.made + yard_feed.made)


async def test_what_was_taken_and_not_handled_is_put_back(conn, door, feed):
    """Without a checkpoint too, the next reader gets it."""
    stuck = asyncio.Event()

    async def handler(_):
        stuck.set()
        await asyncio.Event().wait()

    async with door.events("scene_index") as sub:
        async with consuming(conn, sub, handler):
            await feed.scenes(5)
            await stuck.wait()
        texts = [(await sub.receive(timeout=LONG)).text for _ in range(5)]
        assert texts == feed.made
        assert sub.stats.delivered == 5


async def test_it_returns_the_counts_when_the_subscription_ends(conn, door, feed):
    """Somebody closed it, or the connection."""
    log = Log()
    async with door.events("scene_index") as sub:
        task = asyncio.create_task(conn.consume(sub, log))
        await feed.scenes(3)
        await log.until(3)
    assert await task == rts.Consumed(handled=3)


async def test_a_stream_that_is_gone_has_no_history(conn, door, feed, caplog):
    """The others must not wait for it for ever."""
    checkpoint = rts.MemoryCheckpoint()
    await checkpoint.load()
    gone = ("rts-00000000-0000-0000-0000-000000000000", "scene_index")
    begun = rts.Position(since=time.time() - 60)
    await checkpoint.commit({gone: begun, (door.id, "scene_index"): begun})
    await checkpoint.aclose()
    await feed.scenes(1)
    log = Log()
    async with consuming(conn, conn.events("scene_index"), log, checkpoint=checkpoint):
        await log.until(1)
    assert log.texts == feed.made
    assert "has no history" in caplog.text


async def test_a_consumer_that_is_killed_again_and_again_handles_every_record(
    server, door, feed, tmp_path
):
    """`kill -9` at any moment; what was made meanwhile too. Nothing committed is done again."""
    log, path = tmp_path / "log", tmp_path / "cursor.db"
    log.touch()
    chance = random.Random(5)
    committed: set[str] = set()
    begun = time.time()
    for _ in range(5):
        before = handled(log)
        wanted = len(before) + chance.randrange(1, 40)
        async with killed(server, feed, begun, path, log):
            while len(handled(log)) < wanted:
                await feed.scene()
                await asyncio.sleep(0.01)
        assert not committed.intersection(handled(log)[len(before) :])
        committed = await committed_texts(path, feed)
        await feed.scenes(chance.randrange(1, 8))
    async with killed(server, feed, begun, path, log):
        await until(lambda: set(handled(log)) >= set(feed.made))
    assert set(handled(log)) == set(feed.made)


def handled(log):
    return log.read_text().split("\n")[:-1]


async def committed_texts(path, feed):
    checkpoint = rts.SQLiteCheckpoint(path)
    positions = await checkpoint.load()
    await checkpoint.aclose()
    digests = {one.digest for kept in positions.values() for one in kept.handled}
    return {text for text in feed.made if _digest(text) in digests}


@asynccontextmanager
async def killed(server, feed, begun, path, log):
    """Run the program, and kill it at the end."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROGRAM), server.url, server.api_key, feed.stream_id, str(begun)),
        *(str(path), str(log)),
    )
    try:
        async with asyncio.timeout(LONG):
            yield
        assert program.returncode is None
    finally:
        program.kill()
        await program.wait()
