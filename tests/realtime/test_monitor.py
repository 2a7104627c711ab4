"""A monitor: fair, changed while it runs, told once, forgotten, and small."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc

import anyio
import pytest

from rtstream_async.errors import LinkClosedError, SlowConsumerError
from rtstream_async.models.announcements import Announcement, Dropped, Gap, NotArmed, StateChange
from rtstream_async.models.messages import SceneMessage, TranscriptMessage
from rtstream_async.protocol.overflow import OVERFLOWS
from rtstream_async.protocol.rearm import Arm
from rtstream_async.realtime.monitor import Monitor, MonitorSettings
from tests.realtime.test_link import armed, live
from tests.sockets import scene

NAMES = ("rts-a", "rts-b", "rts-c")
MARK = {"channel": "mark"}


def message(text: str, stream: str, **more) -> SceneMessage:
    return SceneMessage(
        channel="scene_index", rtstream_id=stream, start=1, end=2, text=text, **more
    )


class Wired:
    """A live hub, its server's end, and a way to know that all that was sent has arrived."""

    def __init__(self, hub, peer) -> None:
        self.hub, self.peer = hub, peer
        self.probe = hub.subscribe(streams=None, channels=frozenset({"mark"}))

    def monitor(self, streams=NAMES, **options) -> Monitor:
        settings = {
            "channels": frozenset({"scene_index"}),
            "maxsize": 128,
            "overflow": "drop_oldest",
            "where": None,
            "control": False,
            "ids": tuple,
            **options,
        }
        return Monitor(self.hub, tuple(streams), MonitorSettings(**settings))

    def push(self, stream: str, *texts: str) -> None:
        """Have messages arrive at this moment."""
        for text in texts:
            self.hub._fanout.dispatch(message(text, stream))

    async def send(self, *frames) -> None:
        """Send frames, and wait until the hub has dealt with them."""
        await self.peer.send(*frames, MARK)
        await self.probe.receive(timeout=20)


@pytest.fixture
async def wired(server, make_hub):
    hub = make_hub(block_timeout=0.05)
    return Wired(hub, await live(server, hub))


def shown(item):
    if isinstance(item, Announcement):
        return item
    return item.rtstream_id[-1] + item.text


async def take_all(monitor) -> list[object]:
    """Return what is queued: `stream + text`, announcements, and errors that are raised between.

    That nothing armed these streams is known.
    """
    found: list[object] = []
    while True:
        try:
            item = await monitor.receive(0)
            if not isinstance(item, NotArmed):
                found.append(shown(item))
        except TimeoutError:
            return found
        except SlowConsumerError as exc:
            found.append(exc)


def numbers(count: int) -> list[str]:
    return [str(n) for n in range(count)]


async def test_a_chatty_stream_delays_the_others_by_one_message_each(wired):
    """An alert at the door must not wait behind a thousand scenes of the street."""
    monitor = wired.monitor()
    wired.push("rts-a", *numbers(100))
    wired.push("rts-b", "x", "y")
    wired.push("rts-c", "z")
    taken = await take_all(monitor)
    assert taken[:6] == ["a0", "bx", "cz", "a1", "by", "a2"]
    assert [text for text in taken if text[0] == "a"] == [f"a{n}" for n in range(100)]


async def test_a_chatty_stream_evicts_only_its_own(wired):
    """A queue for all would drop the one alert for the sake of a thousand scenes."""
    monitor = wired.monitor(maxsize=3)
    wired.push("rts-b", "x")
    wired.push("rts-a", *numbers(1000))
    assert await take_all(monitor) == ["bx", "a997", "a998", "a999"]
    health = monitor.health()
    assert (health["rts-a"].dropped, health["rts-b"].dropped) == (997, 0)
    assert (health["rts-a"].received, health["rts-a"].delivered) == (1000, 3)


async def test_it_is_read_with_async_for_and_gives_only_its_own(wired):
    """What `events()` gives of all streams would have to be sifted by hand."""
    seen = []
    monitor = wired.monitor(["rts-a", "rts-b"])
    await wired.send(scene("1", stream="rts-a"), scene("2", stream="rts-z"))
    await wired.send(scene("3", stream="rts-b"), scene("4", stream="rts-a"))
    async for item in monitor:
        seen.append(shown(item))
        if len(seen) == 3:
            break
    assert seen == ["a1", "b3", "a4"]


