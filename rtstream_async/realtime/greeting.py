"""The first frame: the connection id, and what comes before it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from rtstream_async.errors import AuthenticationError, HandshakeError, RTStreamError
from rtstream_async.protocol.codec.frames import Greeting, Refusal, read_greeting
from rtstream_async.transport.socket import Sink, Socket

__all__ = ["FrameListener", "Greeter"]

_UNAUTHORIZED = 401
_MAX_KEPT = 1024  # data frames
_MAX_KEPT_BYTES = 64 * 2**20


class FrameListener(Protocol):
    """Takes the data frames of a connection."""

    def on_frame(self, data: bytes) -> None:
        """A data frame came."""
        ...

    def on_oversize(self, size: int, limit: int) -> None:
        """A data frame was too large to keep."""
        ...


class Greeter:
    """Takes the frames of one new connection until the connection id has come.

    Data frames before it are kept, and handed on after it. All this happens as the frames are
    read, so that nothing can get between the greeting and the messages behind it.
    """

    def __init__(self, listener: FrameListener, *, on_greeted: Callable[[str], None]) -> None:
        self.sink = Sink(frame=self._on_frame, oversize=listener.on_oversize)
        self._listener = listener
        self._on_greeted = on_greeted
        self._kept: list[bytes] = []
        self._kept_bytes = 0
        self._answer: asyncio.Future[Greeting | Refusal] = (
            asyncio.get_running_loop().create_future()
        )

    async def wait(self, socket: Socket, timeout: float) -> None:  # noqa: ASYNC109  (a setting, passed on)
        """Wait at most `timeout` seconds for the connection id.

        Raises:
            AuthenticationError: The service refused the connection as unauthorized.
            HandshakeError: It refused it otherwise, or closed it, or sent no connection id.
        """
        waited_for: tuple[asyncio.Future[object], ...] = (self._answer, socket.closed)  # type: ignore[assignment]  # Future is invariant
        await asyncio.wait(waited_for, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if self._answer.done():
            answer = self._answer.result()
            if isinstance(answer, Refusal):
                raise _refused(answer)
        elif socket.closed.done():
            raise HandshakeError(f"no connection id came: {socket.closed.result().cause}")
        else:
            raise HandshakeError(f"no connection id came within {timeout:g} s")

    def stop(self) -> None:
        """Take nothing more as a greeting: the attempt is over."""
        if not self._answer.done():
            self._answer.cancel()

    def _on_frame(self, data: bytes) -> None:
        if self._answer.done():
            return
        match read_greeting(data):
            case Greeting() as greeting:
                self._answer.set_result(greeting)
                self.sink.frame = self._listener.on_frame
                self._on_greeted(greeting.connection_id)
                for frame in self._kept:
                    self._listener.on_frame(frame)
                self._kept.clear()
            case Refusal() as refusal:
                self._answer.set_result(refusal)
            case None:
                self._keep(data)

    def _keep(self, data: bytes) -> None:
        self._kept.append(data)
        self._kept_bytes += len(data)
        if len(self._kept) > _MAX_KEPT or self._kept_bytes > _MAX_KEPT_BYTES:
            self._answer.set_result(Refusal("too many data frames, and no connection id"))


def _refused(refusal: Refusal) -> RTStreamError:
    if refusal.status == _UNAUTHORIZED:
        return AuthenticationError(refusal.message, status=_UNAUTHORIZED)
    return HandshakeError(f"the service refused the connection: {refusal.message}")
