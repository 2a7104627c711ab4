"""The local server's doors: who is answered, and what other pages may read."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.local.harness import Api


@pytest.mark.parametrize(
    "host",
    [
        "[::1]evil.example",
        "127.0.0.1:80.evil.example",
        "127.0.0.1:8787/evil",
        "127.0.0.1:x",
        "[::1",
    ],
)
async def test_a_host_header_is_a_name_and_a_port_and_nothing_more(api: Api, host: str) -> None:
    """URLs in answers are made of it."""
    response = await api.http.get("/collection/default", headers={"host": host})
    assert response.status_code == 421


@pytest.mark.parametrize(
    "path", ["/collection/default", "/rtstream", "/collection/default/websocket"]
)
async def test_no_page_of_another_site_may_read_an_answer(api: Api, path: str) -> None:
    """A browser hands over what carries these headers, and asks for the right to send the key."""
    origin = {"origin": "https://evil.example"}
    response = await api.http.get(path, headers=origin)
    assert response.status_code == 200
    wish = {
        **origin,
        "access-control-request-method": "GET",
        "access-control-request-headers": "x-access-token",
    }
    preflight = await api.http.options(path, headers=wish)
    assert preflight.status_code >= 400
    for answer in (response, preflight):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_headers_without_end_are_not_collected(server, api: Api) -> None:
    """Memory is not a stranger's to take: the key is looked at only after the headers."""
    parts = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"GET /rtstream HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 30_000)
    async with asyncio.timeout(30):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    writer.close()


@pytest.mark.parametrize(
    "path",
    [
        "/manifests/../rtstream",
        "/manifests/%2e%2e/rtstream",
        "/console/../rtstream",
        "/console/static/../../rtstream",
        "/player/../rtstream",
        "/ws/../rtstream",
        "//rtstream",
        "/_local/sockets",
    ],
)
async def test_no_spelling_of_a_path_gets_past_the_key(server, path: str) -> None:
    """Some paths are open to browsers; they must lead nowhere else."""
    parts = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    status = int(answer.split(b" ", 2)[1])
    assert status in {401, 403, 404, 405}
    assert b"results" not in answer
