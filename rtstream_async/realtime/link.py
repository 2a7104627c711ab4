"""Keeps one WebSocket open: connects, waits for the greeting, waits for the end, tries again.

The states and the delays are decided in `protocol/link.py`; this is the task that acts on them. It
knows nothing of messages and subscriptions.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio
import anyio.lowlevel

from rtstream_async.errors import (
    AuthenticationError,
    HandshakeError,
    LinkClosedError,
    RateLimitError,
    RTStreamError,
)
from rtstream_async.protocol.link import Attempts, Link, LinkSignal, LinkState
from rtstream_async.realtime.greeting import Greeter
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.transport.socket import OpenSocket, Sink, Socket

__all__ = ["LinkListener", "LinkRunner"]

logger = logging.getLogger("rtstream_async.realtime")

_SHORT_GOODBYE = 0.25  # seconds: a socket that is given up for another must not delay that one


class LinkListener(Protocol):
    """Is told what the link does, from within the event loop, and in order."""

    def on_frame(self, data: bytes) -> None:
        """A data frame came."""
        ...

    def on_oversize(self, size: int, limit: int) -> None:
        """A data frame of `size` bytes was too large to keep."""
        ...

    def on_change(self, previous: LinkState, state: LinkState, reason: str) -> None:
        """The state has changed."""
        ...

    def needs_recovery(self) -> bool:
        """Return whether a gap is to be closed, now that the connection id has come."""
        ...


class LinkRunner:
    """One link, and the task that keeps it up.

    Attributes:
        link: State and generation.
        failure: Why the last attempt failed, or why the link is over.
        crash: What ended the task although it should not have.
        live_since: Unix time, seconds, at which the last connection id came.
    """

    def __init__(
        self,
        *,
        fetch_url: Callable[[], Awaitable[str]],
        open_socket: OpenSocket,
        settings: HubSettings,
        listener: LinkListener,
    ) -> None:
        self.link = Link()
        self.failure: RTStreamError | None = None
        self.crash: LinkClosedError | None = None
        self.live_since = 0.0
        self._fetch_url = fetch_url
        self._open_socket = open_socket
        self._settings = settings
        self._listener = listener
        self._connection_id: str | None = None
        self._changed = asyncio.Event()
        self._nudge: asyncio.Future[str] | None = None
        self._scope: anyio.CancelScope | None = None
        self._socket: Socket | None = None
        self._sink: Sink | None = None
        self._is_paused = False
        # Both of the loop's clock:
        self._live_at = 0.0
        self._give_up_at = math.inf

    @property
    def state(self) -> LinkState:
        """Where the link is."""
        return self.link.state

    @property
    def connection_id(self) -> str | None:
        """What pipelines can publish to now, if there is such a thing."""
        return self._connection_id if self.state.has_connection_id else None

    @property
    def is_paused(self) -> bool:
        """Whether nothing is read, because of a full queue."""
        return self._is_paused

    async def changed(self) -> None:
        """Wait for the next change of the state."""
        await self._changed.wait()

    def feed(self, signal: LinkSignal, reason: str = "") -> None:
        """Move the state, and tell."""
        previous = self.link.feed(signal)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        self._listener.on_change(previous, self.state, reason)

    def nudge(self, reason: str = "force_reconnect()") -> None:
        """Give up the present socket, for this reason, or the present wait; connect at once."""
        if self._nudge is not None and not self._nudge.done():
            self._nudge.set_result(reason)

    def suspect(self, reason: str) -> None:
        """Take the link, if it is live, for stale until a frame comes or `clear()` is called."""
        if self.state is LinkState.LIVE and self._sink is not None:
            # Put in the frames' way only now, so that a live link pays nothing for it.
            self._sink.frame, self._sink.oversize = self._hear, self._hear_oversize
            self.feed(LinkSignal.QUIET, reason)

    def clear(self, reason: str) -> None:
        """Take the link, if it is stale, for live: there was nothing to hear."""
        self._trust(LinkSignal.CLEARED, reason)

    def pause(self) -> None:
        """Stop reading, from this socket and from those after it."""
        self._is_paused = True
        if self._socket is not None:
            self._socket.pause()

    def resume(self) -> None:
        """Read again."""
        self._is_paused = False
        if self._socket is not None:
            self._socket.resume()

    def close(self) -> None:
        """End the link for good; `run()` says goodbye and returns."""
        if self.state is not LinkState.CLOSED:
            self.feed(LinkSignal.CLOSE)
        if self._scope is not None:
            self._scope.cancel()

    async def run(self) -> None:
        """Keep the link up until it is over; to be started after OPEN or RESUME was fed."""
        budget = self._settings.outage_budget
        self._allow(budget if self.link.generation else self._settings.connect_timeout)
        if self.state.is_over:
            return
        self.failure = None
        with anyio.CancelScope() as self._scope:
            try:
                await self._keep_up()
            except Exception as exc:
                self.crash = LinkClosedError(f"the link failed: {exc!r}")
                raise
            finally:
                if not self.state.is_over:
                    self.feed(LinkSignal.CLOSE, "the task that keeps the link has ended")

    async def _keep_up(self) -> None:
        attempts, down_since = Attempts(), anyio.current_time()
        while True:
            retry_after: float | None = None
            try:
                lived = await self._connection()
            except RTStreamError as exc:
                if self.state.has_connection_id:
                    # The greeting came, and then opening failed all the same.
                    self.feed(LinkSignal.LOST, str(exc))
                self.failure = exc
                attempts = attempts.failed(refused=isinstance(exc, AuthenticationError))
                if attempts.is_refused:
                    self.feed(LinkSignal.REFUSED, str(exc))
                    return
                if self._is_hopeless(exc):
                    self.feed(LinkSignal.GAVE_UP, str(exc))
                    return
                if isinstance(exc, RateLimitError):
                    retry_after = exc.retry_after
                logger.debug("attempt %d to connect failed: %s", attempts.failures, exc)
            else:
                attempts = attempts.lost(lived=lived)
                if not attempts.failures:
                    down_since = anyio.current_time()
                self._allow(self._settings.outage_budget)
            # Chance only spreads the attempts of many clients.
            jitter = random.random()  # noqa: S311
            down = anyio.current_time() - down_since
            await self._pause(attempts.delay(jitter=jitter, down=down, retry_after=retry_after))
            if anyio.current_time() >= self._give_up_at:
                self.feed(LinkSignal.GAVE_UP, str(self.failure))
                return

    def _allow(self, seconds: float | None) -> None:
        self._give_up_at = math.inf if seconds is None else anyio.current_time() + seconds

    def _is_hopeless(self, exc: RTStreamError) -> bool:
        # A refusal for the key has its own rule. And once it has worked, it may work again.
        never_lived = self.link.generation == 0
        return never_lived and not exc.is_retryable and not isinstance(exc, AuthenticationError)

    async def _connection(self) -> float:
        """Have one connection, from a fresh URL to its loss; return its life in seconds."""
        greeter = Greeter(self._listener, on_greeted=self._greeted)
        self._sink = greeter.sink
        socket: Socket | None = None
        try:
            with anyio.CancelScope(deadline=self._give_up_at):
                socket = await self._open_socket(await self._fetch_url(), greeter.sink)
                await greeter.wait(socket, self._settings.first_frame_timeout)
            await anyio.lowlevel.checkpoint_if_cancelled()  # closed with the greeting: no failure
            if socket is None or not self.state.has_connection_id:
                # What had gone wrong before says more than that the time is over.
                raise self.failure or HandshakeError("no connection id came in time")
            self._adopt(socket)
            self.feed(LinkSignal.LOST, await self._loss(socket))
            return anyio.current_time() - self._live_at
        finally:
            self._socket = self._sink = None
            greeter.stop()
            if socket is not None:
                # Its own close timeout bounds it as well, and is meant for the last goodbye.
                bound = math.inf if self.state is LinkState.CLOSED else _SHORT_GOODBYE
                with anyio.move_on_after(bound, shield=True):
                    await socket.aclose()

    def _greeted(self, connection_id: str) -> None:
        self._connection_id = connection_id
        self.failure = None
        self.live_since = time.time()
        self._live_at = anyio.current_time()
        # Now, and not when `_loss()` begins: the link is live to everybody from here on.
        self._nudge = asyncio.get_running_loop().create_future()
        needs = self.link.generation > 0 and self._listener.needs_recovery()
        self.feed(LinkSignal.RECOVER if needs else LinkSignal.GREETED)

    def _hear(self, data: bytes) -> None:
        self._trust(LinkSignal.HEARD, "a message came")
        self._listener.on_frame(data)

    def _hear_oversize(self, size: int, limit: int) -> None:
        self._trust(LinkSignal.HEARD, "a message came")
        self._listener.on_oversize(size, limit)

    def _trust(self, signal: LinkSignal, reason: str) -> None:
        if self.state is LinkState.STALE and self._sink is not None:
            listener = self._listener
            self._sink.frame, self._sink.oversize = listener.on_frame, listener.on_oversize
            self.feed(signal, reason)

    def _adopt(self, socket: Socket) -> None:
        self._socket = socket
        if self._is_paused:
            socket.pause()

    async def _loss(self, socket: Socket) -> str:
        """Wait until the connection has ended, or is to be given up; return the cause."""
        assert self._nudge is not None  # noqa: S101  (made when the link became live)
        await asyncio.wait((socket.closed, self._nudge), return_when=asyncio.FIRST_COMPLETED)
        return socket.closed.result().cause if socket.closed.done() else self._nudge.result()

    async def _pause(self, seconds: float) -> None:
        """Wait for `seconds`, or until nudged, or until it is time to give up."""
        nudge = self._nudge = asyncio.get_running_loop().create_future()
        until = min(anyio.current_time() + seconds, self._give_up_at)
        await asyncio.wait((nudge,), timeout=max(0.0, until - anyio.current_time()))
