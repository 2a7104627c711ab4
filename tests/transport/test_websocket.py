"""The WebSocket adapter: what the library does for us, and what it leaves to us."""

from __future__ import annotations

import asyncio
import logging
import ssl
import subprocess
import sys
from contextlib import asynccontextmanager

import anyio
import pytest
from websockets.frames import Frame, Opcode

from rtstream_async.errors import (
    AuthenticationError,
    HandshakeError,
    ProtocolError,
    TransportError,
)
from rtstream_async.transport.socket import Sink, SocketOptions, opener
from tests.sockets import SECRET, scripted_server


class Heard:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[bytes] = asyncio.Queue()
        self.oversize: list[tuple[int, int]] = []
        self.sink = Sink(
            frame=self.frames.put_nowait, oversize=lambda *sizes: self.oversize.append(sizes)
        )

    async def next(self) -> bytes:
        async with asyncio.timeout(20):
            return await self.frames.get()


@pytest.fixture
async def server():
    async with scripted_server() as scripted:
        yield scripted


@asynccontextmanager
async def connected(server, **options):
    """Yield the server's end, what was heard, and our end."""
    heard = Heard()
    open_socket = opener(SocketOptions(proxy=None, **{"close_timeout": 1, **options}))
    socket = await open_socket(await server.fetch_url(), heard.sink)
    try:
        yield await server.accept(), heard, socket
    finally:
        await socket.aclose()
        assert (await socket.closed).cause


def raw(opcode: Opcode, data: bytes, *, fin: bool) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


async def test_frames_arrive_whole_and_in_order(server):
    """Text and binary alike: the service may change its mind about which."""
    async with connected(server) as (peer, heard, _):
        await peer.send("one")
        await peer.send_binary(b"\x00two")
        await peer.send("")
        frames = [await heard.next() for _ in range(3)]
        assert frames == [b"one", b"\x00two", b""]
        assert {type(frame) for frame in frames} == {bytes}


async def test_fragments_are_put_together(server):
    """A proxy may cut a message anywhere, in the middle of a character too."""
    async with connected(server) as (peer, heard, _):
        await peer.send_in_fragments("ein Mä", "dch", "en")
        await peer.send_in_fragments(b"\xc3", b"\xa4")
        await peer.send("after")
        assert await heard.next() == "ein Mädchen".encode()
        assert await heard.next() == b"\xc3\xa4"
        assert await heard.next() == b"after"


async def test_a_ping_between_fragments_is_answered(server):
    """Control frames may come in between; the message must survive them."""
    async with connected(server) as (peer, heard, _):
        peer.socket.transport.write(
            raw(Opcode.TEXT, b"a", fin=False)
            + raw(Opcode.CONT, b"b", fin=False)
            + raw(Opcode.PING, b"hi", fin=True)
            + raw(Opcode.CONT, b"c", fin=True)
        )
        assert await heard.next() == b"abc"
        await (await peer.socket.ping())


async def test_bytes_that_are_no_utf8_arrive_as_they_are(server):
    """The codec says what they are; to end the connection would cost everybody's messages."""
    async with connected(server) as (peer, heard, _):
        await peer.send_text_bytes(b"\xff\xfe")
        await peer.send("after")
        assert [await heard.next() for _ in range(2)] == [b"\xff\xfe", b"after"]


async def test_compressed_frames_arrive_as_they_were(server):
    """Compression is offered, and a service that takes it must be understood."""
    async with (
        scripted_server(compression="deflate") as deflating,
        connected(deflating) as (peer, heard, _),
    ):
        assert peer.socket.protocol.extensions
        await peer.send("x" * 10_000)
        assert await heard.next() == b"x" * 10_000


@pytest.mark.parametrize("sizes", [(2000,), (600, 600), (600, 600, 600, 600)])
async def test_a_message_that_is_too_large_is_told_and_the_next_one_comes(server, sizes):
    """One absurd message must not end the stream, nor fill the memory."""
    async with connected(server, max_size=1000) as (peer, heard, _):
        if len(sizes) == 1:
            await peer.send("x" * sizes[0])
        else:
            await peer.send_in_fragments(*["x" * size for size in sizes])
        await peer.send("after")
        assert await heard.next() == b"after"
        assert heard.oversize == [(sum(sizes), 1000)]


async def test_a_single_frame_beyond_all_measure_is_a_loss_with_a_clear_cause(server):
    """To skip it, it would have to be read; but whoever looks must see what happened."""
    async with connected(server, max_size=1000) as (peer, heard, socket):
        await peer.send("x" * 5000)
        closed = await socket.closed
        assert "1009 message too big" in closed.cause
        assert "exceeds limit of 4000 bytes" in closed.cause
        assert heard.oversize == []


async def test_a_compressed_bomb_is_not_unpacked(server):
    """A few kilobytes can unpack into gigabytes."""
    async with (
        scripted_server(compression="deflate") as deflating,
        connected(deflating, max_size=1000) as (peer, heard, socket),
    ):
        await peer.send("x" * 3000, "after")
        assert await heard.next() == b"after"
        assert heard.oversize == [(3000, 1000)]
        await peer.send("x" * 1_000_000)
        assert "1009" in (await socket.closed).cause


