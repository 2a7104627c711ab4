"""What nothing in this connection armed: polled over REST, or said to be silent."""

from __future__ import annotations

import asyncio
import logging

import anyio
import pytest

from rtstream_async.errors import ServerError
from rtstream_async.models.announcements import NotArmed
from rtstream_async.models.messages import (
    AlertMessage,
    AudioMessage,
    SceneMessage,
    TranscriptMessage,
)
from rtstream_async.models.records import Scene
from rtstream_async.models.transcripts import TranscriptSegment
from tests.realtime.test_link import armed, live
from tests.sockets import scene

NOW = 1_710_000_000.0


class Records:
    """A service's indexes and records, behind the port that reads them."""

    def __init__(self) -> None:
        self.running: dict[str, list[str]] = {}  #: indexes by channel
        self.stored: dict[str, list[Scene | TranscriptSegment]] = {}  #: records by source
        self.failures: list[Exception] = []
        self.asked: list[tuple[str, float]] = []
        self.looks = 0
        self._turned = asyncio.Condition()

    def now(self) -> float:
        return NOW

    async def sources(self, rtstream_id: str, channel: str) -> list[str]:
        assert rtstream_id == "rts-1"
        self.looks += 1
        await self._turn()
        if self.failures:
            raise self.failures.pop(0)
        return self.running.get(channel, [])

    async def records(
        self, rtstream_id: str, channel: str, source: str, since: float
    ) -> list[Scene | TranscriptSegment]:
        self.asked.append((source, since))
        await self._turn()
        return [record for record in self.stored.get(source, []) if record.end > since]

    async def turns(self, count: int) -> None:
        """Wait until it has been asked so many times more."""
        until = self.looks + len(self.asked) + count
        async with self._turned, asyncio.timeout(20):
            await self._turned.wait_for(lambda: self.looks + len(self.asked) >= until)

    async def _turn(self) -> None:
        async with self._turned:
            self._turned.notify_all()


def record(text: str, at: float) -> Scene:
    return Scene(start=NOW + at, end=NOW + at + 1, text=text, raw={"text": text})


def said(text: str, at: float) -> TranscriptSegment:
    return TranscriptSegment(start=NOW + at, end=NOW + at + 1, text=text, raw={"engine": "ear"})


@pytest.fixture
def records():
    return Records()


@pytest.fixture
async def wired(server, make_hub, records):
    hub = make_hub(poller=records, poll_interval=0.001, poll_idle_interval=0.002)
    return hub, await live(server, hub)


def subscribe(hub, *channels, stream="rts-1", control=False):
    return hub.subscribe(
        streams=None if stream is None else frozenset({stream}),
        channels=frozenset(channels) or None,
        control=control,
    )


async def test_a_running_index_of_somebody_else_is_polled(wired, records, caplog):
    """An index that another process made must not look like a stream where nothing happens."""
    hub, _ = wired
    records.running = {"scene_index": ["idx-1"], "audio_index": ["idx-2"]}
    records.stored = {
        "idx-1": [record("new", 5), record("old", -10), record("first", 1)],
        "idx-2": [record("words", 1)],
    }
    sub = subscribe(hub, "scene_index")
    seen = [await sub.receive(timeout=20) for _ in range(2)]
    assert [message.text for message in seen] == ["first", "new"]
    assert all(isinstance(message, SceneMessage) for message in seen)
    assert {(m.origin, m.index_id, m.rtstream_id) for m in seen} == {("poll", "idx-1", "rts-1")}
    told = {"text": "first", "start": round((NOW + 1) * 1e3), "end": round((NOW + 2) * 1e3)}
    assert seen[0].raw == {"channel": "scene_index", "rtstream_id": "rts-1", "data": told}
    assert seen[0]["data"]["text"] == "first"
    records.stored["idx-1"].append(record("later", 9))
    assert (await sub.receive(timeout=20)).text == "later"
    heard = await subscribe(hub, "audio_index").receive(timeout=20)
    assert isinstance(heard, AudioMessage)
    assert heard.text == "words"
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len([w for w in warnings if "polled over REST" in w]) == 1


async def test_a_record_is_delivered_once_and_a_late_one_too(wired, records):
    """Each turn reads a window again, since results come late and out of order."""
    hub, _ = wired
    records.running = {"scene_index": ["idx-1", "idx-2"]}
    records.stored = {"idx-1": [record("a", 50)], "idx-2": [record("a", 50)]}
    sub = subscribe(hub, "scene_index")
    # Two indexes that say the same are two records.
    assert [(await sub.receive(timeout=20)).text for _ in range(2)] == ["a", "a"]
    records.stored["idx-1"].append(record("late", 20))
    assert (await sub.receive(timeout=20)).text == "late"
    await records.turns(6)
    assert sub.stats.received == 3


