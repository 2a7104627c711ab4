"""The second reading after a gap: a few at once, however many streams had one."""

from __future__ import annotations

import asyncio
import logging
import time

import anyio

from rtstream_async.errors import NotFoundError
from rtstream_async.models.records import Scene
from rtstream_async.protocol.rearm import Arms
from rtstream_async.realtime.burst import Burst
from rtstream_async.realtime.call_limit import CallLimit
from rtstream_async.realtime.history import History
from rtstream_async.realtime.second_look import SecondLook
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.realtime.tracks import Tracks

COUNT = 40
SETTINGS = HubSettings(sweep_delay=0.0, recovery_calls=3)


class Records:
    """REST, with one record of each stream that is shown late, and one stream that is gone."""

    def __init__(self) -> None:
        self.lost_at = time.time()
        self.now_asked = self.most = 0
        self.asked: list[str] = []

    def now(self) -> float:
        return time.time()

    async def sources(self, rtstream_id, channel):
        return ["index"]

    async def records(self, rtstream_id, channel, source, since, *, limit=None):
        self.now_asked += 1
        self.most = max(self.most, self.now_asked)
        await anyio.wait_all_tasks_blocked()
        self.now_asked -= 1
        self.asked.append(rtstream_id)
        if rtstream_id == "0":
            raise NotFoundError("gone", status=404)
        return [Scene(start=self.lost_at, end=self.lost_at + 1, text=rtstream_id, raw={})]


async def test_many_are_read_a_few_at_once_and_one_that_fails_stops_no_other(caplog):
    """One call after the other, thousands of streams would be whole after minutes."""
    records, limit = Records(), CallLimit(SETTINGS.recovery_calls)
    tracks = Tracks(settings=SETTINGS, now=records.now)
    places = [(str(number), "scene_index") for number in range(COUNT)]
    for place in places:
        track = tracks.open(place, "index")
        track.lost(records.lost_at)
        track.begin()
        track.merge([], track.window(time.time(), 0.0)[0])
    found: list[str] = []

    async def deliver(place, messages):
        found.extend(message.text for message in messages)
        await asyncio.sleep(0)

    look = SecondLook(
        History(records, arms=Arms(), tracks=tracks, limit=100),
        tracks=tracks,
        settings=SETTINGS,
        limit=limit,
        failures=Burst(logging.getLogger("test"), quiet=60),
        deliver=deliver,
    )
    async with asyncio.timeout(20):
        await look.run(places)
    assert sorted(found, key=int) == [str(number) for number in range(1, COUNT)]
    assert records.most == 3
    assert records.asked.count("0") == 1
    assert "looking again at scene_index of 0 failed" in caplog.text
