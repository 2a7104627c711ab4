"""One running stream, seen from the server: a worker process and what it tells.

The worker opens the source, records it, samples frames and decodes the sound. A crash in native
code, a read that hangs and a source that went away look the same from here: the worker ended, and
is started again a little later.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import attrs

from rtstream_async.local.child import Child
from rtstream_async.local.domain.backoff import PERMANENT_REFUSALS, STABLE_AFTER, retry_delay
from rtstream_async.local.media.events import (
    Ended,
    Heard,
    IngestEvent,
    Lost,
    Opened,
    Progress,
    Refused,
    SegmentClosed,
    from_wire,
)
from rtstream_async.local.media.leftovers import adopt_leftovers
from rtstream_async.local.media.settings import IngestSettings

__all__ = ["Ingest", "IngestSettings"]

_WORKER = "rtstream_async.local.media.worker"
_GOODBYE = 2.0  # seconds for a worker to finish when our own task is cancelled
_LAST_SOUND = 2.0  # seconds for what was heard before somebody wanted no more

_Sink = Callable[[IngestEvent], Awaitable[None]]


@attrs.frozen(kw_only=True)
class _SampleOrder:
    origin: float
    period: float

    def command(self, key: str) -> list[Any]:
        return ["sample", key, self.origin, self.period]


@attrs.frozen(kw_only=True)
class _WatchOrder:
    period: float
    threshold: float

    def command(self, key: str) -> list[Any]:
        return ["watch", key, self.period, self.threshold]


class Ingest:
    """Runs one stream's worker, starts it again when it ends, and forwards what it tells."""

    def __init__(self, settings: IngestSettings, emit: _Sink) -> None:
        """Prepare an ingest; nothing happens before `run()`.

        Args:
            settings: The source and where to record it.
            emit: Gets every event, in order. While it waits, the worker's events wait too; the
                worker then drops sampled frames and sound (counted in `Progress`), never
                segments.
        """
        self._settings = settings
        self._emit = emit
        self._orders: dict[str, _SampleOrder | _WatchOrder] = {}
        self._is_listening = False
        self._fell_silent = asyncio.Event()
        self._child: Child | None = None
        self._stopping = asyncio.Event()
        self._finished = asyncio.Event()
        self._is_running = False
        self._high = settings.not_before
        self._played_at: float | None = None
        self._has_played = False
        self._failures = 0

    async def run(self) -> None:
        """Record the stream until `stop()`, the end of a finite source, or a final refusal.

        Leftovers of an earlier run in the directory are adopted first. Cancelling closes the open
        segment too, within two seconds, but tells nobody; it is found by its file name.
        """
        self._is_running = True
        try:
            await self._adopt()
            while not self._stopping.is_set():
                delay = await self._next(await self._session())
                if delay is None:
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self._stopping.wait()
        finally:
            self._finished.set()

    async def stop(self, *, grace: float = 5.0) -> None:
        """Close the open segment and end `run()`; a worker that is stuck is killed.

        Returns when `run()` is over. Cancelling is safe: the stop goes on.

        Args:
            grace: Seconds for the worker to finish by itself.
        """
        self._stopping.set()
        if self._child is not None:
            self._child.close_input()
        if not self._is_running:
            return
        with contextlib.suppress(TimeoutError):  # it is killed below
            async with asyncio.timeout(grace):
                await self._finished.wait()
        if self._child is not None:
            self._child.kill()
        await self._finished.wait()

    async def sample(self, key: str, *, origin: float, period: float) -> None:
        """Ask for the first frame at or after each `origin + k * period` (Unix seconds).

        They come as `Sampled` events, from now on, until `unsample()`; a new worker goes on
        with them. The time just past is answered too, so the first frame comes at once.

        Raises:
            ValueError: `period` is not above zero.
        """
        if not period > 0:
            raise ValueError(f"a sampling period must be above zero, not {period!r}")
        order = self._orders[key] = _SampleOrder(origin=origin, period=period)
        await self._tell(order.command(key))

    async def watch(self, key: str, *, period: float, threshold: float) -> None:
        """Ask for a frame every `period` seconds, and for each with which the picture changes.

        They come as `Sampled` events, from now on, until `unsample()`; a new worker goes on with
        them. All of the stream is decoded for it.

        Args:
            key: What the events are to say.
            period: Seconds, above zero.
            threshold: `shot_cutting.change()` from which on it is a change.

        Raises:
            ValueError: `period` is not above zero.
        """
        if not period > 0:
            raise ValueError(f"a sampling period must be above zero, not {period!r}")
        order = self._orders[key] = _WatchOrder(period=period, threshold=threshold)
        await self._tell(order.command(key))

    async def unsample(self, key: str) -> None:
        """Want no more frames for `key`; an unknown key is no error."""
        if self._orders.pop(key, None) is not None:
            await self._tell(["unsample", key])

    async def listen(self) -> None:
        """Ask for the sound, as `Heard` events, from now on; a new worker goes on with it.

        Nothing comes from a source without sound, or without `audio` in its media types.
        """
        self._is_listening = True
        await self._tell(["listen"])

    async def unlisten(self) -> None:
        """Want no more sound; return when what was heard before is emitted.

        A worker that does not say so is waited for up to two seconds. Cancelling is safe.
        """
        if not self._is_listening:
            return
        self._is_listening = False
        if self._child is None:
            return
        self._fell_silent.clear()
        await self._tell(["unlisten"])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SOUND):
                await self._fell_silent.wait()

    async def _tell(self, command: list[Any]) -> None:
        """Send to the worker, if there is one: a new one is told everything at its start."""
        if self._child is not None:
            with contextlib.suppress(ConnectionError):
                await self._child.send(command)

    async def _session(self) -> Refused | Lost | Ended:
        """Run one worker to its end and return why it ended."""
        self._played_at = None
        closing: Refused | Lost | Ended | None = None
        child = await Child.start(_WORKER)
        try:
            with contextlib.suppress(ConnectionError):  # its output says why it is gone
                await self._greet(child)
            async for message in child:
                event = from_wire(message)
                if isinstance(event, Refused | Lost | Ended):
                    closing = event
                else:
                    self._note(event)
                    await self._pass_on(event)
        finally:
            self._child = None
            self._fell_silent.set()
            with anyio.CancelScope(shield=True):
                await child.stop(grace=_GOODBYE)
        await self._adopt()
        return closing or Lost(reason=_obituary(child.returncode, child.stderr_tail))

    async def _greet(self, child: Child) -> None:
        await child.send(attrs.evolve(self._settings, not_before=self._high))
        for key, order in self._orders.items():
            await child.send(order.command(key))
        if self._is_listening:
            await child.send(["listen"])
        self._child = child
        if self._stopping.is_set():
            child.close_input()

    async def _pass_on(self, event: IngestEvent) -> None:
        if isinstance(event, Heard) and event.is_last:
            self._fell_silent.set()
        else:
            await self._emit(event)

    def _note(self, event: IngestEvent) -> None:
        match event:
            case Opened():
                self._played_at = time.monotonic()
                self._has_played = True
            case SegmentClosed(end=end) | Progress(time=end):
                self._high = max(self._high, end)
            case _:
                return

    async def _adopt(self) -> None:
        """Add the segment that a killed worker left open."""
        for segment in await adopt_leftovers(self._settings.directory):
            self._note(segment)
            await self._emit(segment)

    async def _next(self, closing: Refused | Lost | Ended) -> float | None:
        """Announce why the worker ended; return seconds to wait, `None` when all is over."""
        if self._stopping.is_set():
            return None
        if isinstance(closing, Ended):
            await self._emit(closing)
            return None
        if self._played_at is not None and time.monotonic() - self._played_at > STABLE_AFTER:
            self._failures = 0
        self._failures += 1
        delay = retry_delay(self._failures, jitter=random.random())  # noqa: S311 - no secret
        if isinstance(closing, Refused):
            is_final = closing.code in PERMANENT_REFUSALS and not self._has_played
            refused = attrs.evolve(closing, retry_in=None if is_final else delay)
            await self._emit(refused)
            return refused.retry_in
        if self._settings.source.listen and self._played_at is not None:
            delay = 0.0  # a publisher that comes back must find a listener
        await self._emit(attrs.evolve(closing, retry_in=delay))
        return delay


def _obituary(code: int | None, stderr: str) -> str:
    cause = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    last = stderr.splitlines()[-1] if stderr else "no message"
    return f"the ingest process died ({cause}): {last}"
