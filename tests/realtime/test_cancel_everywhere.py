"""Cancelled at every await, against the package's own server: nothing lost, nothing left."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress

import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from rtstream_async.realtime.consumer import Consumer
from rtstream_async.realtime.cursors import Cursors
from rtstream_async.realtime.recovery import Recovery
from rtstream_async.realtime.replay import Replay
from rtstream_async.realtime.second_look import SecondLook
from tests.realtime.cancelling import GUARD, Cancelled, Countdown, every_await, nothing_left

BATCH = {"type": "time", "value": 2, "frame_count": 1}
QUICK = rts.HubSettings(
    poll_interval=0.02,
    poll_idle_interval=0.02,
    sweep_delay=0.05,
    recovery_jitter=0.0,
    recovering_at_most=30.0,
)
BRIEF = rts.SocketOptions(proxy=None, close_timeout=0.2)


@pytest.fixture
async def server(tmp_path):
    async with LocalServer(tmp_path, control=True) as running:
        yield running


def connect(server, **options):
    options = {"realtime": QUICK, "websocket": BRIEF, **options}
    return rts.connect(server.api_key, base_url=server.url, **options)


@asynccontextmanager
async def at_the_door(server, **options):
    """A connection, and a stream with an index."""
    async with nothing_left(server), connect(server, **options) as conn:
        collection = await conn.get_collection()
        door = await collection.connect_rtstream(
            "scripted://door", "Door", media_types=["video", "audio"]
        )
        yield conn, door, await door.index_visuals("Who?", BATCH)


class Feed:
    """Shows and says numbers, one after the other."""

    def __init__(self, server, door):
        self._control, self._door = server.control, door
        self._end = 0.0
        self.texts = []

    async def show(self, count):
        for _ in range(count):
            text, start, end = self._next()
            await self._control.add_scene(self._door.id, text, start=start, end=end)

    async def say(self, count):
        for _ in range(count):
            await self._control.add_utterance(self._door.id, *self._next())

    def _next(self):
        self._end = max(time.time(), self._end + 0.002)
        self.texts.append(f"{len(self.texts)}")
        return self.texts[-1], self._end - 0.1, self._end


async def calls_work(conn):
    """A pool that has lost slots to cancelled calls, one at each await, would hang here."""
    async with asyncio.timeout(GUARD):
        await asyncio.gather(*(conn.get_collection() for _ in range(30)))


async def test_connecting_and_closing(server):
    """Whoever gives up while connecting must leave nothing behind; closing goes on all the same."""

    async def live():
        async with connect(server) as conn:
            await conn.ws_connection_id()

    async def once(countdown):
        async with nothing_left(server):
            with suppress(Cancelled):
                await countdown.cancel(live())

    assert await every_await(once) >= 4


async def test_a_cancelled_goodbye_is_finished_by_the_next(server):
    """A second Ctrl-C while it closes."""

    async def once(countdown):
        async with nothing_left(server):
            conn = connect(server)
            sub = conn.events(control=True)
            await sub.ready()
            reading = asyncio.create_task(_all_of(sub))
            with suppress(Cancelled):
                await countdown.cancel(conn.aclose())
            async with asyncio.timeout(GUARD):
                await conn.aclose()
                assert await reading

    assert await every_await(once) >= 2


async def _all_of(sub):
    return [item async for item in sub]


async def _next_of(items):
    return await anext(items)


async def _taken(countdown, items, count):
    """Return so many of `items`, although who takes them is cancelled at some await."""
    taken = []
    while len(taken) < count:
        with suppress(Cancelled):
            taken.append(await countdown.cancel(_next_of(items)))
    return [item.text for item in taken]


@pytest.mark.parametrize("follow", [False, True])
async def test_reading_a_list(server, follow):
    """A page that was on its way when its reader was cancelled is neither skipped nor repeated."""
    async with at_the_door(server) as (conn, door, index):
        feed = Feed(server, door)
        await feed.show(4)

        async def once(countdown):
            async with index.get_scenes(page_size=1, follow=follow) as pages:
                records = aiter(pages)
                given = await _taken(countdown, records, len(feed.texts))
                assert given == (feed.texts if follow else feed.texts[::-1])

        assert await every_await(once) >= 3
        await calls_work(conn)


async def test_one_page(server):
    """Who awaits it under a timeout must not cost the pool a slot."""
    async with at_the_door(server) as (conn, door, index):
        await Feed(server, door).show(2)

        async def once(countdown):
            with suppress(Cancelled):
                await countdown.cancel(_page(index))

        assert await every_await(once) >= 1
        await calls_work(conn)


async def _page(index):
    return await index.get_scenes()


@pytest.mark.parametrize("kind", ["subscription", "monitor"])
async def test_iterating(server, kind):
    """Timeouts and `select`s cancel readers all day long."""
    async with at_the_door(server) as (conn, door, _):
        feed = Feed(server, door)
        await conn.ws_connection_id()

        async def once(countdown):
            begun = len(feed.texts)
            source = (
                door.events("scene_index")
                if kind == "subscription"
                else conn.monitor([door], channels=("scene_index",))
            )
            async with source as messages:
                showing = asyncio.create_task(feed.show(3))
                texts = await _taken(countdown, messages, 3)
                await showing
                assert texts == feed.texts[begun:]
                assert messages.stats.depth == 0

        assert await every_await(once) >= 2


class Inside:
    """Does something at one await of tasks that are not ours."""

    def __init__(self, monkeypatch, *methods):
        self.countdown = Countdown(0)
        self.act = None
        for kind, name in methods:
            monkeypatch.setattr(kind, name, self._driven(getattr(kind, name)))

    def _driven(self, method):
        async def driven(*args, **options):
            return await self.countdown.drive(method(*args, **options), self.act)

        return driven


RECOVERY = [(Recovery, "_recover_all"), (Recovery, "_close"), (SecondLook, "_look")]
CONSUMER = [
    (Consumer, "_take"),
    (Consumer, "_handle"),
    (Replay, "_sweep_one"),
    (Cursors, "commit"),
]


@pytest.mark.parametrize("has_checkpoint", [False, True])
@pytest.mark.parametrize("is_inside", [False, True])
async def test_consuming(server, tmp_path, monkeypatch, is_inside, has_checkpoint):
    """What was taken and not handled comes to the next one; with a checkpoint, at least once."""
    inside = Inside(monkeypatch, *(CONSUMER if is_inside else ()))
    async with at_the_door(server) as (conn, door, _):
        feed = Feed(server, door)

        async def once(countdown):
            begun, handled, is_all = len(feed.texts), [], asyncio.Event()

            async def handler(message):
                await asyncio.sleep(0)
                handled.append(message.text)
                if set(feed.texts[begun:][:4]) <= set(handled):
                    is_all.set()

            def consume():
                checkpoint = rts.SQLiteCheckpoint(tmp_path / f"{begun}.db")
                options = {"checkpoint": checkpoint, "commit_every": 0.0}
                return conn.consume(sub, handler, **(options if has_checkpoint else {}))

            async with door.events("scene_index") as sub, asyncio.timeout(GUARD):
                await feed.show(4)
                stop = Countdown(0) if is_inside else countdown
                one = asyncio.create_task(stop.drive(consume(), lambda: one.cancel()))  # noqa: PLW0108 - there is no task yet
                if is_inside:
                    inside.countdown, inside.act = countdown, one.cancel
                waiting = asyncio.create_task(is_all.wait())
                await asyncio.wait([one, waiting], return_when=asyncio.FIRST_COMPLETED)
                inside.countdown = Countdown(0)
                if one.done():
                    assert one.cancelled()
                    one = asyncio.create_task(consume())
                await waiting
                one.cancel()
                await asyncio.wait([one])
            own = [text for text in handled if text in feed.texts[begun:]]
            assert (list(dict.fromkeys(own)) if has_checkpoint else own) == feed.texts[begun:]

        assert await every_await(once) >= 2


@pytest.mark.parametrize("how", ["force_reconnect", "cut"])
async def test_recovering_while_the_link_is_lost_again(server, monkeypatch, how):
    """A loss in the middle of making good another one: nothing may be lost or come twice."""
    recovering = Inside(monkeypatch, *RECOVERY)
    async with at_the_door(server) as (conn, door, _), door.events(control=True) as sub:
        await door.start_transcript()
        recovering.act = conn.force_reconnect if how == "force_reconnect" else server.control.cut
        feed = Feed(server, door)

        async def once(countdown):
            begun = len(feed.texts)
            recovering.countdown = countdown
            server.control.cut()
            await feed.show(2)
            await feed.say(2)
            came = []
            async with asyncio.timeout(GUARD):
                while len(came) < 4 or conn._context.hub.state.name != "LIVE":
                    item = await sub.receive()
                    came += [item.text] if isinstance(item, rts.Message) else []
            assert sorted(came) == sorted(feed.texts[begun:])

        assert await every_await(once) >= 5
        await calls_work(conn)


async def test_recovering_while_all_is_closed(server, monkeypatch):
    """Nothing of it may go on, whatever it was at."""
    recovering = Inside(monkeypatch, *RECOVERY)

    async def once(countdown):
        async with at_the_door(server) as (conn, door, _), door.events(control=True) as sub:
            await door.start_transcript()
            await sub.ready()
            closing = []
            recovering.act = lambda: closing.append(asyncio.create_task(conn.aclose()))
            recovering.countdown = countdown
            server.control.cut()
            async with asyncio.timeout(GUARD):
                async for item in sub:
                    if isinstance(item, rts.StateChange) and item.state == "LIVE":
                        break
                while not countdown.is_spent and _recoveries():  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.001)
                await asyncio.gather(*closing)

    assert await every_await(once) >= 5


def _recoveries():
    return [task for task in asyncio.all_tasks() if "recovery" in task.get_name()]


def _freeze(server):
    assert server.chaos.half_open() == 1


def _cut(server):
    assert server.control.cut() == 1


def _refuse(server):
    server.control.refuse_handshakes(1000)
    server.control.cut()


def _mute(server):
    server.control.mute_hellos(1000)
    server.control.cut()


@pytest.mark.parametrize("break_it", [_freeze, _cut, _refuse, _mute])
async def test_closing_waits_for_nobody(server, break_it):
    """A consumer that is stuck, a full queue, a call that hangs, a dead peer: all at once."""
    slow = rts.SocketOptions(proxy=None, close_timeout=0.2, ping_interval=None)
    async with at_the_door(server, websocket=slow, timeout=3600) as (conn, door, index):
        is_stuck, handled = asyncio.Event(), []

        async def handler(message):
            is_stuck.set()
            await asyncio.Event().wait()
            handled.append(message)

        stuck = door.events("scene_index")
        full = door.events("scene_index", maxsize=1, overflow="block")
        await full.ready()
        feed = Feed(server, door)
        consuming = asyncio.create_task(conn.consume(stuck, handler))
        await feed.show(3)
        await is_stuck.wait()
        await server.chaos.set(rest=[{"method": "GET", "slow": 3600}])
        hanging = asyncio.create_task(_page(index))
        break_it(server)
        async with asyncio.timeout(GUARD):
            await conn.aclose()
            with pytest.raises(rts.ConnectionClosedError):
                await hanging
            assert (await full.receive()).text == feed.texts[0]
        consuming.cancel()
        await asyncio.wait([consuming])
        assert not handled
        await server.chaos.off()
