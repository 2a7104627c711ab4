"""The server's side of the sockets: who is connected, and what is on its way to whom."""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import anyio
import attrs
import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from rtstream_async.local.domain.chaos_frames import Payload
from rtstream_async.local.domain.ids import ENTROPY, connection_id
from rtstream_async.local.refusal import Refusal
from rtstream_async.local.tokens import Grant, Tokens
from rtstream_async.local.wire import query_of, wire_of
from rtstream_async.protocol.codec import emit
from rtstream_async.protocol.codec.emit import AlertShape

__all__ = ["Hub", "HubSettings", "Peer", "Sent"]

logger = logging.getLogger(__name__)

Sent = Literal["queued", "dropped", "gone"]
"""What became of a frame: queued for a socket, queued in place of the oldest one, or no socket."""

_GOING_AWAY = 1001


@attrs.frozen(kw_only=True)
class HubSettings:
    """Bounds of the sockets; times in seconds."""

    queue: int = 1024  #: frames that wait for one slow reader; the oldest is dropped beyond
    url_lifetime: float = 60.0  #: how long an issued socket URL can be opened
    close_grace: float = 2.0  #: how long a goodbye may take
    scene_channel: str = "scene_index"  #: what visual indexes are pushed as; or `visual_index`
    alert_shape: AlertShape = "full"  #: how an alert looks; the documents do not agree
    pushes_understandings: bool = False  #: the service's frame for them is not known; ours is


@attrs.define(eq=False)
class Peer:
    """One open socket and the frames that wait for it."""

    connection_id: str
    socket: WebSocket = attrs.field(repr=False)
    limit: int
    sent: int = 0  #: frames written so far
    dropped: int = 0  #: frames given up because the reader was too slow
    _waiting: deque[Payload] = attrs.field(factory=deque[Payload], init=False, repr=False)
    _in_hand: int = attrs.field(default=0, init=False)  # frames that are being written
    _wake: asyncio.Event = attrs.field(factory=asyncio.Event, init=False, repr=False)
    _goodbye: tuple[int, str] | None = attrs.field(default=None, init=False)

    @property
    def queued(self) -> int:
        """How many frames wait to be written."""
        return len(self._waiting) + self._in_hand

    @property
    def is_frozen(self) -> bool:
        """Whether the connection is open and dead."""
        return wire_of(self.socket).is_frozen

    def put(self, payload: Payload) -> Sent:
        """Queue one frame, text or binary; the oldest goes when the reader is too slow."""
        full = len(self._waiting) >= self.limit
        if full:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(payload)
        self._wake.set()
        return "dropped" if full else "queued"

    def close(self, code: int, reason: str = "") -> None:
        """Have the socket closed after what is queued."""
        self._goodbye = (code, reason)
        self._wake.set()

    def cut(self) -> None:
        """End the connection below the protocol, as a broken network does: no goodbye."""
        wire_of(self.socket).abort()

    def freeze(self) -> None:
        """Leave the connection open and dead, as a host that hangs does; frames wait."""
        wire_of(self.socket).freeze()

    def thaw(self) -> None:
        """Bring it to life again."""
        wire_of(self.socket).thaw()

    async def write(self) -> tuple[int, str]:
        """Write frames until `close()`; return its code and reason.

        Raises:
            WebSocketDisconnect: The socket is gone.
        """
        while True:
            while self._waiting:
                self._in_hand = 1
                await self._write_one(self._waiting.popleft())
                self._in_hand = 0
                self.sent += 1
            if self._goodbye is not None:
                return self._goodbye
            self._wake.clear()
            await self._wake.wait()

    async def _write_one(self, payload: Payload) -> None:
        if isinstance(payload, str):
            await self.socket.send_text(payload)
        elif isinstance(payload, bytes):
            await self.socket.send_bytes(payload)
        else:
            await wire_of(self.socket).send_raw_text(payload.data)


