"""The link against a real socket: greetings, losses, refusals, giving up."""

from __future__ import annotations

import asyncio
import logging

import anyio
import pytest

from rtstream_async.errors import (
    AuthenticationError,
    ConnectionClosedError,
    HandshakeError,
    LinkClosedError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitError,
    TransportError,
    WrongEventLoopError,
)
from rtstream_async.models.announcements import Gap, GapUnrecoverable, StateChange
from rtstream_async.models.messages import SceneMessage, UnknownMessage
from rtstream_async.protocol.link import LinkState
from rtstream_async.protocol.rearm import Arm
from rtstream_async.realtime.hub import Hub
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.supervisor import Supervisor
from rtstream_async.transport.socket import SocketOptions, opener
from tests.sockets import SECRET, scene


def armed(**attributes):
    """Something that publishes to a connection id."""
    return Arm(source="made-here", **attributes)


async def live(server, hub, connection_id="conn-1"):
    """Open the hub's link; return the server's end of it."""
    waiting = asyncio.create_task(hub.connection_id())
    peer = await server.accept_live(connection_id)
    assert await waiting == connection_id
    return peer


async def collect(subscription, kind):
    """Read until an item of `kind` has come; return all."""
    items = []
    while not items or not isinstance(items[-1], kind):
        items.append(await subscription.receive(timeout=10))
    return items


async def test_the_socket_is_opened_at_first_use_and_once(server, make_hub):
    """A program that only pages over REST must not hold a socket; ten users must share one."""
    hub = make_hub()
    assert hub.state is LinkState.IDLE
    waiting = [asyncio.create_task(hub.connection_id()) for _ in range(10)]
    await server.accept_live("conn-7")
    assert await asyncio.gather(*waiting) == ["conn-7"] * 10
    assert hub.state is LinkState.LIVE
    assert len(server.urls) == 1


async def test_data_before_the_greeting_is_delivered_after_it(server, make_hub):
    """The service documents that it speaks first, and not that it waits with the rest."""
    hub = make_hub()
    sub = hub.subscribe(streams=None, channels=None, control=True)
    waiting = asyncio.create_task(hub.connection_id())
    peer = await server.accept()
    await peer.send(scene("early"), "not json")
    await peer.send_at_once({"connectionId": "conn-1"}, scene("late"))
    assert await waiting == "conn-1"
    items = [await sub.receive(timeout=10) for _ in range(5)]
    assert [type(item) for item in items] == [
        StateChange,
        StateChange,
        SceneMessage,
        UnknownMessage,
        SceneMessage,
    ]
    assert [items[2].text, items[4].text] == ["early", "late"]
    assert {item.generation for item in items[1:]} == {1}


async def test_a_greeting_that_never_comes_is_an_error_and_not_a_hang(server, make_hub):
    """The official SDK waits for it for ever."""
    hub = make_hub(first_frame_timeout=0.05, connect_timeout=0.2)
    with pytest.raises(HandshakeError, match="no connection id came"):
        await hub.connection_id()
    assert hub.state is LinkState.SUSPENDED


async def test_a_late_greeting_is_met_by_the_next_attempt(server, make_hub):
    """A service that was slow once must not cost the program its start."""
    hub = make_hub(first_frame_timeout=0.1)
    waiting = asyncio.create_task(hub.connection_id())
    slow = await server.accept()
    assert await slow.closed() == 1000
    await server.accept_live("conn-2")
    assert await waiting == "conn-2"
    assert len(set(server.urls)) == 2


@pytest.mark.parametrize(
    ("frame", "error", "words"),
    [
        ({"success": False, "message": "no seats"}, HandshakeError, "no seats"),
        ({"error": {"message": "expired"}, "status": 401}, AuthenticationError, "expired"),
    ],
)
async def test_an_error_instead_of_a_greeting_is_that_error(server, make_hub, frame, error, words):
    """The official SDK counts it as connected, with no id."""
    hub = make_hub(connect_timeout=0.3)

    async def refuse():
        while True:
            peer = await server.accept()
            await peer.send(frame)

    refusing = asyncio.create_task(refuse())
    with pytest.raises(error, match=words):
        await hub.connection_id()
    refusing.cancel()


