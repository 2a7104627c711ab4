"""Events and alerts: what is asked for is understood, watched for, and told once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from rtstream_async.local import LocalServer
from rtstream_async.local.engines.extractive import ExtractiveLanguage
from rtstream_async.local.engines.ports import EngineError, Verdict
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import SegmentRow
from tests.local.harness import Api, Ear, api_of, ear_of, until

START = 1_700_000_000.25
ASKED = {"event_prompt": "more than five people", "label": "busy"}


def people(count: int, **wearing: int) -> dict[str, Any]:
    """The facts of a picture with some people in it."""
    sighting = {"label": "person", "count": count, "score": 0.8, "wearing": wearing}
    return {"objects": {"person": count}, "sightings": [sighting], "frames_looked_at": 5}


@attrs.define
class Watched:
    """A scripted stream with an index, and a hand on both."""

    server: LocalServer
    api: Api
    stream: str
    index: str
    records: int = 0

    @property
    def path(self) -> str:
        return f"/rtstream/{self.stream}/index/{self.index}/alert"

    async def event(self, prompt: str, label: str = "seen") -> str:
        body = {"event_prompt": prompt, "label": label}
        return (await self.api.call("POST", "/rtstream/event", json=body))["event_id"]

    async def alert(self, prompt: str, **body: Any) -> str:
        event = await self.event(prompt)
        answer = await self.api.call("POST", self.path, json={"event_id": event, **body})
        return answer["alert_id"]

    async def set(self, alert: str, **body: Any) -> dict[str, Any]:
        return await self.api.call("PATCH", f"{self.path}/{alert}/status", json=body)

    async def show(self, alert: str) -> dict[str, Any]:
        answer = await self.api.call("GET", self.path)
        (found,) = [item for item in answer["alerts"] if item["alert_id"] == alert]
        return found

    async def scene(self, text: str = "A scene.", **metadata: Any) -> None:
        start = START + 2 * self.records
        self.records += 1
        await self.server.control.add_scene(
            self.stream, text, start=start, end=start + 2, index_id=self.index, metadata=metadata
        )

    async def fired(self, alert: str, count: int) -> dict[str, Any]:
        return await until(lambda: self.show(alert), lambda seen: seen["fired"] >= count)


async def watched(server: LocalServer, api: Api, **body: Any) -> Watched:
    stream = await api.connect()
    return Watched(server, api, stream, await api.index(stream, **body))


async def recorded(server: LocalServer, stream: str, start: float, end: float) -> None:
    """Have a file of a stream in the store, from `start` to `end` (Unix seconds)."""
    row = SegmentRow(
        stream_id=stream,
        file="a.ts",
        start_us=round(start * 1e6),
        end_us=round(end * 1e6),
        size=1,
        discontinuity=False,
    )
    await server._up._store.run(statements.add_segment, row)


async def hear_alert(ear: Ear) -> dict[str, Any]:
    """The next frame on the alert channel."""
    while True:
        frame = await ear.hear()
        if frame["channel"] == "alert":
            return frame


async def test_an_event_tells_how_it_was_understood(api: Api) -> None:
    """A misunderstanding that shows at once costs a minute; one that shows later, the alarm."""
    http = api.http
    answer = (await http.post("/rtstream/event", json=ASKED)).json()
    assert "at least 6 people" in answer["message"]
    event = answer["data"]
    assert len(event["event_id"]) == 16
    assert int(event["event_id"], 16) >= 0
    assert event["understood_as"] == "at least 6 people"
    assert (event["decided_by"], event["not_understood"]) == ("rules", [])
    asked = {"event_prompt": "a person without a helmet", "label": "unsafe"}
    other = await api.call("POST", "/rtstream/event", json=asked)
    assert (other["decided_by"], other["not_understood"]) == ("judge", ["helmet"])
    listed = await api.call("GET", "/rtstream/event")
    assert listed["events"] == [event, other]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event_prompt": "a dog"},
        {"label": "dog"},
        {"event_prompt": " ", "label": "dog"},
        {"event_prompt": "a dog", "label": ""},
        {"event_prompt": 7, "label": "dog"},
        {"event_prompt": "a" * 2001, "label": "dog"},
        {"event_prompt": "a dog", "label": "d" * 201},
        {"event_prompt": "a dog", "label": "dog", "prompt": "x"},
    ],
)
async def test_an_event_without_its_parts_is_refused(api: Api, body: dict[str, Any]) -> None:
    """An event that nothing can fit is found years later, when it was needed."""
    refused = await api.refused("POST", "/rtstream/event", 400, json=body)
    assert "event_prompt" in refused["message"] or "label" in refused["message"]


async def test_an_alert_comes_with_all_that_readers_look_for(server: LocalServer, api: Api) -> None:
    """Four shapes of this frame are published; each has readers."""
    at = await watched(server, api)
    await recorded(server, at.stream, START, START + 10)
    async with ear_of(api) as ear:
        event = await at.event("more than five people", "busy")
        body = {"event_id": f"event-{event}", "callback_url": "", "ws_connection_id": ear.id}
        made = await api.call("POST", at.path, json=body)
        await at.scene(**people(5))
        await at.scene("Six people.", **people(6))
        frame = await hear_alert(ear)
    data = frame.pop("data")
    assert frame == {"channel": "alert", "rtstream_id": at.stream, "rtstream_name": "door"}
    assert (data["event_id"], data["label"], data["event_label"]) == (event, "busy", "busy")
    assert (data["start"], data["end"]) == (1_700_000_002_250, 1_700_000_004_250)
    assert data["text"] == data["explanation"]
    assert data["text"].startswith("6 people are in the picture; at least 6 were asked for")
    assert data["decided_by"] == "rules"
    assert "decided by rules" in data["text"]
    assert data["triggered"] is True
    assert 0.5 < data["confidence"] <= 0.8
    assert data["timestamp"] > 1_700_000_000_000
    window = f"{server.url}/manifests/{at.stream}/1700000002000000-1700000005000000.m3u8?token="
    assert data["stream_url"].startswith(window)
    player = urlsplit(data["player_url"])
    assert parse_qs(player.query)["url"] == [data["stream_url"]]
    assert (data["alert_id"], data["index_id"]) == (made["alert_id"], at.index)


async def test_an_alert_of_what_is_not_recorded_has_no_link(server: LocalServer, api: Api) -> None:
    """Who is alarmed at night must not be sent to a page that is not there."""
    at = await watched(server, api)
    await recorded(server, at.stream, START + 60, START + 70)
    async with ear_of(api) as ear:
        await at.alert("more than five people", ws_connection_id=ear.id)
        await at.scene("Six people.", **people(6))
        frame = await hear_alert(ear)
    assert frame["data"]["start"] == START * 1000
    assert not {"stream_url", "player_url"} & frame["data"].keys()


async def test_a_window_says_when_its_recording_begins_later(server: LocalServer, api: Api) -> None:
    """Else its player shows another moment than the one that was asked for, and says nothing."""
    stream = await api.connect()
    await recorded(server, stream, START + 4, START + 10)
    path = f"/rtstream/{stream}/stream"
    late = (await api.http.get(path, params={"start": START, "end": START + 8})).json()
    assert late["message"].startswith(f"the recording begins at {START + 4:.3f}, 4.000 s after")
    assert late["data"]["stream_url"]
    whole = (await api.http.get(path, params={"start": START + 4, "end": START + 8})).json()
    assert whole["message"] == "Operation successful"
    asked = {"start": START, "end": START + 2}
    nothing = await api.refused("GET", path, 404, params=asked)
    assert "nothing of" in nothing["message"]


async def test_an_alert_shows_what_it_is_and_has_done(server: LocalServer, api: Api) -> None:
    """Who wonders why nothing comes looks here first."""
    at = await watched(server, api)
    event = await at.event("more than five people", "busy")
    url = "http://user:secret@127.0.0.1:9/hook?x=1"
    answer = await api.http.post(at.path, json={"event_id": event, "callback_url": url})
    made = answer.json()["data"]
    assert made == await at.show(made["alert_id"])
    assert made["callback_url"] == "http://127.0.0.1:9/hook?x=1"
    assert "secret" not in answer.text
    assert (
        made.items()
        >= {
            "event_id": event,
            "prompt": "more than five people",
            "label": "busy",
            "status": "enabled",
            "rtstream_id": at.stream,
            "rtstream_index_id": at.index,
            "has_socket": False,
            "understood_as": "at least 6 people",
            "fired": 0,
            "undecided": 0,
            "last_error": None,
            "webhooks": {"waiting": 0, "delivered": 0, "undelivered": 0},
        }.items()
    )


@pytest.mark.parametrize("callback", [{}, {"callback_url": None}, {"callback_url": ""}])
async def test_an_alert_without_a_target_counts_and_says_so(
    server: LocalServer, api: Api, callback: dict[str, Any]
) -> None:
    """Row 164: the SDK's users pass an empty text, others nothing; nobody should wonder."""
    at = await watched(server, api)
    event = await at.event("a person")
    answer = (await api.http.post(at.path, json={"event_id": event, **callback})).json()
    assert "neither callback_url nor ws_connection_id" in answer["message"]
    await at.scene(**people(1))
    await at.fired(answer["data"]["alert_id"], 1)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://host/x", "http"),
        ("host/x", "http"),
        ("http://", "http"),
        ("http://host:99999/", "http"),
        (7, "text"),
        ("http://host/" + "x" * 2048, "characters"),
        ("http://elsewhere.test/hook", "webhook_allow"),
    ],
)
async def test_a_target_that_can_not_be_called_is_refused(url: Any, problem: str) -> None:
    """Found out at the first alert, it would be too late."""
    async with (
        LocalServer(control=True, webhook_allow=["*.example.com", "host"]) as server,
        api_of(server) as api,
    ):
        at = await watched(server, api)
        body = {"event_id": await at.event("a dog"), "callback_url": url}
        refused = await api.refused("POST", at.path, 400, json=body)
        assert "callback_url" in refused["message"]
        assert problem in refused["message"]
        assert (await api.call("GET", at.path))["alerts"] == []


