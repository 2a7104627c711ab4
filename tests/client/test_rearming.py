"""What published to a lost connection id is made to publish to the new one."""

from __future__ import annotations

import asyncio

import attrs
import pytest

import rtstream_async as rts
from rtstream_async.api import scene_indexes
from rtstream_async.api.rearming import Rearmer
from rtstream_async.errors import TransportError
from rtstream_async.protocol.rearm import AlertArm, Arm, Arms, IndexArm, TranscriptArm
from tests.client.scripted import scripted_service

BATCH = {"type": "time", "value": 2, "frame_count": 1}
SWITCH = "POST /rtstream/rts-1/transcription"
STATUS = "GET /rtstream/rts-1/transcription/status"
ALERTS = "/rtstream/rts-1/index/i-1/alert"
CREATE = "POST /rtstream/rts-1/index/scene"

TRANSCRIPT = TranscriptArm(
    rtstream_id="rts-1",
    channel="transcript",
    source="transcript",
    connection_id="c-1",
    engine="assemblyai",
)
ALERT = AlertArm(
    rtstream_id="rts-1",
    channel="alert",
    source="a-1",
    connection_id="c-1",
    index_id="i-1",
    of="scene_index",
    event_id="e-1",
    callback_url="https://example.org/hook",
)
INDEX = IndexArm(
    rtstream_id="rts-1",
    channel="scene_index",
    source="i-1",
    connection_id="c-1",
    rearm="recreate",
    spec={"extraction_type": "time", "prompt": "Who?", "name": "door"},
)


def busy(_):
    return {"success": False, "message": "busy", "http": 503}


def refused(_):
    return {"success": False, "message": "no credits", "http": 402}


def gone(_):
    return {"success": False, "message": "no such stream", "http": 404}


def alert(number: int, status: str = "enabled", **fields: str) -> dict[str, str]:
    told = {"event_id": "e-1", "callback_url": ALERT.callback_url, "status": status}
    return {"alert_id": f"a-{number}", **told, **fields}


def index(number: int, status: str = "running") -> dict[str, str]:
    told = {"extraction_type": "time", "prompt": "Who?", "status": status}
    return {"rtstream_index_id": f"i-{number}", **told}


@pytest.fixture
async def service():
    async with scripted_service() as scripted:
        yield scripted


@pytest.fixture
def arms():
    return Arms()


@pytest.fixture
def rearmer(service, arms):
    return Rearmer(service.conn._context.caller, arms)


def changes(service) -> list[tuple[str, object]]:
    """What the service was asked to change, in order."""
    return [
        (seen.path.removeprefix("/rtstream/rts-1"), seen.json)
        for seen in service.loopback.seen
        if seen.method != "GET"
    ]


async def test_a_transcript_is_stopped_and_started_as_it_was(service, arms, rearmer):
    """Another engine in mid-speech would be another transcript."""
    service.says(STATUS, {"status": "running"})
    service.says(SWITCH, {"status": "stopped"}, {"status": "running"})
    arms.add(TRANSCRIPT)
    answer = await rearmer.rearm(TRANSCRIPT, "c-2")
    assert answer.arm == attrs.evolve(TRANSCRIPT, connection_id="c-2")
    assert arms.all() == (answer.arm,)
    start = {"action": "start", "engine": "assemblyai", "ws_connection_id": "c-2"}
    stop = {"action": "stop", "engine": "assemblyai"}
    assert [body for _, body in changes(service)] == [stop, start]
    since, until = answer.lost
    assert since < until
    assert "stopped and started" in answer.reason


async def test_what_somebody_stopped_stays_stopped(service, arms, rearmer):
    """A reconnect must not start, and bill, what an operator has stopped."""
    service.says(STATUS, {"status": "stopped"})
    service.says(f"GET {ALERTS}", {"alerts": [alert(1, "disabled")]})
    service.says("GET /rtstream/rts-1/index/i-1", index(1, "stopped"))
    for arm in (TRANSCRIPT, ALERT, INDEX):
        arms.add(arm)
        answer = await rearmer.rearm(arm, "c-2")
        assert answer.arm is None
        assert "by somebody" in answer.reason
    assert changes(service) == []


