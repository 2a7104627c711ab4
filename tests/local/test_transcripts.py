"""Transcripts: what is said in a stream is written down, told, and stays, whatever happens."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rtstream_async.local import LocalServer
from rtstream_async.local.media.publishing import publishing
from tests.local.engines import BeepEngine, beeps
from tests.local.harness import Api, Ear, api_of, ear_of, until
from tests.media.clips import Clip, make_clip
from tests.media.servers import free_port

SOUND = {"media_types": ["audio", "video"]}
QUIET = {**SOUND, "enable_transcript": False}
# Three beeps, a pause, two beeps, a pause.
BEEPS = (0.3, 0.5, 0.7, 2.0, 2.2)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    make_clip(folder / "loop.mp4", Clip(seconds=3.5, gop=3.5, chirps=BEEPS))
    make_clip(folder / "silent.mp4", Clip(seconds=3.5, gop=3.5, audio=None))
    # Nobody takes a breath, for a minute.
    chatter = tuple(0.2 * n for n in range(1, 300))
    make_clip(folder / "chatter.mp4", Clip(seconds=60, fps=5, size=(96, 64), chirps=chatter))
    return folder


@pytest.fixture
def engine() -> BeepEngine:
    return BeepEngine()


@pytest.fixture
async def server(root: Path, engine: BeepEngine) -> AsyncIterator[LocalServer]:
    async with LocalServer(media_root=root, speech=lambda: engine, control=True) as running:
        yield running


async def start(api: Api, stream: str, **body: Any) -> dict[str, Any]:
    return await switch(api, stream, "start", **body)


async def switch(api: Api, stream: str, action: str, **body: Any) -> dict[str, Any]:
    path = f"/rtstream/{stream}/transcription"
    return await api.call("POST", path, json={"action": action, **body})


async def status(api: Api, stream: str) -> dict[str, Any]:
    return await api.call("GET", f"/rtstream/{stream}/transcription/status")


async def said(api: Api, stream: str, **query: Any) -> list[dict[str, Any]]:
    page = await api.call("GET", f"/rtstream/{stream}/transcription", params=query)
    return page["transcription_records"]


async def hear_final(ear: Ear) -> dict[str, Any]:
    while True:
        frame = await ear.hear()
        if frame["data"]["is_final"]:
            return frame


def numbers(records: list[dict[str, Any]]) -> list[int]:
    return [number for record in records for number in beeps(record["text"])]


async def test_speech_is_pushed_while_it_is_said_and_kept_when_it_was(
    api: Api, engine: BeepEngine
) -> None:
    """A live caption that comes with the next sentence is no live caption."""
    async with ear_of(api) as ear:
        stream = await api.connect("loop.mp4?loop=1", ws_connection_id=ear.id, **SOUND)
        frames = [await ear.hear()]
        while len([frame for frame in frames if frame["data"]["is_final"]]) < 3:
            frames.append(await ear.hear())
    assert {frame["channel"] for frame in frames} == {"transcript"}
    assert {frame["rtstream_id"] for frame in frames} == {stream}
    assert {frame["rtstream_name"] for frame in frames} == {"door"}
    finals = [frame["data"] for frame in frames if frame["data"]["is_final"]]
    partial = [frame["data"] for frame in frames if not frame["data"]["is_final"]]
    assert partial
    assert all(left != right for left, right in itertools.pairwise(partial))
    assert {data["start"] for data in partial} <= {data["start"] for data in finals} | {
        partial[-1]["start"]
    }
    stored = await said(api, stream)
    for data, record in zip(finals, stored, strict=False):
        assert data["text"] == record["text"]
        assert data["start"] == pytest.approx(record["start"] * 1000, abs=1)
        assert data["end"] == pytest.approx(record["end"] * 1000, abs=1)
    assert numbers(stored) == list(range(1, len(numbers(stored)) + 1))


async def test_words_have_the_times_of_their_sound(api: Api, engine: BeepEngine) -> None:
    """A player jumps to a word; half a second off it shows another."""
    stream = await api.connect("loop.mp4?loop=1", **SOUND)
    records = await until(lambda: said(api, stream), lambda seen: len(seen) >= 2)
    first = records[0]
    assert first["engine"] == "beeps"
    words = first["word_timestamps"]
    assert [word["word"] for word in words] == first["text"].rstrip(".").split()
    assert [word["text"] for word in words] == [word["word"] for word in words]
    assert words[0]["start"] == pytest.approx(first["start"], abs=1e-3)
    begins = (await api.stream(stream))["recorded_from"]
    heard = [word["start"] - begins for record in records for word in record["word_timestamps"]]
    for time in heard:
        assert min(abs((time % 3.5) - at) for at in BEEPS) < 0.1


async def test_a_transcript_is_read_by_page_and_by_time(api: Api) -> None:
    """Whoever asks for five minutes of a day must not get the day."""
    stream = await api.connect(media_types=["audio"])
    for number in range(25):
        body = {"rtstream_id": stream, "text": f"beep{number}", "start": 1000 + 10 * number}
        await api.call("POST", "/_local/utterances", json={**body, "end": body["start"] + 5})
    path = f"/rtstream/{stream}/transcription"
    first = await api.call("GET", path, params={"page": 1, "page_size": 10})
    last = await api.call("GET", path, params={"page": 3, "page_size": 10})
    assert numbers(first["transcription_records"]) == [*range(10)]
    assert (first["next_page"], first["total_count"]) == (True, 25)
    assert (first["page"], first["page_size"]) == (1, 10)
    assert numbers(last["transcription_records"]) == [*range(20, 25)]
    assert last["next_page"] is False
    beyond = await api.call("GET", path, params={"page": 4, "page_size": 10})
    assert (beyond["transcription_records"], beyond["next_page"]) == ([], False)
    assert numbers(await said(api, stream, start=1021, end=1042)) == [2, 3, 4]
    assert numbers(await said(api, stream, start=1230)) == [23, 24]
    assert numbers(await said(api, stream, end=1009)) == [0]
    assert numbers(await said(api, stream, since=1225)) == [23, 24]
    assert numbers(await said(api, stream, since=1245)) == []
    assert numbers(await said(api, stream, since=1005, end=1019, engine="assemblyai")) == [1]
    for query in ({"page": 0}, {"page_size": 1001}, {"start": 5, "end": 4}, {"since": "x"}):
        await api.refused("GET", path, 400, params=query)


async def test_the_status_says_who_listens_and_to_whom_never(api: Api, engine: BeepEngine) -> None:
    """Who holds a connection's id reads its messages."""
    async with ear_of(api) as ear:
        stream = await api.connect("loop.mp4?loop=1", **QUIET)
        assert (await status(api, stream))["status"] == "not_configured"
        assert (await switch(api, stream, "stop"))["status"] == "not_configured"
        started = await start(api, stream, ws_connection_id=ear.id, engine="assemblyai")
        assert (started["status"], started["engine"]) == ("running", "beeps")
        shown = await status(api, stream)
        assert shown["status"] == "running"
        assert shown["requested_engine"] == "assemblyai"
        assert shown["language"] == "en"
        assert shown["pushed_since"]
        assert ear.id not in str([started, shown])
        stopped = await switch(api, stream, "stop", engine="assemblyai")
        assert (stopped["status"], stopped["engine"]) == ("stopped", "beeps")
        assert stopped["stopped_at"] >= stopped["started_at"] >= stopped["created_at"]
        again = await switch(api, stream, "stop")
        assert again["stopped_at"] == stopped["stopped_at"]
    await api.refused("POST", f"/rtstream/{stream}/transcription", 400, json={"action": "pause"})
    bad = {"action": "stop", "mode": "soon"}
    await api.refused("POST", f"/rtstream/{stream}/transcription", 400, json=bad)