async def test_what_is_not_there_is_named(server: LocalServer, api: Api) -> None:
    """An alert on an unknown event waits for ever, unless somebody says so."""
    at = await watched(server, api)
    event = await at.event("a dog")
    body = {"event_id": "0123456789abcdef"}
    assert "0123456789abcdef" in (await api.refused("POST", at.path, 404, json=body))["message"]
    assert "event_id" in (await api.refused("POST", at.path, 400, json={}))["message"]
    gone = f"/rtstream/{at.stream}/index/nothing/alert"
    for method in ("POST", "GET"):
        refused = await api.refused(method, gone, 404, json={"event_id": event})
        assert "nothing" in refused["message"]
    path = f"{at.path}/unknown/status"
    assert (
        "unknown" in (await api.refused("PATCH", path, 404, json={"action": "enable"}))["message"]
    )


async def test_a_new_alert_starts_at_the_present(server: LocalServer, api: Api) -> None:
    """A thousand old records must not ring at once; what came before still counts as before."""
    at = await watched(server, api)
    await at.scene(**people(1))
    entered = await at.alert("a person enters")
    there = await at.alert("a person")
    await at.scene(**people(1))
    assert (await at.fired(there, 1))["fired"] == 1
    await at.scene(**people(0))
    await at.scene(**people(2))
    assert (await at.fired(there, 2))["fired"] == 2
    assert (await at.fired(entered, 1))["fired"] == 1


