"""Thousands of things that are looked at again and again, by a few tasks."""

from __future__ import annotations

import asyncio
from collections import Counter

import anyio
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.realtime.rota import Rota


class Turns:
    """What has turns on one rota, and how many at once."""

    def __init__(self, at_once: int) -> None:
        self.rota = Rota(at_once=at_once, spawn=self._spawn, name="worker")
        self.log: list[str] = []
        self.now = self.most = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def workers(self) -> int:
        return len(self._tasks)

    def _spawn(self, work, *, name):
        task = asyncio.create_task(work(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def failure(self) -> BaseException | None:
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        return next((task.exception() for task in done), None)


class One:
    """Something that is looked at."""

    def __init__(self, turns: Turns, name: str, delay: float = 0.0, *, stuck: bool = False) -> None:
        self.turns, self.name, self.delay = turns, name, delay
        self.may_end = asyncio.Event()
        if not stuck:
            self.may_end.set()
        self.was_cancelled = False

    async def turn(self) -> float:
        turns = self.turns
        turns.now += 1
        turns.most = max(turns.most, turns.now)
        try:
            await asyncio.sleep(0)
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        finally:
            turns.now -= 1
        turns.log.append(self.name)
        return self.delay


async def until(claim) -> None:
    async with asyncio.timeout(20):
        while not claim():  # noqa: ASYNC110  (whatever it is about has no event)
            await asyncio.sleep(0)


async def test_a_thousand_have_their_turns_in_four_tasks():
    """A task for each was ten thousand tasks after a loss."""
    turns = Turns(at_once=4)
    many = [One(turns, str(number)) for number in range(1000)]
    for one in many:
        turns.rota.add(one)
    assert len(turns.rota) == 1000
    await until(lambda: len(turns.log) >= 3000)
    assert turns.workers == turns.most == 4
    # Fair: the longest overdue is first, so that nobody is two turns ahead.
    counts = Counter(turns.log)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len(counts) == 1000
    for one in many:
        turns.rota.remove(one)
    await until(lambda: turns.workers == 0)


async def test_a_stuck_one_keeps_one_worker_and_delays_nobody_else():
    """One camera whose history hangs must not silence the others."""
    turns = Turns(at_once=2)
    stuck = One(turns, "stuck", stuck=True)
    well = [One(turns, name) for name in "abc"]
    for one in (stuck, *well):
        turns.rota.add(one)
    await until(lambda: len(turns.log) >= 30)
    assert Counter(turns.log) == {"a": 10, "b": 10, "c": 10}
    stuck.may_end.set()
    await until(lambda: "stuck" in turns.log)
    for one in (stuck, *well):
        turns.rota.remove(one)
    await until(lambda: turns.workers == 0)


async def test_to_remove_one_cancels_its_turn_and_leaves_the_others_alone():
    """What nobody reads any more must not be asked for any longer, however slow the answer is."""
    turns = Turns(at_once=1)
    stuck, other = One(turns, "stuck", stuck=True), One(turns, "other", 60)
    turns.rota.add(stuck)
    turns.rota.add(other)
    await anyio.wait_all_tasks_blocked()
    assert turns.log == []
    turns.rota.remove(stuck)
    await until(lambda: turns.log == ["other"])
    assert stuck.was_cancelled
    assert turns.workers == 1
    turns.rota.remove(other)
    await until(lambda: turns.workers == 0)


async def test_it_sleeps_until_something_is_due():
    """Four workers that wake each other up for nothing are a busy loop."""
    turns = Turns(at_once=4)
    many = [One(turns, str(number), 3600) for number in range(8)]
    for one in many:
        turns.rota.add(one)
    await until(lambda: len(turns.log) == 8)
    await anyio.wait_all_tasks_blocked()  # never, if one of them were busy
    assert len(turns.log) == 8
    late = One(turns, "late", 3600)
    turns.rota.add(late)  # sooner than all that are waited for
    await until(lambda: "late" in turns.log)
    for one in (*many, late):
        turns.rota.remove(one)
    await until(lambda: turns.workers == 0)


async def test_a_first_turn_can_wait():
    """What has just been read by others need not be asked for at once."""
    turns = Turns(at_once=2)
    later, now = One(turns, "later", 3600), One(turns, "now", 3600)
    turns.rota.add(later, after=0.02)
    turns.rota.add(now)
    await until(lambda: turns.log == ["now", "later"])
    for one in (later, now):
        turns.rota.remove(one)
    await until(lambda: turns.workers == 0)


async def test_what_comes_and_goes_leaves_nothing_behind():
    """A monitor that adds and removes streams all day must not grow."""
    turns = Turns(at_once=2)
    for _ in range(500):
        one = One(turns, "one", 3600)
        turns.rota.add(one)
        await until(lambda: turns.log)
        turns.log.clear()
        turns.rota.remove(one)
    assert len(turns.rota) == 0
    assert len(turns.rota._due) < 100
    await until(lambda: turns.workers == 0)


async def test_a_crash_is_no_secret():
    """A defect in a look must end up where its owner sees it, and not stop one of four workers."""
    turns = Turns(at_once=2)

    class Broken:
        async def turn(self) -> float:
            raise ZeroDivisionError

    turns.rota.add(Broken())
    assert isinstance(await turns.failure(), ZeroDivisionError)


@given(st.lists(st.tuples(st.sampled_from("+-."), st.integers(0, 5)), max_size=60))
def test_however_they_come_and_go_all_that_are_there_have_turns(steps):
    """One that is forgotten would be silent for ever."""

    async def live() -> None:
        turns = Turns(at_once=3)
        there: dict[int, One] = {}
        for what, number in steps:
            if what == "." or (what == "+") == (number in there):
                await asyncio.sleep(0)
            elif what == "+":
                there[number] = One(turns, str(number))
                turns.rota.add(there[number])
            else:
                turns.rota.remove(there.pop(number))
        turns.log.clear()
        await until(lambda: {str(number) for number in there} <= set(turns.log))
        assert turns.workers <= 3
        for one in there.values():
            turns.rota.remove(one)
        await until(lambda: turns.workers == 0)

    asyncio.run(live())
