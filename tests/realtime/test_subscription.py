"""One subscription: reading, waiting, cancelling, overflowing, ending, being forgotten."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import tracemalloc
import weakref

import anyio
import pytest

from rtstream_async.errors import LinkClosedError, SlowConsumerError
from rtstream_async.models.announcements import Announcement, Dropped, StateChange
from rtstream_async.models.messages import SceneMessage, UnknownMessage
from rtstream_async.protocol.overflow import OVERFLOWS
from tests.realtime.test_link import live
from tests.sockets import scene

SCENES = frozenset({"scene_index"})
MARK = {"channel": "mark"}


class Wired:
    """A live hub, its server's end, and a way to know that all that was sent has arrived."""

    def __init__(self, hub, peer) -> None:
        self.hub, self.peer = hub, peer
        self.probe = hub.subscribe(streams=None, channels=frozenset({"mark"}))

    def subscribe(self, **options):
        return self.hub.subscribe(streams=None, channels=SCENES, **options)

    async def send(self, *texts: str) -> None:
        """Send scenes, and wait until the hub has dealt with them."""
        await self.peer.send(*[scene(text) for text in texts], MARK)
        await self.probe.receive(timeout=20)


@pytest.fixture
async def wired(server, make_hub):
    hub = make_hub(block_timeout=0.05)
    return Wired(hub, await live(server, hub))


def message(text: str) -> SceneMessage:
    return SceneMessage(channel="scene_index", rtstream_id="rts-1", start=1, end=2, text=text)


def numbers(count: int) -> list[str]:
    return [str(n) for n in range(count)]


async def until(condition) -> None:
    """Wait for what no event tells of: the state of the socket's own transport."""
    while not condition():  # noqa: ASYNC110  (see above)
        await asyncio.sleep(0)


async def take_all(sub) -> list[object]:
    """Return what is queued: texts, announcements, and the errors that are raised in between."""
    found: list[object] = []
    while True:
        try:
            item = await sub.receive(0)
        except TimeoutError:
            return found
        except SlowConsumerError as exc:
            found.append(exc)
        else:
            found.append(item if isinstance(item, Announcement) else item.text)


async def test_iteration_gives_messages_in_their_order(wired):
    """Order within a stream and channel is what we promise."""
    sub = wired.subscribe()
    await wired.send(*numbers(20))
    seen = []
    async for message in sub:
        seen.append(message.text)
        if len(seen) == 20:
            break
    assert seen == numbers(20)


async def test_receive_waits_no_longer_than_its_timeout(wired):
    """A loop that does other things between messages needs it."""
    sub = wired.subscribe()
    with pytest.raises(TimeoutError):
        await sub.receive(timeout=0.01)
    with pytest.raises(TimeoutError):
        await sub.receive(timeout=0)
    await wired.send("a")
    assert (await sub.receive(timeout=0)).text == "a"


async def test_a_cancelled_receive_loses_nothing(wired):
    """`asyncio.wait_for`, `select` and shutdown all cancel; a message must survive each of them."""
    sub = wired.subscribe()
    for text in numbers(10):
        waiting = asyncio.create_task(sub.receive())
        await anyio.wait_all_tasks_blocked()
        # The message and the cancellation come in the same turn of the loop.
        wired.hub._fanout.dispatch(message(text))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await take_all(sub) == [text]


async def test_a_cancelled_reader_hands_its_turn_to_the_next(wired):
    """Else the message lies there while somebody waits for it."""
    sub = wired.subscribe()
    first, second, third = (asyncio.create_task(sub.receive()) for _ in range(3))
    await anyio.wait_all_tasks_blocked()
    wired.hub._fanout.dispatch(message("a"))
    first.cancel()
    assert (await second).text == "a"
    third.cancel()
    await asyncio.gather(first, third, return_exceptions=True)
    await wired.send("b")
    assert await take_all(sub) == ["b"]


async def test_a_subscription_does_not_hold_the_task_that_waited_last(wired):
    """What a task waits with is used again, and a task holds all that it ever returned."""
    sub = wired.subscribe()
    reader = asyncio.create_task(sub.receive())
    await anyio.wait_all_tasks_blocked()
    await wired.send("one")
    assert (await reader).text == "one"
    finished = weakref.ref(reader)
    del reader
    gc.collect()
    assert finished() is None
    waiting = asyncio.create_task(sub.receive(timeout=20))
    await anyio.wait_all_tasks_blocked()
    await wired.send("two")
    assert (await waiting).text == "two"


