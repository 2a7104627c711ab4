"""What is said in exported videos: written down, read, done again, and told of."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import msgspec
import numpy as np
import pytest
import pytest_asyncio

from rtstream_async.local.engines.ports import EngineError, Sound, Utterance
from tests.local.engines import BeepEngine
from tests.local.harness import Api, until
from tests.local.recorded import Recorded, child_running, record, serving
from tests.media.clips import Clip, make_clip
from tests.media.flashes import make_flashes

READER = "rtstream_async.local.media.soundtrack"


@attrs.frozen
class Film:
    """A served video with five clicks in it, and the engine that hears them."""

    api: Api
    engine: BeepEngine
    id: str

    @property
    def path(self) -> str:
        return f"/video/{self.id}"

    async def index(self, **body: Any) -> Any:
        asked = {"index_type": "spoken_word", "segmentation_type": "sentence", **body}
        return await self.api.call("POST", f"{self.path}/index", json=asked)

    async def refused(self, status: int = 400, **body: Any) -> str:
        asked = {"index_type": "spoken_word", **body}
        answer = await self.api.refused("POST", f"{self.path}/index", status, json=asked)
        return answer["message"]

    async def transcript(self, **query: Any) -> dict[str, Any]:
        return await self.api.call("GET", f"{self.path}/transcription", params=query)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exported(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recorded")
    clip = make_flashes(folder / "clip.mp4", seconds=5)
    made = await record(folder / "data", clip)
    async with serving(made) as (_, api):
        await api.call("POST", f"/rtstream/{made.stream}/export", json={})
    return made


@pytest.fixture
def engine() -> BeepEngine:
    return BeepEngine()


@pytest.fixture
async def film(exported: Recorded, engine: BeepEngine, tmp_path: Path) -> AsyncIterator[Film]:
    async with serving(exported, tmp_path / "data", speech=lambda: engine) as (_, api):
        (video,) = (await api.call("GET", "/video"))["videos"]
        yield Film(api, engine, video["id"])


async def test_what_is_said_is_written_down_with_its_moment(film: Film) -> None:
    """Who jumps to a word must hear it."""
    answer = await film.index(language_code="en_us", force=False, callback_url=None)
    assert answer["utterances"] == 5
    assert answer["engine"] == "beeps"
    said = await film.transcript()
    assert said["text"] == "beep1. beep2. beep3. beep4. beep5."
    starts = [word["start"] for word in said["word_timestamps"]]
    assert np.allclose(starts, np.arange(5) + 0.48, atol=0.06)
    assert all(not word["is_estimated"] for word in said["word_timestamps"])
    assert said["word_timestamps"][0]["word"] == "beep1."
    video = await film.api.call("GET", film.path)
    assert video["spoken"] == {
        "status": "done",
        "engine": "beeps",
        "language": "en",
        "utterances": 5,
    }


async def test_a_transcript_comes_by_words_sentences_and_seconds(film: Film) -> None:
    """Subtitles want seconds, a reader sentences, a player words."""
    await film.index()
    words = (await film.transcript(segmenter="word"))["word_timestamps"]
    assert len(words) == 5
    sentences = (await film.transcript(segmenter="sentence"))["word_timestamps"]
    assert len(sentences) == 5
    pairs = (await film.transcript(segmenter="time", length=2))["word_timestamps"]
    assert [piece["text"] for piece in pairs] == ["beep1. beep2.", "beep3. beep4.", "beep5."]
    assert [piece["start"] for piece in pairs] == [0, 2, 4]
    middle = await film.transcript(start=1, end=3, force="false")
    assert middle["text"] == "beep2. beep3."
    assert (await film.transcript(start=4.9))["word_timestamps"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"segmenter": "bogus"},
        {"start": -1},
        {"start": 5, "end": 1},
        {"length": 0},
        {"lenght": 1},
        {"force": "maybe"},
    ],
)
async def test_a_transcript_is_not_asked_for_in_other_ways(
    film: Film, query: dict[str, Any]
) -> None:
    """A misspelt argument that is ignored gives a wrong answer in silence."""
    await film.index()
    await film.api.refused("GET", f"{film.path}/transcription", 400, params=query)


async def test_no_transcript_is_made_up(film: Film) -> None:
    """An empty one would say that nobody spoke."""
    path = f"{film.path}/transcription"
    assert "index_spoken_words" in (await film.api.refused("GET", path, 400))["message"]


async def test_a_transcript_can_be_had_without_an_index(film: Film) -> None:
    """The official SDK's `generate_transcript()`."""
    made = await film.api.call("POST", f"{film.path}/transcription", json={"force": False})
    assert len(made["word_timestamps"]) == 5
    again = await film.api.call("POST", f"{film.path}/transcription", json={"force": False})
    assert again == made
    assert film.engine.count == 5
    anew = await film.api.call("POST", f"{film.path}/transcription", json={"force": True})
    assert anew["text"] == "beep6. beep7. beep8. beep9. beep10."


