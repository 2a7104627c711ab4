"""The local server: what it knows of keys, tokens and cameras stays with it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import pytest
from websockets.asyncio.client import connect

from rtstream_async.local import LocalServer
from rtstream_async.local.datadir import open_data_dir
from rtstream_async.local.domain.sources import parse_source, without_secrets
from rtstream_async.local.media.settings import IngestSettings
from rtstream_async.local.store.rows import StreamRow
from rtstream_async.local.tokens import Grant, Tokens
from tests.cli.program import rtstream
from tests.local.engines import PixelEngine
from tests.local.harness import api_of, until
from tests.media.clips import Clip, make_clip
from tests.media.servers import http_server

PASSWORD = "hunter2"
TRACE = 5  # uvicorn's own level below DEBUG


@pytest.fixture(scope="module")
def web(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("web")
    make_clip(folder / "four.mp4", Clip(seconds=2, gop=1, audio=None))
    return folder


def secret_of(url: str) -> str:
    """A URL with a password, and another one in its query; the server behind it minds neither."""
    return url.replace("http://", f"http://admin:{PASSWORD}@") + f"/four.mp4?loop=1&pass={PASSWORD}"


async def fetch(url: str) -> bytes:
    """A player's request, by a client that logs nothing."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode())
    body = await reader.read()
    writer.close()
    await writer.wait_closed()
    return body


@pytest.fixture
def loud(caplog):
    """Every logger there is, as loud as it can be."""
    caplog.set_level(1)
    names = ["", "asyncio", "uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access"]
    names += ["websockets", "websockets.server", "rtstream_async", "libav"]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(1)
    yield caplog
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


async def test_no_log_at_any_level_has_a_secret(loud, web):
    """Somebody who looks for a fault turns everything on, and sends the file to others."""
    engine = PixelEngine()
    async with (
        http_server(web) as url,
        LocalServer(vision=lambda: engine) as server,
        api_of(server) as api,
    ):
        logging.getLogger("httpx").setLevel(logging.WARNING)  # the test's own client
        logging.getLogger("websockets.client").setLevel(logging.WARNING)
        made = await api.call("POST", "/rtstream", json={"url": secret_of(url), "name": "door"})
        socket_url = (await api.call("GET", "/collection/default/websocket"))["websocket_url"]
        async with connect(socket_url) as socket:
            await socket.recv()
            await api.index(made["id"])
            await until(lambda: recorded(api, made["id"]))
        gone = {"url": f"rtsp://admin:{PASSWORD}@127.0.0.1:1/door?pass={PASSWORD}"}
        assert PASSWORD not in str(await api.refused("POST", "/rtstream", 400, json=gone))
        urls = await api.call("GET", f"/rtstream/{made['id']}/stream")
        manifest = await fetch(urls["stream_url"])
        assert b"#EXTM3U" in manifest
        assert b"<title>" in await fetch(urls["player_url"])
        secrets = [
            PASSWORD,
            server.api_key,
            socket_url.partition("token=")[2],
            urls["stream_url"].partition("token=")[2],
        ]
    records = [r for r in loud.records if not r.name.startswith(("httpcore", "httpx"))]
    assert any(record.name.startswith("rtstream_async") for record in records)
    for record in records:
        line = f"{record.getMessage()} {record.exc_text}"
        assert not [secret for secret in secrets if secret in line], record.name


async def recorded(api, stream: str) -> bool:
    return (await api.stream(stream))["recorded_seconds"] > 0.5