async def test_a_second_start_moves_the_transcript_to_its_connection(
    api: Api, engine: BeepEngine
) -> None:
    """After a reconnect a client has a new connection; the old one hears nothing more."""
    async with ear_of(api) as old, ear_of(api) as new:
        stream = await api.connect("loop.mp4?loop=1", ws_connection_id=old.id, **SOUND)
        await hear_final(old)
        before = await status(api, stream)
        moved = await start(api, stream, ws_connection_id=new.id)
        assert "this connection" in moved["note"]
        assert moved["pushed_since"] > before["pushed_since"]
        assert moved["started_at"] == before["started_at"]
        await hear_final(new)
        same = await start(api, stream)
        assert (same["pushed_since"], same["status"]) == (moved["pushed_since"], "running")
        await hear_final(new)
    stored = await said(api, stream)
    assert numbers(stored) == list(range(1, len(numbers(stored)) + 1))


async def test_what_is_being_said_is_kept_when_the_transcript_is_stopped(
    api: Api, engine: BeepEngine
) -> None:
    """The last sentence is often the one that counts."""
    async with ear_of(api) as ear:
        stream = await api.connect("chatter.mp4", ws_connection_id=ear.id, **SOUND)
        partial = await ear.hear()
        assert not partial["data"]["is_final"]
        assert await said(api, stream) == []
        assert (await switch(api, stream, "stop"))["status"] == "stopped"
        (record,) = await said(api, stream)
        final = await hear_final(ear)
        assert final["data"]["text"] == record["text"]
        assert final["data"]["start"] == partial["data"]["start"]
        present = (await api.stream(stream))["recorded_to"]
        assert present - record["end"] < 1.5
        await start(api, stream)
        await asyncio.sleep(1.5)
        await switch(api, stream, "stop", mode="force")
        assert len(await said(api, stream)) == 1
        assert await until(lambda: _forgotten(engine), lambda count: count == 2)


