"""`consume()` without a network: order, bounds, failures, cancellation, what is committed."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict, deque

import attrs
import pytest

import rtstream_async as rts
from rtstream_async.realtime import consume, consumer

NOW = 1_700_000_000.0


def scene(number, stream="rts-1", **fields):
    return rts.SceneMessage(
        channel="scene_index",
        rtstream_id=stream,
        **{"start": NOW + number - 1, "end": NOW + number, "text": str(number), **fields},
    )


class Source:
    """A source that ends when it is told to, and takes back what was not handled."""

    def __init__(self, messages=(), *, ends=True):
        self.queue = deque(messages)
        self.ends = ends
        self.news = asyncio.Event()
        self.given = 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        while not self.queue:
            if self.ends:
                raise StopAsyncIteration
            self.news.clear()
            await self.news.wait()
        self.given += 1
        item = self.queue.popleft()
        if isinstance(item, Exception):
            raise item
        return item

    def put_back(self, messages):
        self.given -= len(messages)
        self.queue.extendleft(reversed(messages))


@pytest.fixture
async def conn():
    """A connection that is never used to connect; nothing may be left of it."""
    before = asyncio.all_tasks()
    async with rts.connect("sk-none", base_url="http://127.0.0.1:9") as connection:
        yield connection
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Take the lowest jitter: the delays themselves are the pure policy's tests."""
    monkeypatch.setattr(consumer.random, "random", lambda: 0.0)


def committed(checkpoint):
    """Return what is in a checkpoint, as the ends of records."""
    return sorted(
        round(one.end - NOW, 3)
        for position in checkpoint.positions.values()
        for one in position.handled
        for _ in range(one.count)
    )


@pytest.mark.parametrize("seed", range(5))
async def test_messages_of_a_key_are_handled_in_order(conn, seed):
    """A state machine per camera that gets its second event first is wrong for good."""
    chance = random.Random(seed)
    messages = [scene(n, f"rts-{chance.randrange(4)}") for n in range(120)]
    seen, running = defaultdict(list), set()

    async def handler(message):
        assert message.rtstream_id not in running
        running.add(message.rtstream_id)
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        running.remove(message.rtstream_id)
        seen[message.rtstream_id].append(message)

    counts = await conn.consume(Source(messages), handler, concurrency=3)
    assert counts == rts.Consumed(handled=120)
    for stream, got in seen.items():
        assert got == [message for message in messages if message.rtstream_id == stream]


async def test_as_many_run_at_the_same_time_as_were_asked_for(conn):
    """Fewer waste time; more break whatever the handler calls."""
    running, most = 0, 0
    release = asyncio.Event()

    async def handler(_):
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 5:
            release.set()
        await release.wait()
        running -= 1

    await conn.consume(Source(scene(n, f"rts-{n}") for n in range(40)), handler, concurrency=5)
    assert most == 5


async def test_no_more_is_taken_than_the_lookahead(conn):
    """Behind it the source's own policy must see that nobody keeps up."""
    source = Source(scene(n) for n in range(1000))
    release = asyncio.Event()

    async def handler(_):
        await release.wait()

    task = asyncio.create_task(conn.consume(source, handler, lookahead=20))
    for _ in range(200):
        await asyncio.sleep(0)
    assert source.given == 21  # one waits for room
    release.set()
    assert (await task).handled == 1000


async def test_the_key_is_the_users_choice(conn):
    """By default a stream is in order; two channels of it need not be."""
    first = asyncio.Event()

    async def handler(message):
        if message.channel == "scene_index":
            await first.wait()
        first.set()

    messages = [scene(1), rts.AlertMessage(channel="alert", rtstream_id="rts-1")]
    await conn.consume(Source(messages), handler, key=rts.by_stream_and_channel)
    assert rts.by_stream(messages[1]) == "rts-1"
    assert rts.by_stream(rts.CaptureMessage(channel="capture_session", session_id="c-1")) == "c-1"
    gap = rts.Gap(at=NOW, since=NOW, cause="", rtstream_id="rts-2")
    assert (rts.by_stream(gap), rts.by_stream_and_channel("x")) == ("rts-2", (None, None))