async def test_where_sifts_and_yet_the_stream_is_heard(wired):
    """A stream of which nothing is wanted is alive all the same."""
    monitor = wired.monitor(where=lambda item: item.text != "noise")
    wired.hub._fanout.dispatch(message("noise", "rts-a", received_at=7.0))
    wired.hub._fanout.dispatch(message("wanted", "rts-b", received_at=8.0))
    assert await take_all(monitor) == ["bwanted"]
    health = monitor.health("rts-a")["rts-a"]
    assert (health.last_message_at, health.last_end, health.received) == (7.0, 2, 0)
    assert monitor.wants(message("wanted", "rts-a"))
    assert not monitor.wants(message("noise", "rts-a"))


async def test_what_where_raises_is_raised_in_its_turn(wired):
    """A mistake in a filter belongs to who wrote it, and must not stop the reader."""
    monitor = wired.monitor(where=lambda item: 1 / len(item.text))
    wired.push("rts-a", "", "x")
    with pytest.raises(ZeroDivisionError):
        await monitor.receive(0)
    assert await take_all(monitor) == ["ax"]


async def test_a_stream_is_added_while_it_is_read(wired):
    """Cameras come, and nobody starts the program again for one."""
    monitor = wired.monitor(["rts-a"])
    reading = asyncio.create_task(monitor.receive())
    await anyio.wait_all_tasks_blocked()
    monitor.add("rts-b", "rts-c")
    monitor.add("rts-b", "rts-a")
    assert monitor.streams == ("rts-a", "rts-b", "rts-c")
    wired.push("rts-c", "1")
    assert shown(await reading) == "c1"
    wired.push("rts-b", "2")
    assert await take_all(monitor) == ["b2"]


async def test_an_added_stream_that_nothing_armed_is_told_of(wired):
    """The first ones were asked about when reading began; a later one must not be forgotten."""
    monitor = wired.monitor(["rts-a"], control=True)
    assert (await monitor.receive(timeout=20)).rtstream_id == "rts-a"
    monitor.add("rts-b")
    told = await monitor.receive(timeout=20)
    assert (type(told), told.rtstream_id, told.channel) == (NotArmed, "rts-b", "scene_index")


async def test_what_came_early_for_an_added_stream_is_given(wired):
    """Between arming a stream and adding it, something may have been seen."""
    monitor = wired.monitor(["rts-a"])
    wired.hub.note_armed(armed(rtstream_id="rts-b", channel="scene_index", connection_id="conn-1"))
    wired.push("rts-b", "1", "2")
    monitor.add("rts-b")
    assert await take_all(monitor) == ["b1", "b2"]


async def test_nothing_of_a_removed_stream_is_read_any_more(wired):
    """Who removes a stream has let go of what belongs to it."""
    monitor = wired.monitor()
    wired.push("rts-a", "1", "2")
    wired.push("rts-b", "3")
    monitor.remove("rts-a", "rts-unknown")
    monitor.remove("rts-a")
    wired.push("rts-a", "4")
    assert await take_all(monitor) == ["b3"]
    assert monitor.streams == ("rts-b", "rts-c")
    assert "rts-a" not in monitor.health()
    assert wired.hub._fanout._router.targets("rts-a", "scene_index") == ()
    stats = monitor.stats
    assert (stats.received, stats.delivered, stats.dropped, stats.depth) == (1, 1, 0, 0)


async def test_a_stream_that_is_removed_and_added_begins_anew(wired):
    """Else it would be given what it was removed for, or its place in line would be lost."""
    monitor = wired.monitor()
    wired.push("rts-a", "1", "2")
    assert shown(await monitor.receive(0)) == "a1"
    monitor.remove("rts-a")
    monitor.add("rts-a")
    wired.push("rts-a", "3")
    assert await take_all(monitor) == ["a3"]
    assert monitor.health()["rts-a"].delivered == 1
    assert monitor.stats.delivered == 2


async def test_a_filter_may_remove_a_stream(wired):
    """A user's function is called in the middle of the reader, and may do anything."""
    first, second = wired.monitor(control=True), wired.monitor(control=True, maxsize=1)

    def remove_it(item):
        second.remove(item.rtstream_id)
        return True

    third = wired.monitor(where=remove_it)
    for monitor in (third, first, second):
        monitor.remove("rts-a")
        monitor.add("rts-a")  # in this order now
    wired.push("rts-a", "1")
    assert await take_all(first) == ["a1"]
    assert await take_all(second) == []