async def test_alerts_of_one_index_are_judged_apart(server: LocalServer, api: Api) -> None:
    """Two users watch one camera for different things."""
    at = await watched(server, api)
    other = await watched(server, api)
    async with ear_of(api) as ear:
        alone = await at.alert("exactly one person", ws_connection_id=ear.id)
        crowd = await at.alert("a crowd", ws_connection_id=ear.id)
        elsewhere = await other.alert("a person", ws_connection_id=ear.id)
        await at.scene(**people(1))
        assert (await hear_alert(ear))["data"]["alert_id"] == alone
        await at.scene(**people(9))
        assert (await hear_alert(ear))["data"]["alert_id"] == crowd
        await other.scene(**people(1))
        assert (await hear_alert(ear))["data"]["alert_id"] == elsewhere
    assert [(await at.show(id_))["fired"] for id_ in (alone, crowd)] == [1, 1]


@pytest.mark.parametrize(
    ("off", "on"),
    [
        ({"action": "disable"}, {"action": "enable"}),
        ({"status": "disabled"}, {"status": "enabled"}),
    ],
)
async def test_a_disabled_alert_is_silent_and_begins_anew(
    server: LocalServer, api: Api, off: dict[str, str], on: dict[str, str]
) -> None:
    """While somebody works at the door, its alert is off; afterwards nothing of that is told."""
    at = await watched(server, api)
    alert = await at.alert("a person")
    witness = await at.alert("a person")
    assert (await at.set(alert, **off))["status"] == "disabled"
    await at.scene(**people(1))
    await at.fired(witness, 1)
    assert (await at.set(alert, **on))["status"] == "enabled"
    assert (await at.set(alert, **on))["status"] == "enabled"
    await at.scene(**people(2))
    await at.fired(witness, 2)
    assert (await at.fired(alert, 1))["fired"] == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"action": "enable", "status": "enabled"}, {"action": "enabled"}, {"status": "on"}],
)
async def test_an_unclear_change_of_status_is_refused(
    server: LocalServer, api: Api, body: dict[str, str]
) -> None:
    """`action: enabled` must not pass for anything: the alert would stay as it was, in silence."""
    at = await watched(server, api)
    alert = await at.alert("a dog")
    refused = await api.refused("PATCH", f"{at.path}/{alert}/status", 400, json=body)
    assert "action" in refused["message"] or "status" in refused["message"]


