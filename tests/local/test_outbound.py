from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import logging
import random
import socket
import ssl
import subprocess

import pytest

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.local import LocalServer
from rtstream_async.local.outbound import Form, Outbound, OutboundError
from tests.loopback import answer, serve


@contextlib.asynccontextmanager
async def outbound(allow=None):
    made = Outbound(allow)
    try:
        yield made
    finally:
        await made.aclose()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -nodes"
        " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(
        [*command.split(), "-keyout", key, "-out", cert], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert


async def say_ok(seen, writer):
    writer.write(answer({"ok": True}))


async def never(seen, writer):
    await asyncio.Event().wait()


async def test_a_webhook_arrives_as_it_was_meant():
    """Receivers check type, and basic authentication that stands in the address."""
    async with serve(say_ok) as server, outbound() as out:
        url = server.url.replace("://", "://user:pa%20ss@") + "/hook?token=t1"
        got = await out.post_json(url, {"a": [1.5, None]}, timeout=30, headers={"x-n": "7"})
        raw = await out.post_json(url, b'{"b": 1}', timeout=30)
    assert (got.status, got.body, got.is_cut) == (200, b'{"ok": true}', False)
    assert raw.status == 200
    seen = server.seen[0]
    assert (seen.method, seen.path, seen.json) == ("POST", "/hook?token=t1", {"a": [1.5, None]})
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["x-n"] == "7"
    assert seen.headers["authorization"] == "Basic " + base64.b64encode(b"user:pa ss").decode()
    assert seen.headers["user-agent"].startswith("rtstream-async/")
    assert server.seen[1].json == {"b": 1}


async def test_a_form_arrives_with_its_file():
    """Transcription endpoints read sound from it."""
    async with serve(say_ok) as server, outbound() as out:
        form = Form(
            fields={"model": "m", "granularity[]": ["segment", "word"]},
            name="file",
            file_name="speech.wav",
            content=b"\x00\xff",
            content_type="audio/wav",
        )
        await out.post_to_endpoint(server.url, form, timeout=30, headers={"authorization": "k"})
    seen = server.seen[0]
    assert seen.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert seen.headers["authorization"] == "k"
    assert seen.body.count(b'name="granularity[]"') == 2
    assert b'name="file"; filename="speech.wav"\r\nContent-Type: audio/wav\r\n\r\n\x00\xff\r\n' in (
        seen.body
    )


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
async def test_a_refusal_is_an_answer(status):
    """Who repeats needs its status and headers."""

    async def refuse(seen, writer):
        writer.write(answer("no", status=status, headers={"Retry-After": "3"}))

    async with serve(refuse) as server, outbound() as out:
        got = await out.post_json(server.url, {}, timeout=30)
    assert (got.status, got.headers["retry-after"]) == (status, "3")


async def test_a_redirect_is_not_followed():
    """A target that is allowed must not lead the server to one that is not."""
    async with serve(say_ok) as inside:

        async def elsewhere(seen, writer):
            writer.write(answer(status=307, headers={"Location": inside.url}))

        async with serve(elsewhere) as server, outbound() as out:
            assert (await out.post_json(server.url, {}, timeout=30)).status == 307
    assert inside.seen == []


async def test_no_cookie_is_kept():
    """Two alerts of two users may go to one host."""

    async def bake(seen, writer):
        writer.write(answer({}, headers={"Set-Cookie": "session=1; Path=/"}))

    async with serve(bake) as server, outbound() as out:
        for _ in range(2):
            await out.post_json(server.url, {}, timeout=30)
    assert all("cookie" not in seen.headers for seen in server.seen)


async def test_this_machine_is_called_without_a_proxy(monkeypatch):
    """A proxy elsewhere reaches its own loopback, not ours."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with serve(say_ok) as server, outbound() as out:
        assert (await out.post_json(server.url, {}, timeout=30)).status == 200


async def test_another_machine_is_called_through_the_proxy_of_the_environment(monkeypatch):
    """In many companies there is no other way out."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with serve(say_ok) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        async with outbound() as out:
            got = await out.post_json("http://hooks.invalid/x", {}, timeout=30)
    assert got.status == 200
    assert proxy.seen[0].path == "http://hooks.invalid/x"


@pytest.mark.parametrize("proxy", ["nonsense://x:1", "http://user:geheim@h:port"])
async def test_a_proxy_that_can_not_be_used_is_named_without_its_password(monkeypatch, proxy):
    """Everything goes wrong then, and the reason has to be found without leaking it."""
    monkeypatch.setenv("http_proxy", proxy)
    async with outbound() as out:
        with pytest.raises(OutboundError, match="proxies of the environment") as caught:
            await out.post_json("http://hooks.invalid/x", {}, timeout=30)
    assert "geheim" not in str(caught.value)
    assert caught.value.kind == "refused"