@pytest.mark.parametrize(
    ("code", "reason", "cause"),
    [
        (1000, "", "closed by the server (1000 OK)"),
        (1001, "bye", "closed by the server (1001 going away: bye)"),
        (1011, "boom", "closed by the server (1011 internal error: boom)"),
        (4321, "own", "closed by the server (4321: own)"),
    ],
)
async def test_a_close_is_told_with_its_code_and_words(server, code, reason, cause):
    """It is all that the service says about why."""
    async with connected(server) as (peer, _, socket):
        await peer.close(code, reason)
        closed = await socket.closed
        assert (closed.cause, closed.code, closed.reason) == (cause, code, reason)
        assert closed.is_clean


async def test_our_own_close_is_told_as_ours(server):
    """A log that blames the service for our goodbye misleads."""
    async with connected(server) as (peer, _, socket):
        await socket.aclose()
        await socket.aclose()
        closed = await socket.closed
        assert closed.cause == "closed by the client (1000 OK)"
        assert closed.is_clean
        assert await peer.closed() == 1000


async def test_a_cut_is_told_as_a_cut(server):
    """No goodbye, no code: the network did it."""
    async with connected(server) as (peer, _, socket):
        peer.cut()
        closed = await socket.closed
        assert closed.cause.startswith("connection lost")
        assert (closed.code, closed.is_clean) == (None, False)


async def test_a_peer_that_does_not_answer_pings_is_given_up(server):
    """A half-open connection looks like a quiet one, for ever."""
    async with connected(server, ping_interval=0.02, ping_timeout=0.05) as (peer, _, socket):
        peer.socket.transport.pause_reading()
        closed = await socket.closed
        assert (
            closed.cause == "given up by the client (1011 internal error: keepalive ping timeout)"
        )
        peer.cut()


async def test_a_peer_that_breaks_the_protocol_is_given_up(server):
    """Nothing that follows could be trusted."""
    async with connected(server) as (peer, _, socket):
        peer.socket.transport.write(raw(Opcode.CONT, b"x", fin=True))
        assert "1002 protocol error" in (await socket.closed).cause


async def test_closing_does_not_wait_for_a_dead_peer(server):
    """`aclose()` in a signal handler has no time for somebody else's network."""
    async with connected(server, close_timeout=0.05) as (peer, _, socket):
        peer.socket.transport.pause_reading()
        async with asyncio.timeout(20):
            await socket.aclose()
        assert not (await socket.closed).is_clean
        peer.cut()


async def test_a_cancelled_goodbye_leaves_nothing_open(server):
    """A second Ctrl-C must not leave a socket behind."""
    async with connected(server, close_timeout=60) as (peer, _, socket):
        peer.socket.transport.pause_reading()
        closing = asyncio.create_task(socket.aclose())
        await anyio.wait_all_tasks_blocked()
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        async with asyncio.timeout(20):
            await asyncio.shield(socket.closed)
        peer.cut()


async def test_a_paused_socket_reads_nothing_until_it_is_resumed(server):
    """It is how one consumer may stop the service, for a while."""
    async with connected(server) as (peer, heard, socket):
        socket.pause()
        socket.pause()
        await peer.send("a")
        for _ in range(20):
            await asyncio.sleep(0)
        assert heard.frames.empty()
        socket.resume()
        assert await heard.next() == b"a"


async def test_a_paused_socket_can_be_closed(server):
    """The goodbye has to be read too."""
    async with connected(server, close_timeout=60) as (peer, _, socket):
        socket.pause()
        await peer.send("a")
        async with asyncio.timeout(20):
            await socket.aclose()
        assert (await socket.closed).is_clean


async def test_the_sink_can_be_changed_between_two_frames_of_one_read(server):
    """The greeting is for one, and what is behind it in the same packet for another."""
    async with connected(server) as (peer, heard, _):
        seen: list[bytes] = []

        def first(data: bytes) -> None:
            seen.append(data)
            heard.sink.frame = heard.frames.put_nowait

        heard.sink.frame = first
        await peer.send_at_once("hello", "data")
        assert await heard.next() == b'"data"'
        assert seen == [b'"hello"']


async def test_a_sink_that_raises_is_a_loss_and_not_the_loop_s_problem(server, caplog):
    """The event loop would only log it, and the reader would be deaf."""
    async with connected(server) as (peer, heard, socket):

        def broken(data: bytes) -> None:
            raise ZeroDivisionError(len(data))

        heard.sink.frame = broken
        await peer.send("a")
        closed = await socket.closed
        assert closed.cause == "the reader failed: ZeroDivisionError(1)"
        assert not [record for record in caplog.records if record.name == "asyncio"]


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, AuthenticationError, "refused the socket"),
        (403, HandshakeError, "HTTP 403"),
        (500, HandshakeError, "HTTP 500"),
    ],
)
async def test_a_refusal_is_told_by_its_kind(server, status, error, words):
    """A wrong key is not a service that is down."""
    server.refusals = [status]
    with pytest.raises(error, match=words) as raised:
        async with connected(server):
            pytest.fail("refused")
    assert raised.value.is_retryable is (error is HandshakeError)
    assert SECRET not in _chain(raised.value)


