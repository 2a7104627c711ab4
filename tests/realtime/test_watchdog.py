"""The watchdog on a real socket that goes deaf, with REST as the test says."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import anyio
import attrs
import pytest

from rtstream_async.errors import TransportError
from rtstream_async.protocol.cadence import CadenceSettings
from rtstream_async.protocol.codec.frames import decode_frame
from rtstream_async.protocol.link import LinkSignal, LinkState
from rtstream_async.realtime.call_limit import CallLimit
from rtstream_async.realtime.link import LinkRunner
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.realtime.watchdog import Watchdog, newer_over
from rtstream_async.transport.socket import SocketOptions, opener
from tests.sockets import scene

SETTINGS = CadenceSettings(least=0.1, most=0.4, unknown=0.1)
LATENESS = 0.05


@attrs.define(eq=False)
class Track:
    """What was delivered of a channel."""

    last_end: float
    gap_since: float | None = None

    def sweep_delay(self, skew: float) -> float:
        return LATENESS + skew


class World:
    """A hub of the least kind: it takes frames, and notes what the watchdog does."""

    def __init__(self, server):
        self.skew = 0.0
        self.heard_at = 0.0
        self.tracks = {("rts-1", "scene_index"): Track(time.time())}
        self.stored = {}  # ends of records, by key
        self.asked = []
        self.at_once = self.most_at_once = 0
        self.failing = False
        self.is_armed = True
        self.states = []
        self.deaf = []
        self.link = LinkRunner(
            fetch_url=server.fetch_url,
            open_socket=opener(SocketOptions(proxy=None, close_timeout=1)),
            settings=HubSettings(),
            listener=self,
        )
        self.dog = Watchdog(
            self.link,
            self,
            newer=self.newer,
            settings=SETTINGS,
            interval=0.01,
            log_quiet=60.0,
        )

    async def newer(self, rtstream_id, channel, since):
        key = rtstream_id, channel
        self.asked.append(key)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.failing:
            raise TransportError("no route")
        return [end for end in self.stored.get(key, ()) if end > since]

    def watched(self):
        return [((None, "capture_session"), Track(0.0)), *self.tracks.items()]

    def is_pushed(self, rtstream_id, channel):
        return self.is_armed

    def on_deaf(self, rtstream_id, channel, since, reason):
        self.deaf.append((rtstream_id, channel, since))
        self.tracks[rtstream_id, channel].gap_since = since

    def on_frame(self, data):
        self.heard_at = time.time()
        message = decode_frame(data, self.heard_at, 1)
        self.tracks[message.rtstream_id, message.channel].last_end = message.end

    def on_oversize(self, size, limit):
        self.heard_at = time.time()

    def on_change(self, previous, state, reason):
        self.states.append((state, reason))

    def needs_recovery(self):
        return False

    def store(self, *ages, key=("rts-1", "scene_index")):
        """Have REST show records that ended so many seconds ago."""
        self.stored.setdefault(key, []).extend(time.time() - age for age in ages)

    async def until(self, claim):
        """Wait until something is true of this."""
        async with asyncio.timeout(20):
            while not claim():  # noqa: ASYNC110 - several things may make it true
                await asyncio.sleep(0.005)

    async def until_state(self, state):
        await self.until(lambda: self.link.state is state)


def now_scene(stream="rts-1"):
    return scene(stream=stream, at=int((time.time() - 1) * 1000))


@asynccontextmanager
async def watching(server):
    """A live link that is watched, and the server's end of it."""
    world = World(server)
    world.link.feed(LinkSignal.OPEN)
    async with anyio.create_task_group() as group:
        group.start_soon(world.link.run)
        group.start_soon(world.dog.run)
        peer = await server.accept_live()
        await world.until_state(LinkState.LIVE)
        yield world, peer
        world.link.close()
        group.cancel_scope.cancel()


