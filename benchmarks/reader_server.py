"""The other end of the reader's benchmark: a process that sends frames made beforehand.

A line `SUBSCRIPTIONS COUNT SIZE` on its standard input makes it send to who connected last.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import struct
import sys
import time

__all__ = ["SIZE", "main"]

SIZE = 220  # bytes of a message
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CHUNK = 500  # frames a write
_CLOSE = 0x88  # the first byte of a frame that says goodbye


def _frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes([0x81, size]) + payload
    if size < 2**16:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


def _message(stream: int, at: float, size: int = SIZE) -> bytes:
    data = {"text": "", "start": round(at, 3), "end": round(at + 0.5, 3)}
    message = {"channel": "scene_index", "rtstream_id": f"rts-{stream:06d}", "data": data}
    data["text"] = "x" * (size - len(json.dumps(message)))
    return json.dumps(message).encode()


class _Generator:
    def __init__(self) -> None:
        self.writer: asyncio.StreamWriter | None = None

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        fields = dict(line.split(b": ", 1) for line in head[1:] if line)
        key = next(value for name, value in fields.items() if name.lower() == b"sec-websocket-key")
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + _frame(b'{"connection_id":"bench"}')
        )
        self.writer = writer
        while (data := await reader.read(4096)) and data[0] != _CLOSE:
            continue  # pings go unanswered: no run is that long
        writer.write(bytes([_CLOSE, 0]))
        writer.close()

    async def send(self, subscriptions: int, count: int, size: int) -> None:
        writer, now = self.writer, time.time()
        if writer is None:
            raise RuntimeError("nobody is connected")
        frames = [_frame(_message(i % subscriptions, now + i / 1e3, size)) for i in range(count)]
        chunks = [b"".join(frames[i : i + _CHUNK]) for i in range(0, count, _CHUNK)]
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()


async def main() -> None:
    """Serve until standard input ends; the port is the first line of the output."""
    generator = _Generator()
    server = await asyncio.start_server(generator.accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        subscriptions, count, size = map(int, line.split())
        await generator.send(subscriptions, count, size)


if __name__ == "__main__":
    asyncio.run(main())