async def _forgotten(engine: BeepEngine) -> int:
    return engine.forgotten


async def test_a_stream_that_stops_says_its_last_words(api: Api, engine: BeepEngine) -> None:
    """Streams are stopped when everything was said, not half a second later."""
    stream = await api.connect("chatter.mp4", **SOUND)
    await until(lambda: api.stream(stream), lambda seen: seen["recorded_seconds"] > 1)
    await api.call("PATCH", f"/rtstream/{stream}/status", json={"action": "stop"})
    (record,) = await said(api, stream)
    assert record["end"] == pytest.approx((await api.stream(stream))["recorded_to"], abs=0.6)
    assert (await status(api, stream))["note"].startswith("the stream is stopped")


async def test_a_transcript_of_a_stopped_stream_runs_when_it_starts(
    api: Api, engine: BeepEngine
) -> None:
    """Whoever sets things up in another order must not end with a dead transcript."""
    stream = await api.connect("loop.mp4?loop=1", **QUIET)
    path = f"/rtstream/{stream}/status"
    await api.call("PATCH", path, json={"action": "stop"})
    started = await start(api, stream)
    assert started["status"] == "running"
    assert "runs when the stream does" in started["note"]
    assert engine.seconds == 0
    await api.call("PATCH", path, json={"action": "start"})
    assert await until(lambda: said(api, stream))
    assert "note" not in await status(api, stream)


async def test_nobody_listens_to_what_has_no_sound(api: Api, engine: BeepEngine) -> None:
    """An empty transcript looks like silence; the caller must hear that there is no sound."""
    deaf = await api.connect("loop.mp4?loop=1", media_types=["video"])
    refused = await api.refused(
        "POST", f"/rtstream/{deaf}/transcription", 400, json={"action": "start"}
    )
    assert "'audio' in media_types" in refused["message"]
    assert (await status(api, deaf))["status"] == "not_configured"
    silent = await api.connect("silent.mp4?loop=1", **SOUND)
    shown = await status(api, silent)
    assert shown["status"] == "error"
    assert "no sound" in shown["last_error"]
    assert (await api.stream(silent))["status"] == "connected"
    await switch(api, silent, "stop")
    refused = await api.refused(
        "POST", f"/rtstream/{silent}/transcription", 400, json={"action": "start"}
    )
    assert "no sound" in refused["message"]
    assert engine.seconds == 0


async def test_an_ill_engine_shows_on_the_transcript_and_says_nothing(
    api: Api, engine: BeepEngine
) -> None:
    """The recording goes on, the status says what is wrong, and what was lost is counted."""
    stream = await api.connect("loop.mp4?loop=1", **SOUND)
    await until(lambda: said(api, stream))
    engine.illness = "the model ran out of memory"
    sick = await until(lambda: status(api, stream), lambda seen: seen["dropped_seconds"] > 1)
    assert sick["status"] == "error"
    assert sick["last_error"] == "the model ran out of memory"
    before = await said(api, stream)
    recorded = (await api.stream(stream))["recorded_seconds"]
    await until(lambda: api.stream(stream), lambda seen: seen["recorded_seconds"] > recorded + 1)
    assert await said(api, stream) == before
    engine.illness = None
    well = await until(lambda: status(api, stream), lambda seen: seen["status"] == "running")
    assert well["last_error"] is None
    assert await until(lambda: said(api, stream), lambda seen: len(seen) > len(before))


