"""Calls a few at a time: who goes first, and that no place is lost."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.realtime.call_limit import FIRST, HISTORY, SECOND, CallLimit


async def line_up(limit, *urgencies):
    """Return tasks that wait for a place in this order, and the list of who had one, as they do."""
    served: list[tuple[float, ...]] = []

    async def call(urgency):
        async with limit.place(*urgency):
            served.append(urgency)

    tasks = [asyncio.create_task(call(one)) for one in urgencies]
    await asyncio.sleep(0)
    return tasks, served


async def test_the_most_urgent_goes_first_and_of_equals_who_came_first():
    """What has no history is lost while it waits; and who waits longest must have its turn."""
    limit = CallLimit(1)
    waiting = [(SECOND,), (HISTORY, 9.0), (HISTORY, 3.0), (FIRST, 8.0), (HISTORY, 3.0), (HISTORY,)]
    async with limit.place(SECOND):
        tasks, served = await line_up(limit, *waiting)
        assert not served
    await asyncio.gather(*tasks)
    assert served == sorted(waiting)


async def test_there_are_as_many_places_as_were_asked_for():
    """A service has limits, and so has whoever pays for it."""
    limit, now, most = CallLimit(3), 0, 0

    async def call():
        nonlocal now, most
        async with limit.place(HISTORY):
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
        for urgency, is_late in plan:
            async with limit.place(FIRST):
                tasks, _ = await line_up(limit, (urgency,), (urgency,))
                if not is_late:
                    tasks[0].cancel()
            tasks[0].cancel()  # where it is late, the place is its own by now
            await asyncio.gather(*tasks, return_exceptions=True)
            assert not tasks[1].cancelled()
        async with asyncio.timeout(5), limit.place(SECOND):
            pass

    asyncio.run(run())