async def test_an_index_that_listens_is_watched_for_words(server: LocalServer, api: Api) -> None:
    """`someone says "budget"` is what audio indexes are for."""
    stream = await api.connect(media_types=["audio"], enable_transcript=False)
    words = {"segmenter": "word", "segmentation_value": 5}
    index = await api.index(stream, extraction_type="transcript", extraction_config=words)
    at = Watched(server, api, stream, index)
    alert = await at.alert('someone says "budget"')
    await at.scene("A summary without it.", spoken="We talk about the budget today.")
    await at.fired(alert, 1)
    event = await at.event("a dog")
    answer = (await api.http.post(at.path, json={"event_id": event})).json()
    assert "This index listens" in answer["message"]


async def test_an_index_of_an_understanding_is_watched_too(server: LocalServer, api: Api) -> None:
    """The second version of the service has its alerts on these."""
    stream = await api.connect()
    analyzer = {"type": "vlm", "name": "scene", "config": {"prompt": "?"}}
    asked = {
        "segmentation": {"type": "time", "window": "2s"},
        "analyzers": [{**analyzer, "sampling": {"frame_count": 1}}],
    }
    made = await api.call("POST", f"/rtstream/{stream}/understand", json=asked)
    source = made["outputs"]["scene"]
    index = await api.call("POST", f"/rtstream/{stream}/indexes", json={"source": source})
    path = f"/rtstream/{stream}/indexes/{index['index_id']}/alert"
    event = (await api.call("POST", "/rtstream/event", json=ASKED))["event_id"]
    alert = (await api.call("POST", path, json={"event_id": event}))["alert_id"]
    await server.control.add_scene(
        stream,
        "Six people.",
        start=START,
        end=START + 2,
        index_id=made["understanding_id"],
        metadata=people(6),
    )
    await until(lambda: api.call("GET", path), lambda answer: answer["alerts"][0]["fired"] == 1)
    changed = await api.call("PATCH", f"{path}/{alert}/status", json={"action": "disable"})
    assert changed["status"] == "disabled"
    unread = f"/rtstream/{stream}/index/{made['understanding_id']}/alert"
    await api.refused("POST", unread, 404, json={"event_id": event})


async def test_alerts_go_on_after_a_restart(tmp_path: Path) -> None:
    """The cursor is in the database: nothing is told twice, and nothing is passed over."""
    async with LocalServer(tmp_path, control=True) as server, api_of(server) as api:
        at = await watched(server, api)
        alert = await at.alert("a person enters")
        for count in (0, 1, 1):
            await at.scene(**people(count))
        await at.fired(alert, 1)
    async with LocalServer(tmp_path, control=True) as server, api_of(server) as api:
        at = Watched(server, api, at.stream, at.index, records=at.records)
        for count in (2, 0, 3):
            await at.scene(**people(count))
        assert (await at.fired(alert, 2))["fired"] == 2