async def test_a_flood_before_the_greeting_is_not_kept_for_ever(server, make_hub):
    """A wrong server could fill the memory of whoever connects to it."""
    hub = make_hub(connect_timeout=0.5)
    waiting = asyncio.create_task(hub.connection_id())
    peer = await server.accept()
    await peer.send_at_once(*[{"n": n} for n in range(1025)])
    assert await peer.closed() == 1000
    with pytest.raises(HandshakeError):
        await waiting


async def test_a_close_before_the_greeting_says_why(server, make_hub):
    """The service's own words are the best hint there is."""
    hub = make_hub(connect_timeout=0.3)

    async def slam():
        while True:
            peer = await server.accept()
            await peer.close(1008, "too many connections")

    slamming = asyncio.create_task(slam())
    with pytest.raises(HandshakeError, match="1008 policy violation: too many connections"):
        await hub.connection_id()
    slamming.cancel()


async def test_two_refusals_latch_and_only_force_reconnect_tries_again(server, make_hub):
    """A wrong key that is tried for ever gets an account locked."""
    hub = make_hub()
    sub = hub.subscribe(streams=None, channels=None)
    server.refusals = [401, 401]
    with pytest.raises(AuthenticationError):
        await hub.connection_id()
    assert hub.state is LinkState.AUTH_FAILED
    with pytest.raises(AuthenticationError):
        await sub.receive(timeout=10)
    with pytest.raises(AuthenticationError):
        await hub.connection_id()
    assert server.requests == 2
    hub.force_reconnect()
    await server.accept_live("conn-3")
    assert await hub.connection_id() == "conn-3"


async def test_a_key_that_rest_refuses_latches_as_well(server, make_hub):
    """The URL is REST's to give: a revoked key is refused there, before there is any socket."""
    asked = []

    async def refused():
        asked.append(1)
        raise AuthenticationError("no such key", status=401)

    hub = make_hub(fetch_url=refused)
    with pytest.raises(AuthenticationError, match="no such key"):
        await hub.connection_id()
    assert (hub.state, len(asked)) == (LinkState.AUTH_FAILED, 2)


async def test_one_refusal_is_forgiven(server, make_hub):
    """The URL carries a token that may have run out on the way."""
    hub = make_hub()
    server.refusals = [401]
    assert await live(server, hub)
    assert server.requests == 2


@pytest.mark.parametrize("status", [403, 404, 429, 500, 503])
async def test_other_refusals_are_tried_again_with_a_fresh_url(server, make_hub, status):
    """A URL may have expired, and a gateway may be restarting."""
    hub = make_hub()
    server.refusals = [status]
    assert await live(server, hub)
    assert len(set(server.urls)) == 2


async def test_an_error_that_no_repetition_mends_is_raised_at_once(server, make_hub):
    """Nobody should wait half a minute to learn that the collection does not exist."""

    async def forbidden():
        raise PermissionDeniedError("not your collection", status=403)

    hub = make_hub(fetch_url=forbidden)
    sub = hub.subscribe(streams=None, channels=None)
    with pytest.raises(PermissionDeniedError):
        await hub.connection_id()
    assert hub.state is LinkState.SUSPENDED
    with pytest.raises(LinkClosedError, match="not your collection") as raised:
        await hub.subscribe(streams=None, channels=None).receive(timeout=10)
    assert isinstance(raised.value.__cause__, PermissionDeniedError)
    await sub.aclose()


async def test_an_address_that_is_no_websocket_s_is_not_printed(server, make_hub):
    """The address is a credential even when it is wrong."""

    async def nonsense():
        return f"https://example.invalid/{SECRET}"

    with pytest.raises(ProtocolError) as raised:
        await make_hub(fetch_url=nonsense).connection_id()
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


async def test_a_service_that_cannot_be_reached_is_a_transport_error(server, make_hub):
    """It is the network's fault, and the caller may want to say so."""

    async def nowhere():
        return "ws://127.0.0.1:9/"

    with pytest.raises(TransportError):
        await make_hub(fetch_url=nowhere, connect_timeout=0.1).connection_id()