@pytest.mark.parametrize(
    ("url", "error", "retryable"),
    [
        (f"ws://127.0.0.1:9/{SECRET}", TransportError, True),
        (f"http://127.0.0.1/{SECRET}", ProtocolError, False),
        (f"ws://127.0.0.1:99999/{SECRET}", ProtocolError, False),
        (f"{SECRET}", ProtocolError, False),
        (f"ws://no-such-host.invalid/{SECRET}", TransportError, True),
    ],
)
async def test_an_address_that_does_not_work_is_told_without_the_address(url, error, retryable):
    """The address is the credential."""
    with pytest.raises(error) as raised:
        await opener(SocketOptions(proxy=None))(url, Heard().sink)
    assert raised.value.is_retryable is retryable
    assert SECRET not in _chain(raised.value)


async def test_a_server_that_says_nothing_is_given_up_in_time():
    """A port may be open and nobody behind it."""
    async with _raw_server(b"") as url:
        with pytest.raises(HandshakeError, match=r"not open after 0\.05 s"):
            await opener(SocketOptions(proxy=None, open_timeout=0.05))(url, Heard().sink)


@pytest.mark.parametrize("answer", [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", None])
async def test_a_server_that_speaks_no_websocket_is_told_so(answer):
    """A captive portal answers everything with its own page."""
    async with _raw_server(answer) as url:
        with pytest.raises(HandshakeError):
            await opener(SocketOptions(proxy=None, open_timeout=20))(url, Heard().sink)


async def test_a_proxy_that_cannot_be_used_is_told_without_its_password():
    """A proxy's address has a password in it, where it has one at all."""
    options = SocketOptions(proxy=f"gopher://user:{SECRET}@127.0.0.1:9")
    assert SECRET not in repr(options)
    with pytest.raises(TransportError, match="proxy") as raised:
        await opener(options)(f"ws://127.0.0.1:9/{SECRET}", Heard().sink)
    assert not raised.value.is_retryable
    assert SECRET not in _chain(raised.value)


async def test_a_redirect_to_nowhere_does_not_show_where():
    """The new address may carry the credential on."""
    answer = f"HTTP/1.1 302 Found\r\nLocation: http://x/{SECRET}\r\n\r\n".encode()
    async with _raw_server(answer) as url:
        with pytest.raises(ProtocolError) as raised:
            await opener(SocketOptions(proxy=None))(url, Heard().sink)
    assert SECRET not in _chain(raised.value)


async def test_the_address_is_in_no_log_however_loud(server, caplog):
    """The library logs the request line, and every header, at DEBUG."""
    caplog.set_level(1)
    for name in ("", "websockets", "websockets.client", "rtstream_async"):
        logging.getLogger(name).setLevel(1)
    async with connected(server) as (peer, heard, socket):
        await peer.send("a")
        await heard.next()
        assert SECRET not in repr(socket)
        assert SECRET not in repr(heard.sink)
    records = [r for r in caplog.records if not r.name.startswith("websockets.server")]
    assert not [record for record in records if SECRET in record.getMessage()]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Make a certificate for 127.0.0.1 that nobody else trusts."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return key, cert


@pytest.fixture
async def secure(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    async with scripted_server(ssl=context) as scripted:
        yield scripted


async def test_tls_works_with_a_context_of_one_s_own(secure, certificate):
    """Companies have their own authorities."""
    trusting = ssl.create_default_context(cafile=str(certificate[1]))
    async with connected(secure, ssl=trusting) as (peer, heard, socket):
        await peer.send("a")
        assert await heard.next() == b"a"
        socket.pause()
        await peer.send("b")
        socket.resume()
        assert await heard.next() == b"b"


async def test_a_certificate_that_is_not_trusted_is_an_error_that_stays(secure):
    """To try again would not make it trusted."""
    with pytest.raises(TransportError, match="certificate") as raised:
        async with connected(secure):
            pytest.fail("not trusted")
    assert not raised.value.is_retryable


async def test_a_tls_context_is_no_obstacle_to_a_plain_address(server):
    """The same settings serve a local server without TLS."""
    async with connected(server, ssl=ssl.create_default_context()) as (peer, heard, _):
        await peer.send("a")
        assert await heard.next() == b"a"


def test_the_library_is_not_loaded_by_an_import():
    """Most programs that import this package never open a socket in their first second."""
    code = (
        "import sys, rtstream_async, rtstream_async.realtime.hub, rtstream_async.transport.socket\n"
        "sys.exit('websockets' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _chain(error: BaseException | None) -> str:
    """Return all that a traceback or a crash report would print of `error`."""
    words: list[str] = []
    while error is not None:
        words.append(repr(error))
        words.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(words)


@asynccontextmanager
async def _raw_server(answer: bytes | None):
    """Run a server that answers with these bytes, or hangs up without any."""
    gone = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer:
            writer.write(answer)
        if answer == b"":
            await gone.wait()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/{SECRET}"
        gone.set()