async def test_a_start_that_fails_is_made_good_by_the_next_attempt(service, arms, rearmer):
    """Else a transcript that was stopped for a moment would be stopped for good."""
    service.says(STATUS, {"status": "running"}, {"status": "stopped"})
    service.says(SWITCH, {"status": "stopped"}, busy, {"status": "stopped"}, {"status": "running"})
    arms.add(TRANSCRIPT)
    with pytest.raises(rts.ServerError):
        await rearmer.rearm(TRANSCRIPT, "c-2")
    assert arms.all() == (TRANSCRIPT,)
    answer = await rearmer.rearm(TRANSCRIPT, "c-3")
    assert answer.arm is not None
    assert changes(service)[-1][1]["ws_connection_id"] == "c-3"


async def test_a_start_that_is_refused_is_told_with_what_it_cost(service, arms, rearmer, caplog):
    """A transcript that was stopped by us and can't go on must not be a secret."""
    service.says(STATUS, {"status": "running"})
    service.says(SWITCH, {"status": "stopped"}, refused)
    arms.add(TRANSCRIPT)
    answer = await rearmer.rearm(TRANSCRIPT, "c-2")
    assert answer.arm is None
    assert answer.lost is not None
    assert "no credits" in answer.reason
    assert "no credits" in caplog.text


@pytest.mark.parametrize("during", ["stop", "start"])
async def test_a_transcript_that_is_stopped_by_hand_meanwhile_ends_stopped(
    service, arms, rearmer, during
):
    """Whoever comes first, the user's word is the last."""

    def answer(seen):
        if seen.json["action"] == during:
            arms.remove("transcript", rtstream_id="rts-1")
        return {"status": "running" if seen.json["action"] == "start" else "stopped"}

    service.says(STATUS, {"status": "running"})
    service.says(SWITCH, answer)
    arms.add(TRANSCRIPT)
    assert (await rearmer.rearm(TRANSCRIPT, "c-2")).arm is None
    assert changes(service)[-1][1]["action"] == "stop"
    assert arms.all() == ()


async def test_an_alert_is_made_before_the_old_one_is_disabled(service, arms, rearmer):
    """In the other order, what happens in between is told to nobody."""
    service.says(f"GET {ALERTS}", {"alerts": [alert(1), alert(7)]})
    service.says(f"POST {ALERTS}", {"alert_id": "a-2"})
    service.says(f"PATCH {ALERTS}/a-1/status", {})
    arms.add(ALERT)
    answer = await rearmer.rearm(ALERT, "c-2")
    assert answer.arm == attrs.evolve(ALERT, source="a-2", connection_id="c-2")
    assert arms.current("a-1") == "a-2"
    assert changes(service) == [
        (
            "/index/i-1/alert",
            {
                "event_id": "e-1",
                "callback_url": "https://example.org/hook",
                "ws_connection_id": "c-2",
            },
        ),
        ("/index/i-1/alert/a-1/status", {"action": "disable"}),
    ]


async def test_an_old_alert_that_stays_is_said(service, arms, rearmer, caplog):
    """It calls the same callback a second time, until somebody disables it."""
    service.says(f"GET {ALERTS}", {"alerts": [alert(1)]}, {"alerts": [alert(1), alert(2)]})
    service.says(f"POST {ALERTS}", {"alert_id": "a-2"}, {"alert_id": "a-3"})
    service.says(f"PATCH {ALERTS}/a-1/status", busy, gone)
    service.says(f"PATCH {ALERTS}/a-2/status", {})
    arms.add(ALERT)
    answer = await rearmer.rearm(ALERT, "c-2")
    assert answer.arm is not None
    assert "a-1 could not be disabled" in answer.reason
    assert "a-1 could not be disabled" in caplog.text
    later = await rearmer.rearm(answer.arm, "c-3")  # the next time, it is disabled with the next
    assert later.arm.source == "a-3"
    assert later.reason == ""
    assert len(service.asked(f"PATCH {ALERTS}/a-1/status")) == 2


