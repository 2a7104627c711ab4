import asyncio
import contextlib
import random
import socket
import ssl
import subprocess
import sys

import httpx
import httpx2
import pytest

from rtstream_async.errors import (
    ConnectionClosedError,
    InvalidArgumentError,
    ProtocolError,
    RequestTimeoutError,
    TransportError,
    WrongEventLoopError,
)
from rtstream_async.supervisor import Supervisor
from rtstream_async.transport.http import HttpRequest, HttpSettings, HttpTransport, origin
from tests.loopback import answer, serve

KEY = "sk-very-secret"
LIBRARIES = {"own": None, "httpx": httpx, "httpx2": httpx2}


@contextlib.asynccontextmanager
async def transport_to(url, **settings):
    supervisor = Supervisor("test")
    transport = HttpTransport(HttpSettings(base_url=url, key=KEY, **settings), supervisor)
    try:
        yield transport
    finally:
        await supervisor.aclose()
        await transport.aclose()


@contextlib.asynccontextmanager
async def client_of(kind, **limits):
    library = LIBRARIES[kind]
    if library is None:
        yield None
    else:
        async with library.AsyncClient(limits=library.Limits(**limits)) as client:
            yield client


def get(url="/x", **fields):
    return HttpRequest(method="GET", url=url, **fields)


async def say_ok(seen, writer):
    writer.write(answer({"success": True}))


async def never(seen, writer):
    await asyncio.Event().wait()


@pytest.mark.parametrize("kind", LIBRARIES)
async def test_a_request_arrives_as_it_was_meant(kind):
    """With the user's own client too, whichever of the two libraries it is from."""
    async with (
        serve(say_ok) as server,
        client_of(kind) as client,
        transport_to(server.url, client=client, headers={"X-Org-Id": "o"}) as transport,
    ):
        response = await transport.send(
            HttpRequest(method="POST", url="/a%2Fb", query={"start": "0"}, json={"k": [1.5, None]})
        )
        assert client is None or not client.is_closed
    seen = server.seen[0]
    assert (seen.method, seen.path, seen.json) == ("POST", "/a%2Fb?start=0", {"k": [1.5, None]})
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["x-access-token"] == KEY
    assert seen.headers["x-org-id"] == "o"
    assert seen.headers["x-videodb-client"].startswith("rtstream-async/")
    assert seen.headers["user-agent"].startswith("rtstream-async/")
    assert (response.status, response.body) == (200, b'{"success": true}')
    assert response.elapsed > 0


async def test_the_key_stays_at_home():
    """Row 302: the official SDK gives it to whatever host an answer names."""
    async with (
        serve(say_ok) as home,
        serve(say_ok) as elsewhere,
        transport_to(home.url, headers={"x-team": "t"}) as transport,
    ):
        await transport.send(get(f"{elsewhere.url}/job?sig=1"))
        await transport.send(get(f"{home.url}/job?sig=1"))
    foreign, own = elsewhere.seen[0], home.seen[0]
    assert foreign.path == own.path == "/job?sig=1"
    assert "x-access-token" not in foreign.headers
    assert "x-videodb-client" not in foreign.headers
    assert "x-team" not in foreign.headers
    assert own.headers["x-access-token"] == KEY


@pytest.mark.parametrize("kind", LIBRARIES)
async def test_a_redirect_is_not_followed(kind):
    """Row 287: the key would go along. A client that follows by default does not either."""

    async def redirect(seen, writer):
        writer.write(answer(b"", status=302, headers={"location": elsewhere.url}))

    async with serve(redirect) as server, serve(say_ok) as elsewhere, client_of(kind) as client:
        if client is not None:
            client.follow_redirects = True
        async with transport_to(server.url, client=client) as transport:
            response = await transport.send(get())
    assert response.status == 302
    assert elsewhere.seen == []