async def test_an_engine_that_can_not_be_loaded_refuses_a_start_and_no_stream(
    api: Api, engine: BeepEngine
) -> None:
    """A stream must be recorded though nobody can listen; who asks to listen must hear it."""
    engine.is_loadable = False
    stream = await api.connect("loop.mp4?loop=1", **SOUND)
    sick = await until(lambda: status(api, stream), lambda seen: seen["status"] == "error")
    assert "the weights are missing" in sick["last_error"]
    assert (await api.stream(stream))["status"] == "connected"
    other = await api.connect("loop.mp4?loop=1", **QUIET)
    path = f"/rtstream/{other}/transcription"
    refused = await api.refused("POST", path, 503, json={"action": "start"})
    assert "the weights are missing" in refused["message"]
    assert (await status(api, other))["status"] == "not_configured"
    engine.is_loadable = True
    assert await until(lambda: said(api, stream))
    assert (await status(api, stream))["status"] == "running"


async def test_a_publisher_that_leaves_has_said_what_it_said(
    api: Api, engine: BeepEngine, root: Path
) -> None:
    """What was said before a cable was pulled is not forgotten until it is plugged in again."""
    url = f"rtmp://127.0.0.1:{free_port()}/live"
    stream = await api.connect(f"{url}?listen=1", **SOUND)
    async with publishing(root / "chatter.mp4", url):
        await until(lambda: _seconds(engine), lambda seconds: seconds > 1)
        assert await said(api, stream) == []
    (record,) = await until(lambda: said(api, stream))
    assert len(beeps(record["text"])) > 3
    async with publishing(root / "loop.mp4", url, loop=True):
        assert await until(lambda: said(api, stream), lambda seen: len(seen) > 2)
    stored = numbers(await said(api, stream))
    assert stored[: len(beeps(record["text"]))] == beeps(record["text"])


async def _seconds(engine: BeepEngine) -> float:
    return engine.seconds


async def test_a_killed_ingest_does_not_end_the_transcript(
    api: Api, server: LocalServer, engine: BeepEngine
) -> None:
    """A native crash in one camera's decoder costs seconds, not the rest of the meeting."""
    stream = await api.connect("chatter.mp4", **SOUND)
    await until(lambda: _seconds(engine), lambda seconds: seconds > 1)
    director: Any = server._up._director
    os.kill(director.live(stream)._ingest._child.pid, signal.SIGSEGV)
    (record,) = await until(lambda: said(api, stream))
    seconds = engine.seconds
    await until(lambda: _seconds(engine), lambda now: now > seconds + 1)
    await switch(api, stream, "stop")
    stored = await said(api, stream)
    assert stored[0] == record
    assert len(stored) == 2
    assert stored[1]["start"] > record["end"]


async def test_transcripts_come_back_after_a_restart(root: Path, tmp_path: Path) -> None:
    """A machine that reboots at night must be listening in the morning."""
    first, second = BeepEngine(), BeepEngine(count=100)
    async with (
        LocalServer(tmp_path, media_root=root, speech=lambda: first) as server,
        api_of(server) as api,
    ):
        stream = await api.connect("loop.mp4?loop=1", **SOUND)
        rests = await api.connect("loop.mp4?loop=1", **SOUND)
        await switch(api, rests, "stop")
        await until(lambda: said(api, stream))
        began = (await status(api, stream))["started_at"]
    assert first.is_closed
    async with (
        LocalServer(tmp_path, media_root=root, speech=lambda: second) as server,
        api_of(server) as api,
    ):
        old = await said(api, stream)
        assert max(numbers(old)) < 100
        more = await until(lambda: said(api, stream), lambda seen: len(seen) > len(old))
        assert more[: len(old)] == old
        assert min(numbers(more[len(old) :])) > 100
        assert more[len(old)]["start"] > old[-1]["end"]
        shown = await status(api, stream)
        assert (shown["status"], shown["started_at"]) == ("running", began)
        assert (await status(api, rests))["status"] == "stopped"


async def test_a_server_stops_though_its_speech_engine_hangs(root: Path, tmp_path: Path) -> None:
    """A stuck model must not keep the machine from shutting down."""
    engine = BeepEngine()
    async with (
        LocalServer(tmp_path, media_root=root, speech=lambda: engine, drain=0.5) as server,
        api_of(server) as api,
    ):
        engine.gate.clear()
        stream = await api.connect("loop.mp4?loop=1", **SOUND)
        await until(lambda: api.stream(stream), lambda seen: seen["recorded_seconds"] > 1)
    assert engine.is_closed
    engine.gate.set()
    async with (
        LocalServer(tmp_path, media_root=root, speech=BeepEngine) as server,
        api_of(server) as api,
    ):
        assert (await status(api, stream))["status"] == "running"
        assert await until(lambda: said(api, stream))
