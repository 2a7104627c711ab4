"""`follow=True`: history, then live, over a whole local server."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import asynccontextmanager

import pytest

import rtstream_async as rts
from rtstream_async.local.domain.chaos import RestFault
from rtstream_async.models.records import IndexRecord
from rtstream_async.models.understandings import StreamIndexRecord, UnderstandingRecord
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.resources.understanding import RTStreamIndex, RTStreamUnderstanding
from tests.client.scripted import scripted_service

PATIENCE = 30.0  # seconds until something that should happen counts as not happening
NEVER = 3600.0  # seconds: what is not pushed is not seen in a test
T0 = time.time() - 10_000.0
WINDOW = {"type": "time", "value": 2, "frame_count": 1}


@pytest.fixture
def realtime():
    """Look often: nothing here waits for the time of day."""
    return HubSettings(poll_interval=0.02, poll_idle_interval=0.02)


@pytest.fixture
async def conn(server, realtime):
    """A connection that looks often."""
    async with rts.connect(
        server.api_key, base_url=server.url, realtime=realtime, retries=0
    ) as connection:
        yield connection


@pytest.fixture
async def index(door):
    """An index that only the test feeds, and that pushes to nobody."""
    return await door.index_visuals(
        prompt="Who?", batch_config=WINDOW, name="who", ws_connection_id=None
    )


@pytest.fixture
def see(server, index):
    """Return what has an index see something; two seconds each, by number."""

    async def add(number, text=None, *, of=index, late=0.0):
        start = T0 + 2 * number - late
        await server.control.add_scene(
            of.rtstream_id,
            text or f"{number}",
            start=start,
            end=start + 2,
            index_id=of.rtstream_index_id,
        )

    return add


async def take(reader, count):
    """Return the words of the next records."""
    async with asyncio.timeout(PATIENCE):
        return [(await anext(reader)).text for _ in range(count)]


async def nothing_more(reader):
    """Check that what was given is all, after several looks."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await anext(reader)


def numbers(*bounds):
    return [f"{number}" for number in range(*bounds)]


async def test_history_comes_first_and_then_what_is_seen(index, see):
    """A report of the day that goes on by itself: nothing lost or repeated at the seam."""
    for number in range(60):
        await see(number)
    reader = aiter(index.get_scenes(follow=True, page_size=7))
    assert await take(reader, 60) == numbers(60)
    for number in range(60, 70):
        await see(number)
    # By their own times they are old, so some may lie in a window that was read before: late ones.
    assert sorted(await take(reader, 10), key=int) == numbers(60, 70)
    await nothing_more(reader)


async def test_what_comes_while_history_is_read_is_in_its_place(index, see):
    """The door does not stay shut while somebody reads who came yesterday."""
    for number in range(40):
        await see(number)
    reader, read, coming = (
        aiter(index.get_scenes(follow=True, page_size=5)),
        [],
        iter(range(40, 60)),
    )
    while len(read) < 60:
        read += await take(reader, 1)
        if (number := next(coming, None)) is not None:
            await see(number)
    assert read == numbers(60)
    await nothing_more(reader)


async def test_late_and_equal_records_are_each_given(index, see):
    """A slow description is of the moment that mattered, and two who look alike are two."""
    for number in range(20):
        await see(number)
    reader = aiter(index.get_scenes(follow=True, page_size=4))
    assert await take(reader, 20) == numbers(20)
    await see(20)
    assert await take(reader, 1) == ["20"]
    await see(20, "late", late=30.5)
    assert await take(reader, 1) == ["late"]
    await see(21, "same")
    await see(21, "same")
    assert await take(reader, 2) == ["same", "same"]
    await see(21, "same")
    assert await take(reader, 1) == ["same"]
    await nothing_more(reader)


async def test_the_records_of_one_index_alone_are_given(door, index, see):
    """Two indexes on one stream may say the same of the same time."""
    other = await door.index_visuals(prompt="What?", batch_config=WINDOW, name="what")
    readers = [aiter(one.get_scenes(follow=True, page_size=4)) for one in (index, other)]
    for number in range(10):
        await see(number)
        await see(number, of=other)
    await see(10, "only here")
    assert await take(readers[0], 11) == [*numbers(10), "only here"]
    assert await take(readers[1], 10) == numbers(10)
    for reader in readers:
        await nothing_more(reader)


async def test_it_begins_where_it_is_told_to(index, see):
    """Who follows since breakfast does not want the night."""
    for number in range(30):
        await see(number)
    reader = aiter(index.get_scenes(T0 + 41, follow=True, page_size=4))
    assert await take(reader, 10) == numbers(20, 30)


async def test_an_index_without_history_is_waited_for(index, see):
    """A program may start before there is anything to read."""
    reader = aiter(index.get_scenes(follow=True))
    await nothing_more(reader)
    await see(0)
    assert await take(reader, 1) == ["0"]