async def test_reading_goes_on_when_the_last_stream_is_removed(wired):
    """The next one may be added in a minute."""
    monitor = wired.monitor(["rts-a"])
    reading = asyncio.create_task(monitor.receive())
    await anyio.wait_all_tasks_blocked()
    wired.push("rts-a", "1")
    monitor.remove("rts-a")
    await anyio.wait_all_tasks_blocked()
    assert not reading.done()
    monitor.add("rts-b")
    wired.push("rts-b", "2")
    assert shown(await reading) == "b2"


async def test_a_cancelled_reader_loses_nothing_and_wakes_the_next(wired):
    """Timeouts and shutdown cancel; a message must survive, and must not lie while one waits."""
    monitor = wired.monitor()
    for text in numbers(10):
        first, second = (asyncio.create_task(monitor.receive()) for _ in range(2))
        await anyio.wait_all_tasks_blocked()
        # The message and the cancellation come in the same turn of the loop.
        wired.push("rts-b", text)
        first.cancel()
        assert shown(await second) == f"b{text}"
        await asyncio.gather(first, return_exceptions=True)
    assert first.cancelled()


@pytest.mark.parametrize("count", range(1, 8))
async def test_readers_that_are_cancelled_at_any_turn_lose_nothing(wired, count):
    """Restarts of workers happen all day long."""
    monitor = wired.monitor()
    expected = [str(n) for n in range(40)]
    frames = [scene(text, stream=stream) for text in expected for stream in NAMES]
    sending = asyncio.create_task(wired.peer.send(*frames))
    seen: list[str] = []
    async with asyncio.timeout(60):
        while len(seen) < len(frames):
            reader = asyncio.create_task(monitor.receive())
            for _ in range(count):
                await asyncio.sleep(0)
            reader.cancel()
            await asyncio.wait((reader,))
            if not reader.cancelled():
                seen.append(shown(reader.result()))
    await sending
    for stream in NAMES:
        assert [one[1:] for one in seen if one[0] == stream[-1]] == expected


async def test_several_readers_share_it_and_none_sleeps_while_there_is_work(wired):
    """One that is busy with a message must not keep the next of that stream from another."""
    monitor = wired.monitor()
    busy = asyncio.Event()
    seen: list[str] = []

    async def work():
        async for item in monitor:
            seen.append(shown(item))
            await busy.wait()

    workers = [asyncio.create_task(work()) for _ in range(3)]
    await anyio.wait_all_tasks_blocked()
    wired.push("rts-a", "1")
    await anyio.wait_all_tasks_blocked()
    wired.push("rts-a", "2", "3")
    await anyio.wait_all_tasks_blocked()
    assert seen == ["a1", "a2", "a3"]
    busy.set()
    await wired.hub.aclose()
    await asyncio.gather(*workers)


async def test_what_is_told_of_the_link_is_told_once(wired, server):
    """Ten thousand streams must not turn one loss into ten thousand announcements."""
    names = [f"rts-{n}" for n in range(100)]
    monitor = wired.monitor(names, control=True)
    wired.push("rts-7", "before")
    wired.peer.cut()
    await server.accept_live("conn-2")
    items: list[object] = []
    while not (isinstance(items[-1:] and items[-1], StateChange) and items[-1].state == "LIVE"):
        items.append(await monitor.receive(timeout=20))
    assert sum(isinstance(item, Gap) for item in items) == 1
    states = [item.state for item in items if isinstance(item, StateChange)]
    assert len(states) == len(set(states))
    told = [item for item in items if isinstance(item, NotArmed)]
    assert {item.rtstream_id for item in told} == set(names)
    assert len(told) == len(names)
    assert monitor.stats.gaps == 1
    assert {health.gaps for health in monitor.health().values()} == {1}


async def test_what_is_told_of_a_stream_keeps_its_place_among_its_messages(wired):
    """Between these two messages something is missing, and nowhere else."""
    monitor = wired.monitor(control=True)
    gap = Gap(at=1, since=1, cause="rearm", rtstream_id="rts-a", channel="scene_index")
    wired.push("rts-a", "1")
    wired.hub._fanout.tell(("rts-a", "scene_index"), gap)
    wired.push("rts-a", "2")
    wired.push("rts-b", "3")
    assert await take_all(monitor) == ["a1", "b3", gap, "a2"]


async def test_a_drop_names_its_stream(wired):
    """Which of a thousand cameras is it that is too fast?"""
    monitor = wired.monitor(maxsize=2, control=True)
    wired.push("rts-a", *numbers(5))
    wired.push("rts-b", "x")
    dropped, *rest = await take_all(monitor)
    assert isinstance(dropped, Dropped)
    assert (dropped.count, dropped.rtstream_id) == (3, "rts-a")
    assert rest == ["bx", "a3", "a4"]