@pytest.mark.parametrize("kind", LIBRARIES)
async def test_a_refused_connection_says_that_nothing_was_sent(kind):
    """Then even a POST may be repeated."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with client_of(kind) as client, transport_to(url, client=client) as transport:
            with pytest.raises(TransportError) as caught:
                await transport.send(get())
    assert not caught.value.may_have_acted
    assert caught.value.is_retryable
    assert "ConnectError" in str(caught.value)


@pytest.mark.parametrize("kind", LIBRARIES)
async def test_a_reset_says_that_the_service_may_have_acted(kind):
    """Then a POST must not be repeated."""

    async def reset(seen, writer):
        writer.transport.abort()

    async with (
        serve(reset) as server,
        client_of(kind) as client,
        transport_to(server.url, client=client) as transport,
    ):
        with pytest.raises(TransportError) as caught:
            await transport.send(get())
    assert caught.value.may_have_acted


@pytest.mark.parametrize("kind", LIBRARIES)
async def test_a_silent_service_is_a_timeout(kind):
    """The time limit is for the whole exchange."""
    async with (
        serve(never) as server,
        client_of(kind) as client,
        transport_to(server.url, client=client, abandoned_after=0.1) as transport,
    ):
        with pytest.raises(RequestTimeoutError) as caught:
            await transport.send(get(timeout=0.2))
    assert caught.value.may_have_acted
    assert isinstance(caught.value, TimeoutError)


@pytest.mark.parametrize("kind", LIBRARIES)
async def test_an_answer_that_trickles_is_a_timeout(kind):
    """A limit on each read alone never ends it."""

    async def trickle(seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with (
        serve(trickle) as server,
        client_of(kind) as client,
        transport_to(server.url, client=client, abandoned_after=0.1) as transport,
    ):
        with pytest.raises(RequestTimeoutError):
            await transport.send(get(timeout=0.3))


@pytest.mark.parametrize("kind", LIBRARIES)
@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nplain",
    ],
)
async def test_what_is_not_http_is_an_error_of_ours(kind, raw):
    """Wrong ports and broken proxies answer too."""

    async def babble(seen, writer):
        writer.write(raw)
        writer.close()

    async with (
        serve(babble) as server,
        client_of(kind) as client,
        transport_to(server.url, client=client) as transport,
    ):
        with pytest.raises((TransportError, ProtocolError)):
            await transport.send(get())


async def test_an_endless_answer_is_cut_off():
    """A wrong URL may be that of a video."""

    async def pour(seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with serve(pour) as server, transport_to(server.url, max_body=10**6) as transport:
        with pytest.raises(ProtocolError, match="larger"):
            await transport.send(get())


@pytest.mark.parametrize("kind", LIBRARIES)
async def test_the_key_is_in_no_refusal(kind):
    """Services quote it: `invalid key sk-...`; error messages go to logs."""

    async def quote(seen, writer):
        writer.write(answer({"message": f"invalid key {KEY}"}, status=401))

    async with (
        serve(quote) as server,
        client_of(kind) as client,
        transport_to(server.url, client=client) as transport,
    ):
        response = await transport.send(get())
        assert KEY not in repr(transport)
    assert response.body == b'{"message": "invalid key ***"}'
    assert KEY not in repr(HttpSettings(base_url="http://x", key=KEY, headers={"a": KEY}))


@pytest.mark.parametrize("kind", LIBRARIES)
async def test_requests_get_through_after_cancel_churn(kind):
    """Every web back end cancels requests; httpx 0.28.1 then loses the slots of its pool for good.

    Checked by hand: when `send()` awaits the request in its caller's task, the first of the ten
    already times out with httpx, whose pool then waits for ten connections that nobody makes.
    httpx2 2.16 has no such leak.
    """
    dice = random.Random(1)

    async def answer_later(seen, writer):
        if seen.path == "/slow":
            await asyncio.sleep(0.05)
        writer.write(answer({"success": True}))

    async with (
        serve(answer_later) as server,
        client_of(kind, max_connections=10) as client,
        transport_to(
            server.url, client=client, max_connections=10, abandoned_after=0.1
        ) as transport,
    ):
        cancelled = 0
        for _ in range(400):
            task = asyncio.create_task(transport.send(get("/slow", timeout=5)))
            await asyncio.sleep(dice.random() * 0.004)
            task.cancel()
            await asyncio.wait([task])
            cancelled += task.cancelled()
        assert cancelled > 200  # else this has tested nothing
        responses = [await transport.send(get("/fast", timeout=5)) for _ in range(10)]
    assert [response.status for response in responses] == [200] * 10


async def test_abandoned_requests_give_their_slots_back():
    """A service that hangs must not hold the pool after everybody has gone."""

    async def hang_first(seen, writer):
        if seen.path == "/hang":
            await asyncio.Event().wait()
        writer.write(answer({}))

    async with (
        serve(hang_first) as server,
        transport_to(server.url, max_connections=4, abandoned_after=0.05) as transport,
    ):
        tasks = [asyncio.create_task(transport.send(get("/hang"))) for _ in range(4)]
        await server.saw(4)
        for task in tasks:
            task.cancel()
        assert (await transport.send(get(timeout=10))).status == 200


async def test_cancelling_returns_at_once_and_the_request_ends_by_itself():
    """What the caller gave up is still answered, so the connection is kept."""
    release = asyncio.Event()

    async def wait(seen, writer):
        if seen.path == "/x":
            await release.wait()
        writer.write(answer({}))

    async with serve(wait) as server, transport_to(server.url) as transport:
        task = asyncio.create_task(transport.send(get()))
        await server.saw(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release.set()
        for _ in range(5):
            assert (await transport.send(get("/y"))).status == 200
    assert server.connections <= 2


async def test_a_full_pool_is_a_timeout_that_sent_nothing():
    """Waiting for a slot is not waiting for the service."""
    async with serve(never) as server, transport_to(server.url, max_connections=1) as transport:
        first = asyncio.create_task(transport.send(get()))
        await server.saw(1)
        with pytest.raises(RequestTimeoutError) as caught:
            await transport.send(get(timeout=0.05))
        assert not caught.value.may_have_acted
        first.cancel()
        await asyncio.wait([first])


async def test_closing_ends_what_is_under_way():
    """Nobody waits for an answer that will not come."""
    supervisor = Supervisor("test")
    async with serve(never) as server:
        transport = HttpTransport(HttpSettings(base_url=server.url, key=KEY), supervisor)
        task = asyncio.create_task(transport.send(get()))
        await server.saw(1)
        await supervisor.aclose()
        with pytest.raises(ConnectionClosedError):
            await task
        with pytest.raises(ConnectionClosedError):
            await transport.send(get())
        await transport.aclose()


def test_another_event_loop_is_an_error():
    """A pool's sockets live in one loop."""

    async def use():
        with contextlib.suppress(TransportError):
            await transport.send(get())

    async def close():
        await supervisor.aclose()
        await transport.aclose()

    supervisor = Supervisor("test")
    settings = HttpSettings(base_url="http://127.0.0.1:9", key=KEY)
    transport = HttpTransport(settings, supervisor)
    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(use())
        with pytest.raises(WrongEventLoopError):
            second.run(use())
        first.run(close())


