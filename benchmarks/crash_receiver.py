"""Takes webhooks as a user's service would: now and then it fails, and must be asked again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs

__all__ = ["Receiver", "receiving"]

_FAILS = 7
_OK = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@attrs.define(eq=False)
class Receiver:
    """Counts what comes, by its key."""

    fails: int | None = None  #: of so many, it refuses one at first
    url: str = ""
    taken: Counter[str] = attrs.field(factory=Counter[str])
    _refused: set[str] = attrs.field(factory=set[str])

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            await reader.readexactly(int(headers.get("content-length", "0")))
            writer.write(self._take(headers["idempotency-key"]))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the server was killed while it sent
        finally:
            writer.close()

    def _take(self, key: str) -> bytes:
        number = int(key.rpartition("-")[2])
        if self.fails is not None and not number % self.fails and key not in self._refused:
            self._refused.add(key)
            return _BUSY
        self.taken[key] += 1
        return _OK


@asynccontextmanager
async def receiving(*, fails: int | None = _FAILS) -> AsyncGenerator[Receiver]:
    """Run a receiver while the block does; `None`: it takes all at once."""
    receiver = Receiver(fails)
    async with await asyncio.start_server(receiver.answer, "127.0.0.1", 0) as listening:
        receiver.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/hook"
        yield receiver