async def test_a_transcript_is_followed(server, door):
    """Its list is oldest first."""
    for number in range(30):
        await server.control.add_utterance(door.id, f"{number}", T0 + number, T0 + number + 1)
    reader = aiter(door.get_transcript(follow=True, page_size=4))
    assert await take(reader, 30) == numbers(30)
    await server.control.add_utterance(door.id, "30", T0 + 30, T0 + 31)
    assert await take(reader, 1) == ["30"]
    await nothing_more(reader)


@pytest.mark.parametrize("kind", ["understanding", "index"])
async def test_records_of_understandings_are_followed(kind, realtime):
    """`get_records` is to understandings what `get_scenes` is to indexes."""
    records = [{"start": n, "end": n + 1, "text": f"{n}"} for n in range(3)]

    async with scripted_service(realtime=realtime) as service:
        path = {"understanding": "understand/u-1", "index": "indexes/u-1"}[kind]
        service.says(
            f"GET /rtstream/rts-1/{path}/records",
            lambda _: {"records": records[::-1], "next_page": False},
        )
        context = service.conn._context
        if kind == "understanding":
            record = UnderstandingRecord(id="u-1", rtstream_id="rts-1")
            reader = aiter(RTStreamUnderstanding(context, record).get_records(follow=True))
        else:
            record = StreamIndexRecord(id="u-1", rtstream_id="rts-1")
            reader = aiter(RTStreamIndex(context, record).get_records(follow=True))
        assert await take(reader, 3) == numbers(3)
        records.append({"start": 3, "end": 4, "text": "3"})
        assert await take(reader, 1) == ["3"]
        await nothing_more(reader)


@asynccontextmanager
async def pushed_index(server, **settings):
    """An index that pushes to a connection which looks for nothing by itself."""
    realtime = HubSettings(**{"poll_interval": NEVER, "poll_idle_interval": NEVER, **settings})
    async with rts.connect(server.api_key, base_url=server.url, realtime=realtime) as conn:
        door = await (await conn.get_collection()).connect_rtstream("scripted://hall", "Hall")
        yield await door.index_visuals(prompt="Who?", batch_config=WINDOW), conn


async def test_a_push_says_that_it_is_time_to_look(server, see):
    """Live is live: not within seconds, but at once."""
    async with pushed_index(server) as (index, _):
        reader = aiter(index.get_scenes(follow=True))
        waiting = asyncio.create_task(take(reader, 1))
        await asyncio.sleep(0)
        await see(0, of=index)
        assert await waiting == ["0"]
        for number in range(1, 6):
            await see(number, of=index)
            assert await take(reader, 1) == [f"{number}"]


async def test_a_socket_that_is_opened_later_says_it_too(server, index, see):
    """The first index may be made while another one is followed."""
    realtime = HubSettings(poll_interval=NEVER, poll_idle_interval=NEVER)
    async with rts.connect(server.api_key, base_url=server.url, realtime=realtime) as conn:
        door = await (await conn.get_collection()).get_rtstream(index.rtstream_id)
        followed = await door.get_scene_index(index.rtstream_index_id)
        await see(0)
        reader = aiter(followed.get_scenes(follow=True))
        assert await take(reader, 1) == ["0"]
        other = await door.index_visuals(prompt="What?", batch_config=WINDOW)
        await see(1)
        await see(1, of=other)
        assert await take(reader, 1) == ["1"]


async def test_a_record_that_rest_shows_late_is_looked_for_again(server, see):
    """The push may be faster than the list."""
    async with pushed_index(server) as (index, _):
        reader = aiter(index.get_scenes(follow=True))
        waiting = asyncio.create_task(take(reader, 1))
        await server.chaos.set(history_lag=0.5)
        await see(0, of=index)
        assert await waiting == ["0"]


async def test_what_is_pushed_early_is_kept_for_events(server, see):
    """To follow a list is not to read a channel."""
    async with pushed_index(server) as (index, conn):
        reader = aiter(index.get_scenes(follow=True))
        await see(0, of=index)
        assert await take(reader, 1) == ["0"]
        events = conn.events("scene_index")
        assert (await events.receive(timeout=PATIENCE)).text == "0"


@pytest.mark.parametrize(
    "fault",
    [{"status": 503}, {"status": 429, "retry_after": 0}, {"status": 500}, {"reset": True}],
    ids=lambda fault: f"{fault.get('status', 'reset')}",
)
async def test_a_service_that_is_ill_does_not_end_it(server, index, see, fault, monkeypatch):
    """Whoever watches a door for a year sees all of that."""
    monkeypatch.setattr("rtstream_async.realtime.follow._FIRST_RETRY", 0.01)
    for number in range(20):
        await see(number)
    reader = aiter(index.get_scenes(follow=True, page_size=4))
    read = await take(reader, 6)
    await server.chaos.set(rest=(RestFault(path="*/index/scene/*", times=4, **fault),))
    read += await take(reader, 14)
    await see(20)
    assert read + await take(reader, 1) == numbers(21)
    assert set(server.chaos.counts.rest.values()) == {4}


