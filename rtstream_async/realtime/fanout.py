"""Whom each message goes to: the inboxes, the early messages, and what is polled."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from rtstream_async.models.announcements import Announcement
from rtstream_async.models.messages import CHANNELS, Message, SceneMessage, UnknownMessage
from rtstream_async.protocol.codec.loose import canonical_channel
from rtstream_async.protocol.codec.output import OutputDecoder
from rtstream_async.protocol.rearm import Arm, Arms
from rtstream_async.protocol.recovery import Push, Track
from rtstream_async.protocol.router import Key, Router, subject_of
from rtstream_async.realtime.burst import Burst
from rtstream_async.realtime.call_limit import CallLimit
from rtstream_async.realtime.early import EarlyMessages
from rtstream_async.realtime.inbox import Inbox
from rtstream_async.realtime.listeners import Listeners
from rtstream_async.realtime.patience import Patience
from rtstream_async.realtime.poll import POLLABLE, Poller
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.realtime.tracks import Tracks, push
from rtstream_async.realtime.unarmed import Unarmed

__all__ = ["Fanout"]

logger = logging.getLogger("rtstream_async.realtime")

_KNOWN = frozenset(CHANNELS)
_DELIVER: Final = Push.DELIVER  # a member of an enumeration is slow to look up


class Fanout:
    """Puts each message into every inbox that it matches. It is the recovery's `Outlet`.

    Attributes:
        inboxes: All of them.
        listeners: Who is told of what is pushed, and does not read it.
    """

    def __init__(
        self,
        *,
        arms: Arms,
        tracks: Tracks,
        poller: Poller | None,
        settings: HubSettings,
        spawn: Callable[..., None],
        connection_id: Callable[[], str | None],
        limit: CallLimit,
    ) -> None:
        """Start without inboxes.

        Args:
            arms: What publishes to us.
            tracks: What was delivered of what has a history.
            poller: Reads records over REST; `None`: nothing can be polled.
            settings: Bounds and intervals.
            spawn: Starts a task: `spawn(work, *args, name=...)`.
            connection_id: Returns what is published to now.
            limit: How many calls there may be at once, with those of others.
        """
        self._connection_id = connection_id
        self._arms = arms
        self._tracks = tracks
        self._settings = settings
        self.inboxes: dict[Inbox, None] = {}
        self._router: Router[Inbox, Track[Message] | None] = Router(tracks.get)
        self._routes = self._router.routes  # looked at for every message
        tracks.on_change = self._router.forget
        self._early = EarlyMessages(maxsize=settings.early_messages)
        self._unarmed = Unarmed(
            poller,
            tracks=tracks,
            settings=settings,
            deliver=self.give,
            readers=self._readers,
            spawn=spawn,
            limit=limit,
        )
        self._watches = self._unarmed.watches
        self.listeners = Listeners()
        self._listeners = self.listeners.by_key
        self._outputs: dict[Key, OutputDecoder] = {}
        self._unreadable = Burst(logger, quiet=settings.log_quiet)

    def add(self, inbox: Inbox) -> None:
        """Put messages into `inbox` from now on, and what came early for it."""
        self.inboxes[inbox] = None
        self._router.add(inbox, inbox.keys)
        for message in self._early.claim(inbox.keys):
            inbox.deliver(self.with_output(message))

    def watch(self, inbox: Inbox) -> None:
        """Poll for `inbox` what nothing armed, or tell it that there is nothing to poll."""
        left = self._unarmed.left
        if any(None in key for key in inbox.keys):
            for stream, channel in list(left):
                if inbox in self._readers(stream, channel):
                    self._unarmed.read(stream or "", channel or "", inbox)
        for stream, channel in inbox.keys:
            if stream is None:
                continue
            for name in POLLABLE if channel is None else (channel,):
                if (stream, name) in left or not self._arms.of(stream, name):
                    self._unarmed.read(stream, name, inbox)

    def is_polled(self, key: Key) -> bool:
        """Return whether `key` is read over REST, and there is something to read."""
        watch = self._watches.get(key)
        return watch is not None and not watch.is_silent

    def remove(self, inbox: Inbox) -> None:
        """Put nothing more into `inbox`."""
        self._router.remove(inbox, inbox.keys)
        self.inboxes.pop(inbox, None)
        if self._watches:
            self._unarmed.leave(inbox)

    def clear(self) -> None:
        """Have no inboxes any more."""
        self.inboxes.clear()
        self._router.clear()
        self._unarmed.stop()

    def arm(self, arm: Arm) -> None:
        """Note what publishes to us; what it publishes before it has a reader is kept."""
        key = arm.rtstream_id, arm.channel
        is_wanted = bool(self._router.targets(*key))
        self._early.arm(key, is_wanted=is_wanted)
        self._unarmed.armed(*key)
        if arm.rtstream_id is not None and arm.channel in POLLABLE:
            self._tracks.open(key, arm.source)

    def set_output_type(self, rtstream_id: str, channel: str, output_type: Any) -> None:
        """Decode the text of these messages as `output_type`; `None`: no longer."""
        key = (rtstream_id, canonical_channel(channel))
        if output_type is None:
            self._outputs.pop(key, None)
        else:
            self._outputs[key] = OutputDecoder(output_type)

    def announce(self, announcement: Announcement) -> None:
        """Tell every inbox that asked for such."""
        for inbox in list(self.inboxes):
            inbox.announce(announcement)

    def tell(self, key: Key, announcement: Announcement) -> None:
        """Tell every inbox that reads `key` and asked for such."""
        stream, channel = key
        for inbox in self._router.targets(stream, channel or ""):
            inbox.announce(announcement)

    def tell_rest(self, keys: Iterable[Key], announcement: Announcement) -> None:
        """Tell every inbox that reads none of `keys`, or all streams, and asked for such."""
        told = {
            inbox
            for stream, channel in keys
            for inbox in self._router.targets(stream, channel or "")
        }
        for inbox in list(self.inboxes):
            if inbox not in told or any(stream is None for stream, _ in inbox.keys):
                inbox.announce(announcement)

    def leave_to_poll(self, key: Key) -> None:
        """Poll `key` for as long as it is read: nothing pushes it any more."""
        stream, channel = key
        if stream is None or channel is None:
            return
        self._unarmed.left[key] = None
        for inbox in self._readers(stream, channel):
            self._unarmed.read(stream, channel, inbox, is_fresh=True)

    async def pour(self, key: Key, messages: Sequence[Message]) -> None:
        """Give recovered messages to whoever reads `key`, as fast as they take them.

        There is no socket behind them that would suffer, so a queue that is full gets time, as
        long as it is read. For one that nobody reads, its own policy decides.
        """
        stream, channel = key
        patience = Patience(total=self._settings.block_timeout)
        for message in messages:
            for inbox in self._router.targets(stream, channel or ""):
                if inbox.depth >= inbox.maxsize and inbox.policy != "latest":
                    await patience.await_room(inbox)
            self.give(message)

    def dispatch(self, message: Message) -> None:  # noqa: C901, PLR0912 - for every message: no call more
        """Take one message that was pushed to whom it concerns."""
        subject = message.rtstream_id
        channel = message.channel
        if subject is None:
            subject = subject_of(message)
        if self._listeners:
            self.listeners.ring((subject, channel), message)
        try:
            route = self._routes[channel][subject]
        except KeyError:
            route = self._router.route(subject, channel)
        track, targets = route.note, route.targets
        if track is not None:
            if type(message) is SceneMessage:  # as `push()` does, without the call: most are
                verdict = track.push(message, message.received_at - message.end)
            else:
                verdict = push(track, message)
            if verdict is not _DELIVER:
                if verdict is Push.REPEAT:
                    self._repeated(message, subject)
                return
        if not targets:
            self._early.keep(message)
            return
        if type(message) is UnknownMessage:
            self._dispatch_unknown(message, targets)
            return
        if self._watches and (subject, channel) in self._watches:
            self._pushed_though_polled(message)
        if self._outputs:
            message = self.with_output(message)
        for inbox in targets:
            inbox.deliver(message)

    def give(self, message: Message) -> None:
        """Take one message that was fetched over REST to whom it concerns."""
        targets = self._router.targets(message.rtstream_id, message.channel)
        if not targets:
            self._early.keep(message)
            return
        if self._outputs:
            message = self.with_output(message)
        is_recovered = message.origin == "backfill"
        for inbox in targets:
            if is_recovered:
                inbox.recovered += 1
            inbox.deliver(message)

    def readers(self, key: Key) -> tuple[Inbox, ...]:
        """Return who reads a stream and channel."""
        stream, channel = key
        return self._router.targets(stream, channel or "")

    def _readers(self, stream: str | None, channel: str | None) -> tuple[Inbox, ...]:
        """Whom a stream and channel that nothing pushes is polled for.

        Who reads all streams reads those that this connection had armed, and not whatever else
        there is.
        """
        if (stream, channel) in self._unarmed.left:
            return self._router.targets(stream, channel or "")
        return self._router.of_stream(stream or "", channel or "")

    def _repeated(self, message: Message, subject: str | None) -> None:
        for inbox in self._router.targets(subject, message.channel):
            inbox.duplicates += 1

    def _pushed_though_polled(self, message: Message) -> None:
        """Note what is pushed although nothing here armed it: somebody gave our id by hand."""
        if (message.rtstream_id, message.channel) in self._unarmed.left:
            return  # one index of several is pushed again; the others are polled as before
        arm = Arm(
            rtstream_id=message.rtstream_id,
            channel=message.channel,
            source="",
            connection_id=self._connection_id() or "",
        )
        self._arms.add(arm)
        self.arm(arm)

    def with_output(self, message: Message) -> Message:
        """Return `message` with its text decoded, if that was asked for."""
        output = self._outputs.get((message.rtstream_id, message.channel))
        return message if output is None else output.fill(message)

    def _dispatch_unknown(self, message: UnknownMessage, targets: tuple[Inbox, ...]) -> None:
        is_unreadable = message.channel in _KNOWN
        if is_unreadable or not message.channel:
            self._unreadable.warn(
                "a frame on the channel %r could not be read: %s", message.channel, message.reason
            )
        for inbox in targets:
            if inbox.takes_all or not is_unreadable:
                inbox.deliver(message)
            elif inbox.has_control:
                inbox.announce(message)
            else:
                inbox.unreadable += 1
