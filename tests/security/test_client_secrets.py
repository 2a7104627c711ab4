"""The client: its key goes to one place, and shows nowhere."""

from __future__ import annotations

import contextlib
import logging
import traceback

import hpack
import httpx
import pytest

import rtstream_async as rts
from rtstream_async.api.caller import Caller
from rtstream_async.protocol import routes
from rtstream_async.protocol.retry import RetryPolicy
from rtstream_async.supervisor import Supervisor
from rtstream_async.transport.http import HttpRequest, HttpSettings, HttpTransport
from rtstream_async.transport.socket import Sink, SocketOptions, opener
from tests.loopback import answer, serve

KEY = "sk-very/secret+key"
PASSWORD = "hunter2"


def connect(url: str, **options: object) -> rts.Connection:
    return rts.connect(KEY, base_url=url, retries=0, **options)


def printed(error: BaseException) -> str:
    """All that is printed of an error that nobody catches, and its repr."""
    return "".join(traceback.format_exception(error)) + repr(error)


QUOTES = {
    "refusal": answer({"message": f"invalid key {KEY}"}, status=401),
    "refusal, / escaped": answer(
        b'{"message": "invalid key %s"}' % KEY.replace("/", "\\/").encode(), status=401
    ),
    "refusal, all escaped": answer(
        b'{"message": "%s"}' % "".join(f"\\u{ord(c):04x}" for c in KEY).encode(), status=400
    ),
    "refusal with status 200": answer({"success": False, "message": f"invalid key {KEY}"}),
    "no JSON": answer(f"<p>your key is {KEY}</p>".encode()),
    "no HTTP": f"HTTP/9.9 {KEY}\r\n\r\n".encode(),
    "bad header": f"HTTP/1.1 200 OK\r\n{KEY}\r\n\r\n".encode(),
    "redirect": answer(b"", status=302, headers={"location": f"http://x/?key={KEY}"}),
}


@pytest.mark.parametrize("quote", QUOTES)
async def test_a_service_that_quotes_the_key_is_not_quoted(quote, caplog):
    """Tracebacks go into tickets, with their causes."""
    caplog.set_level(logging.DEBUG, "rtstream_async")

    async def quoting(seen, writer):
        assert seen.headers["x-access-token"] == KEY
        writer.write(QUOTES[quote])
        writer.close()

    async with serve(quoting) as server, connect(server.url) as conn:
        with pytest.raises(rts.RTStreamError) as caught:
            await conn.get_collection()
    assert KEY not in printed(caught.value)
    assert KEY not in caplog.text


async def test_the_key_is_in_no_log_of_http2s_header_compression(caplog):
    """Somebody who turns all loggers to DEBUG must not thereby write the key into a file."""
    caplog.set_level(1)
    for name in ("hpack", "hpack.hpack", "hpack.table"):
        logging.getLogger(name).setLevel(1)
    HttpTransport(HttpSettings(base_url="http://x", key=KEY), Supervisor("x"))
    encoder = hpack.Encoder()
    for size in (4096, 0):
        encoder.header_table_size = size  # the second one throws entries out, and logs them
        encoder.encode([("x-access-token", KEY)])
    assert KEY not in caplog.text
    logging.getLogger("hpack.hpack").warning("warnings still come")
    assert "warnings still come" in caplog.text


@pytest.mark.parametrize("path", ["http:@{host}/job", "https:@{host}/job", "http:{host}/job"])
async def test_an_address_that_looks_like_a_path_gets_no_key(path):
    """Put behind the API's address, `http:@elsewhere/` turns that into a user name."""

    async def say_ok(seen, writer):
        writer.write(answer({"success": True}))

    async with serve(say_ok) as home, serve(say_ok) as elsewhere:
        supervisor = Supervisor("x")
        transport = HttpTransport(HttpSettings(base_url=home.url, key=KEY), supervisor)
        url = path.format(host=elsewhere.url.removeprefix("http://"))
        with contextlib.suppress(rts.RTStreamError):  # most lead nowhere at all
            await transport.send(HttpRequest(method="GET", url=url))
        await supervisor.aclose()
        await transport.aclose()
    for seen in elsewhere.seen:
        assert "x-access-token" not in seen.headers


