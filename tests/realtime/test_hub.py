"""Whom messages go to: filters, early messages, unreadable frames, structured output."""

from __future__ import annotations

import asyncio
import json

import attrs
import pytest

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.messages import CaptureMessage, SceneMessage, UnknownMessage
from tests.realtime.test_link import armed, live
from tests.sockets import scene, transcript

END = {"channel": "the end"}


async def texts(sub):
    """Return the texts of all that is queued, and of what comes before the end of the test."""
    found = []
    while True:
        message = await sub.receive(timeout=10)
        if message.channel == "the end":
            return found
        found.append(getattr(message, "text", None))


@pytest.fixture
async def wired(server, make_hub):
    hub = make_hub()
    return hub, await live(server, hub)


async def test_every_message_goes_to_all_who_want_it_and_to_nobody_else(wired):
    """One socket for everything is only bearable if nobody sees the others' messages."""
    hub, peer = wired

    def subscribe(streams, channels):
        return hub.subscribe(
            streams=None if streams is None else frozenset(streams),
            channels=None if channels is None else frozenset({*channels, "the end"}),
        )

    subs = {
        "all": subscribe(None, None),
        "scenes": subscribe(None, ["visual_index"]),
        "both": subscribe(None, ["scene_index", "transcript"]),
        "again": subscribe(None, ["scene_index"]),
    }
    one = hub.subscribe(streams=frozenset({"rts-1"}), channels=None)
    two = hub.subscribe(streams=frozenset({"rts-2"}), channels=frozenset({"transcript"}))
    await peer.send(
        scene("s1"), scene("s2", stream="rts-2"), transcript("t1"), transcript("t2", stream="rts-2")
    )
    await peer.send({**scene("v1"), "channel": "visual_index"}, END)
    assert await texts(subs["all"]) == ["s1", "s2", "t1", "t2", "v1"]
    assert await texts(subs["scenes"]) == ["s1", "s2", "v1"]
    assert await texts(subs["both"]) == ["s1", "s2", "t1", "t2", "v1"]
    assert await texts(subs["again"]) == ["s1", "s2", "v1"]
    assert [(await one.receive(0)).text for _ in range(3)] == ["s1", "t1", "v1"]
    assert (await two.receive(0)).text == "t2"
    for sub in (one, two):
        with pytest.raises(TimeoutError):
            await sub.receive(0)


async def test_a_frame_is_decoded_once_for_all(wired):
    """A hundred subscribers must not cost a hundred decodings."""
    hub, peer = wired
    subs = [hub.subscribe(streams=None, channels=None) for _ in range(3)]
    await peer.send(scene())
    first, *others = [await sub.receive(timeout=10) for sub in subs]
    assert all(other is first for other in others)


async def test_capture_frames_have_no_stream_and_go_to_who_wants_all(wired):
    """The start of a capture session is announced before its streams are known."""
    hub, peer = wired
    sub = hub.subscribe(streams=None, channels=frozenset({"capture_session"}))
    door = hub.subscribe(streams=frozenset({"rts-1"}), channels=None)
    await peer.send({"event": "capture_session.active", "capture_session_id": "cap-1"})
    assert isinstance(await sub.receive(timeout=10), CaptureMessage)
    assert door.stats.received == 0


async def test_a_session_hears_its_own_frames_and_no_others(wired):
    """Two users' screens in one program: the end of the one must not be taken for the other's."""
    hub, peer = wired
    wanted = frozenset({"capture_session"})
    one, two = (
        hub.subscribe(streams=frozenset({id_}), channels=wanted) for id_ in ("cap-1", "cap-2")
    )
    everything = hub.subscribe(streams=None, channels=wanted)
    active = {"event": "capture_session.active", "channel": "capture_session"}
    await peer.send({**active, "capture_session_id": "cap-2"}, {**active, "session_id": "cap-1"})
    heard = [await everything.receive(timeout=10) for _ in range(2)]
    assert [message.session_id for message in heard] == ["cap-2", "cap-1"]
    assert await one.receive(0) is heard[1]
    assert await two.receive(0) is heard[0]
    for sub in (one, two):
        with pytest.raises(TimeoutError):
            await sub.receive(0)