async def test_a_handler_that_raises_is_called_again(conn):
    """Most failures are somebody else's database for a moment."""
    calls = []

    async def handler(message):
        calls.append(message.text)
        if message.text == "1" and calls.count("1") < 3:
            raise OSError("no route")

    counts = await conn.consume(Source([scene(1), scene(2)]), handler)
    assert calls == ["1", "1", "1", "2"]
    assert counts == rts.Consumed(handled=2, retries=2)


async def test_a_message_that_waits_for_its_next_attempt_stops_no_other_key(conn, monkeypatch):
    """One camera's poisoned message must not silence all."""
    monkeypatch.setattr(consumer.random, "random", lambda: 1.0)
    done = asyncio.Event()
    tried = []

    async def handler(message):
        tried.append(message.rtstream_id)
        if message.rtstream_id == "bad":
            raise OSError
        done.set()

    policy = rts.RetryPolicy(attempts=3, base=1000.0, cap=1000.0, deadline=1e6)
    source = Source([scene(1, "bad"), scene(2, "good")])
    task = asyncio.create_task(conn.consume(source, handler, concurrency=1, retries=policy))
    await done.wait()
    await cancelled(task)
    assert tried == ["bad", "good"]
    assert [message.rtstream_id for message in source.queue] == ["bad"]


async def test_what_fails_for_good_goes_to_dead_letter(conn):
    """It counts as handled: the stream goes on behind it."""
    dead, seen = [], []
    checkpoint = rts.MemoryCheckpoint()

    async def handler(message):
        if message.text == "2":
            raise ValueError("no")
        seen.append(message.text)

    async def dead_letter(message, error):
        dead.append((message.text, str(error)))

    counts = await conn.consume(
        Source(scene(n) for n in range(1, 4)),
        handler,
        retries=1,
        dead_letter=dead_letter,
        checkpoint=checkpoint,
    )
    assert (dead, seen) == ([("2", "no")], ["1", "3"])
    assert counts == rts.Consumed(handled=2, dead=1, retries=1)
    assert committed(checkpoint) == [1, 2, 3]


async def test_without_dead_letter_it_ends_and_nothing_later_of_that_key_is_committed(conn):
    """Who starts it again gets the failing message first, and the rest in order."""
    checkpoint = rts.MemoryCheckpoint()
    other = asyncio.Event()
    seen = []

    async def handler(message):
        if message.rtstream_id == "bad" and message.text == "2":
            await other.wait()
            raise ValueError("no")
        seen.append(message.text)
        if message.rtstream_id == "good":
            other.set()

    source = Source([*(scene(n, "bad") for n in (1, 2, 3, 4)), scene(5, "good")], ends=False)
    with pytest.raises(
        rts.HandlerError, match=r"failed once on a SceneMessage of 'bad'.*no"
    ) as info:
        await conn.consume(source, handler, retries=0, checkpoint=checkpoint)
    assert (info.value.item.text, info.value.key, info.value.attempts) == ("2", "bad", 1)
    assert isinstance(info.value.__cause__, ValueError)
    assert seen == ["1", "5"]
    assert committed(checkpoint) == [1, 5]
    assert [message.text for message in source.queue] == ["2", "3", "4"]


async def test_a_dead_letter_that_fails_ends_it(conn):
    """Else the message would be nowhere."""

    async def handler(_):
        raise ValueError("first")

    async def dead_letter(_, __):
        raise OSError("disk full")

    with pytest.raises(rts.HandlerError, match="OSError: disk full"):
        await conn.consume(Source([scene(1)]), handler, retries=0, dead_letter=dead_letter)


async def test_a_handler_that_waited_for_something_cancelled_has_failed(conn):
    """Nobody cancelled `consume()`: it must neither hang nor end as if somebody had."""

    async def handler(_):
        waited = asyncio.get_running_loop().create_future()
        waited.cancel()
        await waited

    with pytest.raises(rts.HandlerError, match="was cancelled"):
        await conn.consume(Source([scene(1)]), handler, retries=1)