async def test_a_job_at_an_address_that_looks_like_a_path_gets_no_key():
    """The address comes from an answer, so it is not ours to trust."""
    async with serve(lambda seen, writer: _ok(writer)) as elsewhere:
        target = f"http:@{elsewhere.url.removeprefix('http://')}/job"

        async def defer(seen, writer):
            body = {"success": True, "status": "processing", "data": {"output_url": target}}
            writer.write(answer(body))

        async with serve(defer) as home:
            supervisor = Supervisor("x")
            transport = HttpTransport(HttpSettings(base_url=home.url, key=KEY), supervisor)
            caller = Caller(transport, sleep=lambda _: _nothing())
            await caller.call(routes.COLLECTION, lambda data: data, collection_id="default")
            await supervisor.aclose()
            await transport.aclose()
    (seen,) = elsewhere.seen
    assert "x-access-token" not in seen.headers


async def _ok(writer):
    writer.write(answer({"success": True, "data": {}}))


async def _nothing():
    return None


@pytest.mark.parametrize("value", [f"Bearer {PASSWORD} ", f" {PASSWORD}", f"{PASSWORD}\n"])
def test_a_header_that_can_not_be_sent_is_refused_unquoted(value):
    """Extra headers are mostly credentials; the HTTP library would quote this one."""
    with pytest.raises(rts.InvalidArgumentError) as caught:
        rts.connect(KEY, headers={"authorization": value})
    assert PASSWORD not in printed(caught.value)


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://user:{PASSWORD}/x@127.0.0.1:9",
        f"http://user:{PASSWORD}@[::1",
        f"http://user:{PASSWORD}@:0",
        f"gopher://user:{PASSWORD}@127.0.0.1:9",
    ],
)
def test_a_proxy_that_can_not_be_one_is_refused_unquoted(proxy):
    """Its address carries its password."""
    with pytest.raises(rts.InvalidArgumentError) as caught:
        rts.connect(KEY, proxy=proxy)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("proxy", "source"),
    [
        (f"http://user:{PASSWORD}@127.0.0.1:9", "argument"),
        (f"http://user:{PASSWORD}@127.0.0.1:9", "environment"),
        (f"http://user:{PASSWORD}/x@127.0.0.1:9", "environment"),
        (f"gopher://user:{PASSWORD}@127.0.0.1:9", "environment"),
    ],
)
async def test_a_proxy_that_fails_does_not_show_its_password(proxy, source, monkeypatch, caplog):
    """For REST and for the socket; tracebacks print causes too."""
    caplog.set_level(1)
    options = {}
    if source == "environment":
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
    else:
        options["proxy"] = proxy
    async with connect("http://videodb.test", **options) as conn:
        with pytest.raises(rts.RTStreamError) as caught:
            await conn.get_collection()
    with pytest.raises(rts.RTStreamError) as lost:
        await opener(SocketOptions(**options))("ws://videodb.test/", Sink(print, print))
    assert PASSWORD not in printed(caught.value) + printed(lost.value)
    assert PASSWORD not in caplog.text


def test_no_value_shows_a_secret_when_printed():
    """Values end up in logs by way of f-strings and of debuggers."""
    shown = [
        HttpSettings(
            base_url="http://x", key=KEY, headers={"a": KEY}, proxy=f"http://u:{PASSWORD}@p"
        ),
        SocketOptions(proxy=f"http://u:{PASSWORD}@p"),
        HttpRequest(method="POST", url=f"http://x/?sig={KEY}", json={"url": f"rtsp://u:{KEY}@c"}),
        RetryPolicy(),
        connect("http://x", headers={"authorization": KEY}, proxy=f"http://u:{PASSWORD}@p"),
        HttpTransport(HttpSettings(base_url="http://x", key=KEY), Supervisor("x")),
    ]
    for value in shown:
        for secret in (KEY, PASSWORD):
            assert secret not in f"{value!r} {value}"


async def test_the_users_own_client_does_not_keep_the_key():
    """It may be used for other hosts."""

    async def say_ok(seen, writer):
        writer.write(answer({"success": True, "data": {"id": "c-1"}}))

    async with serve(say_ok) as server, httpx.AsyncClient() as own:
        async with connect(server.url, http_client=own) as conn:
            await conn.get_collection()
        await own.get(server.url)
    first, second = server.seen
    assert first.headers["x-access-token"] == KEY
    assert "x-access-token" not in second.headers


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.LocalProtocolError, httpx.InvalidURL])
async def test_a_library_that_quotes_the_key_is_not_quoted(kind):
    """Its error is the cause of ours, and causes are printed."""

    def fail(request):
        raise kind(f"about {KEY}") from ValueError(KEY)

    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(fail)) as own,
        connect("http://x", http_client=own) as conn,
    ):
        with pytest.raises(rts.RTStreamError, match=r"about \*\*\*") as caught:
            await conn.get_collection()
    assert KEY not in printed(caught.value)