async def test_an_index_is_made_again_only_when_that_is_asked_for(film: Film) -> None:
    """It costs minutes of work; and the service refuses it so."""
    await film.index()
    assert "already exists" in await film.refused()
    film.engine.count = 100
    await film.index(force=True)
    assert (await film.transcript())["text"].startswith("beep101.")
    assert len((await film.transcript())["word_timestamps"]) == 5


async def test_what_was_found_before_stays_until_there_is_something_new(film: Film) -> None:
    """A search during the hour that it takes must not find nothing."""
    await film.index()
    film.engine.gate.clear()
    asking = asyncio.create_task(film.index(force=True))
    await child_running(READER, os.getpid())
    assert (await film.transcript())["text"].startswith("beep1.")
    assert "wait" in await film.refused(force=True)
    film.engine.gate.set()
    await asking
    assert (await film.transcript())["text"].startswith("beep6.")


async def test_what_can_not_be_indexed_is_refused_with_the_reason(film: Film) -> None:
    """Each of these is put right in a minute, once it is named."""
    assert "index_visuals" in await film.refused(index_type="scene", prompt="who?")
    assert "'hi'" in await film.refused(language_code="hi")
    assert "llm" in await film.refused(segmentation_type="llm")
    assert "index_type" in await film.refused(index_type="words")
    assert "langauge" in await film.refused(langauge="en")
    assert "callback_url" in await film.refused(callback_url="ftp://x")
    await film.api.refused("POST", "/video/m-nobody/index", 404, json={})
    film.engine.is_loadable = False
    assert "weights" in await film.refused(503)


async def test_a_video_without_sound_has_nothing_to_write_down(tmp_path: Path) -> None:
    """An index of nothing would hide that the camera has no microphone."""
    clip = make_clip(tmp_path / "mute.mp4", Clip(seconds=1, audio=None, gop=0.4))
    made = await record(tmp_path / "data", clip)
    async with serving(made, speech=BeepEngine) as (_, api):
        video = await api.call("POST", f"/rtstream/{made.stream}/export", json={})
        path = f"/video/{video['video_id']}"
        body = await api.refused("POST", f"{path}/index", 400, json={})
        assert body["error_code"] == "NO_SOUND"


class Deaf(BeepEngine):
    """Hears no speech in anything."""

    async def hear(self, sound: Sound, *, key: str) -> list[Utterance]:
        return []


async def test_silence_is_a_result(tmp_path: Path) -> None:
    """Nobody spoke: that is an answer, and not a fault."""
    clip = make_clip(tmp_path / "hum.mp4", Clip(seconds=1, gop=0.4))
    made = await record(tmp_path / "data", clip)
    async with serving(made, speech=lambda: Deaf(language=None)) as (_, api):
        video = await api.call("POST", f"/rtstream/{made.stream}/export", json={})
        path = f"/video/{video['video_id']}"
        answer = await api.http.post(f"{path}/index", json={"language_code": "hi"})
        body = answer.json()
        assert body["success"] is True
        assert "no speech" in body["message"]
        assert body["data"]["utterances"] == 0
        assert (await api.call("GET", f"{path}/transcription"))["text"] == ""


async def test_sound_alone_is_written_down_too(tmp_path: Path, engine: BeepEngine) -> None:
    """A microphone's recording is mostly words."""
    with_picture = make_flashes(tmp_path / "f.mp4", seconds=2)
    clip = strip_picture(with_picture, tmp_path / "mic.m4a")
    made = await record(tmp_path / "data", clip)
    async with serving(made, speech=lambda: engine) as (_, api):
        audio = await api.call("POST", f"/rtstream/{made.stream}/export", json={})
        assert audio["video_id"].startswith("a-")
        await api.call("POST", f"/video/{audio['video_id']}/index", json={})
        path = f"/audio/{audio['video_id']}/transcription"
        assert (await api.call("GET", path))["text"] == "beep1. beep2."
        made_anew = await api.call("POST", path, json={"force": True})
        assert len(made_anew["word_timestamps"]) == 2


def strip_picture(source: Path, target: Path) -> Path:
    import av

    with av.open(str(source)) as film, av.open(str(target), "w", format="mp4") as out:
        track = out.add_stream_from_template(film.streams.audio[0])
        for packet in film.demux(audio=0):
            if packet.dts is not None:
                packet.stream = track
                out.mux(packet)
    return target


async def test_an_engine_that_fails_costs_no_words_or_all_of_them(film: Film) -> None:
    """A transcript with a hole in it looks like a whole one."""
    film.engine.illness = "out of memory"
    asked = {"index_type": "spoken_word"}
    body = await film.api.refused("POST", f"{film.path}/index", 503, json=asked)
    assert "out of memory" in body["message"]
    await film.api.refused("GET", f"{film.path}/transcription", 400)
    film.engine.illness = None
    assert (await film.index())["utterances"] == 5


