"""What keeps messages coming over losses of the link: what is armed, and what was delivered.

The hub tells when the link is lost and back; the watchdog, when it is deaf. Here is decided whom
that concerns, and what is done about it is in `recovery.py`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import cast

import anyio
import attrs

from rtstream_async.models.announcements import Gap, GapUnrecoverable
from rtstream_async.models.messages import Message
from rtstream_async.protocol.cadence import CadenceSettings
from rtstream_async.protocol.codec.loose import canonical_channel
from rtstream_async.protocol.rearm import Arm, Arms
from rtstream_async.protocol.recovery import Track
from rtstream_async.protocol.router import Key
from rtstream_async.realtime.burst import Burst
from rtstream_async.realtime.call_limit import CallLimit
from rtstream_async.realtime.fanout import Fanout
from rtstream_async.realtime.link import LinkRunner
from rtstream_async.realtime.poll import Poller
from rtstream_async.realtime.ports import Rearmer
from rtstream_async.realtime.recovery import Recovery
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.realtime.tracks import Tracks
from rtstream_async.realtime.watchdog import Watchdog, newer_over

__all__ = ["Continuity"]

logger = logging.getLogger("rtstream_async.realtime")

_NOT_OURS = (
    "the connection id changed, and nothing here knows what published to the old one; create what"
    " you watch again, or page its records over REST"
)


class Continuity:
    """The memory of one link, which outlives its connections. It is the watchdog's view.

    Attributes:
        arms: What was told to publish to this link.
        tracks: What was delivered of what has a history.
        heard_at: Unix time, seconds, of the last frame; 0 before the first.
    """

    def __init__(
        self,
        link: LinkRunner,
        *,
        arms: Arms,
        poller: Poller | None,
        rearmer: Rearmer | None,
        settings: HubSettings,
        spawn: Callable[..., None],
    ) -> None:
        """Remember nothing yet.

        Args:
            link: What is lost and comes back.
            arms: What is armed; `rearmer` notes there what it does.
            poller: Reads history; `None`: there is none.
            rearmer: Arms again; `None`: nothing can be.
            settings: Bounds, deadlines, budgets.
            spawn: Starts a task: `spawn(work, *args, name=...)`.
        """
        self._link = link
        self._spawn = spawn
        self._settings = settings
        self.arms = arms
        self.heard_at = 0.0
        self.tracks = Tracks(settings=settings, now=None if poller is None else poller.now)
        limit = CallLimit(settings.recovery_calls)
        self.fanout = Fanout(
            arms=arms,
            tracks=self.tracks,
            poller=poller,
            settings=settings,
            spawn=spawn,
            connection_id=lambda: link.connection_id,
            limit=limit,
        )
        self._recovery = Recovery(
            arms=arms,
            tracks=self.tracks,
            poller=poller,
            rearmer=rearmer,
            settings=settings,
            outlet=self.fanout,
            spawn=spawn,
            limit=limit,
        )
        self._watchdog = self._make_watchdog(poller, limit)
        self._watch_scope: anyio.CancelScope | None = None
        self._own_ids: set[str] = set()  # every connection id that we have had
        self._gap_since: float | None = None  # the service's Unix time, seconds
        self._losses = Burst(logger, quiet=settings.log_quiet)

    @property
    def skew(self) -> float:
        """How much the service's clock is ahead of ours, seconds."""
        return self.tracks.skew

    @property
    def has_gaps(self) -> bool:
        """Whether something is missing that may still come."""
        return bool(self._recovery.gaps)

    def missing_since(self, key: Key) -> float | None:
        """Return since when (the service's Unix time) messages are missing that may still come."""
        return self._recovery.gaps.get(key)

    def note_armed(self, arm: Arm) -> None:
        """Note that something was created that publishes to a connection id, which may be ours."""
        if arm.connection_id not in self._own_ids:
            return
        arm = attrs.evolve(arm, channel=canonical_channel(arm.channel))
        self.arms.add(arm)
        self.fanout.arm(arm)
        current = self._link.connection_id
        if arm.connection_id == current:
            return
        # The link was lost between the question and the answer, and may be back already.
        key = arm.rtstream_id, arm.channel
        if current is None:
            self._recovery.lose_one(key, self.tracks.now())
        else:
            self._recovery.recover(key, self.tracks.now(), current)

    def lost(self, cause: str) -> None:
        """Tell that the link is lost, and note what is missing from now on."""
        self._losses.warn("the link was lost: %s; reconnecting", cause)
        since = max(self.heard_at, self._link.live_since) + self.skew
        if self._gap_since is None:
            self._gap_since = since
        for inbox in self.fanout.inboxes:
            inbox.gaps += 1
        self.fanout.announce(
            Gap(at=time.time(), since=self._gap_since, cause=f"link lost: {cause}")
        )
        self._recovery.lose(since)

    def regained(self, on_ready: Callable[[], None]) -> None:
        """Close what gaps there are; `on_ready` is called when that is well on its way."""
        connection_id = self._link.connection_id
        assert connection_id is not None  # noqa: S101 - the link is live
        self._own_ids.add(connection_id)
        self._watch()
        since, self._gap_since = self._gap_since, None
        if since is None:
            logger.info("the link is live")
            return
        until = self.tracks.now()
        logger.info("the link is live again after %.1f s", until - since)
        if self.has_gaps:
            self._recovery.regain(connection_id, since, on_ready)
        else:
            self.fanout.announce(
                GapUnrecoverable(at=time.time(), since=since, until=until, reason=_NOT_OURS)
            )

    def over(self) -> None:
        """Mend nothing as long as the link is over, and keep nothing back."""
        self._recovery.stop()
        self._recovery.let_go()

    def stop(self) -> None:
        """Watch no more: the link is closed."""
        if self._watch_scope is not None:
            self._watch_scope.cancel()

    # The watchdog's side.

    def watched(self) -> Iterable[tuple[Key, Track[Message]]]:
        """Return what has a history over REST, pushed to us or not."""
        return self.tracks.by_key.items()

    def is_pushed(self, rtstream_id: str, channel: str) -> bool:
        """Return whether something publishes this to us now."""
        return bool(self.arms.of(rtstream_id, channel))

    def on_deaf(self, rtstream_id: str, channel: str, since: float, reason: str) -> None:
        """Arm one channel again, and fetch what it missed since the service's Unix time `since`."""
        connection_id = self._link.connection_id
        if connection_id is None:
            return  # the loss that has just come mends it too
        key = rtstream_id, channel
        gap = Gap(
            at=time.time(), since=since, cause=reason, rtstream_id=rtstream_id, channel=channel
        )
        for inbox in self.fanout.readers(key):
            inbox.gaps += 1
            inbox.announce(gap)
        self._recovery.recover(key, since, connection_id)

    def _make_watchdog(self, poller: Poller | None, limit: CallLimit) -> Watchdog | None:
        settings = self._settings
        if poller is None or settings.watch_interval is None:
            return None
        return Watchdog(
            self._link,
            self,
            newer=newer_over(poller, sources=self.tracks.sources, limit=limit),
            settings=CadenceSettings(
                least=settings.silence_least,
                most=settings.silence_most,
                unknown=settings.silence_unknown,
            ),
            interval=settings.watch_interval,
            log_quiet=settings.log_quiet,
        )

    def _watch(self) -> None:
        if self._watchdog is not None and self._watch_scope is None:
            self._watch_scope = anyio.CancelScope()
            self._spawn(self._run_watchdog, self._watch_scope, name="rtstream-async watchdog")

    async def _run_watchdog(self, scope: anyio.CancelScope) -> None:
        with scope:
            await cast("Watchdog", self._watchdog).run()