async def test_after_the_outage_budget_the_error_is_raised(server, index, see, monkeypatch):
    """A service that is gone must not be waited for in silence; the next call goes on."""
    monkeypatch.setattr("rtstream_async.realtime.follow._FIRST_RETRY", 0.01)
    realtime = HubSettings(poll_interval=0.02, poll_idle_interval=0.02, outage_budget=0.2)
    async with rts.connect(
        server.api_key, base_url=server.url, realtime=realtime, retries=0
    ) as conn:
        door = await (await conn.get_collection()).get_rtstream(index.rtstream_id)
        followed = await door.get_scene_index(index.rtstream_index_id)
        await see(0)
        reader = aiter(followed.get_scenes(follow=True))
        assert await take(reader, 1) == ["0"]
        await server.chaos.set(rest=(RestFault(path="*/index/scene/*", status=503),))
        with pytest.raises(rts.ServerError):
            await take(reader, 1)
        await server.chaos.off()
        await see(1)
        assert await take(reader, 1) == ["1"]


async def test_what_will_not_get_better_is_raised_at_once(server, door, see):
    """An index that is not there will not be there in a quarter of an hour."""
    missing = await door.index_visuals(prompt="Who?", batch_config=WINDOW, ws_connection_id=None)
    missing._record = IndexRecord(
        rtstream_index_id="no-such-index", rtstream_id=missing.rtstream_id
    )
    with pytest.raises(rts.NotFoundError):
        await take(aiter(missing.get_scenes(follow=True)), 1)


async def test_a_cancelled_wait_loses_nothing(index, see):
    """`wait_for(anext(reader), 1)` in a loop is how many programs look around."""
    for number in range(30):
        await see(number)
    reader, read = aiter(index.get_scenes(follow=True, page_size=3)), []
    while len(read) < 30:
        try:
            async with asyncio.timeout(0.05):
                read.append((await anext(reader)).text)
        except TimeoutError:
            continue
    assert read == numbers(30)
    await nothing_more(reader)


async def test_closing_the_connection_ends_the_iteration(server, index, see):
    """As it does with `events()`: what was read is still given."""
    async with rts.connect(server.api_key, base_url=server.url) as conn:
        door = await (await conn.get_collection()).get_rtstream(index.rtstream_id)
        followed = await door.get_scene_index(index.rtstream_index_id)
        for number in range(3):
            await see(number)
        reader = aiter(followed.get_scenes(follow=True))
        assert await take(reader, 1) == ["0"]
        late = aiter(followed.get_scenes(follow=True))
        assert await take(late, 3) == numbers(3)
        waiting = asyncio.create_task(anext(late, None))
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        assert await waiting is None
        assert [scene.text async for scene in reader] == ["1", "2"]
        with pytest.raises(rts.ConnectionClosedError):
            await anext(aiter(followed.get_scenes(follow=True)))


async def test_leaving_the_loop_leaves_nothing_behind(server, see):
    """A web application follows and leaves for each visitor."""
    async with pushed_index(server) as (index, conn):
        await see(0, of=index)
        before = asyncio.all_tasks()
        async for _ in index.get_scenes(follow=True):
            break
        async with index.get_scenes(follow=True) as scenes:
            async for _ in scenes:
                break
        gc.collect()
        listeners = conn._context.hub._fanout.listeners.by_key
        assert not any(listeners.values())
        assert not conn._context._follows
        assert asyncio.all_tasks() == before


async def test_a_list_that_is_closed_is_at_its_end(index, see):
    """Its loop may be in another task."""
    await see(0)
    scenes = index.get_scenes(follow=True)
    reader = aiter(scenes)
    assert await take(reader, 1) == ["0"]
    waiting = asyncio.create_task(anext(reader, None))
    await asyncio.sleep(0)
    await scenes.aclose()
    async with asyncio.timeout(PATIENCE):
        assert await waiting is None


@pytest.mark.parametrize(
    "argument", [{"end": T0}, {"page": 2}, {"page_size": 0}, {"start": "x"}, {"prefetch": -1}]
)
async def test_what_makes_no_sense_with_it_is_refused(index, argument):
    """Whoever gives `end` expects an end."""
    with pytest.raises(rts.InvalidArgumentError) as caught:
        index.get_scenes(follow=True, **argument)
    assert caught.value.argument in argument


async def test_since_is_refused_too(door):
    """There is one word for where it begins."""
    with pytest.raises(rts.InvalidArgumentError, match="start"):
        door.get_transcript(since=T0, follow=True)


async def test_it_has_no_one_page(index):
    """`await` gives a page, and here is no end of pages."""
    with pytest.raises(rts.InvalidArgumentError, match="async for"):
        await index.get_scenes(follow=True)


async def test_pages_are_asked_for_ahead(index, see):
    """A reader that works on each record need not wait for the link in between."""
    for number in range(25):
        await see(number)
    for prefetch in (0, 1, 4):
        read = [s.text async for s in index.get_scenes(page_size=4, prefetch=prefetch)]
        assert read == numbers(24, -1, -1)