async def test_a_long_answer_of_a_webhook_is_cut():
    """Nobody fills the memory of the server from outside."""

    async def talk(seen, writer):
        writer.write(answer(headers={"content-length": "100000000"})[:-4])
        with contextlib.suppress(ConnectionError):
            for _ in range(1000):
                writer.write(b"x" * 100_000)
                await writer.drain()

    async with serve(talk) as server, outbound() as out:
        got = await out.post_json(server.url, {}, timeout=30)
    assert got.is_cut
    assert len(got.body) == 64 * 1024


async def test_an_answer_that_was_compressed_unasked_is_bounded_too():
    """A bomb is small on the wire."""

    async def bomb(seen, writer):
        assert seen.headers["accept-encoding"] == "identity"
        content = gzip.compress(b"0" * 10_000_000)
        writer.write(answer(content, headers={"content-encoding": "gzip"}))

    async with serve(bomb) as server, outbound() as out:
        got = await out.post_json(server.url, {}, timeout=30)
    assert got.is_cut
    assert len(got.body) == 64 * 1024


async def drip(seen, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("handler", [never, drip])
async def test_the_time_for_an_answer_is_hard(handler):
    """A receiver that hangs, or sends a byte now and then, must not hold an alert."""
    async with serve(handler) as server, outbound() as out:
        with pytest.raises(OutboundError, match=r"has not answered within 0.3 s") as caught:
            await out.post_json(server.url, {}, timeout=0.3)
    assert caught.value.kind == "timeout"
    assert caught.value.is_transient


async def nothing(seen, writer):
    writer.close()


async def garbage(seen, writer):
    writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")


async def half(seen, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
    await writer.drain()
    writer.close()


async def not_gzip(seen, writer):
    writer.write(answer(b"plain", headers={"content-encoding": "gzip"}))


@pytest.mark.parametrize("handler", [nothing, garbage, half, not_gzip])
async def test_what_is_no_answer_is_told_apart_from_one(handler):
    """It is tried again; its address's secrets are told nobody."""
    async with serve(handler) as server, outbound() as out:
        url = server.url.replace("://", "://user:geheim@") + "/geheim?geheim"
        with pytest.raises(OutboundError) as caught:
            await out.post_json(url, {}, timeout=30)
    assert caught.value.kind in ("protocol", "connection")
    assert caught.value.is_transient
    assert server.url in str(caught.value)
    assert "geheim" not in str(caught.value)


async def test_nobody_there_is_said_so():
    """The most frequent mistake: the receiver does not run."""
    async with serve(say_ok) as server:
        url = server.url
    async with outbound() as out:
        with pytest.raises(OutboundError, match="can't be reached") as caught:
            await out.post_json(url, {}, timeout=30)
    assert caught.value.kind == "connection"


async def test_nobody_at_any_address_of_a_name_is_said_so(monkeypatch):
    """Most names have two addresses; the system's word must not get lost between them."""
    async with serve(say_ok) as server:
        port = int(server.url.rpartition(":")[2])
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{number}", port))
        for number in (1, 2)
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    async with outbound() as out:
        with pytest.raises(OutboundError, match="can't be reached: Connection refused") as caught:
            await out.post_json(f"http://localhost:{port}", {}, timeout=30)
    assert caught.value.is_transient


async def test_a_certificate_that_is_not_trusted_is_named_and_not_tried_again(
    certificate, monkeypatch
):
    """Self-signed servers are common on the own network, and there is a way."""
    context, authority = certificate
    async with serve(say_ok, tls=context) as server:
        async with outbound() as out:
            with pytest.raises(OutboundError, match=r"certificate of https://127.0.0.1") as caught:
                await out.post_json(server.url, {}, timeout=30)
        assert not caught.value.is_transient
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        async with outbound() as out:
            assert (await out.post_json(server.url, {}, timeout=30)).status == 200


async def test_a_request_that_can_not_be_made_is_the_callers_mistake():
    """It must not look like a receiver that is down, and must not end other requests."""
    async with serve(say_ok) as server, outbound() as out:
        with pytest.raises(TypeError):
            await out.post_json(server.url, {}, timeout=30, headers={"x": 7})
        assert (await out.post_json(server.url, {}, timeout=30)).status == 200


@pytest.mark.parametrize("steps", range(12))
async def test_a_caller_may_go_away_at_any_step(steps):
    """Before anything is sent, too; and the next request finds all as it was."""
    async with serve(say_ok) as server, outbound() as out:
        await out.post_json(server.url, {}, timeout=30)
        call = asyncio.create_task(out.post_json(server.url, {}, timeout=30))
        for _ in range(steps):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert (await out.post_json(server.url, {}, timeout=30)).status == 200


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "/hook",
        "ftp://h/x",
        "http://",
        "http:///x",
        "https://h:99999/",
        "file:///etc/passwd",
        "http://a\nb/",
        "http://geheim@",
        "http://[::1",
    ],
)
async def test_what_is_no_address_is_refused_before_anything_is_sent(url):
    """An alert with it is refused when it is made, not when it fires."""
    async with outbound() as out:
        with pytest.raises(OutboundError) as caught:
            out.check(url)
        assert caught.value.kind == "refused"
        assert not caught.value.is_transient
        assert "geheim" not in str(caught.value)
        with pytest.raises(OutboundError):
            await out.post_json(url, {}, timeout=30)