async def test_several_tasks_share_one_subscription(wired):
    """The simplest pool of workers there is; each message must be worked on once."""
    sub = wired.subscribe()

    async def work():
        return [message.text async for message in sub]

    workers = [asyncio.create_task(work()) for _ in range(4)]
    await anyio.wait_all_tasks_blocked()
    await wired.send(*numbers(50))
    await wired.hub.aclose()
    seen = [text for worker in await asyncio.gather(*workers) for text in worker]
    assert sorted(seen, key=int) == numbers(50)


async def test_a_reader_in_another_task_ends_when_the_subscription_is_closed(wired):
    """Closing from a signal handler must end the loop that reads."""
    sub = wired.subscribe()

    async def read():
        return [message.text async for message in sub]

    reading = asyncio.create_task(read())
    await anyio.wait_all_tasks_blocked()
    await wired.send("a")
    await anyio.wait_all_tasks_blocked()
    await sub.aclose()
    await sub.aclose()
    assert await reading == ["a"]
    with pytest.raises(LinkClosedError, match="closed"):
        await sub.receive()


async def test_leaving_the_context_unsubscribes(wired):
    """What is left must not fill up behind the user's back."""
    async with wired.subscribe() as sub:
        await wired.send("a")
        assert (await sub.receive()).text == "a"
    await wired.send("b")
    assert sub.stats.received == 1
    assert len(wired.hub._fanout.inboxes) == 1


async def test_a_clean_shutdown_lets_the_queue_be_read(wired):
    """What has arrived is the user's, whatever happens to the socket."""
    sub = wired.subscribe()
    await wired.send(*numbers(5))
    await wired.hub.aclose()
    assert [message.text async for message in sub] == numbers(5)
    assert [message.text async for message in sub] == []


async def test_ready_is_the_connection_id(wired):
    """To arm something by hand, one has to know it."""
    assert await wired.subscribe().ready() == "conn-1"


async def test_break_and_forget_unsubscribes(wired):
    """Nobody closes an iterator by hand; the queue behind it must not grow for ever."""

    async def first_only():
        async for message in wired.subscribe():
            return message.text
        return None

    reading = asyncio.create_task(first_only())
    await anyio.wait_all_tasks_blocked()
    assert len(wired.hub._fanout.inboxes) == 2
    await wired.send("a")
    assert await reading == "a"
    del reading
    gc.collect()
    await wired.send("b")
    assert len(wired.hub._fanout.inboxes) == 1
    assert wired.hub._fanout._router.targets("rts-1", "scene_index") == ()


async def test_a_subscription_may_be_collected_in_any_thread(wired):
    """The collector runs wherever memory is asked for, in worker threads too."""
    subs = [wired.subscribe() for _ in range(20)]

    def forget():
        subs.clear()
        gc.collect()

    thread = threading.Thread(target=forget)
    thread.start()
    await asyncio.to_thread(thread.join)
    await wired.send("a")
    assert len(wired.hub._fanout.inboxes) == 1


async def test_drop_oldest_is_counted_and_announced_once(wired):
    """The default must not block, must not grow, and must not lie."""
    sub = wired.subscribe(maxsize=3, control=True)
    quiet = wired.subscribe(maxsize=3)
    await wired.send(*numbers(10))
    dropped, *rest = await take_all(sub)
    assert isinstance(dropped, Dropped)
    assert (dropped.count, dropped.policy) == (7, "drop_oldest")
    assert rest == ["7", "8", "9"]
    assert await take_all(quiet) == ["7", "8", "9"]
    for stats in (sub.stats, quiet.stats):
        assert (stats.received, stats.delivered, stats.dropped, stats.depth) == (10, 3, 7, 0)
        assert stats.high_water == 3
    await wired.send("a")
    assert await take_all(sub) == ["a"]


async def test_drop_newest_keeps_the_beginning(wired):
    """Who wants the first detection does not want the last."""
    sub = wired.subscribe(maxsize=3, overflow="drop_newest", control=True)
    await wired.send(*numbers(10))
    dropped, *rest = await take_all(sub)
    assert (dropped.count, dropped.policy) == (7, "drop_newest")
    assert rest == ["0", "1", "2"]


async def test_latest_is_the_latest_of_each_stream_and_channel(wired):
    """A wall of cameras shows what each sees now."""
    sub = wired.subscribe(overflow="latest")
    for n in range(3):
        await wired.peer.send(*[scene(f"{s}{n}", stream=f"rts-{s}") for s in "ab"])
    await wired.send("end")
    assert await take_all(sub) == ["a2", "b2", "end"]
    assert sub.stats.dropped == 4