async def test_a_deleted_stream_takes_its_alerts_along(server: LocalServer, api: Api) -> None:
    """A test that begins anew must not hear the one before."""
    at = await watched(server, api)
    await at.alert("a person")
    await server.control.reset()
    assert (await api.call("GET", "/rtstream/event"))["events"] == []
    again = await watched(server, api)
    assert (await api.call("GET", again.path))["alerts"] == []
    alert = await again.alert("a person")
    await again.scene(**people(1))
    await again.fired(alert, 1)


class Judge(ExtractiveLanguage):
    """A language model that takes `fire` in a text for the truth, and can be ill."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.illness: str | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def name(self) -> str:
        return "judge-model"

    async def judge(self, observation: str, *, rule: str) -> Verdict | None:
        self.asked.append((observation, rule))
        await self.gate.wait()
        if self.illness is not None:
            raise EngineError(self.illness)
        fits = "fire" in observation
        return Verdict(fits=fits, confidence=0.9, explanation="There are flames.")


class Vectors:
    """An embedding engine that has two directions: `fire`, and all else."""

    def __init__(self) -> None:
        self.name = "two-directions"
        self.failures = 0
        self.texts: list[str] = []

    async def warm_up(self) -> None:
        """Nothing to load."""

    async def embed(
        self, texts: Sequence[str], *, kind: Literal["query", "passage"]
    ) -> Sequence[bytes]:
        if self.failures:
            self.failures -= 1
            raise EngineError("the vectors are gone")
        self.texts += texts
        return [self._vector(text, kind) for text in texts]

    def _vector(self, text: str, kind: str) -> bytes:
        import struct

        spread = (len(text) % 7) / 100  # not all of the background is alike
        if "fire" in text or kind == "query":
            return struct.pack("<2f", 1.0, 0.0)
        return struct.pack("<2f", spread, 1.0)

    async def aclose(self) -> None:
        """Nothing to free."""


@attrs.define
class Thinking:
    """A server whose engines are ours."""

    at: Watched
    judge: Judge
    vectors: Vectors


@pytest.fixture
async def thinking() -> Any:
    judge, vectors = Judge(), Vectors()
    async with (
        LocalServer(control=True, language=lambda: judge, embedding=lambda: vectors) as server,
        api_of(server) as api,
    ):
        yield Thinking(await watched(server, api), judge, vectors)
        judge.gate.set()


async def test_the_judge_is_asked_only_what_rules_can_not_tell(thinking: Thinking) -> None:
    """Each question costs money and a second; rules cost neither."""
    at = thinking.at
    async with ear_of(at.api) as ear:
        await at.alert("a person and a fire", ws_connection_id=ear.id)
        await at.scene("No fire, no person.", **people(0))
        await at.scene("A person and a fire.", **people(1))
        data = (await hear_alert(ear))["data"]
    assert thinking.judge.asked == [("A person and a fire.", "a person and a fire")]
    assert data["decided_by"] == "judge"
    assert data["confidence"] == 0.9
    assert data["text"] == "There are flames. (decided by judge-model)"
    assert thinking.vectors.texts == []


async def test_the_judge_hears_what_was_before(thinking: Thinking) -> None:
    """Whether somebody came can't be seen in one picture."""
    at = thinking.at
    alert = await at.alert("a person in a cape enters")
    await at.scene("An empty hall.", **people(0))
    await at.scene("A person, on fire.", **people(1))
    await at.fired(alert, 1)
    observation, rule = thinking.judge.asked[-1]
    assert observation == "Before: An empty hall.\nNow: A person, on fire."
    assert rule == "a person in a cape enters"


async def test_a_failing_judge_is_told_and_likeness_decides(
    thinking: Thinking, caplog: pytest.LogCaptureFixture
) -> None:
    """An endpoint that answers nonsense must not turn the alarm off without a word."""
    at = thinking.at
    thinking.judge.illness = "it answered rubbish"
    async with ear_of(at.api) as ear:
        alert = await at.alert("a fire breaks out", ws_connection_id=ear.id)
        await at.scene("There is a fire.", **people(0))
        data = (await hear_alert(ear))["data"]
        assert data["decided_by"] == "similarity"
        assert "decided by similarity" in data["text"]
        assert "There is a fire." in data["text"]
        assert 0.5 <= data["confidence"] <= 0.75
        shown = await at.show(alert)
        assert "it answered rubbish" in shown["last_error"]
        assert "it answered rubbish" in caplog.text
        thinking.judge.illness = None
        await at.scene("There is a fire, still.", **people(0))
        assert (await hear_alert(ear))["data"]["decided_by"] == "judge"
        assert (await at.show(alert))["last_error"] is None