@pytest.mark.parametrize(("connection", "made"), [("c-2", ["a-2"]), ("c-3", ["a-2", "a-3"])])
async def test_an_alert_whose_making_was_not_heard_of_is_not_made_twice(
    service, arms, rearmer, connection, made
):
    """Everything would be told twice, for ever."""
    there = [alert(1), alert(5), alert(6, event_id="e-2")]

    def create(seen):
        number = 2 + len(service.asked(f"POST {ALERTS}")) - 1
        there.append(alert(number, event_id="event-e-1"))
        return busy(seen) if number == 2 else {"alert_id": f"a-{number}"}

    def disable(seen):
        place = next(n for n, one in enumerate(there) if one["alert_id"] in seen.path)
        there[place] = {**there[place], "status": "disabled"}
        return {}

    service.says(f"GET {ALERTS}", lambda _: {"alerts": list(there)})
    service.says(f"POST {ALERTS}", create)
    for number in (1, 2):
        service.says(f"PATCH {ALERTS}/a-{number}/status", disable)
    arms.add(ALERT)
    with pytest.raises(rts.ServerError):
        await rearmer.rearm(ALERT, "c-2")
    assert arms.all() == (ALERT,)
    answer = await rearmer.rearm(ALERT, connection)
    assert answer.arm == attrs.evolve(ALERT, source=made[-1], connection_id=connection)
    on = [one["alert_id"] for one in there if one["status"] == "enabled"]
    assert sorted(on) == sorted(["a-5", "a-6", made[-1]])
    assert len(service.asked(f"POST {ALERTS}")) == len(made)


async def test_an_alert_that_is_disabled_by_hand_meanwhile_ends_disabled(service, arms, rearmer):
    """Whoever disables an alert in that moment does not know the new one's id."""

    def create(_):
        arms.remove("a-1", rtstream_id="rts-1")
        return {"alert_id": "a-2"}

    service.says(f"GET {ALERTS}", {"alerts": [alert(1)]})
    service.says(f"POST {ALERTS}", create)
    for number in (1, 2):
        service.says(f"PATCH {ALERTS}/a-{number}/status", {})
    arms.add(ALERT)
    assert (await rearmer.rearm(ALERT, "c-2")).arm is None
    assert len(service.asked(f"PATCH {ALERTS}/a-2/status")) == 1
    assert arms.current("a-1") == "a-2"


async def test_an_index_that_can_not_be_made_runs_on(service, arms, rearmer, caplog):
    """Polling the old one is better than nothing at all."""
    service.says("GET /rtstream/rts-1/index/i-1", index(1))
    service.says("GET /rtstream/rts-1/index/scene", {"scene_indexes": [index(1)]})
    service.says("PATCH /rtstream/rts-1/index/scene/i-1/status", {})
    service.says(CREATE, busy, refused)
    arms.add(INDEX)
    with pytest.raises(rts.ServerError):
        await rearmer.rearm(INDEX, "c-2")
    assert arms.all() == (INDEX,)
    answer = await rearmer.rearm(INDEX, "c-2")
    assert answer.arm is None
    assert answer.lost is not None
    assert "no credits" in answer.reason
    actions = [
        body["action"] for path, body in changes(service) if path == "/index/scene/i-1/status"
    ]
    assert actions == ["stop", "start", "stop", "start"]
    assert "no credits" in caplog.text


async def test_an_index_that_stays_stopped_is_said(service, arms, rearmer, caplog):
    """Somebody has to start it by hand."""
    service.says("GET /rtstream/rts-1/index/i-1", index(1))
    service.says("GET /rtstream/rts-1/index/scene", {"scene_indexes": [index(1)]})
    service.says("PATCH /rtstream/rts-1/index/scene/i-1/status", {}, refused)
    service.says(CREATE, refused)
    arms.add(INDEX)
    answer = await rearmer.rearm(INDEX, "c-2")
    assert "can't be started again" in answer.reason
    assert "can't be started again" in caplog.text


