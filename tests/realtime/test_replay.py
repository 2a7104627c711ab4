"""What a consumer is owed, with a history that a test can write, slow down and break."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

import rtstream_async as rts
from rtstream_async.realtime import archive, consume, consumer, replay

NOW = 1_700_000_000.0
KEY = ("rts-1", "scene_index")


def record(number):
    return rts.Scene(start=NOW + number - 1, end=NOW + number, text=str(number))


def pushed(number):
    return rts.SceneMessage(
        channel="scene_index",
        rtstream_id="rts-1",
        start=NOW + number - 1,
        end=NOW + number,
        text=str(number),
    )


class Records:
    """What REST has, and how it fails."""

    def __init__(self, *numbers, failures=()):
        self.numbers = list(numbers)
        self.failures = list(failures)
        self.reads = 0

    def now(self):
        return NOW + 100

    async def makers(self, rtstream_id, channel):
        await asyncio.sleep(0)
        return ["index"]

    async def records(self, rtstream_id, channel, source, since):
        await asyncio.sleep(0)
        self.reads += 1
        if self.failures and (failure := self.failures.pop(0)) is not None:
            raise failure
        found = [record(number) for number in self.numbers]
        return [one for one in reversed(found) if one.end > since]


class Source:
    """What is pushed, by a source that knows what it is about."""

    keys = (KEY,)

    def __init__(self, *numbers, ends=True):
        self.queue = [pushed(number) for number in numbers]
        self.ends = ends

    def wants(self, message):
        return not message.text.endswith("13")

    def put_back(self, messages):
        self.queue[:0] = messages

    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.sleep(0)
        while not self.queue:
            if self.ends:
                raise StopAsyncIteration
            await asyncio.sleep(0.001)
        return self.queue.pop(0)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(archive, "_FIRST_DELAY", 0.0)
    monkeypatch.setattr(consume, "_SWEEPS", (0.01, 0.02))
    monkeypatch.setattr(consume, "_TICK", 0.002)


async def checkpoint_at(number):
    """Return a checkpoint of a consumer that has handled everything up to there."""
    checkpoint = rts.MemoryCheckpoint()
    await checkpoint.commit({KEY: rts.Position(since=NOW + number)})
    return checkpoint


def run(source, records, handler, *, checkpoint, since=None, lookahead=256, armed_at=None):
    settings = consume.checked(
        source,
        handler,
        concurrency=2,
        key=rts.by_stream,
        checkpoint=checkpoint,
        retries=0,
        dead_letter=None,
        lookahead=lookahead,
        since=since,
        overlap=30.0,
        commit_every=0.0,
    )
    return consumer.Consumer(
        source,
        settings,
        archive=archive.Archive(records, lambda message: message),
        begin=lambda _: armed_at,
        armed=list,
    ).run()


class Log:
    def __init__(self):
        self.numbers = []

    async def __call__(self, message):
        await asyncio.sleep(0)
        self.numbers.append(int(message.text))


def failing(status):
    kind = {401: rts.AuthenticationError, 503: rts.ServerError}[status]
    return kind("no", status=status)


async def test_history_comes_first_and_what_both_have_comes_once():
    """The socket is up before the history is read: some of it is in both."""
    log, checkpoint = Log(), await checkpoint_at(10)
    counts = await run(
        Source(14, 15, 16, 17), Records(8, 9, 11, 12, 13, 14, 15), log, checkpoint=checkpoint
    )
    assert log.numbers == [11, 12, 14, 15, 16, 17]
    assert counts == rts.Consumed(handled=6, replayed=4, repeats=2)


async def test_what_waits_for_the_history_is_bounded(monkeypatch):
    """Beyond that the source's own policy decides; the order is kept."""
    monkeypatch.setattr(consume, "_HELD", 3)
    log, checkpoint = Log(), await checkpoint_at(10)
    await run(Source(*range(20, 40)), Records(11, 12), log, checkpoint=checkpoint, lookahead=2)
    assert log.numbers == [11, 12, *range(20, 40)]


async def test_history_that_has_grown_while_it_was_handled_is_read_again_first(monkeypatch):
    """An hour of it takes a while: what came meanwhile is history too."""
    monkeypatch.setattr(replay, "_SHORT", -1.0)
    log, checkpoint = Log(), await checkpoint_at(10)

    class Growing(Records):
        async def records(self, *where):
            found = await super().records(*where)
            if self.reads == 1:
                self.numbers.append(14)
            return found

    records = Growing(11, 12)
    await run(Source(40), records, log, checkpoint=checkpoint)
    assert (log.numbers, records.reads) == ([11, 12, 14, 40], 3)