class Stumbling(BeepEngine):
    """Fails once, in the middle."""

    has_failed = False

    async def hear(self, sound: Sound, *, key: str) -> Sequence[Utterance]:
        heard = await super().hear(sound, key=key)
        if not self.has_failed:
            self.has_failed = True
            raise EngineError("killed")
        return heard


async def test_an_engine_that_fails_once_begins_anew(exported: Recorded, tmp_path: Path) -> None:
    """Its process may have been ended by the system; the next one hears all of it."""
    async with serving(exported, tmp_path / "data", speech=Stumbling) as (_, api):
        (video,) = (await api.call("GET", "/video"))["videos"]
        film = Film(api, BeepEngine(), video["id"])
        assert (await film.index())["utterances"] == 5
        first = (await film.transcript())["word_timestamps"][0]
        assert first["start"] == pytest.approx(0.48, abs=0.06)


async def test_a_reader_that_dies_is_told(film: Film) -> None:
    """Native code reads the file; its crash is the job's failure, and nothing else's."""
    film.engine.gate.clear()
    asking = asyncio.create_task(
        film.api.refused("POST", f"{film.path}/index", 500, json={"index_type": "spoken_word"})
    )
    os.kill(await child_running(READER, os.getpid()), signal.SIGKILL)
    film.engine.gate.set()
    assert "can't be read" in (await asking)["message"]


async def test_a_long_index_is_answered_later(
    exported: Recorded, engine: BeepEngine, tmp_path: Path
) -> None:
    """An hour of speech takes minutes; the official SDK waits for 30 seconds."""
    options = {"speech": lambda: engine, "job_patience": 0}
    async with serving(exported, tmp_path / "data", **options) as (_, api):
        (video,) = (await api.call("GET", "/video"))["videos"]
        body = (await api.http.post(f"/video/{video['id']}/index", json={})).json()
        assert (body["status"], body["request_type"]) == ("processing", "sync")

        async def look() -> dict[str, Any]:
            return (await api.http.get(body["data"]["output_url"])).json()

        seen = await until(look, lambda seen: seen["status"] != "processing")
        assert seen["status"] == "done"
        assert seen["data"]["utterances"] == 5


async def test_an_index_goes_on_after_a_restart(
    exported: Recorded, engine: BeepEngine, tmp_path: Path
) -> None:
    """Who was told "later" must find it done, later."""
    mine = exported.copy(tmp_path / "data")
    engine.gate.clear()
    async with serving(mine, speech=lambda: engine, job_patience=0) as (_, api):
        (video,) = (await api.call("GET", "/video"))["videos"]
        body = (await api.http.post(f"/video/{video['id']}/index", json={})).json()
        await child_running(READER, os.getpid())
    engine.gate.set()
    async with serving(mine, speech=lambda: engine) as (_, api):
        id_ = body["data"]["id"]

        async def look() -> dict[str, Any]:
            return (await api.http.get(f"/async-response/{id_}")).json()

        seen = await until(look, lambda seen: seen["status"] != "processing")
        assert seen["data"]["utterances"] == 5
        said = await api.call("GET", f"/video/{video['id']}/transcription")
        assert len(said["word_timestamps"]) == 5


async def test_a_video_can_be_deleted_while_it_is_listened_to(film: Film) -> None:
    """A user who changed their mind does not wait for an hour."""
    film.engine.gate.clear()
    asking = asyncio.create_task(
        film.api.http.post(f"{film.path}/index", json={"index_type": "spoken_word"})
    )
    await child_running(READER, os.getpid())
    await film.api.call("DELETE", film.path)
    assert (await asking).status_code == 400
    await film.api.refused("GET", film.path, 404)


@contextmanager
def listening(statuses: list[int]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A web server that is called back, and answers with each status in turn."""
    heard: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            heard.append(msgspec.json.decode(self.rfile.read(length)))
            self.send_response(statuses[min(len(heard), len(statuses)) - 1])
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/done", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_a_callback_is_told_of_the_end(film: Film) -> None:
    """A back end that does not want to wait is told, and asks again only for what it needs."""
    with listening([500, 200]) as (url, heard):
        answer = await film.api.http.post(f"{film.path}/index", json={"callback_url": url})
        body = answer.json()
        assert (body["status"], body["request_type"]) == ("processing", "async")

        async def told() -> bool:
            return len(heard) == 2  # the first one was not taken

        await until(told)
    assert heard[0] == heard[1]
    assert heard[0]["success"] is True
    assert heard[0]["data"]["asset_id"] == film.id
    assert heard[0]["data"]["utterances"] == 5
    assert heard[0]["data"]["id"] == body["data"]["id"]


async def test_a_callback_is_told_of_a_failure(film: Film) -> None:
    """Silence would be waited for."""
    film.engine.illness = "out of memory"
    with listening([200]) as (url, heard):
        await film.api.http.post(f"{film.path}/index", json={"callback_url": url})

        async def told() -> bool:
            return bool(heard)

        await until(told)
    assert heard[0]["success"] is False
    assert "out of memory" in heard[0]["message"]