async def test_an_index_that_stops_anyhow_is_made_anew(service, arms, rearmer):
    """The service refuses to stop what is stopping; only its state tells that it is well."""

    def refuse(_):
        return {"success": False, "message": "is stopping", "http": 409}

    service.says("GET /rtstream/rts-1/index/i-1", index(1), index(1, "stopping"))
    service.says("GET /rtstream/rts-1/index/scene", {"scene_indexes": [index(1)]})
    service.says("PATCH /rtstream/rts-1/index/scene/i-1/status", refuse)
    service.says(CREATE, index(2))
    arms.add(INDEX)
    assert (await rearmer.rearm(INDEX, "c-2")).arm.source == "i-2"
    service.says("GET /rtstream/rts-1/index/i-2", index(2))
    service.says("PATCH /rtstream/rts-1/index/scene/i-2/status", refuse)
    with pytest.raises(rts.ConflictError):
        await rearmer.rearm(arms.all()[0], "c-3")


async def test_an_index_that_is_stopped_by_hand_meanwhile_ends_stopped(service, arms, rearmer):
    """The new one must not run for ever because nobody knows its id."""

    def create(_):
        arms.remove("i-1", rtstream_id="rts-1")
        return index(2)

    service.says("GET /rtstream/rts-1/index/i-1", index(1))
    service.says("GET /rtstream/rts-1/index/scene", {"scene_indexes": [index(1)]})
    for number in (1, 2):
        service.says(f"PATCH /rtstream/rts-1/index/scene/i-{number}/status", {})
    service.says(CREATE, create)
    arms.add(INDEX)
    assert (await rearmer.rearm(INDEX, "c-2")).arm is None
    assert changes(service)[-1] == ("/index/scene/i-2/status", {"action": "stop"})


async def test_an_alert_that_its_new_index_refuses_is_said(service, arms, rearmer, caplog):
    """An index that runs without its alert looks well, and is deaf."""
    service.says("GET /rtstream/rts-1/index/i-1", index(1))
    service.says("GET /rtstream/rts-1/index/scene", {"scene_indexes": [index(1)]})
    service.says("PATCH /rtstream/rts-1/index/scene/i-1/status", {})
    service.says(CREATE, index(2))
    service.says(f"GET {ALERTS}", {"alerts": [alert(1)]})
    service.says("GET /rtstream/rts-1/index/i-2/alert", {"alerts": []})
    service.says("POST /rtstream/rts-1/index/i-2/alert", refused)
    arms.add(INDEX)
    arms.add(ALERT)
    answer = await rearmer.rearm(INDEX, "c-2")
    assert answer.arm.source == "i-2"
    assert answer.also == ("alert",)
    assert "a-1 could not be made again" in answer.reason
    assert "a-1 could not be made again" in caplog.text
    assert arms.of("rts-1", "alert") == (ALERT,)


@pytest.mark.parametrize("arm", [TRANSCRIPT, ALERT, INDEX])
async def test_what_is_deleted_is_not_armed(service, arms, rearmer, arm):
    """A stream of yesterday must not fail the recovery of those of today."""
    for request in (STATUS, f"GET {ALERTS}", "GET /rtstream/rts-1/index/i-1"):
        service.says(request, gone)
    arms.add(arm)
    answer = await rearmer.rearm(arm, "c-2")
    assert answer.arm is None
    assert "no such stream" in answer.reason


@pytest.mark.parametrize(
    "arm",
    [
        attrs.evolve(INDEX, rearm="poll"),
        Arm(rtstream_id="rts-1", channel="understanding", source="u-1", connection_id="c-1"),
        Arm(rtstream_id="s-1", channel="capture_session", source="s-1", connection_id="c-1"),
    ],
)
async def test_what_has_no_way_is_left_alone(service, arms, rearmer, arm):
    """An index is nobody's to stop who did not ask for that."""
    arms.add(arm)
    answer = await rearmer.rearm(arm, "c-2")
    assert (answer.arm, answer.lost) == (None, None)
    assert arm.channel in answer.reason
    assert service.loopback.seen == []