async def test_what_is_denied_is_never_decided_by_likeness(thinking: Thinking) -> None:
    """`a fire` and `no fire` are as good as the same text to it."""
    at = thinking.at
    thinking.judge.illness = "away"
    alert = await at.alert("no fire is burning")
    await at.scene("There is a fire.", **people(0))
    shown = await until(lambda: at.show(alert), lambda seen: seen["undecided"] == 1)
    assert shown["fired"] == 0
    assert "away" in shown["last_error"]
    assert thinking.vectors.texts == []


async def test_an_engine_that_fails_is_told_and_tried_again(thinking: Thinking) -> None:
    """A process of an engine that died is started by the next question."""
    at = thinking.at
    thinking.judge.illness = "away"
    alert = await at.alert("a fire breaks out")
    thinking.vectors.failures = 1
    await at.scene("There is a fire.", **people(0))
    await at.fired(alert, 1)
    thinking.vectors.failures = 9
    await at.scene("There is a fire again.", **people(0))
    shown = await until(lambda: at.show(alert), lambda seen: seen["undecided"] == 1)
    assert "the vectors are gone" in shown["last_error"]
    thinking.vectors.failures = 0
    await at.scene("", **people(0))
    await at.scene("Fields.", **people(0))
    await at.scene("Once more there is a fire.", **people(0))
    assert (await at.fired(alert, 2))["undecided"] == 1


async def test_a_slow_judge_holds_up_its_own_alert_alone(thinking: Thinking) -> None:
    """One prompt that needs a model must not delay the rules beside it."""
    at = thinking.at
    thinking.judge.gate.clear()
    slow = await at.alert("a fire breaks out")
    quick = await at.alert("a person")
    for _ in range(3):
        await at.scene("There is a fire.", **people(1))
    await at.fired(quick, 3)
    assert (await at.show(slow))["fired"] == 0
    thinking.judge.gate.set()
    assert (await at.fired(slow, 3))["fired"] == 3


async def test_an_alert_that_is_disabled_while_it_thinks_is_silent(thinking: Thinking) -> None:
    """Off is off, also for the record that is being looked at."""
    at = thinking.at
    thinking.judge.gate.clear()
    alert = await at.alert("a fire breaks out")
    await at.scene("There is a fire.", **people(0))
    await until(lambda: asyncio.sleep(0, thinking.judge.asked))
    await at.set(alert, action="disable")
    await at.set(alert, action="enable")
    thinking.judge.gate.set()
    await at.scene("There is a fire again.", **people(0))
    assert (await at.fired(alert, 1))["fired"] == 1
    assert [asked for asked, _ in thinking.judge.asked] == [
        *("There is a fire.", "There is a fire again.")
    ]


async def test_a_bug_in_one_alert_is_not_the_others(
    server: LocalServer, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a record is, the next one is judged."""
    from rtstream_async.local.pipelines import deciding

    def broken(*_: Any) -> None:
        monkeypatch.undo()
        raise ZeroDivisionError("bug")

    at = await watched(server, api)
    alert = await at.alert("a person")
    monkeypatch.setattr(deciding, "judge", broken)
    await at.scene(**people(1))
    shown = await until(lambda: at.show(alert), lambda seen: seen["undecided"] == 1)
    assert "ZeroDivisionError: bug" in shown["last_error"]
    await at.scene(**people(1))
    assert (await at.fired(alert, 1))["last_error"] is None


async def test_likeness_by_the_offline_model_finds_what_no_rule_knows(
    server: LocalServer, api: Api
) -> None:
    """What rules don't know is the larger part of the language."""
    at = await watched(server, api)
    alert = await at.alert("the wheels of the vehicle are on fire")
    await at.scene("Snow falls on a quiet forest.")
    await at.scene("Flames rise from the tyres of a lorry.")
    shown = await at.fired(alert, 1)
    assert (shown["fired"], shown["undecided"], shown["last_error"]) == (1, 0, None)