async def test_the_deadline_holds_for_a_rest_call_that_hangs(server, make_hub):
    """Each step may be within its own deadline, and the sum for ever."""

    async def hang():
        await asyncio.Event().wait()
        return ""

    hub = make_hub(fetch_url=hang, connect_timeout=0.05)
    with pytest.raises(HandshakeError, match="in time"):
        await hub.connection_id()


async def test_a_limited_client_waits_as_it_is_told_and_goes_on(server, make_hub):
    """A 429 at the start of many programs at once is an order, and not a failure."""
    answers = [RateLimitError("slow down", status=429, retry_after=0.01)]

    async def limited_at_first():
        if answers:
            raise answers.pop()
        return await server.fetch_url()

    assert await live(server, make_hub(fetch_url=limited_at_first))


async def test_a_greeting_whose_socket_then_fails_is_a_loss(server, make_hub):
    """The id came with the last packet of the handshake, and the deadline with the next."""
    real = opener(SocketOptions(proxy=None))
    attempts = []

    async def fail_after_the_greeting(url, sink):
        attempts.append(url)
        if len(attempts) > 1:
            return await real(url, sink)
        sink.frame(b'{"connection_id": "conn-1"}')
        raise HandshakeError("too late")

    hub = make_hub(open_socket=fail_after_the_greeting)
    sub = hub.subscribe(streams=None, channels=None, control=True)
    waiting = asyncio.create_task(collect(sub, GapUnrecoverable))
    await server.accept_live("conn-2")
    items = await waiting
    assert "too late" in next(item.cause for item in items if isinstance(item, Gap))
    assert await hub.connection_id() == "conn-2"


async def test_a_close_that_comes_with_the_greeting_is_no_failure(server, make_hub):
    """A program that ends as it begins must not be told that its handshake failed."""
    real = opener(SocketOptions(proxy=None))
    goodbyes = []

    async def close_with_the_greeting(url, sink):
        take = sink.frame

        def greet(data: bytes) -> None:
            take(data)
            goodbyes.append(asyncio.create_task(hub.aclose()))

        sink.frame = greet
        return await real(url, sink)

    hub = make_hub(open_socket=close_with_the_greeting)
    waiting = asyncio.create_task(hub.connection_id())
    peer = await server.accept()
    await anyio.wait_all_tasks_blocked()  # for the greeting
    await peer.send({"connection_id": "conn-1"})
    assert await waiting == "conn-1"
    (goodbye,) = goodbyes
    await goodbye
    with pytest.raises(ConnectionClosedError):
        await hub.connection_id()


async def test_a_use_after_giving_up_tries_again(server, make_hub):
    """A program that retries its own start must be able to succeed."""
    answers = [PermissionDeniedError("not yet", status=403)]

    async def not_at_first():
        if answers:
            raise answers.pop()
        return await server.fetch_url()

    hub = make_hub(fetch_url=not_at_first)
    with pytest.raises(PermissionDeniedError):
        await hub.connection_id()
    sub = hub.subscribe(streams=None, channels=None)
    reading = asyncio.create_task(sub.receive())
    peer = await server.accept_live()
    await peer.send(scene("again"))
    assert (await reading).text == "again"


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 4000])
async def test_any_close_that_we_did_not_ask_for_is_a_loss(server, make_hub, caplog, code):
    """The official SDK takes 1000 and 1001 for the end of the data, in silence."""
    hub = make_hub()
    sub = hub.subscribe(streams=None, channels=frozenset({"scene_index"}), control=True)
    peer = await live(server, hub)
    await peer.send(scene("before"))
    await collect(sub, SceneMessage)
    await peer.close(code, "bye")
    again = await server.accept_live("conn-2")
    await again.send(scene("after"))
    items = await collect(sub, SceneMessage)
    assert [type(item) for item in items] == [
        StateChange,
        Gap,
        StateChange,
        GapUnrecoverable,
        SceneMessage,
    ]
    lost, gap, found, gone, message = items
    assert (lost.previous, lost.state, lost.generation) == ("LIVE", "RECONNECTING", 1)
    assert f"({code}" in lost.reason
    assert "bye" in gap.cause
    assert (found.previous, found.state, found.generation) == ("RECONNECTING", "LIVE", 2)
    assert gone.since == gap.since <= gap.at <= gone.until
    assert "connection id" in gone.reason
    assert (message.text, message.generation) == ("after", 2)
    assert sub.stats.gaps == 1
    assert await hub.connection_id() == "conn-2"
    warnings = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert [r.getMessage().split(":")[0] for r in warnings] == ["the link was lost"]