async def test_latest_of_a_key_of_one_s_own(wired):
    """What counts as the same thing is the user's to say."""
    sub = wired.subscribe(overflow="latest", key=lambda message: message.text[0])
    await wired.send("a1", "b1", "a2", "c1")
    assert await take_all(sub) == ["a2", "b1", "c1"]


async def test_error_raises_where_the_hole_is_and_then_goes_on(wired):
    """Who can't bear a hole must learn of it before the message behind it."""
    sub = wired.subscribe(maxsize=2, overflow="error", control=True)
    other = wired.subscribe()
    await wired.send(*numbers(5))
    first, second, error = await take_all(sub)
    assert [first, second] == ["0", "1"]
    assert isinstance(error, SlowConsumerError)
    assert (error.maxsize, error.dropped) == (2, 3)
    await wired.send("after")
    assert await take_all(sub) == ["after"]
    assert await take_all(other) == [*numbers(5), "after"]


async def test_block_loses_nothing_if_the_consumer_comes_in_time(server, make_hub):
    """It is for who would rather be late than miss something."""
    wired = Wired(hub := make_hub(block_timeout=60), await live(server, hub))
    sub = wired.subscribe(maxsize=4, overflow="block")
    sending = asyncio.create_task(wired.send(*numbers(3000)))
    seen = []
    while len(seen) < 3000:
        seen.append((await sub.receive(timeout=20)).text)
        if len(seen) % 100 == 0:
            await asyncio.sleep(0)
    await sending
    assert seen == numbers(3000)
    assert sub.stats.dropped == 0
    assert not hub._brake._holds


async def test_block_stops_the_socket_and_not_for_ever(wired):
    """Pings stall with it; one stuck consumer would cost everybody the connection."""
    sub = wired.subscribe(maxsize=2, overflow="block")
    other = wired.subscribe()
    await wired.peer.send(*[scene(text) for text in numbers(4)])
    await until(lambda: other.stats.received and not wired.hub._link._is_paused)
    # The patience is over, nobody has read, and the others go on.
    await wired.send("later")
    assert await take_all(other) == [*numbers(4), "later"]
    *kept, error = await take_all(sub)
    assert kept == numbers(4)
    assert isinstance(error, SlowConsumerError)
    await wired.send("after")
    assert await take_all(sub) == ["after"]


async def test_a_blocking_reader_that_goes_away_lets_the_others_read(server, make_hub):
    """A crashed handler must not hold the socket until its patience is over."""
    wired = Wired(hub := make_hub(block_timeout=60), await live(server, hub))
    sub = wired.subscribe(maxsize=1, overflow="block")
    other = wired.subscribe()
    await wired.peer.send(scene("a"), scene("b"))
    await until(lambda: wired.hub._link._is_paused)
    await sub.aclose()
    await wired.send("c")
    assert await take_all(other) == ["a", "b", "c"]


async def test_a_new_socket_is_stopped_too(server, make_hub):
    """A reconnect must not be a way around the bound."""
    wired = Wired(hub := make_hub(block_timeout=60), await live(server, hub))
    sub = wired.subscribe(maxsize=1, overflow="block")
    await wired.peer.send(scene("a"), scene("b"))
    await until(lambda: hub._link._is_paused)
    hub.force_reconnect()
    again = await server.accept_live("conn-2")
    async with asyncio.timeout(20):
        while await hub.connection_id() != "conn-2":
            await hub._link.changed()
        await until(lambda: hub._link._socket is not None)
    assert not hub._link._socket._connection.transport.is_reading()
    await again.send(scene("c"))
    assert [(await sub.receive(timeout=20)).text for _ in range(3)] == ["a", "b", "c"]


@pytest.mark.parametrize("overflow", OVERFLOWS)
async def test_a_stuck_consumer_hurts_nobody_else(wired, overflow):
    """One stuck handler among a thousand must not be everybody's."""
    stuck = wired.subscribe(maxsize=2, overflow=overflow, control=True)
    others = [wired.subscribe() for _ in range(10)]
    await wired.send(*numbers(100))
    assert stuck.stats.depth <= 100
    for other in others:
        assert await take_all(other) == numbers(100)


async def test_where_is_asked_and_its_error_is_its_consumer_s(wired):
    """A bug in one filter must not end the socket of all."""

    def picky(message):
        if message.text == "bad":
            raise ZeroDivisionError(message.text)
        return message.text != "no"

    sub = wired.subscribe(where=picky)
    other = wired.subscribe()
    await wired.send("a", "no", "bad", "b")
    assert (await sub.receive(0)).text == "a"
    with pytest.raises(ZeroDivisionError, match="bad"):
        await sub.receive(0)
    assert await take_all(sub) == ["b"]
    assert await take_all(other) == ["a", "no", "bad", "b"]
    assert sub.stats.received == 2