async def test_webhooks_call_only_what_is_allowed():
    """Whoever has the key would call into the network of the server else."""
    async with contextlib.AsyncExitStack() as stack:
        server, inside = [await stack.enter_async_context(serve(say_ok)) for _ in range(2)]
        allowed = [server.url.removeprefix("http://"), "*.example.com"]
        out = await stack.enter_async_context(outbound(allowed))
        out.check("https://hooks.example.com/x?y")
        assert (await out.post_json(server.url, {}, timeout=30)).status == 200
        for url in (
            inside.url,
            inside.url.replace("127.0.0.1", "localhost"),
            "https://example.com",
            f"http://hooks.example.com@{inside.url.removeprefix('http://')}/geheim",
            f"http://hooks.example.com\\@{inside.url.removeprefix('http://')}/geheim",
        ):
            with pytest.raises(OutboundError, match="--webhook-allow") as caught:
                await out.post_json(url, {}, timeout=30)
            assert caught.value.kind == "refused"
            assert "geheim" not in str(caught.value)
        # Endpoints are the choice of who runs the server.
        await out.post_to_endpoint(inside.url, {}, timeout=30, headers={})
    assert len(inside.seen) == 1


def test_a_pattern_that_can_not_be_read_is_refused_at_once():
    """A limit that limits nothing would be found out too late."""
    with pytest.raises(InvalidArgumentError, match="webhook_allow"):
        Outbound(["https://example.com/"])
    for wrong in (["https://example.com/"], "example.com"):
        with pytest.raises(InvalidArgumentError, match="webhook_allow"):
            LocalServer(webhook_allow=wrong)


async def test_requests_that_were_cancelled_take_nothing_with_them():
    """The HTTP library loses places of its pool by some; after enough, no alert would go out."""
    gate = asyncio.Event()

    async def wait(seen, writer):
        await gate.wait()
        writer.write(answer({}))

    async with serve(wait) as server, outbound() as out:
        chance = random.Random(7)
        for _ in range(6):
            calls = [
                asyncio.create_task(out.post_json(server.url, {}, timeout=60)) for _ in range(40)
            ]
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        gate.set()
        answers = await asyncio.gather(
            *(out.post_json(server.url, {}, timeout=60) for _ in range(100))
        )
    assert {answer.status for answer in answers} == {200}


async def test_webhooks_that_hang_leave_room_for_engines():
    """A receiver that is down must not blind all indexes."""

    async def by_path(seen, writer):
        if seen.path == "/hook":
            await asyncio.Event().wait()
        writer.write(answer({}))

    async with serve(by_path) as server, outbound() as out:
        hooks = [
            asyncio.create_task(out.post_json(f"{server.url}/hook", {}, timeout=60))
            for _ in range(70)
        ]
        await server.saw(50)
        got = await out.post_to_endpoint(f"{server.url}/v1", {}, timeout=60, headers={})
        assert got.status == 200
        assert len(server.seen) == 51
        for hook in hooks:
            hook.cancel()
        await asyncio.gather(*hooks, return_exceptions=True)


async def test_closing_ends_what_waits():
    """A server that is stopped must not wait for somebody's receiver."""
    async with serve(never) as server:
        out = Outbound()
        call = asyncio.create_task(out.post_json(server.url, {}, timeout=60))
        await server.saw(1)
        await out.aclose()
        with pytest.raises(OutboundError, match="stopping") as caught:
            await call
        assert caught.value.kind == "closed"
        with pytest.raises(OutboundError, match="stopping"):
            await out.post_json(server.url, {}, timeout=60)


async def test_closing_ends_what_waits_in_line():
    """These have not even begun."""
    async with serve(never) as server:
        out = Outbound()
        calls = [asyncio.create_task(out.post_json(server.url, {}, timeout=60)) for _ in range(60)]
        await server.saw(50)
        await out.aclose()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {str(outcome) for outcome in outcomes} == {"the server is stopping"}


async def test_the_address_of_a_webhook_is_not_logged(caplog):
    """The HTTP library logs each request with its whole URL; tokens stand in there."""
    caplog.set_level(logging.DEBUG)
    async with serve(say_ok) as server, outbound() as out:
        await out.post_json(f"{server.url}/geheim?token=geheim", {}, timeout=30)
    assert "geheim" not in caplog.text
