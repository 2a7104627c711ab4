"""A link that is cut again and again, before all of it is recovered: everything has its turn."""

from __future__ import annotations

import asyncio
import time

import attrs

from rtstream_async.models.announcements import GapClosed
from rtstream_async.models.records import Scene
from rtstream_async.protocol.rearm import Arms, IndexArm, Rearmed
from rtstream_async.realtime.call_limit import CallLimit
from rtstream_async.realtime.recovery import Recovery
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.realtime.tracks import Tracks

SETTINGS = HubSettings(recovery_calls=2, recovery_jitter=0.0, sweep_delay=60.0)
STREAMS = [f"rts-{number}" for number in range(9)]
CALLS = 8  # that get through between two cuts: fewer than there are streams to be armed
CUTS = 30


@attrs.define
class Service:
    """Answers so many calls, and lets the rest wait."""

    left: asyncio.Semaphore = attrs.field(factory=lambda: asyncio.Semaphore(0))
    answered: int = 0

    def now(self) -> float:
        return time.time()

    async def sources(self, rtstream_id, channel):
        return [f"index of {rtstream_id}"]

    async def records(self, rtstream_id, channel, source, since, *, limit=None):
        await self._answer()
        return [Scene(start=since + 1, end=since + 2, text=rtstream_id, raw={})]

    async def rearm(self, arm, connection_id):
        await self._answer()
        return Rearmed(arm=attrs.evolve(arm, connection_id=connection_id))

    async def _answer(self):
        await asyncio.sleep(0.001)  # meanwhile, others line up
        await self.left.acquire()
        self.answered += 1


@attrs.define
class Outlet:
    """Notes which streams were told that their gap is closed."""

    closed: list[str] = attrs.field(factory=list)

    def tell(self, key, announcement):
        if isinstance(announcement, GapClosed):
            self.closed.append(key[0])

    def tell_rest(self, keys, announcement):
        """Nobody reads anything else."""

    def leave_to_poll(self, key):
        raise AssertionError("all of it can be armed again")

    async def pour(self, key, messages):
        assert {message.text for message in messages} <= {key[0]}


async def test_the_gaps_that_are_open_longest_are_closed_first():
    """In order of arrival, all streams would be armed again and none read, after every cut."""
    service, outlet, arms = Service(), Outlet(), Arms()
    tracks = Tracks(settings=SETTINGS, now=service.now)
    for stream in STREAMS:
        arms.add(
            IndexArm(
                rtstream_id=stream,
                channel="scene_index",
                source=f"index of {stream}",
                connection_id="0",
                rearm="recreate",
                spec={},
            )
        )
        tracks.open((stream, "scene_index"), f"index of {stream}")
    tasks: list[asyncio.Task[None]] = []
    recovery = Recovery(
        arms=arms,
        tracks=tracks,
        poller=service,
        rearmer=service,
        settings=SETTINGS,
        outlet=outlet,
        spawn=lambda work, *args, name: tasks.append(asyncio.create_task(work(*args), name=name)),
        limit=CallLimit(SETTINGS.recovery_calls),
    )
    cut = 0
    while set(outlet.closed) < set(STREAMS) and cut < CUTS:
        cut += 1
        recovery.lose(time.time())
        recovery.regain(f"{cut}", time.time(), lambda: None)
        for _ in range(CALLS):
            service.left.release()
        async with asyncio.timeout(20):
            while service.answered < cut * CALLS:  # noqa: ASYNC110 - a counter has no event
                await asyncio.sleep(0.01)
    recovery.stop()
    for _ in STREAMS:
        service.left.release()
    await asyncio.gather(*tasks)
    assert set(outlet.closed) == set(STREAMS)