async def test_a_cut_connection_is_a_loss(server, make_hub):
    """Most connections end without a goodbye."""
    hub = make_hub()
    sub = hub.subscribe(streams=None, channels=None, control=True)
    peer = await live(server, hub)
    peer.cut()
    await server.accept_live("conn-2")
    items = await collect(sub, GapUnrecoverable)
    assert "connection lost" in next(item.cause for item in items if isinstance(item, Gap))


async def test_a_gap_begins_with_the_last_message(server, make_hub):
    """A gap that begins later hides a loss; one that begins at the start asks for everything."""
    hub = make_hub()
    sub = hub.subscribe(streams=None, channels=None, control=True)
    peer = await live(server, hub)
    await peer.send(scene())
    message = (await collect(sub, SceneMessage))[-1]
    peer.cut()
    gap = (await collect(sub, Gap))[-1]
    assert gap.since == message.received_at


async def test_a_row_of_losses_is_one_warning(server, make_hub, caplog):
    """A service that is down all night must not fill the disk with warnings."""
    hub = make_hub()
    peer = await live(server, hub)
    for n in range(4):
        peer.cut()
        peer = await server.accept_live(f"conn-{n + 2}")
        async with asyncio.timeout(10):
            while await hub.connection_id() != f"conn-{n + 2}":
                await hub._link.changed()
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1


async def test_the_states_can_be_watched(server, make_hub):
    """A health page needs them without a subscription, and without opening the socket."""
    hub = make_hub()
    states = hub.states()
    assert hub.state is LinkState.IDLE
    peer = await live(server, hub)
    peer.cut()
    await server.accept_live("conn-2")
    seen = [await anext(states) for _ in range(4)]
    assert [change.state for change in seen] == ["CONNECTING", "LIVE", "RECONNECTING", "LIVE"]
    await hub.aclose()
    assert [change.state async for change in states] == ["CLOSED"]


async def test_force_reconnect_does_what_it_says(server, make_hub):
    """Who knows that the network has changed should not have to wait for a ping to fail."""
    hub = make_hub()
    sub = hub.subscribe(streams=None, channels=None, control=True)
    peer = await live(server, hub)
    hub.force_reconnect()
    assert await peer.closed() == 1000
    await server.accept_live("conn-2")
    items = await collect(sub, GapUnrecoverable)
    assert "force_reconnect()" in next(item.cause for item in items if isinstance(item, Gap))
    assert await hub.connection_id() == "conn-2"


async def test_force_reconnect_cuts_a_wait_short(server, make_hub, monkeypatch):
    """It is what the button in a dashboard is for."""
    monkeypatch.setattr("rtstream_async.realtime.link.random.random", lambda: 1.0)
    hub = make_hub()
    server.refusals = [503] * 8
    waiting = asyncio.create_task(hub.connection_id())
    async with asyncio.timeout(10):
        while server.refusals:
            hub.force_reconnect()
            await asyncio.sleep(0)
        hub.force_reconnect()
        while server._peers.empty():
            hub.force_reconnect()
            await asyncio.sleep(0)
    await server.accept_live()
    assert await waiting == "conn-1"


