"""Tells a quiet stream from a deaf socket: asks REST about a channel that is silent for too long.

One task looks at all channels, once in an interval. A message costs nothing here, because its track
notes its end anyway. What is suspicious, and what the records prove, is decided in
`protocol/cadence.py`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

import anyio
import anyio.lowlevel
import attrs

from rtstream_async.errors import RTStreamError
from rtstream_async.protocol.cadence import Cadence, CadenceSettings, Verdict, judge
from rtstream_async.protocol.link import LinkState
from rtstream_async.protocol.router import Key
from rtstream_async.realtime.burst import Burst
from rtstream_async.realtime.call_limit import CallLimit
from rtstream_async.realtime.link import LinkRunner
from rtstream_async.realtime.poll import Poller

__all__ = ["Newer", "Watchdog", "WatchdogView", "Watched", "newer_over"]

logger = logging.getLogger("rtstream_async.realtime")

_SLICE = 256  # channels that are looked at before messages have their turn
_AT_ONCE = 4  # channels that REST is asked about in one round
_RECORDS = 1000  # of a channel: the newest; more would prove nothing more
_REST_TIMEOUT = 15.0  # seconds, for the answers of one round
_FIRST_DELAY = 1.0  # seconds, until REST is asked again after it failed
_LONGEST_DELAY = 60.0  # seconds
_MAX_DOUBLINGS = 16  # beyond the longest delay by then, and far from overflowing
_OPEN = frozenset({LinkState.LIVE, LinkState.STALE})  # what pushes are to be expected from
_DEAF = frozenset({Verdict.CHANNEL_DEAF, Verdict.SOCKET_DEAF})

Newer = Callable[[str, str, float], Awaitable[Sequence[float]]]
"""Gives the ends of the records of a stream and channel that end after a time; all of them Unix
seconds of the service's clock.

Raises:
    RTStreamError: REST does not say.
"""


class Watched(Protocol):
    """What was delivered of one stream and channel."""

    @property
    def last_end(self) -> float:
        """The greatest end of what was delivered: the service's Unix time, seconds."""
        ...

    @property
    def gap_since(self) -> float | None:
        """Not `None` while it is being recovered: there is nothing to find out then."""
        ...

    def sweep_delay(self, skew: float) -> float:
        """Return the seconds from the end of a record within which its push has always come."""
        ...


class WatchdogView(Protocol):
    """What the watchdog sees of the hub, and whom it tells."""

    @property
    def heard_at(self) -> float:
        """When the last frame came, of whatever kind: local Unix time, seconds; 0 for never."""
        ...

    @property
    def skew(self) -> float:
        """How much the service's clock is ahead of ours, seconds."""
        ...

    def watched(self) -> Iterable[tuple[Key, Watched]]:
        """Return what has a history over REST, pushed to us or not."""
        ...

    def is_pushed(self, rtstream_id: str, channel: str) -> bool:
        """Return whether this is pushed to us now. Asked only about what is silent for long."""
        ...

    def on_deaf(self, rtstream_id: str, channel: str, since: float, reason: str) -> None:
        """This channel alone gets nothing any more: arm it again, and fetch what it missed.

        What ends after `since` (the service's Unix time, seconds) is missing.
        """
        ...


@attrs.define(eq=False)
class _Watch:
    """One stream and channel that is listened to."""

    key: tuple[str, str]
    track: Watched
    cadence: Cadence
    newest: float  #: `track.last_end` when it was looked at last
    ask_at: float = 0.0  #: not before this, on the loop's clock

    def __str__(self) -> str:
        stream, channel = self.key
        return f"{channel} of {stream}"

    @property
    def is_as_it_was(self) -> bool:
        """Whether nothing has come since it was looked at last, and nothing is done about it."""
        return self.track.last_end == self.newest and self.track.gap_since is None


_Answer = tuple[_Watch, Sequence[float]]


