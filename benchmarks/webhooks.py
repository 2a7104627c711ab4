"""How many webhooks a second the local server delivers, to one target and to several.

Each scene that is shown sets off one alert for each target; the targets are in this process, the
server is in another. What is timed goes from the first scene to the last webhook.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

import rtstream_async as rts
from benchmarks.crash_receiver import receiving
from benchmarks.soak import served

__all__ = ["measure"]

_LONGEST = 120.0  # seconds, for the last one to come
_BATCH = {"type": "time", "value": 2, "frame_count": 1}


def measure(*, targets: Sequence[int] = (1, 4), scenes: int = 300) -> list[dict[str, object]]:
    """Return a row for each number of targets.

    Args:
        targets: How many; each has an alert of its own.
        scenes: How many are shown, each of them to every alert.
    """
    return [asyncio.run(_measure(many, scenes)) for many in targets]


async def _measure(targets: int, scenes: int) -> dict[str, object]:
    async with (
        AsyncExitStack() as stack,
        served() as (server, url, key),
        rts.connect(key, base_url=url, websocket=rts.SocketOptions(proxy=None)) as connection,
    ):
        collection = await connection.get_collection()
        stream = await collection.connect_rtstream("scripted://0", "a stream")
        index = await stream.index_visuals("Who?", _BATCH)
        event_id = await connection.create_event("a person", "seen")
        receivers = [await stack.enter_async_context(receiving(fails=None)) for _ in range(targets)]
        for receiver in receivers:
            await index.create_alert(event_id, receiver.url)
        begun = time.perf_counter()
        await server.ask("show", stream=stream.id, text="A person is at the door.", count=scenes)
        shown = time.perf_counter() - begun
        async with asyncio.timeout(_LONGEST):
            while any(len(one.taken) < scenes for one in receivers):  # noqa: ASYNC110 - a counter
                await asyncio.sleep(0.01)
        seconds = time.perf_counter() - begun
    return {
        "targets": targets,
        "webhooks": targets * scenes,
        "a second": round(targets * scenes / seconds),
        "records a second": round(scenes / shown),
        "came twice": sum(one.taken.total() - len(one.taken) for one in receivers),
    }
