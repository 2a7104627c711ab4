"""The shortcut beside the library's own parser: the same messages, the same protocol failures."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame, Opcode, apply_mask
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from rtstream_async.transport.shortcut import Shortcut
from rtstream_async.transport.socket import Sink

LIMIT = 2000


class Side:
    """A client's protocol, and the messages that come out of it, by whichever way."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.protocol = ClientProtocol(
            parse_uri("ws://localhost/"),
            extensions=[ClientPerMessageDeflateFactory()],
            max_size=(None, 100_000),
        )
        self.protocol.send_request(self.protocol.connect())
        self.asked = b"".join(self.protocol.data_to_send())

    def leave(self, data: bytes) -> None:
        """Give `data` to the library, and take what it makes of that."""
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Frame):
                kind = "text" if event.opcode in (Opcode.TEXT, Opcode.BINARY) else event.opcode.name
                self.heard.append((kind + "." * (not event.fin), bytes(event.data)))

    def is_open(self) -> bool:
        return self.protocol.state is State.OPEN and self.protocol.current_size is None

    @property
    def end(self) -> tuple[object, ...]:
        """What has become of the connection."""
        protocol = self.protocol
        failure = protocol.parser_exc
        replies = unmasked(b"".join(protocol.data_to_send()))
        return (protocol.state, type(failure), str(failure), replies)


class Shortened(Side):
    """The same, with the shortcut before it."""

    def __init__(self) -> None:
        super().__init__()
        sink = Sink(frame=self._take, oversize=lambda *_: pytest.fail("the library's business"))
        self.taken = 0
        self.shortcut = Shortcut(sink=sink, leave=self.leave, is_open=self.is_open, limit=LIMIT)

    def _take(self, data: bytes) -> None:
        assert type(data) is bytes
        self.taken += 1
        self.heard.append(("text", data))


def answer(asked: bytes) -> tuple[bytes, ServerProtocol]:
    """What a server says to the handshake, and the server."""
    server = ServerProtocol(extensions=[ServerPerMessageDeflateFactory()])
    server.receive_data(asked)
    (request,) = server.events_received()
    server.send_response(server.accept(request))
    return b"".join(server.data_to_send()), server


def unmasked(replies: bytes) -> list[tuple[int, bytes]]:
    """Return opcode and payload of each control frame that a client sends: masks are random."""
    found: list[tuple[int, bytes]] = []
    while replies:
        end = 6 + (replies[1] & 0x7F)
        found.append((replies[0], apply_mask(replies[6:end], replies[2:6])))
        replies = replies[end:]
    return found


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Return `data` in pieces."""
    ends = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in pairwise(ends)]


def both(data: bytes, places: list[int]) -> tuple[Side, Shortened]:
    """Have both sides shake hands, and hear `data` behind that, cut into the same pieces."""
    plain, shortened = Side(), Shortened()
    for side, feed in ((plain, plain.leave), (shortened, shortened.shortcut.feed)):
        response, _ = answer(side.asked)
        for piece in cut(response + data, places):
            feed(piece)
    return plain, shortened


_LENGTHS = st.sampled_from([0, 1, 5, 125, 126, 127, 300, LIMIT, LIMIT + 1, 65_535, 65_536])
_FRAMES = st.one_of(
    st.builds(
        lambda opcode, length, fin: Frame(opcode, b"a" * length, fin).serialize(mask=False),
        st.sampled_from([Opcode.TEXT, Opcode.TEXT, Opcode.BINARY, Opcode.CONT]),
        _LENGTHS,
        st.sampled_from([True, True, True, False]),
    ),
    st.builds(
        lambda opcode, data: Frame(opcode, data).serialize(mask=False),
        st.sampled_from([Opcode.PING, Opcode.PONG]),
        st.binary(max_size=20),
    ),
    st.just(Frame(Opcode.CLOSE, b"\x03\xe8bye").serialize(mask=False)),
    st.just(Frame(Opcode.TEXT, b"masked").serialize(mask=True)),
    st.just(b"\xa1\x08reserved"),  # a bit that means nothing
    st.binary(min_size=1, max_size=12),
)
_CALM = st.sampled_from(
    [Frame(Opcode.TEXT, b"x" * n).serialize(mask=False) for n in (0, 5, 125, 126, LIMIT)]
    + [Frame(Opcode.PING, b"p").serialize(mask=False)]
)
_PLACES = st.lists(st.integers(0, 300_000), max_size=12)


@given(st.lists(_FRAMES, max_size=8), _PLACES)
def test_any_bytes_mean_what_they_mean_to_the_library(frames, places):
    """A second parser that differs in one case loses messages in that case."""
    # What follows completes any header: the library sees from half of some that they are wrong.
    plain, shortened = both(b"".join(frames) + bytes(16), places)
    assert shortened.heard == plain.heard
    assert shortened.end == plain.end


@given(st.lists(_CALM, min_size=1, max_size=20), st.lists(st.integers(0, 20_000), max_size=30))
def test_plain_messages_do_not_pass_through_the_library(frames, places):
    """However the network cuts them: in the middle of a header, of the handshake, of a message."""
    plain, shortened = both(b"".join(frames), places)
    assert shortened.heard == plain.heard
    assert shortened.taken == len([kind for kind, _ in plain.heard if kind == "text"])


def test_a_compressed_message_between_plain_ones_keeps_its_place():
    """A service may compress what is worth it, and nothing else."""
    plain, shortened = Side(), Shortened()
    for side, feed in ((plain, plain.leave), (shortened, shortened.shortcut.feed)):
        response, server = answer(side.asked)
        server.send_text(b"long " * 100)
        compressed = b"".join(server.data_to_send())
        short = Frame(Opcode.TEXT, b"short").serialize(mask=False)
        feed(response + short + compressed[:7])
        feed(compressed[7:] + short)
    assert [data for _, data in shortened.heard] == [b"short", b"long " * 100, b"short"]
    assert (shortened.heard, shortened.taken) == (plain.heard, 2)


def test_nothing_is_cut_short_before_the_handshake_is_accepted():
    """A refusal has a body, which may look like anything."""
    shortened = Shortened()
    body = Frame(Opcode.TEXT, b"no").serialize(mask=False)
    head = f"HTTP/1.1 403 Forbidden\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    shortened.shortcut.feed(head + body)
    assert (shortened.heard, shortened.taken) == ([], 0)
    assert shortened.protocol.handshake_exc is not None