async def test_a_record_and_a_command_do_not_tell_the_password_of_a_camera(web):
    """Whoever may look at the list of streams need not be able to log in to the cameras."""
    async with http_server(web) as url, LocalServer() as server, api_of(server) as api:
        made = await api.call("POST", "/rtstream", json={"url": secret_of(url), "name": "door"})
        listed = await api.call("GET", "/rtstream")
        changed = await api.call("PATCH", f"/rtstream/{made['id']}", json={"name": "gate"})
        assert made["source"] == f"{url}/four.mp4"
        ran = await asyncio.to_thread(
            rtstream,
            *("streams", "--server", server.url, "--json"),
            VIDEO_DB_API_KEY=server.api_key,
        )
        assert ran.code == 0
        assert made["id"] in ran.out
    for shown in (json.dumps([made, listed, changed]), ran.out, ran.err):
        assert PASSWORD not in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ("watch", f"rtsp://admin:{PASSWORD}@127.0.0.1:1/door"),
        ("watch", f"rtsp://admin:{PASSWORD}@/door"),
        ("watch", f"rtsp://admin:{PASSWORD}/x@cam/door"),
        ("watch", f"rtsp://admin:{PASSWORD}@[cam/door"),
        ("watch", "--server", "http://127.0.0.1:1", f"rtsp://admin:{PASSWORD}@[cam/door"),
        ("--debug", "watch", f"rtsp://admin:{PASSWORD}@/door"),
        ("streams", "--server", f"http://admin:{PASSWORD}@127.0.0.1:1"),
        ("streams", "--server", f"http://admin:{PASSWORD}/x@127.0.0.1:1"),
    ],
)
def test_a_failing_command_tells_no_password(arguments):
    """Terminals are shared, and their output is pasted into tickets."""
    ran = rtstream(*arguments, VIDEO_DB_API_KEY="sk-very-secret")
    assert ran.code != 0
    assert PASSWORD not in ran.out + ran.err
    assert "sk-very-secret" not in ran.out + ran.err


def command_lines() -> list[str]:
    """Return the command lines of all processes below this one, as `ps` shows them to anybody."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended
            parents[int(entry.name)] = int(fields[1])
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    lines: list[str] = []
    for pid in ours - {os.getpid()}:
        try:
            lines.append(Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return lines


async def test_no_command_line_has_a_secret(web):
    """`ps` shows every user of the machine what processes were started with."""
    async with http_server(web) as url, LocalServer() as server, api_of(server) as api:
        made = await api.call("POST", "/rtstream", json={"url": secret_of(url), "name": "door"})
        await api.index(made["id"])  # the real engine: a process, too
        lines = await asyncio.to_thread(command_lines)
        secrets = [PASSWORD, server.api_key, (server.data_dir / "secret").read_text().strip()]
    assert any("rtstream_async.local.media.worker" in line for line in lines)
    assert any("rtstream_async.local.engines" in line for line in lines)
    for line in lines:
        assert not [secret for secret in secrets if secret in line]


async def test_what_is_kept_is_its_owners_alone(tmp_path, web):
    """In a directory that was there before, and is open to all, as most are."""
    tmp_path.chmod(0o755)
    before = os.umask(0o022)
    try:
        async with (
            LocalServer(tmp_path, media_root=web) as server,
            api_of(server) as api,
        ):
            stream = await api.connect("four.mp4?loop=1")
            await until(lambda: recorded(api, stream))
            open_to_others = [
                path.name
                for path in tmp_path.iterdir()
                if stat.S_IMODE(path.stat().st_mode) & 0o077
            ]
            names = {path.name for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert {"api_key", "secret", "rtstream.db", "rtstream.db-wal", "segments"} <= names
    assert open_to_others == []


def test_no_value_shows_a_secret_when_printed(tmp_path):
    """Values end up in logs by way of f-strings and of debuggers."""
    url = f"rtsp://admin:{PASSWORD}@cam/door?pass={PASSWORD}"
    source = parse_source(url)
    row = {field.name: "" for field in attrs.fields(StreamRow)} | {"url": url}
    data = open_data_dir(tmp_path, api_key=None)
    shown = [
        source,
        IngestSettings(source=source, directory="/x"),
        StreamRow(**row),
        data,
        Tokens(PASSWORD.encode()),
        Grant(kind="clip", subject="rts-1"),
        LocalServer(api_key=PASSWORD),
    ]
    for value in shown:
        for secret in (PASSWORD, data.api_key, data.secret.hex(), repr(data.secret)):
            assert secret not in f"{value!r} {value}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://u:p@cam/a failed", "rtsp://cam/a failed"),
        ("'rtsp://u:p@ss@cam/a?x=1': failed", "'rtsp://cam/a': failed"),
        ("http://cam/a?token=b&c=d and ftp://x@y?z", "http://cam/a and ftp://y"),
        ("no address, a@b?c", "no address, a@b?c"),
    ],
)
def test_addresses_in_words_lose_their_secrets(text, shown):
    """What FFmpeg says of a source is told to whoever may see its state."""
    assert without_secrets(text) == shown