async def test_what_is_done_is_not_done_again(service, arms, rearmer):
    """An alert that came with its index has its place already."""
    moved = attrs.evolve(ALERT, source="a-2", connection_id="c-2")
    arms.add(ALERT)
    arms.replace(ALERT, moved)
    assert (await rearmer.rearm(ALERT, "c-2")).arm == moved
    assert (await rearmer.rearm(TRANSCRIPT, "c-2")).arm is None  # was stopped by hand
    assert service.loopback.seen == []


async def test_each_step_ends(service, arms):
    """A recovery that hangs on one stream would hold up all others."""
    rearmer = Rearmer(service.conn._context.caller, arms, step_timeout=0.05)
    answered = asyncio.Event()

    async def never(*args, **kwargs):
        await answered.wait()

    service.says("GET /rtstream/rts-1/index/i-1", index(1))
    arms.add(INDEX)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene_indexes, "set_status", never)
        with pytest.raises(rts.RequestTimeoutError):
            await rearmer.rearm(INDEX, "c-2")


@attrs.define
class Unlucky:
    """A caller whose call number `at` fails, before it is sent or after it was answered."""

    caller: object
    at: int
    is_sent: bool
    error: BaseException
    calls: int = 0

    def now(self):
        return self.caller.now()

    async def call(self, *args, **kwargs):
        self.calls += 1
        if self.calls - 1 != self.at:
            return await self.caller.call(*args, **kwargs)
        if self.is_sent:
            await self.caller.call(*args, **kwargs)
        raise self.error


@pytest.mark.parametrize(
    ("error", "is_sent"),
    [(TransportError("reset"), True), (asyncio.CancelledError(), False)],
    ids=["unheard", "cancelled"],
)
async def test_whatever_fails_the_next_attempt_ends_with_one_of_each(conn, error, is_sent):
    """No double alerts, no index that runs on unseen, no transcript that stays stopped."""
    coll = await conn.get_collection()
    event = await conn.create_event("a person", "person")
    for at in range(100):
        door = await coll.connect_rtstream("scripted://door", f"Door {at}", ["video", "audio"])
        await door.start_transcript()
        index = await door.index_visuals("Who?", BATCH, rearm="recreate")
        await index.create_alert(event)
        arms = Arms()
        for arm in conn._context.hub.arms.of_stream(door.id):
            arms.add(arm)
        unlucky = Unlucky(conn._context.caller, at, is_sent, error)
        rearmer = Rearmer(unlucky, arms)
        for arm in arms.all():
            try:
                answer = await rearmer.rearm(arm, "c-2")
            except (TransportError, asyncio.CancelledError):
                answer = await rearmer.rearm(arm, "c-2")
            if "could not be disabled" in answer.reason:
                await rearmer.rearm(arm, "c-2")
        assert {arm.connection_id for arm in arms.all()} == {"c-2"}
        assert (await door.get_transcript_status()).is_running
        indexes = await door.list_scene_indexes()
        (runs,) = [one for one in indexes if one.is_running]
        assert runs.rtstream_index_id == arms.current(index.rtstream_index_id)
        enabled = [
            one.alert_id for each in indexes for one in await each.list_alerts() if one.is_enabled
        ]
        assert enabled == [arm.source for arm in arms.of(door.id, "alert")]
        if unlucky.calls <= at:
            break
    else:
        pytest.fail("it never ended")
    assert at > 8


async def test_an_index_takes_its_alerts_with_it_when_all_is_armed_at_once(conn, door):
    """A recovery arms the channels of a stream side by side."""
    event = await conn.create_event("a person", "person")
    index = await door.index_visuals("Who?", BATCH, name="who", rearm="recreate")
    old_alert = await index.create_alert(event)
    await index.update(prompt="Who exactly?")
    arms, ours = conn._context.hub.arms, await conn.ws_connection_id()
    rearmer = Rearmer(conn._context.caller, arms)
    await asyncio.gather(*[rearmer.rearm(arm, ours) for arm in arms.all()])
    old = index.rtstream_index_id
    present = await door.get_scene_index(old)
    assert present.rtstream_index_id == arms.current(old) != old
    assert (present.prompt, present.name, present.is_running) == ("Who exactly?", "who", True)
    assert present.extraction_config == index.extraction_config
    (alert,) = await index.list_alerts()
    assert alert.is_enabled
    await index.disable_alert(old_alert)
    (alert,) = await present.list_alerts()
    assert not alert.is_enabled
    await index.enable_alert(old_alert)
    (alert,) = await present.list_alerts()
    assert alert.is_enabled
    await index.update(prompt="Where?")
    await index.refresh()
    assert index.rtstream_index_id == present.rtstream_index_id
    assert index.prompt == "Where?"
    await index.stop()
    assert [one.is_running for one in await door.list_scene_indexes()] == [False, False]
    assert arms.of(door.id, "scene_index") == ()
    await present.start()
    assert [arm.source for arm in arms.of(door.id, "scene_index")] == [present.rtstream_index_id]


