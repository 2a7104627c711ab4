"""Calls a few at a time: who goes first, and that no place is lost."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.realtime.call_limit import CallLimit


async def line_up(limit, *turns):
    """Return tasks that wait for a place in this order, and the list of who had one, as they do."""
    served: list[tuple[int | None, bool]] = []

    async def call(turn, can_wait):
        async with limit.place(turn, can_wait=can_wait):
            served.append((turn, can_wait))

    tasks = [asyncio.create_task(call(*one)) for one in turns]
    await asyncio.sleep(0)
    return tasks, served


async def test_what_can_not_wait_goes_first_and_then_who_has_the_earliest_turn():
    """What has no history is lost while it waits; and who waits longest must be served."""
    limit = CallLimit(1)
    turns = [limit.turn() for _ in range(4)]
    assert turns == sorted(turns)
    waiting = [(None, True), *((turn, turn != turns[2]) for turn in reversed(turns))]
    async with limit.place():
        tasks, served = await line_up(limit, *waiting)
        assert not served
    await asyncio.gather(*tasks)
    late, early = turns[2], [turn for turn in turns if turn != turns[2]]
    assert served == [(late, False), *((turn, True) for turn in early), (None, True)]


async def test_there_are_as_many_places_as_were_asked_for():
    """A service has limits, and so has whoever pays for it."""
    limit, now, most = CallLimit(3), 0, 0

    async def call():
        nonlocal now, most
        async with limit.place():
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1

    await asyncio.gather(*(call() for _ in range(12)))
    assert most == 3


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12))
def test_a_place_is_lost_by_no_cancellation(plan):
    """After enough lost places, nothing would ever be recovered again."""

    async def run():
        limit = CallLimit(1)
        for turn, is_late in plan:
            async with limit.place():
                tasks, _ = await line_up(limit, (turn, True), (turn, True))
                if not is_late:
                    tasks[0].cancel()
            tasks[0].cancel()  # where it is late, the place is its own by now
            await asyncio.gather(*tasks, return_exceptions=True)
            assert not tasks[1].cancelled()
        async with asyncio.timeout(5), limit.place():
            pass

    asyncio.run(run())
