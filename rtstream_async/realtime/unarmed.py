"""Channels that nothing in this connection armed: polled, or said to be silent.

A stream from `get_rtstream()`, or an index that another process made, publishes to somebody else's
connection id. Who subscribes to it here must neither hang in silence nor be told twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

import attrs

from rtstream_async.models.announcements import NotArmed
from rtstream_async.models.messages import Message
from rtstream_async.protocol.router import Key
from rtstream_async.realtime.burst import Burst
from rtstream_async.realtime.call_limit import CallLimit
from rtstream_async.realtime.inbox import Inbox
from rtstream_async.realtime.poll import POLLABLE, Poller, RecordPoll
from rtstream_async.realtime.rota import Rota
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.realtime.tracks import Tracks

__all__ = ["Unarmed"]

logger = logging.getLogger("rtstream_async.realtime")


@attrs.define(eq=False)
class _Watch:
    """One stream and channel that somebody reads and nobody here armed."""

    stream: str
    channel: str
    told: tuple[Inbox, ...] = ()  #: who knows that it is silent
    poll: RecordPoll | None = None
    is_silent: bool = False  #: there was nothing to poll


class Unarmed:
    """What is read and not armed, and is polled, each for as long as it is read.

    Attributes:
        watches: By stream and channel; empty where everything that is read is armed.
        left: What was armed here, and of which not all is pushed any more.
    """

    def __init__(
        self,
        poller: Poller | None,
        *,
        tracks: Tracks,
        settings: HubSettings,
        deliver: Callable[[Message], None],
        readers: Callable[[str, str], Iterable[Inbox]],
        spawn: Callable[..., None],
        limit: CallLimit,
    ) -> None:
        """Watch nothing yet.

        Args:
            poller: Reads records over REST; `None`: nothing can be polled.
            tracks: What was delivered; a poll goes on from there.
            settings: How often.
            deliver: Takes the polled messages.
            readers: Returns who asked for a channel of this very stream.
            spawn: Starts a task: `spawn(work, *args, name=...)`.
            limit: How many calls there may be at once, with those of others.
        """
        self._limit = limit
        self._poller = poller
        self._tracks = tracks
        self._settings = settings
        self._deliver = deliver
        self._readers = readers
        self._rota = Rota(at_once=settings.poll_calls, spawn=spawn, name="rtstream-async poll")
        self._silences = Burst(logger, quiet=settings.log_quiet)
        self._polled = Burst(logger, quiet=settings.log_quiet)
        self._failures = Burst(logger, quiet=settings.log_quiet)
        self.watches: dict[Key, _Watch] = {}
        self.left: dict[Key, None] = {}

    def read(self, stream: str, channel: str, inbox: Inbox, *, is_fresh: bool = False) -> None:
        """Have `inbox` get what can be polled of a channel that nothing armed.

        `is_fresh`: its history has just been read, and others may wait for theirs.
        """
        watch = self.watches.get((stream, channel))
        if watch is None:
            watch = self.watches[stream, channel] = _Watch(stream, channel)
            self._begin(watch, after=self._settings.poll_interval if is_fresh else 0.0)
        elif watch.is_silent and inbox not in watch.told:
            self._tell(watch, inbox)

    def leave(self, inbox: Inbox) -> None:
        """Do nothing for `inbox` any more, which has just been unsubscribed."""
        for key in self._keys_of(inbox):
            watch = self.watches.get(key)
            if watch is None:
                continue
            watch.told = tuple(one for one in watch.told if one is not inbox)
            if not self._readers(watch.stream, watch.channel):
                self._end(key, watch)
                if key not in self.left:
                    self._tracks.close(key)

    def armed(self, stream: str | None, channel: str) -> None:
        """Leave it alone: it is pushed to us from now on. What was left goes on, with the new."""
        key = stream, channel
        watch = self.watches.get(key)
        if watch is not None and key not in self.left:
            self._end(key, watch)

    def stop(self) -> None:
        """Watch nothing any more."""
        for key, watch in list(self.watches.items()):
            self._end(key, watch)

    def _keys_of(self, inbox: Inbox) -> list[Key]:
        found: list[Key] = []
        for stream, channel in inbox.keys:
            if stream is None:
                return list(self.watches)
            found += [(stream, name) for name in (POLLABLE if channel is None else (channel,))]
        return found

    def _end(self, key: Key, watch: _Watch) -> None:
        del self.watches[key]
        if watch.poll is not None:
            self._rota.remove(watch.poll)
            watch.poll.end()

    def _begin(self, watch: _Watch, *, after: float) -> None:
        if self._poller is None or watch.channel not in POLLABLE:
            self._silent(watch)
            return
        watch.poll = RecordPoll(
            self._poller,
            watch.stream,
            watch.channel,
            self._tracks.open((watch.stream, watch.channel)),
            limit=self._limit,
            settings=self._settings,
            deliver=self._deliver,
            on_silent=lambda: self._silent(watch),
            on_found=lambda: self._found(watch),
            failures=self._failures,
        )
        watch.poll.begin()
        self._rota.add(watch.poll, after=after)

    def _silent(self, watch: _Watch) -> None:
        if watch.is_silent:
            return
        watch.is_silent = True
        self._silences.warn(
            "nothing in this connection arms %s of %s, and there is nothing to poll; waiting",
            watch.channel,
            watch.stream,
        )
        for inbox in self._readers(watch.stream, watch.channel):
            self._tell(watch, inbox)

    def _found(self, watch: _Watch) -> None:
        watch.is_silent = False
        watch.told = ()  # when there is nothing again, they are told again
        self._polled.warn(
            "nothing in this connection arms %s of %s; its records are polled over REST",
            watch.channel,
            watch.stream,
        )

    def _tell(self, watch: _Watch, inbox: Inbox) -> None:
        watch.told += (inbox,)
        inbox.announce(NotArmed(at=time.time(), channel=watch.channel, rtstream_id=watch.stream))