async def test_an_error_of_the_source_is_raised_as_it_is(conn):
    """What was done before it is committed."""
    checkpoint = rts.MemoryCheckpoint()
    done = asyncio.Event()

    class Failing(Source):
        async def __anext__(self):
            if not self.queue:
                await done.wait()
                raise rts.SlowConsumerError(maxsize=1, dropped=1)
            return await super().__anext__()

    async def handler(_):
        done.set()

    with pytest.raises(rts.SlowConsumerError):
        await conn.consume(Failing([scene(1)]), handler, checkpoint=checkpoint)
    assert committed(checkpoint) == [1]


async def test_a_key_function_that_fails_ends_it_and_loses_nothing(conn):
    """It is the user's own code; its error is raised as it is."""
    source = Source([scene(1)])
    with pytest.raises(ZeroDivisionError):
        await conn.consume(source, ignore, key=lambda _: 1 / 0)
    assert len(source.queue) == 1


async def ignore(_):
    """Handle anything."""


async def cancelled(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("kind", ["memory", "none"])
async def test_cancelled_at_any_await_it_loses_nothing_and_leaves_nothing(conn, kind):
    """Ctrl-C comes at any moment, and the next run goes on where this one was."""
    everything = [scene(n, f"rts-{n % 3}") for n in range(12)]
    for steps in range(70):
        before = asyncio.all_tasks()
        checkpoint = rts.MemoryCheckpoint() if kind == "memory" else None
        source, done = Source(everything, ends=False), []

        async def handler(message, done=done):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            done.append(message)

        task = asyncio.create_task(
            conn.consume(source, handler, checkpoint=checkpoint, concurrency=2, commit_every=0)
        )
        for _ in range(steps):
            await asyncio.sleep(0)
        await cancelled(task)
        assert asyncio.all_tasks() == before
        left = list(source.queue)
        assert sorted(m.end for m in [*done, *left]) == [m.end for m in everything]
        assert left == sorted(left, key=lambda m: m.end)
        if checkpoint is not None:
            assert committed(checkpoint) == sorted(m.end - NOW for m in done)
            await checkpoint.load()  # it was let go of
        if len(done) == len(everything):
            return
    pytest.fail("it never came to its end")


async def test_a_second_run_skips_what_the_first_committed(conn):
    """A list of messages that is read again from its beginning, say."""
    checkpoint, seen = rts.MemoryCheckpoint(), []

    async def handler(message):
        seen.append(message.text)

    await conn.consume(Source([scene(1), scene(2)]), handler, checkpoint=checkpoint)
    counts = await conn.consume(
        Source([scene(1), scene(2), scene(3), scene(3)]), handler, checkpoint=checkpoint
    )
    assert seen == ["1", "2", "3", "3"]
    assert counts == rts.Consumed(handled=2, repeats=2)


async def test_what_has_no_history_passes_through(conn):
    """Alerts, partial transcripts, announcements: no cursor can be kept of them."""
    checkpoint, seen = rts.MemoryCheckpoint(), []

    async def handler(message):
        seen.append(message)

    partial = rts.TranscriptMessage(
        channel="transcript", rtstream_id="rts-1", start=NOW, end=NOW + 1, is_final=False
    )
    messages = [
        rts.AlertMessage(channel="alert", rtstream_id="rts-1", start=NOW, end=NOW + 1),
        partial,
        partial,
        rts.Gap(at=NOW, since=NOW, cause="a test"),
    ]
    await conn.consume(Source(messages), handler, checkpoint=checkpoint)
    assert sorted(map(repr, seen)) == sorted(map(repr, messages))
    assert checkpoint.positions == {}


class Recording(rts.MemoryCheckpoint):
    """A checkpoint of the user's own."""

    def __init__(self, *, fails=False, hangs=False):
        super().__init__()
        self.commits = 0
        self.fails, self.hangs = fails, hangs

    async def commit(self, progress):
        self.commits += 1
        if self.fails:
            raise OSError("no such table")
        if self.hangs:
            await asyncio.Event().wait()
        await super().commit(progress)


async def test_an_error_of_the_checkpoint_ends_it_and_nothing_more_is_committed(conn):
    """What became of that commit is not known; to build on it could skip something."""
    checkpoint = Recording(fails=True)
    source = Source([scene(1)], ends=False)
    with pytest.raises(OSError, match="no such table"):
        await conn.consume(source, ignore, checkpoint=checkpoint, commit_every=0)
    assert checkpoint.commits == 1
    await checkpoint.load()


async def test_a_checkpoint_that_hangs_does_not_keep_anybody_from_ending(conn, monkeypatch, caplog):
    """The database is gone, and somebody presses Ctrl-C."""
    monkeypatch.setattr(consumer, "_GOODBYE", 0.01)
    checkpoint = Recording(hangs=True)
    task = asyncio.create_task(
        conn.consume(Source([scene(1)], ends=False), ignore, checkpoint=checkpoint)
    )
    await asyncio.sleep(0)
    await cancelled(task)
    task = asyncio.create_task(
        conn.consume(Source([scene(1)]), ignore, checkpoint=Recording(hangs=True))
    )
    await task
    assert "did not take the last commit" in caplog.text


async def test_many_messages_are_committed_together(conn):
    """A commit is a write to the disk."""
    checkpoint = Recording()
    await conn.consume(Source(scene(n) for n in range(500)), ignore, checkpoint=checkpoint)
    assert checkpoint.commits < 50
    assert committed(checkpoint)[-1] == 499


async def test_what_is_older_than_the_overlap_is_forgotten(conn):
    """A checkpoint must not grow for ever."""
    checkpoint = rts.MemoryCheckpoint()
    await conn.consume(
        Source(scene(n) for n in range(500)), ignore, checkpoint=checkpoint, overlap=20
    )
    (position,) = checkpoint.positions.values()
    assert position.since == NOW + 479
    assert committed(checkpoint) == [*range(480, 500)]


async def test_one_checkpoint_serves_one_consumer(conn):
    """Two would overwrite each other's positions."""
    checkpoint = rts.MemoryCheckpoint()
    task = asyncio.create_task(conn.consume(Source(ends=False), ignore, checkpoint=checkpoint))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(rts.CheckpointInUseError):
        await conn.consume(Source([scene(1)]), ignore, checkpoint=checkpoint)
    await cancelled(task)
    assert (await conn.consume(Source([scene(1)]), ignore, checkpoint=checkpoint)).handled == 1


def plain(_):
    """Block."""


class Callable:
    async def __call__(self, _):
        """Be an object that is as good as a function."""


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("source", {"source": [1, 2]}),
        ("handler", {"handler": plain}),
        ("handler", {"handler": None}),
        ("dead_letter", {"dead_letter": plain}),
        ("concurrency", {"concurrency": 0}),
        ("concurrency", {"concurrency": True}),
        ("lookahead", {"lookahead": 0}),
        ("key", {"key": "rtstream_id"}),
        ("checkpoint", {"checkpoint": "cursor.db"}),
        ("retries", {"retries": -1}),
        ("since", {"since": 1.0}),
        ("since", {"since": "now", "checkpoint": rts.MemoryCheckpoint()}),
        ("overlap", {"overlap": -1}),
        ("overlap", {"overlap": float("inf")}),
        ("commit_every", {"commit_every": True}),
        ("commit_every", {"commit_every": "1"}),
    ],
)
async def test_a_bad_argument_is_refused_before_anything_is_taken(conn, argument, change):
    """A typing error must not cost a message."""
    source = Source([scene(1)])
    arguments = {"source": source, "handler": ignore, **change}
    with pytest.raises(rts.InvalidArgumentError, match=f"^{argument}: "):
        await conn.consume(arguments.pop("source"), arguments.pop("handler"), **arguments)
    assert source.given == 0


async def test_an_object_with_an_async_call_is_a_handler(conn):
    """Handlers with a state of their own are written so."""
    assert (await conn.consume(Source([scene(1)]), Callable())).handled == 1


def test_settings_say_what_was_chosen():
    """More at the same time than are taken would be in vain."""
    settings = consume.checked(
        Source.__new__(Source),
        ignore,
        concurrency=300,
        key=rts.by_stream,
        checkpoint=None,
        retries=3,
        dead_letter=None,
        lookahead=10,
        since=None,
        overlap=10.0,
        commit_every=1,
    )
    assert (settings.lookahead, settings.sweeps) == (300, (5.0,))
    assert attrs.evolve(settings, lookahead=1).concurrency == 300