async def test_early_frames_of_a_session_are_its_own(wired):
    """The service tells of a session before the call that made it returns."""
    hub, peer = wired
    probe = hub.subscribe(streams=None, channels=frozenset({"the end"}))
    frame = {"channel": "capture_session", "event": "capture_session.created"}
    await peer.send(*[{**frame, "capture_session_id": id_} for id_ in ("cap-1", "cap-2")], END)
    await probe.receive(timeout=10)
    for id_ in ("cap-1", "cap-2"):
        hub.note_armed(armed(rtstream_id=id_, channel="capture_session", connection_id="conn-1"))
    for id_ in ("cap-2", "cap-1"):
        sub = hub.subscribe(streams=frozenset({id_}), channels=frozenset({"capture_session"}))
        assert (await sub.receive(0)).session_id == id_
        with pytest.raises(TimeoutError):
            await sub.receive(0)


async def test_early_messages_go_to_the_first_subscriber(wired):
    """Between `index_visuals()` and `events()` there is a moment, and messages come in it."""
    hub, peer = wired
    probe = hub.subscribe(streams=None, channels=frozenset({"the end"}))
    await peer.send(scene("stray"), scene("foreign", stream="rts-9"))
    await peer.send(END)
    await probe.receive(timeout=10)
    # The pipeline was quicker than the call that made it.
    hub.note_armed(armed(rtstream_id="rts-1", channel="visual_index", connection_id="conn-1"))
    await peer.send(scene("early"), transcript("not armed"), END)
    await probe.receive(timeout=10)
    # A second index on the stream does not take away what the first one said.
    hub.note_armed(armed(rtstream_id="rts-1", channel="scene_index", connection_id="conn-1"))
    first = hub.subscribe(streams=frozenset({"rts-1"}), channels=frozenset({"scene_index"}))
    second = hub.subscribe(streams=frozenset({"rts-1"}), channels=frozenset({"scene_index"}))
    await peer.send(scene("now"))
    assert [(await first.receive(timeout=10)).text for _ in range(3)] == ["stray", "early", "now"]
    assert (await second.receive(timeout=10)).text == "now"


async def test_early_messages_are_bounded(server, make_hub):
    """An index that nobody ever reads must not fill the memory."""
    hub = make_hub(early_messages=3)
    peer = await live(server, hub)
    probe = hub.subscribe(streams=None, channels=frozenset({"the end"}))
    hub.note_armed(armed(rtstream_id="rts-1", channel="scene_index", connection_id="conn-1"))
    await peer.send(*[scene(str(n)) for n in range(10)], END)
    await probe.receive(timeout=10)
    sub = hub.subscribe(streams=None, channels=frozenset({"scene_index", "the end"}))
    await peer.send(END)
    assert await texts(sub) == ["7", "8", "9"]


async def test_what_comes_after_the_last_reader_left_is_not_for_the_next(wired):
    """Who subscribes at noon does not want the morning's messages as news."""
    hub, peer = wired
    probe = hub.subscribe(streams=None, channels=frozenset({"the end"}))
    hub.note_armed(armed(rtstream_id="rts-1", channel="scene_index", connection_id="conn-1"))
    sub = hub.subscribe(streams=None, channels=frozenset({"scene_index"}))
    await sub.aclose()
    await peer.send(scene("morning"), END)
    await probe.receive(timeout=10)
    later = hub.subscribe(streams=None, channels=frozenset({"scene_index", "the end"}))
    await peer.send(END)
    assert await texts(later) == []
    await later.aclose()
    # And a second index on the same stream starts anew.
    hub.note_armed(armed(rtstream_id="rts-1", channel="scene_index", connection_id="conn-1"))
    await peer.send(scene("second index"), END)
    await probe.receive(timeout=10)
    last = hub.subscribe(streams=None, channels=frozenset({"scene_index", "the end"}))
    await peer.send(END)
    assert await texts(last) == ["second index"]


async def test_what_has_a_reader_when_it_is_armed_is_not_kept(wired):
    """Else each message would be delivered to the reader, and once more to the next."""
    hub, peer = wired
    sub = hub.subscribe(streams=None, channels=None)
    hub.note_armed(armed(rtstream_id="rts-1", channel="scene_index", connection_id="conn-1"))
    await peer.send(scene("a"), END)
    assert await texts(sub) == ["a"]
    other = hub.subscribe(streams=None, channels=frozenset({"scene_index"}))
    with pytest.raises(TimeoutError):
        await other.receive(0)


