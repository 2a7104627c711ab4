"""The hub: the one reader of the socket, and whom its messages go to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import Any

from rtstream_async.errors import ConnectionClosedError, LinkClosedError, RTStreamError
from rtstream_async.models.announcements import StateChange
from rtstream_async.models.messages import Message
from rtstream_async.protocol.codec.frames import decode_frame, oversize_message
from rtstream_async.protocol.codec.loose import canonical_channel
from rtstream_async.protocol.link import LinkSignal, LinkState
from rtstream_async.protocol.overflow import Overflow
from rtstream_async.protocol.rearm import Arm, Arms
from rtstream_async.protocol.recovery import Track
from rtstream_async.protocol.router import keys_of, subject_of
from rtstream_async.realtime.brake import Brake
from rtstream_async.realtime.burst import Burst
from rtstream_async.realtime.continuity import Continuity
from rtstream_async.realtime.inbox import Inbox
from rtstream_async.realtime.link import LinkRunner
from rtstream_async.realtime.listeners import Listener
from rtstream_async.realtime.poll import Poller
from rtstream_async.realtime.ports import Rearmer
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.realtime.subscription import Subscription
from rtstream_async.realtime.waiting import Waker
from rtstream_async.supervisor import Supervisor
from rtstream_async.transport.socket import OpenSocket

__all__ = ["Hub"]

logger = logging.getLogger("rtstream_async.realtime")

_STATES_KEPT = 256


class Hub:
    """Owns the link, decodes each frame once, and puts the message into every matching inbox.

    It is the inboxes' `Keeper` and the link's `LinkListener`.

    Attributes:
        loop: The event loop that all this lives in, once it is known.
        poller: Reads records over REST; `None`: nothing can.
        arms: What was told to publish to this connection.
        waker: Wakes those who wait for a message.
    """

    def __init__(
        self,
        *,
        fetch_url: Callable[[], Awaitable[str]],
        open_socket: OpenSocket,
        settings: HubSettings,
        supervisor: Supervisor,
        poller: Poller | None = None,
        arms: Arms | None = None,
        rearmer: Rearmer | None = None,
    ) -> None:
        self._supervisor = supervisor
        self.loop: asyncio.AbstractEventLoop | None = None
        self._link = LinkRunner(
            fetch_url=fetch_url, open_socket=open_socket, settings=settings, listener=self
        )
        self._finished = asyncio.Event()  # the link's task has ended; set again by each
        self._brake = Brake(self._link, timeout=settings.block_timeout)
        self.poller = poller
        self._continuity = Continuity(
            self._link,
            arms=Arms() if arms is None else arms,
            poller=poller,
            rearmer=rearmer,
            settings=settings,
            spawn=supervisor.start_soon,
        )
        self.arms = self._continuity.arms
        self._fanout = self._continuity.fanout
        self._watchers: dict[Inbox, None] = {}  # of `states()`
        self.waker = Waker()
        self._drops = Burst(logger, quiet=settings.log_quiet)

    def check(self) -> asyncio.AbstractEventLoop:
        """Return the event loop that all this lives in.

        Raises:
            WrongEventLoopError: Called from another.
            ConnectionClosedError: The connection is closed.
        """
        self._supervisor.check()
        if self.loop is None:
            self.loop = asyncio.get_running_loop()
        return self.loop

    @property
    def state(self) -> LinkState:
        """Where the link is."""
        return self._link.state

    async def open(self) -> None:
        """Start to connect, unless that was done; start again if the link gave up.

        Does not wait for the link to be live. Cancelling changes nothing.

        Raises:
            ConnectionClosedError: The connection is closed.
            WrongEventLoopError: It lives in another event loop.
        """
        self._supervisor.check()
        await self._supervisor.start()
        if self.state is LinkState.IDLE:
            self._start(LinkSignal.OPEN)
        elif self.state is LinkState.SUSPENDED:
            self._start(LinkSignal.RESUME)

    async def connection_id(self) -> str:
        """Return what pipelines are to publish to, once the link is live; opens it if need be.

        Cancelling changes nothing.

        Raises:
            AuthenticationError: The service refuses the key.
            HandshakeError: The socket opened, or was refused, and no connection id came.
            TransportError: The service can't be reached.
            RTStreamError: The service does not give the socket's URL, for another reason.
            ConnectionClosedError: The connection is closed.
        """
        await self.open()
        while (connection_id := self._link.connection_id) is None:
            if self.state.is_over:
                raise self._link.failure or self._ending()
            await self._link.changed()
        return connection_id

    def subscribe(
        self,
        *,
        streams: frozenset[str] | None,
        channels: frozenset[str] | None,
        maxsize: int = 1024,
        overflow: Overflow = "drop_oldest",
        where: Callable[[Any], bool] | None = None,
        control: bool = False,
        key: Callable[[Any], Hashable] | None = None,
    ) -> Subscription[Any]:
        """Return a new subscription; `None` for all streams, or all channels.

        Args:
            streams: Ids of streams. Messages without one go only to those who want all.
            channels: Names of channels, the wire's own included.
            maxsize: Messages that it may queue, at least 1.
            overflow: What happens beyond that.
            where: Which of the matching messages it wants.
            control: Whether it also gets announcements, and frames of its channels that could not
                be read. `where` is not asked about either.
            key: With `latest`, what a message replaces; by default its stream and channel.
        """
        self.check()
        if channels is not None:
            channels = frozenset(map(canonical_channel, channels))
        inbox = Inbox(
            self,
            keys=keys_of(streams, channels),
            maxsize=maxsize,
            policy=overflow,
            where=where,
            key=(key or _stream_and_channel) if overflow == "latest" else None,
            control=control,
            takes_all=channels is None,
        )
        self.attach(inbox)
        return Subscription(self, inbox)

    def attach(self, inbox: Inbox) -> None:
        """Put what matches into `inbox` from now on."""
        self._fanout.add(inbox)
        if self.state.is_over:
            inbox.fail(self._ending())

    def unsubscribe(self, *inboxes: Inbox) -> None:
        """Give `inboxes` nothing more, and end whoever reads them."""
        for inbox in inboxes:
            self._fanout.remove(inbox)
            self._watchers.pop(inbox, None)
            self._brake.release(inbox)
            inbox.close()
            inbox.end()

    def watch(self, inbox: Inbox) -> None:
        """See to it that `inbox`, which somebody waits for, is not silent without a reason."""
        self._fanout.watch(inbox)

    def listen(self, rtstream_id: str, channel: str, listener: Listener) -> None:
        """Ring at `listener` for each message of this kind that is pushed, as long as it lives."""
        self._fanout.listeners.add((rtstream_id, channel), listener)

    def states(self) -> AsyncIterator[StateChange]:
        """Return the changes of the link's state from now on; does not open it."""
        self.check()
        inbox = Inbox(self, keys=(), maxsize=_STATES_KEPT, policy="drop_oldest")
        self._watchers[inbox] = None
        changes: Subscription[StateChange] = Subscription(self, inbox, wants_link=False)
        return changes

    def force_reconnect(self) -> None:
        """Drop the present socket for a new one, or try again at once; also after giving up."""
        self.check()
        if self.state in (LinkState.SUSPENDED, LinkState.AUTH_FAILED):
            self._start(LinkSignal.RESUME)
        else:
            self._link.nudge()

    def note_armed(self, arm: Arm) -> None:
        """Note that something was created that publishes to us.

        What it publishes before somebody subscribes is kept for the first who does. An id that
        was never ours is somebody else's, and none of our business.
        """
        self._continuity.note_armed(arm)

    def note_disarmed(self, rtstream_id: str | None, source: str) -> None:
        """Note that something was stopped by hand: it is not armed again after a loss."""
        self.arms.remove(source, rtstream_id=rtstream_id)

    def track_of(self, rtstream_id: str, channel: str) -> Track[Message] | None:
        """Return what was delivered of a stream and channel, if that is kept."""
        return self._continuity.tracks.get((rtstream_id, channel))

    def finish(self, message: Message) -> Message:
        """Return a message that was read over REST as it would have been delivered."""
        return self._fanout.with_output(message)

    def missing_since(self, rtstream_id: str, channel: str) -> float | None:
        """Return since when (the service's Unix time) messages are missing that may still come."""
        return self._continuity.missing_since((rtstream_id, channel))

    def is_polled(self, rtstream_id: str, channel: str) -> bool:
        """Return whether a stream and channel is read over REST, since nothing pushes it."""
        return self._fanout.is_polled((rtstream_id, channel))

    def set_output_type(self, rtstream_id: str, channel: str, output_type: Any) -> None:
        """Decode the text of these messages as `output_type` from now on; `None`: no longer.

        Raises:
            InvalidArgumentError: The type can't be decoded from JSON.
        """
        self._fanout.set_output_type(rtstream_id, channel, output_type)

    async def aclose(self) -> None:
        """End the link; what is queued can still be read, then iteration ends.

        Waits for the socket's goodbye, which has its own deadline. Cancelling leaves that to go on
        by itself.
        """
        was_running = self.state not in (LinkState.IDLE, LinkState.CLOSED)
        self._link.close()
        if was_running and not self._supervisor.is_closed:
            await self._finished.wait()

    # The link's side.

    def on_frame(self, data: bytes) -> None:
        """Take one data frame to whom it concerns."""
        now = self._continuity.heard_at = time.time()
        self._fanout.dispatch(decode_frame(data, now, self._link.link.generation))

    def on_oversize(self, size: int, limit: int) -> None:
        """Take note of a frame of `size` bytes that was too large to keep."""
        now = self._continuity.heard_at = time.time()
        self._fanout.dispatch(oversize_message(size, limit, now, self._link.link.generation))

    def on_change(self, previous: LinkState, state: LinkState, reason: str) -> None:
        """Tell everybody what has become of the link."""
        now = time.time()
        change = StateChange(
            at=now,
            previous=previous.value,
            state=state.value,
            generation=self._link.link.generation,
            reason=reason,
        )
        for watcher in list(self._watchers):
            watcher.deliver(change)
        self._fanout.announce(change)
        if previous.is_over:
            for inbox in self._fanout.inboxes:
                inbox.fail(None)
        if previous.has_connection_id and state is LinkState.RECONNECTING:
            self._continuity.lost(reason)
        elif state.has_connection_id and not previous.has_connection_id:
            self._continuity.regained(self._ready)
        elif state.is_over:
            self._over()

    def needs_recovery(self) -> bool:
        """Return whether something was lost that the new connection is to make good."""
        return self._continuity.has_gaps

    def _ready(self) -> None:
        if self.state is LinkState.RECOVERING:
            self._link.feed(LinkSignal.RECOVERED)

    def _over(self) -> None:
        failure = self._link.crash if self.state is LinkState.CLOSED else self._ending()
        if failure is not None:
            logger.error("the link is %s: %s", self.state.value, failure)
        self._continuity.over()
        for inbox in self._fanout.inboxes:
            inbox.fail(failure)
        if self.state is LinkState.CLOSED:
            self._continuity.stop()
            self._end()

    def _end(self) -> None:
        for inbox in (*self._fanout.inboxes, *self._watchers):
            self._brake.release(inbox)
            inbox.end()
        self._fanout.clear()
        self._watchers.clear()

    def _ending(self) -> RTStreamError:
        """Return what to raise in whoever wants something of a link that is over."""
        failure = self._link.failure
        match self.state:
            case LinkState.AUTH_FAILED if failure is not None:
                return failure
            case LinkState.SUSPENDED:
                ending = LinkClosedError(f"the link gave up ({failure}); force_reconnect() helps")
                ending.__cause__ = failure
                return ending
            case _:
                return self._link.crash or ConnectionClosedError()

    # The inboxes' side.

    def overflowed(self, inbox: Inbox) -> None:
        """Stop reading, or note that messages were dropped."""
        if inbox.is_holding:
            self._brake.hold(inbox)
        else:
            self._drops.warn(
                "a subscription's queue of %d messages is full (%s)", inbox.maxsize, inbox.policy
            )

    def drained(self, inbox: Inbox) -> None:
        """Read again."""
        self._brake.release(inbox)

    def abandoned(self, *inboxes: Inbox) -> None:
        """Unsubscribe `inboxes`, whose last reader was collected as garbage."""
        # The collector runs in any thread and in the middle of anything; so, not here and now. A
        # loop that is closed has no reader left to take it from.
        if self.loop is not None:
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self.unsubscribe, *inboxes)

    def _start(self, signal: LinkSignal) -> None:
        self._link.feed(signal)
        self._finished.clear()
        self._supervisor.start_soon(self._run_link, name="rtstream-async link")

    async def _run_link(self) -> None:
        try:
            await self._link.run()
        finally:
            self._finished.set()


def _stream_and_channel(message: Message) -> Hashable:
    return subject_of(message), message.channel