async def test_a_deaf_socket_is_stale_asked_about_and_given_up(server):
    """Its pings are answered, so that nothing else would ever notice."""
    async with watching(server) as (world, peer):
        await peer.send(now_scene())
        await world.until(lambda: world.heard_at)
        key = ("rts-1", "scene_index")
        world.stored[key] = [world.tracks[key].last_end + 0.5]
        again = await server.accept_live("conn-2")
        await world.until_state(LinkState.LIVE)
        states = [state for state, _ in world.states]
        assert states[-3:] == [LinkState.STALE, LinkState.RECONNECTING, LinkState.LIVE]
        lost = next(reason for state, reason in world.states if state is LinkState.RECONNECTING)
        assert lost == "deaf: records of scene_index of rts-1 are stored and were not pushed"
        assert await peer.closed() == 1000
        assert world.deaf == []
        await again.close()


async def test_a_quiet_stream_keeps_its_socket(server):
    """A reconnect for every hour without a visitor would lose what comes with the visitor."""
    async with watching(server) as (world, peer):
        await world.until(lambda: len(world.asked) >= 3)
        await world.until_state(LinkState.LIVE)
        states = [state for state, _ in world.states]
        assert LinkState.RECONNECTING not in states
        assert states[:4] == [
            LinkState.CONNECTING,
            LinkState.LIVE,
            LinkState.STALE,
            LinkState.LIVE,
        ]
        assert (LinkState.LIVE, "REST has no records that were not pushed") in world.states
        assert len(server.urls) == 1
        await peer.close()


async def test_a_frame_ends_the_suspicion_at_once(server):
    """While REST hangs or fails, the socket itself is the best witness."""
    async with watching(server) as (world, peer):
        world.failing = True
        await world.until_state(LinkState.STALE)
        await peer.send(now_scene())
        await world.until_state(LinkState.LIVE)
        assert world.states[-1] == (LinkState.LIVE, "a message came")
        assert world.tracks["rts-1", "scene_index"].last_end > 0
        await peer.close()


async def test_a_frame_that_is_too_large_is_heard_as_well(server):
    """It can't be read, and it shows that the socket is not deaf."""
    async with watching(server) as (world, peer):
        world.failing = True
        await world.until_state(LinkState.STALE)
        world.link._sink.oversize(10, 5)
        assert world.link.state is LinkState.LIVE
        assert world.heard_at
        await peer.close()


async def test_rest_that_fails_proves_nothing(server, caplog, monkeypatch):
    """An outage of REST must not take the socket down with it, nor be hammered."""
    monkeypatch.setattr("rtstream_async.realtime.watchdog._FIRST_DELAY", 0.1)
    async with watching(server) as (world, peer):
        world.failing = True
        world.store(0.0)
        await world.until_state(LinkState.STALE)
        await world.until(lambda: world.dog._failed >= 2)
        assert world.link.state is LinkState.STALE
        assert len(world.asked) == 2
        assert "asking for the records of scene_index of rts-1 failed: no route" in caplog.text
        world.failing = False
        await server.accept_live("conn-2")
        await peer.closed()


async def test_one_deaf_channel_costs_the_others_nothing(server):
    """One index that lost its connection id must not have five hundred armed again."""
    async with watching(server) as (world, peer):
        world.tracks["rts-2", "scene_index"] = Track(time.time() - 10)
        world.store(5.0, key=("rts-2", "scene_index"))
        while not world.deaf:
            await peer.send(now_scene())
            await asyncio.sleep(0.01)
        assert [key[:2] for key in world.deaf] == [("rts-2", "scene_index")]
        assert {state for state, _ in world.states[1:]} == {LinkState.LIVE}
        for _ in range(20):  # while it is mended, it is not accused again
            await peer.send(now_scene())
            await asyncio.sleep(0.01)
        assert len(world.deaf) == 1
        await peer.close()


async def test_what_comes_late_after_all_is_no_proof(server):
    """REST may show a record in the moment before it is pushed."""
    async with watching(server) as (world, peer):
        key = ("rts-1", "scene_index")

        async def show_then_push(rtstream_id, channel, since):
            track = world.tracks[key]
            end = track.last_end + 0.01
            loop = asyncio.get_running_loop()
            loop.call_later(0.001, setattr, track, "last_end", end)  # as its frame would have it
            world.asked.append(key)
            return [end]

        world.dog._newer = show_then_push
        await world.until(lambda: len(world.asked) >= 3)
        assert LinkState.RECONNECTING not in [state for state, _ in world.states]
        await peer.close()