async def test_what_an_index_does_not_see_meanwhile_is_said_to_who_waits_for_its_alerts(server):
    """No alert can come while the index is made anew: silence would look like safety."""
    quick = rts.HubSettings(recovery_jitter=0.0, sweep_delay=0.1)
    async with (
        rts.connect(server.api_key, base_url=server.url, realtime=quick) as conn,
        asyncio.timeout(60),
    ):
        door = await (await conn.get_collection()).connect_rtstream("scripted://d", "Door")
        index = await door.index_visuals("Who?", BATCH, rearm="recreate")
        await index.create_alert(await conn.create_event("a person", "person"))
        async with door.events("alert", control=True) as sub:
            await sub.ready()
            server.control.cut()
            lost = []
            while not any("new one" in one.reason for one in lost):
                item = await sub.receive()
                lost += [item] if isinstance(item, rts.GapUnrecoverable) else []
            assert {one.channel for one in lost} == {"alert"}
            await index.refresh()
            (alert,) = await index.list_alerts()
            assert alert.is_enabled
            await server.control.add_scene(
                door.id, "a person at the door", start=lost[-1].until, end=lost[-1].until + 1
            )
            while not isinstance(item := await sub.receive(), rts.AlertMessage):
                pass
            assert item.label == "person"


async def test_what_was_stopped_with_its_stream_is_armed_again_with_it(conn, door):
    """A camera that is off at night must be watched the next morning, by whom it was before."""
    stopped = await door.index_visuals("What?", BATCH)
    index = await door.index_visuals("Who?", BATCH)
    arms = conn._context.hub.arms
    both = set(arms.of_stream(door.id))
    await stopped.stop()
    await door.stop()
    assert arms.of_stream(door.id) == ()
    await door.start()
    assert both - set(arms.of_stream(door.id)) == {
        arm for arm in both if arm.source == stopped.rtstream_index_id
    }
    assert index.rtstream_index_id in {arm.source for arm in arms.of_stream(door.id)}


async def test_what_the_service_refuses_to_stop_is_still_armed(service):
    """It goes on, so it must go on to be heard after a reconnect."""
    service.says("POST /rtstream/rts-1/index/scene", index(1))
    service.says("PATCH /rtstream/rts-1/index/scene/i-1/status", refused)
    service.says("PATCH /rtstream/rts-1/status", refused)
    await service.live()
    stream = service.stream()
    made = await stream.index_visuals("Who?", BATCH)
    arms = service.conn._context.hub.arms
    with pytest.raises(rts.OutOfCreditsError):
        await made.stop()
    with pytest.raises(rts.OutOfCreditsError):
        await stream.stop()
    assert [arm.source for arm in arms.of("rts-1", "scene_index")] == ["i-1"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda stream: stream.index_visuals("Who?", rearm="maybe"),
        lambda stream: stream.index_audio("What?", rearm=True),
        lambda stream: stream.index_spoken_words(rearm=None),
        lambda stream: stream.index_scenes(rearm="never"),
    ],
)
async def test_a_way_that_there_is_not_is_refused(service, ask):
    """A misspelt `recreate` would be noticed after the first loss, too late."""
    with pytest.raises(rts.InvalidArgumentError, match=r"rearm.*recreate"):
        await ask(service.stream())
    assert service.loopback.seen == []
