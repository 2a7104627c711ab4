"""Anything at all on a real socket: the reader goes on, and every frame is delivered or counted."""

from __future__ import annotations

import asyncio
import json

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rtstream_async.realtime.hub import Hub
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.supervisor import Supervisor
from rtstream_async.transport.socket import SocketOptions, opener
from tests.protocol.codec.test_frames import ENVELOPES, JSON
from tests.sockets import scripted_server

END = json.dumps({"channel": "the end of this test"}).encode()
CONTENT = st.binary(max_size=40) | (JSON | ENVELOPES).map(lambda frame: json.dumps(frame).encode())
FRAMES = st.lists(
    st.tuples(st.booleans(), CONTENT, st.lists(st.integers(0, 40), max_size=3)), max_size=12
)
"""Whether it is text, what is in it, and where it is cut into fragments."""


async def send(peer, is_text, content, cuts):
    """Send one message in fragments, valid UTF-8 or not."""
    places = sorted({0, *(cut for cut in cuts if cut < len(content))})
    parts = [content[a:b] for a, b in zip(places, [*places[1:], len(content)], strict=True)]
    async with peer.socket.send_context():
        protocol = peer.socket.protocol
        first = protocol.send_text if is_text else protocol.send_binary
        first(parts[0], fin=len(parts) == 1)
        for number, part in enumerate(parts[1:], start=2):
            protocol.send_continuation(part, fin=number == len(parts))


async def heard(frames):
    """Return what a reader of everything gets of these frames, and its counters."""
    async with scripted_server() as server:
        supervisor = Supervisor("test")
        hub = Hub(
            fetch_url=server.fetch_url,
            open_socket=opener(SocketOptions(proxy=None, close_timeout=1)),
            settings=HubSettings(),
            supervisor=supervisor,
        )
        sub = hub.subscribe(streams=None, channels=None)
        typed = hub.subscribe(streams=None, channels=frozenset({"scene_index"}))
        connecting = asyncio.ensure_future(hub.connection_id())
        peer = await server.accept_live()
        await connecting
        for frame in frames:
            await send(peer, *frame)
        await send(peer, True, END, [])
        found = []
        while not found or found[-1].source != END:
            found.append(await sub.receive(timeout=30))
        counts = (sub.stats, typed.stats)
        await hub.aclose()
        await supervisor.aclose()
    assert server.requests == 1  # the link was never lost
    return found[:-1], counts


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FRAMES)
@example([(True, b"", []), (False, b"", []), (True, b"\xff\xfe", [1])])
@example([(True, "ä👧".encode(), [1, 3]), (False, b'{"channel": 1}', [2, 5])])
@example([(True, b'{"connection_id": "conn-2"}', []), (True, b'{"error": "x"}', [])])
@example([(True, b'{"channel": "scene_index", "data": {"start": ' + b"9" * 400 + b"}}", [9])])
@example([(True, b"[" * 3_000, [7]), (True, b"null", []), (True, b'"\\ud800"', [])])
def test_every_frame_is_delivered_in_order_and_the_link_stays(frames):
    """One odd frame that ends the reader ends every subscription of the program."""
    found, (everything, typed) = asyncio.run(heard(frames))
    assert [message.source for message in found] == [content for _, content, _ in frames]
    assert everything.dropped == 0
    assert everything.delivered == len(frames) + 1
    scenes = sum(message.channel == "scene_index" for message in found)
    assert typed.received + typed.unreadable == scenes