@pytest.mark.parametrize("kind", ["httpx", "httpx2"])
async def test_a_closed_client_of_the_users_is_named(kind):
    """`RuntimeError: Cannot send a request` does not say whose client it is."""
    async with client_of(kind) as client:
        pass
    async with transport_to("http://127.0.0.1:9", client=client) as transport:
        with pytest.raises(InvalidArgumentError, match="http_client"):
            await transport.send(get())


async def test_a_bug_is_not_dressed_up_as_a_network_error():
    """It would be retried, and never found."""
    async with transport_to("http://127.0.0.1:9") as transport:
        with pytest.raises(TypeError):
            await transport.send(get(json=object()))


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize(
    ("name", "error", "may_have_acted"),
    [
        ("ConnectTimeout", RequestTimeoutError, False),
        ("PoolTimeout", RequestTimeoutError, False),
        ("ReadTimeout", RequestTimeoutError, True),
        ("WriteTimeout", RequestTimeoutError, True),
        ("ConnectError", TransportError, False),
        ("ProxyError", TransportError, False),
        ("ReadError", TransportError, True),
        ("WriteError", TransportError, True),
        ("CloseError", TransportError, True),
        ("RemoteProtocolError", TransportError, True),
        ("LocalProtocolError", ProtocolError, None),
        ("UnsupportedProtocol", ProtocolError, None),
        ("DecodingError", ProtocolError, None),
        ("InvalidURL", ProtocolError, None),
    ],
)
async def test_each_error_of_both_libraries_has_its_name_here(library, name, error, may_have_acted):
    """Their classes have the same names, and nothing else in common."""
    foreign = getattr(library, name)("about this")

    def fail(request):
        raise foreign

    async with (
        library.AsyncClient(transport=library.MockTransport(fail)) as client,
        transport_to("http://x", client=client) as transport,
    ):
        with pytest.raises(error) as caught:
            await transport.send(get())
    assert getattr(caught.value, "may_have_acted", None) is may_have_acted
    assert caught.value.__cause__ is foreign
    assert str(caught.value) == f"{name}: about this"


