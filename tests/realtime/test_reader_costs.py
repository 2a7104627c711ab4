"""What a message costs on its way to its consumer, in counts: so it holds on any machine."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tracemalloc

import anyio
import pytest

from rtstream_async.protocol.rearm import Arm
from tests.realtime.test_link import live

STREAMS = [f"rts-{number:06d}" for number in range(100)]
CHANNEL = "scene_index"


def frame(stream: str, number: int) -> bytes:
    data = {"text": f"{number:06d} " * 16, "start": 1.7e9 + number, "end": 1.7e9 + number + 2}
    return json.dumps({"channel": CHANNEL, "rtstream_id": stream, "data": data}).encode()


class Watched:
    """A live hub with an armed stream and a task that reads it, a hundred times."""

    def __init__(self, hub) -> None:
        self.hub = hub
        self.number = 0
        self.texts: list[str] = []
        self.subs = [
            hub.subscribe(streams=frozenset([stream]), channels=frozenset([CHANNEL]))
            for stream in STREAMS
        ]
        self.readers: list[asyncio.Task[None]] = []

    async def read(self) -> None:
        """Have a task wait for each."""
        self.readers = [asyncio.create_task(self._read(sub)) for sub in self.subs]
        await anyio.wait_all_tasks_blocked()

    async def _read(self, sub) -> None:
        async for message in sub:
            self.texts.append(message.text)

    def frames(self) -> list[bytes]:
        """Return one frame for each."""
        self.number += 1
        return [frame(stream, self.number) for stream in STREAMS]


@pytest.fixture
async def watched(server, make_hub):
    hub = make_hub()
    await live(server, hub)
    for stream in STREAMS:
        hub.note_armed(Arm(rtstream_id=stream, channel=CHANNEL, source="i", connection_id="conn-1"))
    watched = Watched(hub)
    yield watched
    for reader in watched.readers:
        reader.cancel()
    await asyncio.gather(*watched.readers, return_exceptions=True)


async def hand_out(watched: Watched, frames: list[bytes]) -> None:
    """Give `frames` to the hub, and let the readers read."""
    for data in frames:
        watched.hub.on_frame(data)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_one_call_of_the_loop_wakes_all_that_a_read_is_for(watched, monkeypatch):
    """A call for each task was a third of what it takes to hand a message over."""
    await watched.read()
    await hand_out(watched, watched.frames())
    calls = []
    loop = asyncio.get_running_loop()
    call_soon = loop.call_soon

    def note(callback, *args, context=None):
        calls.append(callback)
        return call_soon(callback, *args, context=context)

    frames = watched.frames()
    monkeypatch.setattr(loop, "call_soon", note)
    for data in frames:
        watched.hub.on_frame(data)
    monkeypatch.undo()
    assert len(calls) == 1
    await asyncio.sleep(0)
    assert len(watched.texts) == 2 * len(STREAMS)


async def test_a_message_runs_few_functions(watched):
    """A message a second of ten thousand streams: each function is a thousandth of a core."""
    await watched.read()
    for _ in range(3):
        await hand_out(watched, watched.frames())
    frames, count = watched.frames(), 0

    def note(frame, event, arg):
        nonlocal count
        count += event == "call"

    gc.collect()
    gc.disable()  # what other tests left behind has finalizers, which are functions too
    sys.setprofile(note)
    try:
        await hand_out(watched, frames)
    finally:
        sys.setprofile(None)
        gc.enable()
    assert len(watched.texts) == 4 * len(STREAMS)
    assert count / len(STREAMS) <= 14, count / len(STREAMS)


async def test_a_queued_message_is_few_objects(watched):
    """Ten thousand queues of a thousand messages have to fit."""
    for _ in range(3):  # what a stream has once is there
        for data in watched.frames():
            watched.hub.on_frame(data)
    frames = watched.frames()
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        before, tracked = tracemalloc.take_snapshot(), len(gc.get_objects())
        for data in frames:
            watched.hub.on_frame(data)
        tracked = len(gc.get_objects()) - tracked
        grown = tracemalloc.take_snapshot().compare_to(before, "filename")
    finally:
        tracemalloc.stop()
        gc.enable()
    ours = [stat for stat in grown if "rtstream_async" in stat.traceback[0].filename]
    blocks = sum(stat.count_diff for stat in ours) / len(frames)
    size = sum(stat.size_diff for stat in ours) / len(frames)
    assert blocks <= 9, (blocks, size, tracked / len(frames))
    assert size <= 650, (blocks, size, tracked / len(frames))
    assert tracked / len(frames) <= 1.1, tracked  # of what the garbage collector looks at