async def test_an_outage_beyond_its_budget_suspends_and_readers_are_told(server, make_hub):
    """A reader that waits for ever is worse than one that fails."""
    hub = make_hub(outage_budget=0.1, first_frame_timeout=0.05)
    sub = hub.subscribe(streams=None, channels=None)
    peer = await live(server, hub)
    await peer.send(scene("last"))
    server.refusals = [503] * 10_000
    await peer.close(1012)
    assert (await sub.receive(timeout=10)).text == "last"
    with pytest.raises(LinkClosedError, match="gave up"):
        await sub.receive(timeout=10)
    assert hub.state is LinkState.SUSPENDED
    with pytest.raises(LinkClosedError, match="gave up"):
        await anext(sub)
    server.refusals = []
    hub.force_reconnect()
    again = await server.accept_live("conn-2")
    await again.send(scene("after"))
    assert (await sub.receive(timeout=10)).text == "after"


async def test_without_a_budget_it_never_gives_up(server, make_hub):
    """A monitor of cameras on a ship is offline for days."""
    hub = make_hub(outage_budget=None)
    peer = await live(server, hub)
    server.refusals = [503] * 20
    await peer.close(1012)
    await server.accept_live("conn-2")
    async with asyncio.timeout(10):
        while hub.state is not LinkState.LIVE:
            await hub._link.changed()


async def test_after_the_close_everything_says_so(server, make_hub):
    """A use after the end must fail with a name, and not wait."""
    hub = make_hub()
    await live(server, hub)
    await hub.aclose()
    await hub.aclose()
    assert hub.state is LinkState.CLOSED
    with pytest.raises(ConnectionClosedError):
        await hub.connection_id()
    with pytest.raises(ConnectionClosedError):
        await hub.subscribe(streams=None, channels=None).receive()


async def test_a_hub_that_was_never_opened_closes(make_hub):
    """Most connections never use the socket."""
    hub = make_hub()
    waiting = asyncio.create_task(anext(hub.states(), None))
    await asyncio.sleep(0)
    await hub.aclose()
    assert (await waiting).state == "CLOSED"


async def test_closing_while_connecting_ends_those_who_wait(server, make_hub):
    """Ctrl-C in the first second must work too."""
    hub = make_hub()
    waiting = asyncio.create_task(hub.connection_id())
    await server.accept()
    await hub.aclose()
    with pytest.raises(ConnectionClosedError):
        await waiting


async def test_the_end_of_the_supervisor_ends_the_readers(server, make_hub):
    """A background task that fails must not leave readers hanging."""
    hub = make_hub()
    sub = hub.subscribe(streams=None, channels=None)
    peer = await live(server, hub)
    await hub._supervisor.aclose()
    assert [item async for item in sub] == []
    assert await peer.closed() == 1000


async def test_a_bug_in_the_link_reaches_the_readers():
    """A task that dies in silence is the worst of all hangs."""

    async def broken():
        raise ZeroDivisionError

    supervisor = Supervisor("test")
    hub = Hub(
        fetch_url=broken,
        open_socket=opener(SocketOptions()),
        settings=HubSettings(),
        supervisor=supervisor,
    )
    sub = hub.subscribe(streams=None, channels=None)
    with pytest.raises(LinkClosedError, match="ZeroDivisionError"):
        await sub.receive(timeout=10)
    with pytest.raises(LinkClosedError, match="ZeroDivisionError"):
        await hub.connection_id()
    await hub.aclose()
    with pytest.raises(ExceptionGroup) as raised:
        await supervisor.aclose()
    assert raised.group_contains(ZeroDivisionError)


def test_a_second_event_loop_is_a_clear_error():
    """Futures of two loops in one object hang; nobody finds out why."""

    async def url():
        return "ws://127.0.0.1:9/"

    hub = Hub(
        fetch_url=url,
        open_socket=opener(SocketOptions()),
        settings=HubSettings(),
        supervisor=Supervisor("test"),
    )

    async def subscribe():
        return hub.subscribe(streams=None, channels=None)

    sub = asyncio.run(subscribe())

    async def use():
        with pytest.raises(WrongEventLoopError):
            await hub.connection_id()
        with pytest.raises(WrongEventLoopError):
            hub.subscribe(streams=None, channels=None)
        with pytest.raises(WrongEventLoopError):
            await sub.receive()

    asyncio.run(use())