async def test_an_error_names_its_stream_and_the_others_go_on(wired):
    """The policy `error` says where the hole is."""
    monitor = wired.monitor(maxsize=2, overflow="error")
    wired.push("rts-a", *numbers(5))
    wired.push("rts-b", "x")
    taken = await take_all(monitor)
    errors = [item for item in taken if isinstance(item, SlowConsumerError)]
    assert [(error.rtstream_id, error.dropped) for error in errors] == [("rts-a", 3)]
    assert "rts-a" in str(errors[0])
    assert taken == ["a0", "bx", "a1", errors[0]]
    wired.push("rts-a", "again")
    assert await take_all(monitor) == ["aagain"]


async def test_latest_keeps_one_of_each_stream_and_channel(wired):
    """A wall of cameras shows what each sees and hears now."""
    channels = frozenset({"scene_index", "transcript"})
    monitor = wired.monitor(overflow="latest", channels=channels)
    wired.push("rts-a", "1", "2")
    wired.push("rts-b", "3", "4")
    spoken = [
        TranscriptMessage(channel="transcript", rtstream_id="rts-a", start=1, end=2, text=text)
        for text in ("hello", "bye")
    ]
    for one in spoken:
        wired.hub._fanout.dispatch(one)
    assert await take_all(monitor) == ["a2", "b4", "abye"]


async def test_block_stops_the_socket_until_the_full_queue_is_read(wired):
    """Who may lose nothing makes the service wait, for a while."""
    monitor = wired.monitor(overflow="block", maxsize=2)
    for stream in ("rts-a", "rts-b"):
        wired.push(stream, "1", "2")
    assert not wired.hub._brake._holds
    wired.push("rts-a", "3")
    assert wired.hub._brake._holds
    assert await take_all(monitor) == ["a1", "b1", "a2", "b2", "a3"]
    assert not wired.hub._brake._holds
    wired.push("rts-b", "4", "5", "6")
    assert wired.hub._brake._holds
    monitor.remove("rts-b")
    assert not wired.hub._brake._holds


async def test_a_reader_that_blocks_for_too_long_is_told(wired):
    """The socket of all can't wait for one for ever."""
    monitor = wired.monitor(overflow="block", maxsize=1)
    wired.push("rts-a", "1", "2")
    async with asyncio.timeout(20):
        while wired.hub._brake._holds:  # noqa: ASYNC110  (nothing tells of the brake's patience)
            await asyncio.sleep(0.01)
    assert [shown(await monitor.receive(0)) for _ in range(2)] == ["a1", "a2"]
    with pytest.raises(SlowConsumerError, match="rts-a"):
        await monitor.receive(0)


async def test_a_stuck_consumer_is_bounded_and_delays_nobody(wired):
    """One of a thousand readers always hangs."""
    stuck, well = wired.monitor(maxsize=4), wired.monitor()
    seen = []
    for text in numbers(50):
        await wired.send(*[scene(text, stream=stream) for stream in NAMES])
        seen += await take_all(well)
    assert len(seen) == 150
    stats = stuck.stats
    assert (stats.depth, stats.dropped, stats.high_water) == (12, 138, 4)
    assert stats.received == 150
    assert stats.lag > 0


@pytest.mark.parametrize("overflow", OVERFLOWS)
async def test_all_that_came_is_accounted_for(wired, overflow):
    """A loss that no counter shows is a loss in silence."""
    monitor = wired.monitor(maxsize=3, overflow=overflow)
    for stream, count in zip(NAMES, (10, 2, 0), strict=True):
        wired.push(stream, *numbers(count))
    taken = [item for item in await take_all(monitor) if isinstance(item, str)]
    monitor.remove("rts-b")
    stats = monitor.stats
    assert stats.received == 12 == stats.delivered + stats.dropped
    assert stats.delivered == len(taken)


async def test_what_is_put_back_is_given_again_before_the_rest(wired):
    """A consumer that is cancelled returns what it had not handled."""
    monitor = wired.monitor(control=True)
    wired.push("rts-a", "1", "2", "3")
    wired.push("rts-b", "4")
    taken = [await monitor.receive(0) for _ in range(3)]
    assert [shown(item) for item in taken] == ["a1", "b4", "a2"]
    monitor.remove("rts-b")
    change = StateChange(at=1, previous="LIVE", state="STALE", generation=1)
    monitor.put_back([*taken, change])
    assert await take_all(monitor) == ["a1", change, "a2", "a3"]
    wired.push("rts-a", "5")
    waiting = asyncio.create_task(monitor.receive())
    first = await waiting
    assert shown(first) == "a5"
    waiting = asyncio.create_task(monitor.receive())
    await anyio.wait_all_tasks_blocked()
    monitor.put_back([first])
    assert await waiting is first