async def test_what_cannot_be_polled_is_said_once_and_waited_for(wired, records, caplog):
    """Alerts have no history; to wait for one that nobody armed must not be silent."""
    hub, peer = wired
    control = subscribe(hub, "alert", control=True)
    plain = subscribe(hub, "alert")
    plain_reading = asyncio.create_task(plain.receive())
    announced = await control.receive(timeout=20)
    assert isinstance(announced, NotArmed)
    assert (announced.channel, announced.rtstream_id) == ("alert", "rts-1")
    late = subscribe(hub, "alert", control=True)
    assert isinstance(await late.receive(timeout=20), NotArmed)
    with pytest.raises(TimeoutError):
        await control.receive(timeout=0.01)
    hub.note_armed(armed(rtstream_id="rts-1", channel="alert", connection_id="conn-1"))
    await peer.send({"channel": "alert", "rtstream_id": "rts-1", "data": {"label": "fire"}})
    for message in (await control.receive(timeout=20), await plain_reading):
        assert isinstance(message, AlertMessage)
    assert len([r for r in caplog.records if "nothing to poll" in r.getMessage()]) == 1
    assert records.looks == 0


async def test_an_index_that_is_started_later_is_found(wired, records):
    """`NotArmed` is not the end: somebody may start an index in a minute."""
    hub, _ = wired
    sub = subscribe(hub, "scene_index", control=True)
    assert isinstance(await sub.receive(timeout=20), NotArmed)
    await records.turns(2)
    records.running = {"scene_index": ["idx-1"]}
    records.stored = {"idx-1": [record("a", 1)]}
    assert (await sub.receive(timeout=20)).text == "a"


async def test_what_is_armed_here_is_not_polled(wired, records):
    """Else every message would come twice, and the service be asked for nothing."""
    hub, peer = wired
    hub.note_armed(armed(rtstream_id="rts-1", channel="visual_index", connection_id="conn-1"))
    sub = subscribe(hub, "scene_index", control=True)
    reading = asyncio.create_task(sub.receive())
    await anyio.wait_all_tasks_blocked()
    await peer.send(scene("pushed"))
    assert (await reading).text == "pushed"
    assert records.looks == 0


async def test_to_be_armed_ends_the_polling(wired, records):
    """The first `index_visuals()` here makes the stream ours."""
    hub, _ = wired
    records.running = {"scene_index": ["idx-1"]}
    records.stored = {"idx-1": [record("a", 1)]}
    sub = subscribe(hub, "scene_index")
    await sub.receive(timeout=20)
    hub.note_armed(armed(rtstream_id="rts-1", channel="scene_index", connection_id="conn-1"))
    await anyio.wait_all_tasks_blocked()
    assert not _polling()


async def test_a_foreign_connection_id_arms_nothing_here(wired, records):
    """What is armed with somebody else's id is pushed to somebody else."""
    hub, _ = wired
    records.running = {"scene_index": ["idx-1"]}
    records.stored = {"idx-1": [record("a", 1)]}
    hub.note_armed(armed(rtstream_id="rts-1", channel="scene_index", connection_id="somebody-else"))
    assert (await subscribe(hub, "scene_index").receive(timeout=20)).text == "a"


async def test_a_push_ends_the_polling_and_what_was_polled_is_not_repeated(wired, records):
    """Who armed it by hand, with our id, gets each record once."""
    hub, peer = wired
    records.running = {"scene_index": ["idx-1"]}
    records.stored = {"idx-1": [record("a", 1)]}
    sub = subscribe(hub, "scene_index")
    assert (await sub.receive(timeout=20)).origin == "poll"
    at = int((NOW + 1) * 1000)
    await peer.send(scene("a", at=at), scene("b", at=at))
    message = await sub.receive(timeout=20)
    assert (message.text, message.origin) == ("b", "push")
    assert sub.stats.duplicates == 1
    await anyio.wait_all_tasks_blocked()
    assert not _polling()


async def test_a_subscription_to_all_channels_of_a_stream_polls_all_kinds(wired, records):
    """`door.events()` is all that can be had of the door."""
    hub, _ = wired
    records.running = {
        "scene_index": ["idx-1"],
        "audio_index": ["idx-2"],
        "transcript": ["transcript"],
    }
    records.stored = {
        "idx-1": [record("seen", 1)],
        "idx-2": [record("summed up", 1)],
        "transcript": [said("heard", 1)],
    }
    sub = subscribe(hub)
    texts = {(await sub.receive(timeout=20)).text for _ in range(3)}
    assert texts == {"seen", "summed up", "heard"}


