"""After a loss: what was armed is armed again, and what was missed is fetched over REST.

The order is that of the design, and `tests/protocol/recovery` shows what each step is for: arm
again first, hold what is pushed from then on, read the window back over REST, give what is new and
what was held in order of time, and look a second time for what REST showed late. What decides is
in `protocol/recovery.py`; here are the calls, the waiting and the telling.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio

from rtstream_async.errors import RTStreamError
from rtstream_async.models.announcements import Gap, GapClosed, GapUnrecoverable
from rtstream_async.models.messages import Message
from rtstream_async.protocol.rearm import Arm, Arms, Rearmed
from rtstream_async.protocol.recovery import Found, Track, Window
from rtstream_async.protocol.router import Key
from rtstream_async.realtime.burst import Burst
from rtstream_async.realtime.call_limit import CallLimit
from rtstream_async.realtime.history import History
from rtstream_async.realtime.poll import POLLABLE, Poller
from rtstream_async.realtime.ports import Outlet, Rearmer
from rtstream_async.realtime.second_look import Place, SecondLook
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.realtime.tracks import Tracks

__all__ = ["Recovery"]

logger = logging.getLogger("rtstream_async.realtime")

_NO_HISTORY = "the service keeps no history of %s: what was pushed meanwhile is lost"
_HISTORY_FAILS = "its history can't be read: %s"
_BUDGET = "the gap is longer than what may be fetched (HubSettings.recovery_window or _records)"
_FIRST_DELAY = 0.5  # seconds, between attempts of what failed
_LONGEST_DELAY = 30.0  # seconds
_CLOCK = 1.0  # seconds: how well the service's clock is known
_MARGIN = 10.0  # seconds: a detection is told some time after what it is about


class Recovery:
    """Closes the gaps of one link, one after the other, a few calls at a time."""

    def __init__(
        self,
        *,
        arms: Arms,
        tracks: Tracks,
        poller: Poller | None,
        rearmer: Rearmer | None,
        settings: HubSettings,
        outlet: Outlet,
        spawn: Callable[..., None],
        limit: CallLimit,
    ) -> None:
        """Recover nothing yet.

        Args:
            arms: What was armed by this connection.
            tracks: What was delivered of what has a history.
            poller: Reads history; `None`: there is none.
            rearmer: Arms again; `None`: nothing can be.
            settings: Bounds, deadlines, budgets.
            outlet: Takes what is recovered.
            spawn: Starts a task: `spawn(work, *args, name=...)`.
            limit: How many calls may be made at once.
        """
        self._arms = arms
        self._tracks = tracks
        self._rearmer = rearmer
        self._settings = settings
        self._outlet = outlet
        self._spawn = spawn
        self._limit = limit
        self._failures = Burst(logger, quiet=settings.log_quiet)
        self._ends = Burst(logger, quiet=settings.log_quiet)
        self._open: dict[Key, float] = {}  # since when messages may be missing, service's time
        self._turns: dict[Key, int] = {}  # of what is open: the least is open for longest
        self._locks: dict[Key, anyio.Lock] = {}
        self._scopes: set[anyio.CancelScope] = set()
        self._recovered = 0
        self._history: History | None = None
        self._second: SecondLook | None = None
        if poller is not None:
            self._history = History(
                poller, arms=arms, tracks=tracks, limit=settings.recovery_records
            )
            self._second = SecondLook(
                self._history,
                tracks=tracks,
                settings=settings,
                limit=limit,
                failures=self._failures,
                deliver=self._pour,
            )

    @property
    def gaps(self) -> dict[Key, float]:
        """The gaps that are open: since when, in the service's Unix time."""
        return self._open

    def lose(self, at: float) -> None:
        """Note that nothing armed before `at` (the service's Unix time) is heard any more."""
        self.stop()
        for arm in self._arms.all():
            self.lose_one(_key(arm), at)

    def lose_one(self, key: Key, at: float) -> None:
        """Note that one stream and channel is not heard since `at` (the service's Unix time)."""
        if key not in self._open:
            self._open[key], self._turns[key] = at, self._limit.turn()
        track = self._tracks.get(key)
        if track is not None:
            track.lost(at)

    def regain(self, connection_id: str, since: float, on_ready: Callable[[], None]) -> None:
        """Close what gaps there are, now that things can publish to `connection_id`.

        Args:
            connection_id: Of the new connection.
            since: When the link was lost: the service's Unix time, seconds.
            on_ready: Called once: when that is done, or soon if there is much to do.
        """
        self._begin(self._recover_all, connection_id, since, on_ready, name="recovery")

    def recover(self, key: Key, at: float, connection_id: str) -> None:
        """Close the gap of one stream and channel, which is deaf since `at`; the link is well."""
        self.lose_one(key, at)
        self._begin(self._recover_one, key, connection_id, name="recovery of a channel")

    def stop(self) -> None:
        """Recover nothing for now; what is open stays so."""
        for scope in self._scopes:
            scope.cancel()

    def let_go(self) -> None:
        """Deliver what is held: nobody knows whether its gap will ever be closed."""
        for track in self._tracks.by_key.values():
            if track.is_holding:
                for message in track.let_go():
                    self._outlet.give(message)

    def _place(self, key: Key) -> AbstractAsyncContextManager[None]:
        """Return a place for the calls that `key` needs.

        What has no history goes first: all that it misses until then is lost. Then, what is open
        for longest: where the link is cut again and again, all have their turn.
        """
        return self._limit.place(self._turns[key], can_wait=_place(key) is not None)

    def _begin(self, work: Callable[..., Awaitable[None]], *arguments: Any, name: str) -> None:
        scope = anyio.CancelScope()
        self._scopes.add(scope)
        self._spawn(self._run, scope, work, arguments, name=f"rtstream-async {name}")

    async def _run(
        self, scope: anyio.CancelScope, work: Callable[..., Awaitable[None]], arguments: Any
    ) -> None:
        try:
            with scope:
                await work(*arguments)
        finally:
            self._scopes.discard(scope)

    async def _recover_one(self, key: Key, connection_id: str) -> None:
        await self._close(key, connection_id, is_forced=True)
        await self._look_again([key])

    async def _recover_all(
        self, connection_id: str, since: float, on_ready: Callable[[], None]
    ) -> None:
        begun, self._recovered = time.monotonic(), 0
        told = _Once(on_ready)
        asyncio.get_running_loop().call_later(self._settings.recovering_at_most, told)
        # Chance only spreads the calls of the many who lost the same server.
        await anyio.sleep(self._settings.recovery_jitter * random.random())  # noqa: S311
        keys = list(self._open)
        async with anyio.create_task_group() as group:
            for key in keys:
                group.start_soon(self._close, key, connection_id)
        told()
        logger.info(
            "%d messages of %d channels recovered in %.1f s",
            self._recovered,
            len(keys),
            time.monotonic() - begun,
        )
        self._tell_rest(keys, since)
        await self._look_again(keys)

    async def _close(self, key: Key, connection_id: str, is_forced: bool = False) -> None:
        """Close one gap, whatever becomes of it."""
        # A recovery that was cut short may still be noting what it did.
        async with self._locks.setdefault(key, anyio.Lock()):
            since = self._open.get(key)
            if since is None:
                return
            track = self._tracks.get(key)
            if track is not None:
                track.begin()
            until, is_whole = await self._rearm(key, connection_id, is_forced=is_forced)
            place = _place(key)
            if place is None or track is None or self._history is None:
                reason = _NO_HISTORY % key[1]
                self._give_up(key, since - _MARGIN, until + _CLOCK, reason)
            else:
                await self._fill(place, track, self._history, since)
            if not is_whole:
                self._outlet.leave_to_poll(key)

    async def _rearm(self, key: Key, connection_id: str, *, is_forced: bool) -> tuple[float, bool]:
        """Arm again what made messages of `key`; return when, and whether all are pushed now."""
        arms = self._arms.of(*key)
        is_whole = bool(arms)
        for arm in arms:
            if arm.connection_id == connection_id and not is_forced:
                continue
            rearmed = await self._rearm_one(arm, connection_id)
            if rearmed.lost is not None:
                for channel in (arm.channel, *rearmed.also):
                    self._tell_lost((arm.rtstream_id, channel), rearmed)
            if rearmed.arm is None:
                self._ends.warn(
                    "%s of %s is not armed again: %s", arm.channel, arm.rtstream_id, rearmed.reason
                )
                self._arms.remove(arm.source, rtstream_id=arm.rtstream_id)
                is_whole = False
            else:
                self._arms.replace(arm, rearmed.arm)
        return self._now(), is_whole

    async def _rearm_one(self, arm: Arm, connection_id: str) -> Rearmed:
        if self._rearmer is None:
            return Rearmed(arm=None, lost=None, reason="nothing here can arm")
        delay = _FIRST_DELAY
        while True:
            try:
                async with self._place(_key(arm)):
                    # Whole or not at all: what was made and not noted would go on unseen.
                    with anyio.CancelScope(shield=True):
                        return await self._rearmer.rearm(arm, connection_id)
            except RTStreamError as exc:
                self._failures.warn(
                    "arming %s of %s again failed: %s", arm.channel, arm.rtstream_id, exc
                )
                if not exc.is_retryable:
                    return Rearmed(arm=None, lost=None, reason=str(exc))
            await anyio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311
            delay = min(_LONGEST_DELAY, delay * 2)

    async def _fill(
        self, place: Place, track: Track[Message], history: History, since: float
    ) -> None:
        """Fetch what `track` misses; when that goes on failing, say so."""
        key: Key = place
        stream, channel = place
        give_up_at = anyio.current_time() + self._settings.recovery_budget
        delay, is_first = _FIRST_DELAY, True
        while True:
            window, beyond = track.window(self._now(), self._tracks.skew)
            try:
                async with self._place(key):
                    found, whole_since = await history.read(stream, channel, window)
            except RTStreamError as exc:
                self._failures.warn("reading what %s of %s missed failed: %s", key[1], key[0], exc)
                if is_first:  # what is pushed meanwhile need not wait for that
                    await self._pour(key, track.let_go())
                is_first = False
                if not exc.is_retryable or anyio.current_time() >= give_up_at:
                    await self._pour(key, track.give_up())
                    self._give_up(key, since, window.until, _HISTORY_FAILS % exc)
                    return
            else:
                break
            await anyio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311
            delay = min(_LONGEST_DELAY, delay * 2)
        await self._close_with(key, track, since, found, window)
        lost_until = max(whole_since or 0.0, 0.0 if beyond is None else beyond.until)
        if lost_until > since:
            self._outlet.tell(key, _unrecoverable(key, since, lost_until, _BUDGET))

    async def _close_with(
        self,
        key: Key,
        track: Track[Message],
        since: float,
        found: Sequence[Found[Message]],
        window: Window,
    ) -> None:
        merged = track.merge(found, window)
        recovered = sum(1 for message in merged if message.origin == "backfill")
        self._recovered += recovered
        self._end(key)
        await self._pour(key, merged)
        stream, channel = key
        self._outlet.tell(
            key,
            GapClosed(
                at=time.time(),
                since=since,
                until=window.until,
                recovered=recovered,
                rtstream_id=stream,
                channel=channel,
            ),
        )

    async def _look_again(self, keys: Sequence[Key]) -> None:
        """Fetch a second time, when what was in work at the time of the loss is done too."""
        if self._second is not None:
            await self._second.run(
                place
                for key in keys
                # What is polled is looked at again and again anyway.
                if (place := _place(key)) is not None and self._arms.of(*key)
            )

    async def _pour(self, key: Key, messages: Sequence[Message]) -> None:
        """Deliver, even while cancelled: the track has counted them as delivered."""
        with anyio.CancelScope(shield=True):  # bounded by the outlet's patience
            await self._outlet.pour(key, messages)

    def _give_up(self, key: Key, since: float, until: float, reason: str) -> None:
        self._end(key)
        self._outlet.tell(key, _unrecoverable(key, since, until, reason))

    def _end(self, key: Key) -> None:
        self._open.pop(key, None)
        self._turns.pop(key, None)

    def _tell_lost(self, key: Key, rearmed: Rearmed) -> None:
        assert rearmed.lost is not None  # noqa: S101 - asked by the caller
        stream, channel = key
        since, until = rearmed.lost
        self._outlet.tell(
            key,
            Gap(at=time.time(), since=since, cause="rearm", rtstream_id=stream, channel=channel),
        )
        self._outlet.tell(key, _unrecoverable(key, since, until, rearmed.reason))

    def _tell_rest(self, keys: Sequence[Key], since: float) -> None:
        self._outlet.tell_rest(
            keys,
            GapClosed(at=time.time(), since=since, until=self._now(), recovered=self._recovered),
        )

    def _now(self) -> float:
        return self._tracks.now()


class _Once:
    """Calls something the first time that it is called."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def __call__(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


def _place(key: Key) -> Place | None:
    """Return a stream and channel of which there can be a history."""
    stream, channel = key
    return (stream, channel) if stream is not None and channel in POLLABLE else None


def _key(arm: Arm) -> Key:
    return arm.rtstream_id, arm.channel


def _unrecoverable(key: Key, since: float, until: float, reason: str) -> GapUnrecoverable:
    stream, channel = key
    return GapUnrecoverable(
        at=time.time(),
        since=since,
        until=until,
        reason=reason,
        rtstream_id=stream,
        channel=channel,
    )
