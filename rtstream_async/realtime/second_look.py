"""Reading REST once more after a gap was closed: what was in work at the loss is done by then."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import anyio

from rtstream_async.errors import RTStreamError
from rtstream_async.models.messages import Message
from rtstream_async.protocol.recovery import Track
from rtstream_async.realtime.burst import Burst
from rtstream_async.realtime.call_limit import CallLimit
from rtstream_async.realtime.history import History
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.realtime.tracks import Tracks

__all__ = ["Place", "SecondLook"]

Place = tuple[str, str]
"""A stream and channel of which there is a history."""

_AFTER_FAILURE: Final = 30.0  # seconds


class SecondLook:
    """Looks again at each channel when it is due, a few at once, until nothing is missing."""

    def __init__(
        self,
        history: History,
        *,
        tracks: Tracks,
        settings: HubSettings,
        limit: CallLimit,
        failures: Burst,
        deliver: Callable[[Place, Sequence[Message]], Awaitable[None]],
    ) -> None:
        """Look at nothing yet.

        Args:
            history: Reads REST.
            tracks: What was delivered.
            settings: How many at once, and for how long.
            limit: How many calls there may be at once, with those of others.
            failures: Warns of calls that failed.
            deliver: Takes what is found, in order of time.
        """
        self._history = history
        self._tracks = tracks
        self._settings = settings
        self._limit = limit
        self._failures = failures
        self._deliver = deliver

    async def run(self, places: Iterable[Place]) -> None:
        """Look until all of `places` are whole. Cancelling loses nothing that was found."""
        begun, skew = anyio.current_time(), self._tracks.skew
        # The number settles a tie: tracks have no order.
        due = [
            (begun + track.sweep_delay(skew), number, place, track)
            for number, place in enumerate(places)
            if (track := self._tracks.get(place)) is not None
        ]
        if not due:
            return
        heapq.heapify(due)
        give_up_at = max(one[0] for one in due) + self._settings.recovery_budget
        async with anyio.create_task_group() as group:
            for _ in range(min(self._settings.recovery_calls, len(due))):
                group.start_soon(self._work, due, give_up_at, name="rtstream-async recovery")

    async def _work(
        self, due: list[tuple[float, int, Place, Track[Message]]], give_up_at: float
    ) -> None:
        while due:
            at, number, place, track = heapq.heappop(due)
            await anyio.sleep_until(at)
            wait = await self._look(place, track)
            at = anyio.current_time() + wait
            if wait and at < give_up_at:
                heapq.heappush(due, (at, number, place, track))

    async def _look(self, place: Place, track: Track[Message]) -> float:
        """Return how long until it is to be done once more; 0: that was it."""
        stream, channel = place
        window, _ = track.window(self._tracks.now(), self._tracks.skew)
        try:
            async with self._limit.place():
                found, _ = await self._history.read(stream, channel, window)
        except RTStreamError as exc:
            self._failures.warn("looking again at %s of %s failed: %s", channel, stream, exc)
            return _AFTER_FAILURE if exc.is_retryable else 0.0
        await self._deliver(place, track.late(found, window))
        return track.settle(self._tracks.now(), self._tracks.skew)