class Hub:
    """Issues socket URLs, holds the open sockets by connection id, and sends frames to them.

    A producer never waits for a reader: `send()` queues, within a bound, and says what happened.
    """

    def __init__(self, tokens: Tokens, settings: HubSettings) -> None:
        self._tokens = tokens
        self._settings = settings
        self._peers: dict[str, Peer] = {}
        self._closing = False
        self._empty = asyncio.Event()
        self._empty.set()
        self.gone: Counter[str] = Counter()  #: frames per connection id that had no socket
        self.mangle: Callable[[Peer, str | bytes], Sent] | None = None
        """What a test has frames go through on their way to a socket."""
        self.knock: Callable[[], float] | None = None
        """What a test has handshakes go through: tells how many seconds the first frame is held
        back (infinity: for good), or raises a refusal."""
        self.left: Callable[[Peer], None] | None = None
        """Is told of each socket at its end, for a test to count."""

    @property
    def scene_channel(self) -> str:
        """The name of the channel that visual indexes are pushed on."""
        return self._settings.scene_channel

    @property
    def alert_shape(self) -> AlertShape:
        """How an alert looks on the socket."""
        return self._settings.alert_shape

    @property
    def pushes_understandings(self) -> bool:
        """Whether records of understandings are pushed, in a frame of our own making."""
        return self._settings.pushes_understandings

    def __iter__(self) -> Iterator[Peer]:
        return iter(list(self._peers.values()))

    def get(self, id_: str) -> Peer | None:
        """Return the open socket with this connection id."""
        return self._peers.get(id_)

    def issue_url(self, base: str) -> str:
        """Return a URL that opens one kind of door, this hub's, for a short time.

        Args:
            base: `http://host:port` under which the client reached the server.
        """
        grant = Grant(kind="socket", subject=os.urandom(8).hex())
        token = self._tokens.issue(grant, lifetime=self._settings.url_lifetime)
        return f"ws{base.removeprefix('http')}/ws?token={token}"

    def send(self, id_: str, frame: Mapping[str, Any] | str | bytes) -> Sent:
        """Queue one frame for a connection id; one for a socket that is gone is counted.

        A mapping is sent as JSON text, text as it is, and bytes as a binary frame.
        """
        peer = self._peers.get(id_)
        if peer is None:
            self.gone[id_] += 1
            return "gone"
        payload = frame if isinstance(frame, str | bytes) else _text(frame)
        return peer.put(payload) if self.mangle is None else self.mangle(peer, payload)

    async def serve(self, socket: WebSocket) -> None:
        """Serve one socket from its handshake to its end.

        Raises:
            Refusal: The URL's token is not good (any more), or the server is stopping.
        """
        self._tokens.check(query_of(socket).get("token", ""), "socket")
        if self._closing:
            raise Refusal(503, "STOPPING", "the server is stopping")
        held = 0.0 if self.knock is None else self.knock()
        await socket.accept()
        peer = Peer(connection_id(os.urandom(ENTROPY)), socket, self._settings.queue)
        self._peers[peer.connection_id] = peer
        self._empty.clear()
        if self._closing:  # since the check above
            peer.close(_GOING_AWAY)
        greeting = _greet(peer, held)
        try:
            await self._converse(peer)
        finally:
            if greeting is not None:
                greeting.cancel()
            if self.left is not None:
                self.left(peer)
            del self._peers[peer.connection_id]
            if not self._peers:
                self._empty.set()
            self._report(peer)

    async def aclose(self) -> None:
        """Close every socket with 1001 (going away) and wait for the goodbyes, within bounds."""
        self._closing = True
        for peer in self:
            peer.close(_GOING_AWAY, "the server is stopping")
        with anyio.move_on_after(self._settings.close_grace):
            await self._empty.wait()
        for peer in self:
            peer.cut()  # it does not read, so it can't hear a goodbye

    async def _converse(self, peer: Peer) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._listen, peer, group.cancel_scope)
            try:
                code, reason = await peer.write()
                await peer.socket.close(code, reason)
            except WebSocketDisconnect:
                pass  # the usual end: the client has left
            group.cancel_scope.cancel()

    async def _listen(self, peer: Peer, scope: anyio.CancelScope) -> None:
        # No client message is part of the contract: they are read, so that pings and the
        # goodbye behind them are seen, and ignored.
        while (await peer.socket.receive())["type"] != "websocket.disconnect":
            pass
        scope.cancel()

    def _report(self, peer: Peer) -> None:
        lost = peer.dropped + peer.queued
        if lost:
            logger.warning(
                "socket %s is gone; %d frames sent, %d lost", peer.connection_id, peer.sent, lost
            )


def _greet(peer: Peer, after: float) -> asyncio.TimerHandle | None:
    """Send the first frame, now or `after` seconds (at infinity: never); return what waits."""
    text = _text(emit.hello(peer.connection_id))
    if after <= 0:
        peer.put(text)
    elif math.isfinite(after):
        return asyncio.get_running_loop().call_later(after, peer.put, text)
    return None


def _text(frame: Mapping[str, Any]) -> str:
    return msgspec.json.encode(frame).decode()