async def test_a_record_that_has_just_ended_may_still_be_pushed(server):
    """A slow model is not a deaf socket."""
    async with watching(server) as (world, peer):
        world.stored["rts-1", "scene_index"] = [time.time() + 3600]
        await world.until(lambda: len(world.asked) >= 3)
        assert world.link.state is LinkState.STALE
        await peer.close()


async def test_of_many_silent_channels_a_few_are_asked_about_at_a_time(server):
    """A night without traffic on five thousand streams must not be a flood of calls."""
    async with watching(server) as (world, peer):
        for n in range(300):
            world.tracks[f"rts-{n}", "transcript"] = Track(time.time())
        await world.until(lambda: len(set(world.asked)) == 301)
        assert world.most_at_once <= 4
        assert LinkState.RECONNECTING not in [state for state, _ in world.states]
        await peer.close()


async def test_without_anything_to_ask_about_nothing_is_suspected(server):
    """Alerts have no history: their silence can't be looked into."""
    async with watching(server) as (world, peer):
        await world.until_state(LinkState.STALE)
        world.tracks.clear()
        await world.until_state(LinkState.LIVE)
        assert world.states[-1][1] in {
            "nothing is silent for too long any more",
            "REST has no records that were not pushed",
        }
        asked = len(world.asked)
        await asyncio.sleep(0.3)
        assert len(world.asked) == asked
        assert world.link.state is LinkState.LIVE
        await peer.close()


async def test_what_nothing_pushes_is_not_missed(server):
    """A channel that is polled is silent on the socket, and that is no news."""
    async with watching(server) as (world, peer):
        world.is_armed = False
        world.store(0.0)
        await asyncio.sleep(0.4)
        assert world.asked == []
        world.is_armed = True
        await world.until(lambda: world.asked)
        await peer.close()


async def test_a_paused_reader_is_not_deaf(server):
    """A consumer with `overflow="block"` stops the socket, and knows it."""
    async with watching(server) as (world, peer):
        world.link.pause()
        world.store(0.0)
        await asyncio.sleep(0.4)
        assert world.asked == []
        world.link.resume()
        await world.until(lambda: world.asked)
        await peer.close()


async def test_what_stays_deaf_is_not_reconnected_for_again_and_again(server):
    """A service that never pushes to a channel must not cost the others their connection."""
    async with watching(server) as (world, peer):
        world.stored["rts-1", "scene_index"] = [world.tracks["rts-1", "scene_index"].last_end + 1]
        waits = []
        for n in range(2, 5):
            again = await server.accept_live(f"conn-{n}")
            cadence = world.dog._watches["rts-1", "scene_index"].cadence
            waits.append(cadence.patience)
        assert waits == sorted(waits)
        assert waits[-1] == SETTINGS.most
        assert await peer.closed() == 1000
        await again.close()


class Poller:
    """REST, of one index that is known and one that is not."""

    def __init__(self):
        self.calls = []

    def now(self):
        return time.time()

    async def sources(self, rtstream_id, channel):
        return ["found"]

    async def records(self, rtstream_id, channel, source, since, *, limit=None):
        self.calls.append((source, since, limit))
        return [Record(7.0)]


@attrs.frozen
class Record:
    end: float


@pytest.mark.parametrize(("known", "asked"), [(("a", "b"), ["a", "b"]), ((), ["found"])])
async def test_all_that_makes_records_is_asked(known, asked):
    """Two indexes may push to one channel; and what was armed by hand is found by asking."""
    poller = Poller()
    newer = newer_over(poller, sources=lambda *_: known, limit=CallLimit(1))
    assert await newer("rts-1", "scene_index", 5.0) == [7.0] * len(asked)
    assert poller.calls == [(source, 5.0, 1000) for source in asked]
