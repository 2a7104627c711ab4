"""Whom each message goes to: the inboxes, the early messages, and what is polled."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from rtstream_async.models.announcements import Announcement
from rtstream_async.models.messages import CHANNELS, Message, UnknownMessage
from rtstream_async.protocol.codec.loose import canonical_channel
from rtstream_async.protocol.codec.output import OutputDecoder
from rtstream_async.protocol.router import Key, Router, subject_of
from rtstream_async.realtime.burst import Burst
from rtstream_async.realtime.early import EarlyMessages
from rtstream_async.realtime.inbox import Inbox
from rtstream_async.realtime.poll import POLLABLE, Poller
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.realtime.unarmed import Unarmed

__all__ = ["Fanout"]

logger = logging.getLogger("rtstream_async.realtime")

_KNOWN = frozenset(CHANNELS)


class Fanout:
    """Puts each message into every inbox that it matches.

    Attributes:
        inboxes: All of them.
    """

    def __init__(
        self, *, poller: Poller | None, settings: HubSettings, spawn: Callable[..., None]
    ) -> None:
        """Start without inboxes; see `Unarmed` for `poller` and `spawn`."""
        self.inboxes: dict[Inbox, None] = {}
        self._router: Router[Inbox] = Router()
        self._early = EarlyMessages(maxsize=settings.early_messages)
        self._unarmed = Unarmed(
            poller,
            settings=settings,
            deliver=self.dispatch,
            readers=self._router.of_stream,
            spawn=spawn,
        )
        self._watches = self._unarmed.watches  # looked at for every message
        self._armed: dict[Key, str] = {}
        self._outputs: dict[Key, OutputDecoder] = {}
        self._unreadable = Burst(logger, quiet=settings.log_quiet)

    def add(self, inbox: Inbox) -> None:
        """Put messages into `inbox` from now on, and what came early for it."""
        self.inboxes[inbox] = None
        self._router.add(inbox, inbox.keys)
        for message in self._early.claim(inbox.keys):
            inbox.deliver(self._with_output(message))

    def watch(self, inbox: Inbox) -> None:
        """Poll for `inbox` what nothing armed, or tell it that there is nothing to poll."""
        for stream, channel in inbox.keys:
            if stream is None:
                continue
            for name in POLLABLE if channel is None else (channel,):
                if (stream, name) not in self._armed:
                    self._unarmed.read(stream, name, inbox)

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

    def arm(self, rtstream_id: str | None, channel: str, connection_id: str) -> None:
        """Note what publishes to us; what it publishes before it has a reader is kept."""
        channel = canonical_channel(channel)
        self._armed[rtstream_id, channel] = connection_id
        is_wanted = bool(self._router.targets(rtstream_id, channel))
        self._early.arm((rtstream_id, channel), is_wanted=is_wanted)
        self._unarmed.armed(rtstream_id, channel)

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

    def dispatch(self, message: Message) -> None:
        """Take one message, pushed or not, to whom it concerns."""
        subject = message.rtstream_id
        if subject is None:
            subject = subject_of(message)
        targets = self._router.targets(subject, message.channel)
        if not targets:
            self._early.keep(message)
            return
        if type(message) is UnknownMessage:
            self._dispatch_unknown(message, targets)
            return
        if self._watches and message.origin == "push" and self._is_repeat(message, subject):
            for inbox in targets:
                inbox.duplicates += 1
            return
        if self._outputs:
            message = self._with_output(message)
        for inbox in targets:
            inbox.deliver(message)

    def _is_repeat(self, message: Message, subject: str | None) -> bool:
        key = (subject, message.channel)
        if key in self._watches and key not in self._armed:
            # Somebody armed it by hand, with our connection id: it needs no polling.
            self._armed[key] = ""
            self._unarmed.armed(*key)
        return self._unarmed.is_repeat(message)

    def _with_output(self, message: Message) -> Message:
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