async def test_a_frame_without_a_time_is_not_lost(wired, caplog):
    """A typed subscription can't have it, and somebody must learn that it came."""
    hub, peer = wired
    typed = hub.subscribe(streams=None, channels=frozenset({"scene_index"}))
    control = hub.subscribe(
        streams=None,
        channels=frozenset({"scene_index"}),
        control=True,
        where=lambda message: message.start > 0,
    )
    every = hub.subscribe(streams=None, channels=None)
    odd = {"channel": "scene_index", "rtstream_id": "rts-1", "data": {"text": "when?"}}
    await peer.send(odd, odd, scene("fine"))
    assert (await typed.receive(timeout=10)).text == "fine"
    assert typed.stats.unreadable == 2
    for sub in (control, every):
        items = [await sub.receive(timeout=10) for _ in range(3)]
        assert [type(item) for item in items] == [UnknownMessage, UnknownMessage, SceneMessage]
        assert items[0].raw == odd
        assert items[0].channel == "scene_index"
        assert sub.stats.unreadable == 0
    told = [r.levelname for r in caplog.records if "could not be read" in r.getMessage()]
    assert told == ["WARNING", "DEBUG"]


async def test_frames_of_unknown_channels_go_to_who_names_them_or_wants_all(wired):
    """The service may have channels tomorrow that nobody has documented."""
    hub, peer = wired
    named = hub.subscribe(streams=None, channels=frozenset({"understanding"}))
    every = hub.subscribe(streams=None, channels=None)
    await peer.send({"channel": "understanding", "rtstream_id": "rts-1", "data": {"output": 1}})
    await peer.send("no json", "[1]")
    for sub in (named, every):
        message = await sub.receive(timeout=10)
        assert isinstance(message, UnknownMessage)
        assert message["data"] == {"output": 1}
    assert [(await every.receive(timeout=10)).raw for _ in range(2)] == ["no json", [1]]


async def test_a_frame_that_is_too_large_is_announced_and_the_rest_goes_on(server, make_hub):
    """The official SDK's stream ends with the first frame over a mebibyte."""
    hub = make_hub(max_size=1000)
    peer = await live(server, hub)
    every = hub.subscribe(streams=None, channels=None)
    await peer.send(scene("x" * 2000), scene("after"))
    large, after = [await every.receive(timeout=10) for _ in range(2)]
    assert isinstance(large, UnknownMessage)
    assert large.reason.startswith("larger than 1000 bytes")
    assert after.text == "after"


@attrs.frozen
class Screen:
    people: int


async def test_structured_output_is_decoded_for_its_stream_alone(wired):
    """Two indexes on two streams may be asked for two types, or for prose."""
    hub, peer = wired
    hub.set_output_type("rts-1", "visual_index", Screen)
    sub = hub.subscribe(streams=None, channels=None)
    await peer.send(scene('{"people": 2}'), scene("nobody"), scene('{"people": 1}', stream="rts-2"))
    good, bad, other = [await sub.receive(timeout=10) for _ in range(3)]
    assert (good.output, good.output_error) == (Screen(people=2), None)
    assert bad.output is None
    assert bad.output_error
    assert (other.output, other.output_error) == (None, None)
    hub.set_output_type("rts-1", "scene_index", None)
    await peer.send(scene('{"people": 2}'))
    assert (await sub.receive(timeout=10)).output is None
    with pytest.raises(InvalidArgumentError):
        hub.set_output_type("rts-1", "scene_index", object())


async def test_a_message_s_raw_frame_is_what_came(wired):
    """Whatever we make of it, the user can see what the service said."""
    hub, peer = wired
    sub = hub.subscribe(streams=None, channels=None)
    frame = {**scene("x"), "more": {"speaker": "A"}}
    await peer.send(frame)
    message = await sub.receive(timeout=10)
    assert message.raw == frame
    assert message["more"] == {"speaker": "A"}
    assert json.loads(message.source) == frame
    assert message.start == 1_710_000_000.0


async def test_a_thousand_subscribers_on_a_stream_get_every_message(wired):
    """A dashboard with a thousand viewers in one process is a thousand subscriptions."""
    hub, peer = wired
    subs = [hub.subscribe(streams=None, channels=frozenset({"scene_index"})) for _ in range(1000)]

    async def read(sub):
        return [(await sub.receive(timeout=20)).text for _ in range(5)]

    reading = [asyncio.create_task(read(sub)) for sub in subs]
    await peer.send(*[scene(str(n)) for n in range(5)])
    assert await asyncio.gather(*reading) == [["0", "1", "2", "3", "4"]] * 1000