async def test_closing_it_ends_its_readers_and_unsubscribes(wired):
    """Closing from a signal handler must end the loops that read."""
    monitor = wired.monitor()

    async def read():
        return [shown(item) async for item in monitor]

    reading = asyncio.create_task(read())
    await anyio.wait_all_tasks_blocked()
    wired.push("rts-a", "1")
    await anyio.wait_all_tasks_blocked()
    await monitor.aclose()
    await monitor.aclose()
    assert await reading == ["a1"]
    with pytest.raises(LinkClosedError, match="the monitor is closed"):
        await monitor.receive()
    with pytest.raises(LinkClosedError, match="the monitor is closed"):
        monitor.add("rts-z")
    monitor.remove("rts-a")
    assert len(wired.hub._fanout.inboxes) == 1
    assert monitor.stats.delivered == 1
    assert monitor.health() == {}


async def test_a_clean_shutdown_lets_the_queues_be_read(wired):
    """What has arrived is the user's, whatever happens to the socket."""
    async with wired.monitor() as monitor:
        wired.push("rts-a", "1", "2")
        wired.push("rts-b", "3")
        await wired.hub.aclose()
        assert [shown(item) async for item in monitor] == ["a1", "b3", "a2"]
        assert [item async for item in monitor] == []


async def test_break_and_forget_unsubscribes(wired):
    """Nobody closes an iterator by hand; the queues behind it must not fill for ever."""

    async def first_only():
        async for item in wired.monitor():
            return shown(item)
        return None

    reading = asyncio.create_task(first_only())
    await anyio.wait_all_tasks_blocked()
    assert len(wired.hub._fanout.inboxes) == 5
    wired.push("rts-a", "1")
    assert await reading == "a1"
    del reading
    gc.collect()
    await wired.send()
    assert len(wired.hub._fanout.inboxes) == 1
    assert wired.hub._fanout._router.targets("rts-a", "scene_index") == ()


async def test_it_may_be_collected_in_any_thread(wired):
    """The collector runs wherever memory is asked for, in worker threads too."""
    monitors = [wired.monitor() for _ in range(5)]

    def forget():
        monitors.clear()
        gc.collect()

    thread = threading.Thread(target=forget)
    thread.start()
    await asyncio.to_thread(thread.join)
    await wired.send()
    assert len(wired.hub._fanout.inboxes) == 1


async def test_an_idle_stream_takes_little_memory_and_no_task(wired):
    """Ten thousand streams are ten thousand of them."""
    monitor = wired.monitor(["rts-warm"], channels=frozenset({"scene_index", "alert"}))
    names = [f"rts-{n}" for n in range(5000)]
    for name in names:
        for channel in ("scene_index", "alert"):
            wired.hub.note_armed(
                Arm(rtstream_id=name, channel=channel, source=channel, connection_id="conn-1")
            )
    reading = asyncio.create_task(monitor.receive())
    await anyio.wait_all_tasks_blocked()
    tasks = asyncio.all_tasks()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    monitor.add(*names)
    each = (tracemalloc.get_traced_memory()[0] - before) / len(names)
    tracemalloc.stop()
    assert each <= 1.2 * 1024, each
    assert asyncio.all_tasks() == tasks
    wired.push("rts-4321", "1")
    assert shown(await reading) == "11"
    assert len(monitor.health()) == 5001


async def test_it_opens_the_link_when_it_is_first_read(server, make_hub):
    """A monitor that is made and not read needs no socket."""
    hub = make_hub()
    monitor = Wired(hub, None).monitor()
    assert {health.state for health in monitor.health().values()} == {"not_armed"}
    assert not server.urls
    reading = asyncio.create_task(monitor.receive())
    peer = await server.accept_live()
    await peer.send(scene("1", stream="rts-b"))
    assert shown(await reading) == "b1"
    assert await monitor.ready() == "conn-1"


async def test_a_monitor_says_what_it_is_for(wired):
    """A repr in a log must help, and must not be a megabyte."""
    monitor = wired.monitor(channels=frozenset({"scene_index", "alert"}))
    assert repr(monitor) == "<Monitor of 3 streams: alert, scene_index>"
    assert set(monitor.keys) == {
        (stream, channel) for stream in NAMES for channel in ("scene_index", "alert")
    }
