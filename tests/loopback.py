"""A scripted HTTP/1.1 server on a real loopback socket, for what no mock can show."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs

__all__ = ["Loopback", "Seen", "answer", "serve"]


@attrs.frozen(kw_only=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str  #: with its query
    headers: Mapping[str, str]  #: names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Handler = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


@attrs.define
class Loopback:
    """A running server: its address, and what it has seen."""

    url: str
    seen: list[Seen] = attrs.field(factory=list)
    connections: int = 0
    _arrived: asyncio.Condition = attrs.field(factory=asyncio.Condition)

    async def saw(self, count: int) -> None:
        """Wait until so many requests have arrived."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.seen) >= count)

    async def note(self, seen: Seen) -> None:
        """Remember a request."""
        self.seen.append(seen)
        async with self._arrived:
            self._arrived.notify_all()


def answer(
    body: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> bytes:
    """Return the bytes of one HTTP answer; bytes are sent as they are, all else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"content-length": str(len(content)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + content


@asynccontextmanager
async def serve(handler: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Loopback]:
    """Run a server that gives each request to `handler`."""
    tasks: set[asyncio.Task[None]] = set()
    guards: list[asyncio.Task[Any] | None] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loopback.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                seen = await _read(reader)
                await loopback.note(seen)
                await handler(seen, writer)
                await writer.drain()

    async def guard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # In a task of its own: asyncio's streams log a handler that is cancelled as an error.
        task = asyncio.ensure_future(talk(reader, writer))
        tasks.add(task)
        guards.append(asyncio.current_task())
        await asyncio.wait([task])
        tasks.discard(task)
        writer.transport.abort()

    server = await asyncio.start_server(guard, "127.0.0.1", 0, ssl=tls)
    scheme = "https" if tls else "http"
    loopback = Loopback(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield loopback
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*(guard for guard in guards if guard))


async def _read(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    headers = {name.lower(): value for name, value in headers.items()}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Seen(method=method, path=path, headers=headers, body=body)