async def test_closing_while_waiting_for_a_slot_is_told():
    """And the slot is given back."""
    async with serve(never) as server, transport_to(server.url, max_connections=1) as transport:
        first = asyncio.create_task(transport.send(get()))
        await server.saw(1)
        second = asyncio.create_task(transport.send(get()))
        await asyncio.sleep(0)
        await transport._supervisor.aclose()
        for task in (first, second):
            with pytest.raises(ConnectionClosedError):
                await task


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-keyout",
            key,
            "-out",
            cert,
            "-days",
            "2",
            "-nodes",
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert


async def test_an_untrusted_certificate_is_named_and_not_tried_again(certificate):
    """Self-signed test servers are common, and the way out is one argument."""
    context, _ = certificate
    async with serve(say_ok, tls=context) as server, transport_to(server.url) as transport:
        with pytest.raises(TransportError, match=r"ssl=") as caught:
            await transport.send(get())
    assert not caught.value.is_retryable
    assert not caught.value.may_have_acted


async def test_tls_settings_are_used(certificate):
    """A company's own authority."""
    context, cert = certificate
    trust = ssl.create_default_context(cafile=cert)
    async with (
        serve(say_ok, tls=context) as server,
        transport_to(server.url, ssl=trust) as transport,
    ):
        assert (await transport.send(get())).status == 200


async def test_a_proxy_is_used():
    """And sees plain requests as a proxy does: with the whole address."""
    async with (
        serve(say_ok) as proxy,
        transport_to("http://videodb.test", proxy=proxy.url) as transport,
    ):
        assert (await transport.send(get())).status == 200
    assert proxy.seen[0].path == "http://videodb.test/x"


async def test_the_environments_proxy_can_be_refused(monkeypatch):
    """`proxy=False`."""
    async with serve(say_ok) as proxy, serve(say_ok) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        for setting, used in ((None, proxy), (False, server)):
            proxy.seen.clear()
            server.seen.clear()
            async with transport_to(server.url, proxy=setting) as transport:
                await transport.send(get())
            assert len(used.seen) == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://API.videodb.io/x?y", "https://api.videodb.io"),
        ("https://x:443", "https://x"),
        ("http://x:80/", "http://x"),
        ("https://x:80/", "https://x:80"),
        ("http://[::1]:8/x", "http://[::1]:8"),
        ("https://user:pw@x/", "https://x"),
        ("/path", ""),
        ("https://", ""),
        ("http://x:99999", ""),
        ("http://[", ""),
    ],
)
def test_an_origin_is_scheme_host_and_port(url, expected):
    """The key's whereabouts rest on this."""
    assert origin(url) == expected


def test_httpx2_is_not_imported_for_those_who_don_t_use_it():
    """It is no dependency."""
    code = "import sys, rtstream_async.transport.http; assert 'httpx2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