async def test_a_history_that_can_not_be_read_now_is_read_soon():
    """A gateway is restarted just when the consumer is."""
    records = Records(11, failures=[failing(503), rts.TransportError("reset"), None])
    log, checkpoint = Log(), await checkpoint_at(10)
    await run(Source(12), records, log, checkpoint=checkpoint)
    assert (log.numbers, records.reads) == ([11, 12], 3)


@pytest.mark.parametrize(("status", "budget"), [(401, 100.0), (503, 0.0)])
async def test_a_history_that_can_not_be_read_ends_it(monkeypatch, status, budget):
    """To go on without would skip it for good."""
    monkeypatch.setattr(archive.Archive.read, "__kwdefaults__", {"budget": budget})
    log, checkpoint = Log(), await checkpoint_at(10)
    error = failing(status)
    with pytest.raises(rts.APIError) as info:
        await run(Source(12), Records(11, failures=[error]), log, checkpoint=checkpoint)
    assert info.value is error
    assert log.numbers == []
    assert checkpoint.positions == {KEY: rts.Position(since=NOW + 10)}


async def test_a_later_look_that_fails_is_made_up_for(monkeypatch, caplog):
    """Messages go on coming meanwhile; nobody is stopped for it."""
    monkeypatch.setattr(archive.Archive.read, "__kwdefaults__", {"budget": 0.0})
    records = Records(11, failures=[None, failing(503)])
    source, log, checkpoint = Source(12, ends=False), Log(), await checkpoint_at(10)
    task = asyncio.create_task(run(source, records, log, checkpoint=checkpoint))
    async with asyncio.timeout(60):
        while records.reads < 2:  # noqa: ASYNC110 - there is nothing that tells
            await asyncio.sleep(0.001)
        records.numbers.append(10.5)  # shown late
        while len(log.numbers) < 3:
            records.numbers[-1] = 15
            await asyncio.sleep(0.001)
    source.ends = True
    assert (await task).replayed == 2
    assert "is read later" in caplog.text


async def test_a_later_look_that_is_refused_for_good_ends_it():
    """The key was taken away: nothing will be readable."""
    records = Records(11, failures=[None, failing(401)])
    source, log, checkpoint = Source(12, ends=False), Log(), await checkpoint_at(10)
    with pytest.raises(rts.AuthenticationError):
        async with asyncio.timeout(60):
            await run(source, records, log, checkpoint=checkpoint)
    assert log.numbers == [11, 12]


async def test_a_new_checkpoint_begins_now_or_where_it_is_told_to():
    """Its first commit is of that, before anything is read or handled."""
    for since, armed_at, wanted in (
        (None, None, NOW + 98),  # a little before: clocks are told to the second
        (None, NOW + 90, NOW + 90),
        (None, NOW + 10, NOW + 68),  # an overlap ago
        (NOW + 5, NOW + 90, NOW + 5),
    ):
        checkpoint = rts.MemoryCheckpoint()
        records = Records(6, failures=[failing(401)])
        task = run(
            *(Source(ends=False), records, Log()),
            checkpoint=checkpoint,
            since=since,
            armed_at=armed_at,
        )
        with pytest.raises(rts.AuthenticationError):
            async with asyncio.timeout(60):
                await task
        assert checkpoint.positions == {KEY: rts.Position(since=wanted)}


async def test_cancelled_at_any_await_the_next_run_makes_up_for_it():
    """Nothing is skipped, and nothing that was committed is done again."""
    everything = [*range(11, 13), *range(14, 30)]
    for steps in range(400):
        before = asyncio.all_tasks()
        checkpoint, log = await checkpoint_at(10), Log()
        records, source = Records(*range(11, 25)), Source(*range(20, 30), ends=False)
        task = asyncio.create_task(run(source, records, log, checkpoint=checkpoint))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == before
        is_done = log.numbers == everything
        source.ends = True
        await run(source, records, log, checkpoint=checkpoint)
        assert Counter(log.numbers) == dict.fromkeys(everything, 1), steps
        if is_done:
            return
    pytest.fail("it never came to its end")
