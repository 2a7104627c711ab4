"""The first recovery after a long outage: how soon the link is LIVE, and how soon all is made good.

The server is another process (`soak_server.py`), which goes on producing while each of its sockets
and calls is cut off. Half of the streams are transcribed, and half have an index that goes on by
polling.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import attrs

import rtstream_async as rts
from benchmarks.soak import SOCKET, Watch, served, settle

__all__ = ["Outcome", "measure"]

_BATCH = {"type": "time", "value": 2, "frame_count": 1}
_BEFORE = 5.0  # seconds of messages before the outage, so that each stream has had some
_PATIENCE = 300.0  # seconds until all gaps must be closed
_SPARE = 180.0  # seconds of messages for which there is room besides


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of an outage."""

    streams: int
    outage: float  #: seconds
    rate: float  #: messages a second
    missed: int  #: messages that the service had when it was back, and the client had not
    live: float  #: seconds from the end of the outage to LIVE: mostly the wait between attempts
    swept: float  #: seconds from LIVE to the last `GapClosed`
    swept_median: float  #: seconds from LIVE to the `GapClosed` of half the streams
    closed: int  #: gaps that were closed
    unrecoverable: int  #: gaps that were not, those of arming again not counted
    sent: int
    recovered: int  #: messages that came although their push was lost
    lost: int
    duplicated: int


@attrs.define
class _Gaps(Watch):
    """What is seen of the gaps."""

    closed: list[float] = attrs.field(factory=list[float])  # when, by the monotonic clock
    unrecoverable: int = 0
    rearming: set[tuple[str | None, str | None]] = attrs.field(
        factory=set[tuple[str | None, str | None]]
    )
    live_at: float = 0.0
    is_swept: asyncio.Event = attrs.field(factory=asyncio.Event)

    def note(self, item: Any) -> None:
        if isinstance(item, rts.Gap):
            if item.cause == "rearm":
                self.rearming.add((item.rtstream_id, item.channel))
        elif isinstance(item, rts.GapClosed):
            if item.rtstream_id is not None:
                self.closed.append(time.monotonic())
            else:
                self.is_swept.set()  # it is the last of them
        elif isinstance(item, rts.GapUnrecoverable):
            key = item.rtstream_id, item.channel
            self.unrecoverable += key not in self.rearming
            self.rearming.discard(key)
        else:
            super().note(item)

    async def await_live(self, states: AsyncIterator[rts.StateChange]) -> None:
        """Note when the link is back."""
        was_lost = False
        async for change in states:
            if change.state != "LIVE":
                was_lost = was_lost or change.state == "RECONNECTING"
            elif was_lost:
                self.live_at = time.monotonic()
                return


async def measure(*, streams: int = 500, outage: float = 60.0, rate: float = 500.0) -> Outcome:
    """Cut everything for `outage` seconds while `rate` messages a second are made."""
    watch = _Gaps(counts=bytearray(int(rate * (_BEFORE + outage + _SPARE + _PATIENCE))))
    async with (
        served() as (server, url, key),
        rts.connect(key, base_url=url, websocket=SOCKET) as conn,
    ):
        speaking, showing = await _arm(conn, streams)
        async with (
            conn.events("transcript", "scene_index", control=True, maxsize=1_000_000) as sub,
            asyncio.TaskGroup() as group,
        ):
            reading = group.create_task(watch.read(sub))
            living = group.create_task(watch.await_live(conn.states()))
            await server.ask("feed", speaking=speaking, showing=showing, rate=rate)
            await asyncio.sleep(_BEFORE)
            await server.ask("chaos", rest=[{"reset": True}], handshakes=[{"kind": "refuse"}])
            await server.ask("cut")
            await asyncio.sleep(outage)
            before = watch.distinct
            missed = await server.ask("calm") - before
            ended = time.monotonic()
            async with asyncio.timeout(_PATIENCE):
                await living
                await watch.is_swept.wait()
            swept = sorted(at - watch.live_at for at in watch.closed)
            sent, unstored = await server.ask("stop")
            await settle(watch, sent - unstored)
            reading.cancel()
    return Outcome(
        streams=streams,
        outage=outage,
        rate=rate,
        missed=missed,
        live=watch.live_at - ended,
        swept=swept[-1],
        swept_median=swept[len(swept) // 2],
        closed=len(swept),
        unrecoverable=watch.unrecoverable,
        sent=sent,
        recovered=watch.origins["backfill"] + watch.origins["poll"],
        lost=sent - unstored - watch.distinct,
        duplicated=watch.received - watch.distinct,
    )


async def _arm(conn: rts.Connection, streams: int) -> tuple[list[str], list[str]]:
    collection = await conn.get_collection()
    speaking: list[str] = []
    showing: list[str] = []
    for number in range(streams):
        is_heard = number % 2 == 1
        stream = await collection.connect_rtstream(
            f"scripted://{number}",
            f"stream {number}",
            media_types=["audio" if is_heard else "video"],
        )
        if is_heard:
            await stream.start_transcript()
            speaking.append(stream.id)
        else:
            await stream.index_visuals("Who?", _BATCH)
            showing.append(stream.id)
    return speaking, showing
