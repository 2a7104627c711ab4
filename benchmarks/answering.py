"""A server of answers made beforehand, and a slow link to it, in a process of their own.

`python -m benchmarks.answering RECORDS PAGE_SIZE DELAY` prints the port of the server and the port
of a link to it that takes DELAY seconds each way, and runs until its input ends. It reads a request
up to the empty line and looks its path up: no framework, so that it is never what is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import attrs

__all__ = ["INDEX", "STREAM", "Answering", "answering"]

STREAM, INDEX = "rts-benchmark", "idx-benchmark"
_HOST = "127.0.0.1"
_NEWEST = 1_760_000_000
_BODY_METHODS = (b"POST", b"PATCH", b"PUT")


@attrs.frozen(kw_only=True)
class Answering:
    """Where it runs."""

    url: str  #: direct
    slow_url: str  #: over the slow link


@contextmanager
def answering(*, records: int = 0, page_size: int = 100, delay: float = 0.0) -> Iterator[Answering]:
    """Run the server while the block runs.

    Args:
        records: Scenes that its one index has.
        page_size: The only size of page that it answers.
        delay: Seconds that the slow link takes each way.
    """
    command = [sys.executable, "-m", "benchmarks.answering", *map(str, (records, page_size, delay))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # a pipe was asked for
        port, slow_port = process.stdout.readline().split()
        yield Answering(url=f"http://{_HOST}:{port}", slow_url=f"http://{_HOST}:{slow_port}")
    finally:
        process.communicate()  # the end of its input is its end


def _answers(records: int, page_size: int) -> tuple[dict[str, bytes], list[bytes]]:
    """Return the answers by path, and those of the pages."""
    index = {
        "rtstream_index_id": INDEX,
        "rtstream_id": STREAM,
        "name": "benchmark",
        "status": "running",
        "extraction_type": "time",
    }
    plain = {
        "/collection/default": {"id": "c-1", "name": "Default", "description": "All streams"},
        f"/rtstream/{STREAM}": {"id": STREAM, "name": "camera", "status": "connected"},
        f"/rtstream/{STREAM}/index/{INDEX}": index,
    }
    scenes = [_scene(number) for number in range(records)]
    pages = [
        _whole(
            {
                "scene_index_records": scenes[first : first + page_size],
                "next_page": first + page_size < records,
            }
        )
        for first in range(0, records, page_size)
    ]
    return {path: _whole(data) for path, data in plain.items()}, pages


def _scene(number: int) -> dict[str, object]:
    start = _NEWEST - 2 * number
    return {
        "start": float(start),
        "end": start + 2.0,
        "description": f"A forklift passes the loading dock; two people wait at door {number}.",
        "rtstream_index_id": INDEX,
    }


def _whole(data: object) -> bytes:
    body = json.dumps({"success": True, "data": data}).encode()
    told = "content-type: application/json\r\ndate: Sun, 23 Nov 2025 08:00:00 GMT"
    head = f"HTTP/1.1 200 OK\r\n{told}\r\ncontent-length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


_BEYOND = _whole({"scene_index_records": [], "next_page": False})  # a page after the last


class _Server(asyncio.Protocol):
    """One connection: a request after the other, none with a body."""

    def __init__(self, answers: dict[str, bytes], pages: list[bytes]) -> None:
        self._answers = answers
        self._pages = pages
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # that of a TCP socket is
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            method, target, _ = head.split(b" ", 2)
            assert method not in _BODY_METHODS
            self._transport.write(self._answer(target.decode()))

    def _answer(self, target: str) -> bytes:
        parts = urlsplit(target)
        if parts.path in self._answers:
            return self._answers[parts.path]
        page = int(parse_qs(parts.query)["page"][0])
        return self._pages[page - 1] if page <= len(self._pages) else _BEYOND


class _Half(asyncio.Protocol):
    """One end of a connection over the slow link: what it gets, the other end sends later."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._waiting: deque[bytes | None] = deque()
        self.transport: asyncio.Transport | None = None
        self.other: _Half | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._later(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._later(None)

    def _later(self, data: bytes | None) -> None:
        self._waiting.append(data)
        asyncio.get_running_loop().call_later(self._delay, self._pass_on)

    def _pass_on(self) -> None:
        data = self._waiting.popleft()
        other = self.other
        if other is None or other.transport is None:
            self._waiting.appendleft(data)  # still connecting
            asyncio.get_running_loop().call_later(self._delay, self._pass_on)
        elif data is None:
            other.transport.close()
        else:
            other.transport.write(data)


class _Near(_Half):
    """The client's end; it connects to the server."""

    def __init__(self, delay: float, port: int) -> None:
        super().__init__(delay)
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        far = _Half(self._delay)
        far.other, self.other = self, far
        await asyncio.get_running_loop().create_connection(lambda: far, _HOST, self._port)


async def _serve(records: int, page_size: int, delay: float) -> None:
    loop = asyncio.get_running_loop()
    answers, pages = _answers(records, page_size)
    server = await loop.create_server(lambda: _Server(answers, pages), _HOST, 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    link = await loop.create_server(lambda: _Near(delay, port), _HOST, 0, backlog=1024)
    print(port, link.sockets[0].getsockname()[1], flush=True)
    async with server, link:
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