async def test_a_transcript_of_somebody_else_is_polled(wired, records):
    """A second program may read along what is said, without a second transcript."""
    hub, peer = wired
    records.running = {"transcript": ["transcript"]}
    records.stored = {"transcript": [said("late", 7), said("early", 2), said("before", -9)]}
    sub = subscribe(hub, "transcript")
    seen = [await sub.receive(timeout=20) for _ in range(2)]
    assert [message.text for message in seen] == ["early", "late"]
    assert all(isinstance(message, TranscriptMessage) for message in seen)
    assert {(m.origin, m.is_final, m.rtstream_id) for m in seen} == {("poll", True, "rts-1")}
    assert seen[0]["data"]["engine"] == "ear"
    await peer.send(
        {
            "channel": "transcript",
            "rtstream_id": "rts-1",
            "data": {"text": "pushed", "is_final": False, "start": 1, "end": 2},
        }
    )
    assert (await sub.receive(timeout=20)).text == "pushed"
    await anyio.wait_all_tasks_blocked()
    assert not _polling()


async def test_a_subscription_to_all_streams_polls_none(wired, records):
    """Nobody can poll everything."""
    hub, peer = wired
    sub = subscribe(hub, "scene_index", stream=None)
    reading = asyncio.create_task(sub.receive())
    await anyio.wait_all_tasks_blocked()
    await peer.send(scene("pushed"))
    assert (await reading).text == "pushed"
    assert records.looks == 0


async def test_the_polling_ends_with_its_last_reader(wired, records):
    """A task that asks for what nobody reads is a leak with a bill."""
    hub, _ = wired
    records.running = {"scene_index": ["idx-1"]}
    records.stored = {"idx-1": [record("a", 1)]}
    one, two = subscribe(hub, "scene_index"), subscribe(hub, "scene_index")
    assert (await one.receive(timeout=20)).text == "a"
    assert (await two.receive(timeout=20)).text == "a"
    assert len(_polling()) == 1
    await one.aclose()
    await records.turns(2)
    assert len(_polling()) == 1
    del two
    while _polling():  # noqa: ASYNC110  (it is cancelled in the loop's next turns)
        await asyncio.sleep(0)


async def test_a_failing_service_is_asked_again_and_warned_of_once(wired, records, caplog):
    """A 500 in the night must not end the watch."""
    hub, _ = wired
    records.failures = [ServerError("boom", status=500)] * 3
    records.running = {"scene_index": ["idx-1"]}
    records.stored = {"idx-1": [record("a", 1)]}
    assert (await subscribe(hub, "scene_index").receive(timeout=20)).text == "a"
    failed = [r.levelname for r in caplog.records if "failed: boom" in r.getMessage()]
    assert failed == ["WARNING", "DEBUG", "DEBUG"]


async def test_a_quiet_index_is_asked_less_often(server, make_hub, records):
    """Thousands of quiet cameras are thousands of calls a second otherwise."""
    hub = make_hub(poller=records, poll_interval=0.001, poll_idle_interval=60)
    await live(server, hub)
    records.running = {"scene_index": ["idx-1"]}
    reading = asyncio.create_task(subscribe(hub, "scene_index").receive())
    await records.turns(16)
    await anyio.wait_all_tasks_blocked()
    assert len(records.asked) == 15
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def test_a_thousand_indexes_are_polled_by_four_tasks(server, make_hub):
    """After a loss, ten thousand indexes were ten thousand tasks."""

    class Many(Records):
        async def sources(self, rtstream_id, channel):
            await asyncio.sleep(0)
            if rtstream_id == "ill":
                raise ServerError("boom", status=500)
            if rtstream_id == "stuck":
                await asyncio.Event().wait()
            return [rtstream_id]

        async def records(self, rtstream_id, channel, source, since):
            return [record(source, 1)]

    hub = make_hub(poller=Many(), poll_interval=0.001, poll_idle_interval=0.001)
    await live(server, hub)
    names = frozenset({"ill", "stuck", *map(str, range(1000))})
    sub = hub.subscribe(streams=names, channels=frozenset({"scene_index"}), maxsize=2000)
    before = len(asyncio.all_tasks())
    seen = {(await sub.receive(timeout=20)).text for _ in range(1000)}
    assert seen == names - {"ill", "stuck"}
    assert len(_polling()) == 4
    assert len(asyncio.all_tasks()) <= before + 4
    await sub.aclose()
    while _polling():  # noqa: ASYNC110  (they end in the loop's next turns)
        await asyncio.sleep(0)


async def test_closing_ends_the_polling(wired, records):
    """Nothing may go on after `aclose()`."""
    hub, _ = wired
    records.running = {"scene_index": ["idx-1"]}
    sub = subscribe(hub, "scene_index")
    reading = asyncio.create_task(anext(sub, None))
    await records.turns(3)
    await hub.aclose()
    assert await reading is None
    await anyio.wait_all_tasks_blocked()
    assert not _polling()


def _polling():
    return [task for task in asyncio.all_tasks() if "poll" in task.get_name()]