class Watchdog:
    """Finds out what is silent for too long, and why, and has it mended."""

    def __init__(
        self,
        link: LinkRunner,
        view: WatchdogView,
        *,
        newer: Newer,
        settings: CadenceSettings,
        interval: float,
        log_quiet: float,
    ) -> None:
        """Watch nothing yet.

        Args:
            link: Is made stale, cleared or reconnected.
            view: Says what is listened to.
            newer: Asks REST.
            settings: When silence is suspicious.
            interval: Seconds between two looks. What REST has and was not pushed gets as long to
                come after all.
            log_quiet: Seconds for which the like of a warning is only counted.
        """
        self._link = link
        self._view = view
        self._newer = newer
        self._settings = settings
        self._interval = interval
        self._failures = Burst(logger, quiet=log_quiet)
        self._deaf = Burst(logger, quiet=log_quiet)
        self._watches: dict[tuple[str, str], _Watch] = {}
        self._generation = -1
        # All times below are of the loop's clock: the other one may be set.
        self._any = Cadence(0.0, settings=settings)  # of frames of whatever kind
        self._any_heard_at = 0.0
        self._cleared_at = 0.0
        self._ask_at = 0.0
        self._failed = 0  # rounds in a row

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await anyio.sleep(self._interval)
            if self._is_listening():
                generation = self._generation
                overdue = await self._look()
                if self._is_listening() and self._generation == generation:
                    await self._find_out(overdue)

    def _is_listening(self) -> bool:
        """Return whether silence means anything now; if not, begin anew when it does."""
        generation = self._link.link.generation
        if self._link.state not in _OPEN or self._link.is_paused:
            self._generation = -1
            return False
        if generation != self._generation:
            self._generation = generation
            now = anyio.current_time()
            self._any.restart(now)
            for watch in self._watches.values():
                watch.cadence.restart(now)
        return True

    async def _look(self) -> list[_Watch]:
        """Note what has come since the last look; return what is silent for too long."""
        self._listen(anyio.current_time())
        overdue: list[_Watch] = []
        present: dict[tuple[str, str], _Watch] = {}
        watched = list(self._view.watched())
        for first in range(0, len(watched), _SLICE):
            if first:
                await anyio.lowlevel.checkpoint()  # messages go first
            now = anyio.current_time()
            for (stream, channel), track in watched[first : first + _SLICE]:
                if stream is None or channel is None:
                    continue
                watch = self._look_at((stream, channel), track, now)
                present[watch.key] = watch
                if now < watch.cadence.suspicious_at:
                    continue
                if self._view.is_pushed(stream, channel):
                    overdue.append(watch)
                else:
                    watch.cadence.restart(now)
        self._watches = present
        return overdue

    def _look_at(self, key: tuple[str, str], track: Watched, now: float) -> _Watch:
        watch = self._watches.get(key)
        if watch is None or watch.track is not track:
            return _Watch(key, track, Cadence(now, settings=self._settings), track.last_end)
        if track.gap_since is not None:
            watch.newest = track.last_end
            watch.cadence.restart(now)
        elif track.last_end != watch.newest:
            watch.newest, watch.ask_at = track.last_end, 0.0
            watch.cadence.heard(now)
        return watch

    def _listen(self, now: float) -> None:
        """Note whether anything at all has come."""
        if self._view.heard_at != self._any_heard_at:
            self._any_heard_at = self._view.heard_at
            self._any.heard(now)

    async def _find_out(self, overdue: list[_Watch]) -> None:
        """Ask REST about the channels that are the longest overdue, and act on what it says."""
        if not overdue:
            self._clear("nothing is silent for too long any more")
            return
        now = anyio.current_time()
        self._suspect(overdue, now)
        asked = [watch for watch in overdue if watch.ask_at <= now]
        if not asked or now < self._ask_at:
            return
        asked.sort(key=lambda watch: watch.cadence.suspicious_at)
        del asked[_AT_ONCE:]
        generation = self._generation
        answers = await self._ask(asked)
        self._postpone(has_failed=len(answers) < len(asked))
        if any(self._judge(answer) in _DEAF for answer in answers):
            await anyio.sleep(self._interval)  # their pushes may come right behind the records
        if self._is_listening() and self._generation == generation:
            self._conclude(answers, is_whole=len(answers) == len(asked))

    async def _ask(self, watches: Sequence[_Watch]) -> list[_Answer]:
        """Return what REST answers in time, and not what fails."""
        answers: list[_Answer] = []

        async def ask(watch: _Watch) -> None:
            try:
                ends = await self._newer(*watch.key, watch.track.last_end)
            except RTStreamError as exc:
                self._failures.warn("asking for the records of %s failed: %s", watch, exc)
            else:
                answers.append((watch, ends))

        with anyio.move_on_after(_REST_TIMEOUT):
            async with anyio.create_task_group() as group:
                for watch in watches:
                    group.start_soon(ask, watch)
        return answers

    def _postpone(self, *, has_failed: bool) -> None:
        """Ask REST ever more seldom while it fails: the keepalive of the socket still watches."""
        if not has_failed:
            self._failed = 0
            return
        delay = _FIRST_DELAY * 2.0 ** min(self._failed, _MAX_DOUBLINGS)
        self._failed += 1
        self._ask_at = anyio.current_time() + min(_LONGEST_DELAY, delay)

    def _judge(self, answer: _Answer) -> Verdict:
        watch, ends = answer
        skew = self._view.skew
        return judge(
            ends,
            pushed_until=watch.track.last_end,
            lateness=watch.track.sweep_delay(skew),
            heard_at=self._view.heard_at + skew,
            now=time.time() + skew,
        )

    def _conclude(self, answers: Sequence[_Answer], *, is_whole: bool) -> None:
        """Act on what REST has said of channels that are still silent."""
        now = anyio.current_time()
        self._listen(now)
        for answer in answers:
            watch = answer[0]
            if not watch.is_as_it_was:
                continue
            verdict = self._judge(answer)
            if verdict is Verdict.QUIET:
                watch.cadence.excuse(now)
            elif verdict is Verdict.CHANNEL_DEAF:
                watch.cadence.accuse(now)
                self._deaf.warn("%s; the socket is well", _reason(watch))
                self._view.on_deaf(*watch.key, watch.track.last_end, _reason(watch))
            elif verdict is Verdict.SOCKET_DEAF and now >= self._any.suspicious_at:
                watch.cadence.accuse(now)
                self._link.suspect(_reason(watch))
                self._link.nudge(_reason(watch))
                return
            else:
                # It may still come; or another channel may be heard, which acquits the socket.
                watch.ask_at = now + self._interval
                is_whole = False
        if is_whole:
            self._clear("REST has no records that were not pushed")

    def _suspect(self, overdue: Sequence[_Watch], now: float) -> None:
        """Take the link for stale, if nothing else is heard either, and that was not cleared up."""
        for watch in overdue:
            if now >= self._any.suspicious_at and watch.cadence.suspicious_at > self._cleared_at:
                silence = now - watch.cadence.silent_since
                self._link.suspect(f"{watch} is silent for {silence:.1f} s, and all others are too")
                return

    def _clear(self, reason: str) -> None:
        if self._link.state is LinkState.STALE:
            self._cleared_at = anyio.current_time()
            self._link.clear(reason)


def newer_over(
    poller: Poller, *, sources: Callable[[str, str], Sequence[str]], limit: CallLimit
) -> Newer:
    """Return what asks REST for the ends of records.

    Args:
        poller: How.
        sources: Returns what is known to make records of a stream and channel; if nothing is, REST
            is asked for that too.
        limit: How many calls there may be at once, with those of others.
    """

    async def newer(rtstream_id: str, channel: str, since: float) -> list[float]:
        async with limit.place():
            makers = sources(rtstream_id, channel) or await poller.sources(rtstream_id, channel)
            return [
                record.end
                for source in makers
                for record in await poller.records(
                    rtstream_id, channel, source, since, limit=_RECORDS
                )
            ]

    return newer


def _reason(watch: _Watch) -> str:
    return f"deaf: records of {watch} are stored and were not pushed"