async def test_a_key_s_error_is_its_consumer_s_too(wired):
    """The same for the function that says what `latest` is the latest of."""
    sub = wired.subscribe(overflow="latest", key=lambda message: 1 // len(message.text))
    await wired.send("", "a")
    with pytest.raises(ZeroDivisionError):
        await sub.receive(0)
    assert await take_all(sub) == ["a"]


async def test_what_is_not_wanted_wakes_nobody(wired):
    """With a thousand filters, each message would wake a thousand tasks for nothing."""
    sub = wired.subscribe(where=lambda message: message.text == "yes")
    reading = asyncio.create_task(sub.receive())
    await anyio.wait_all_tasks_blocked()
    waiter = sub._inbox.waiter
    await wired.send("no", "no")
    assert sub._inbox.waiter is waiter
    await wired.send("yes")
    assert (await reading).text == "yes"


async def test_a_waiting_reader_is_woken_once_for_many_messages(wired):
    """Wake-ups are half of the cost of a message; a burst must need one."""
    sub = wired.subscribe()
    woken = 0

    async def read():
        nonlocal woken
        while len(seen) < 100:
            before = sub.stats.depth
            seen.append((await sub.receive()).text)
            woken += before == 0

    seen: list[str] = []
    reading = asyncio.create_task(read())
    await anyio.wait_all_tasks_blocked()
    for text in numbers(100):
        wired.hub._fanout.dispatch(message(text))
    await reading
    assert seen == numbers(100)
    assert woken == 1


async def test_announcements_stand_among_the_messages_and_only_on_request(wired, server):
    """A gap is told where it is: behind the last message before it."""
    sub = wired.subscribe(control=True)
    plain = wired.subscribe()
    await wired.send("a")
    wired.peer.cut()
    again = await server.accept_live("conn-2")
    await again.send(scene("b"), MARK)
    await wired.probe.receive(timeout=20)
    items = await take_all(sub)
    assert items[0] == "a"
    assert items[-1] == "b"
    assert isinstance(items[1], StateChange)
    assert all(isinstance(item, Announcement) for item in items[1:-1])
    assert await take_all(plain) == ["a", "b"]
    assert plain.stats.gaps == sub.stats.gaps == 1


async def test_too_many_announcements_are_counted_too(wired):
    """A link that flaps all night, and a reader that sleeps: what is lost must still be told."""
    sub = wired.subscribe(control=True)
    for _ in range(300):
        wired.hub._fanout.announce(Announcement(at=1.0))
    first, *rest = await take_all(sub)
    assert (first.count, first.policy) == (44, "drop_oldest")
    assert len(rest) == 256
    assert sub.stats.dropped == 0


async def test_lag_is_the_age_of_the_oldest_unread_message(wired):
    """It is what an operator looks at first."""
    sub = wired.subscribe()
    assert sub.stats.lag == 0
    await wired.send("a", "b")
    first = sub._inbox.oldest
    assert first.text == "a"
    assert 0 <= sub.stats.lag <= time.time() - first.received_at
    assert sub.stats.depth == 2
    await take_all(sub)
    assert sub.stats.lag == 0


async def test_an_idle_subscription_takes_less_than_a_kibibyte(wired):
    """Ten thousand streams are ten thousand of them."""
    streams = [frozenset({f"rts-{n}"}) for n in range(2000)]
    wired.hub.subscribe(streams=frozenset({"warm"}), channels=SCENES)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    subs = [wired.hub.subscribe(streams=one, channels=SCENES) for one in streams]
    each = (tracemalloc.get_traced_memory()[0] - before) / len(subs)
    tracemalloc.stop()
    assert each <= 1024, each


async def test_a_subscription_says_what_it_is_for(wired):
    """A repr in a log must help, and must have no secret."""
    sub = wired.hub.subscribe(streams=frozenset({"rts-1"}), channels=SCENES)
    assert repr(sub) == "<Subscription rts-1/scene_index>"
    assert repr(wired.hub.subscribe(streams=None, channels=None)) == "<Subscription */*>"


async def test_an_odd_frame_can_be_read_by_its_reason(wired):
    """What is lost in translation is still there, and says why."""
    sub = wired.hub.subscribe(streams=None, channels=None)
    await wired.peer.send("{")
    odd = await sub.receive(timeout=20)
    assert isinstance(odd, UnknownMessage)
    assert (odd.reason, odd.raw) == ("not JSON", "{")
