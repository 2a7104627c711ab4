"""Audio indexes: records of what is said, by words, sentences and seconds."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rtstream_async.local import LocalServer
from tests.local.engines import BeepEngine, CountingLanguage, beeps
from tests.local.harness import Api, api_of, ear_of, until
from tests.media.clips import Clip, make_clip

SOUND = {"media_types": ["audio", "video"]}
HEARD = {"extraction_type": "transcript"}
BEEPS = (0.3, 0.5, 0.7, 2.0, 2.2)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    make_clip(folder / "loop.mp4", Clip(seconds=3.5, gop=3.5, chirps=BEEPS))
    make_clip(folder / "silent.mp4", Clip(seconds=3.5, gop=3.5, audio=None))
    return folder


@pytest.fixture
def engine() -> BeepEngine:
    return BeepEngine()


@pytest.fixture
def language() -> CountingLanguage:
    return CountingLanguage()


@pytest.fixture
async def server(
    root: Path, engine: BeepEngine, language: CountingLanguage
) -> AsyncIterator[LocalServer]:
    async with LocalServer(
        media_root=root, speech=lambda: engine, language=lambda: language, control=True
    ) as running:
        yield running


async def heard_index(api: Api, stream: str, segmenter: str, value: Any, **body: Any) -> str:
    config = {"segmenter": segmenter, "segmentation_value": value}
    return await api.index(stream, **HEARD, **{"extraction_config": config, **body})


async def look(api: Api, stream: str, index: str) -> dict[str, Any]:
    return await api.call("GET", f"/rtstream/{stream}/index/{index}")


async def say(api: Api, stream: str, text: str, start: float, end: float, **more: Any) -> None:
    body = {"rtstream_id": stream, "text": text, "start": start, "end": end, **more}
    await api.call("POST", "/_local/utterances", json=body)


async def scenes(api: Api, stream: str, index: str) -> list[dict[str, Any]]:
    """All records, oldest first."""
    return (await api.scenes(stream, index))[::-1]


async def stop(api: Api, stream: str) -> None:
    await api.call("PATCH", f"/rtstream/{stream}/status", json={"action": "stop"})


async def test_records_say_all_that_was_said_in_as_many_words_as_asked_for(
    api: Api, engine: BeepEngine
) -> None:
    """A word that is in no record is not found; one that is in two is told twice."""
    async with ear_of(api) as ear:
        stream = await api.connect("loop.mp4?loop=1", **SOUND)
        index = await heard_index(api, stream, "word", 2, ws_connection_id=ear.id)
        frame = await ear.hear()
        await until(lambda: scenes(api, stream, index), lambda seen: len(seen) >= 4)
        await stop(api, stream)
    made = await scenes(api, stream, index)
    assert frame["channel"] == "audio_index"
    assert frame["data"]["text"] == made[0]["text"]
    assert frame["data"]["start"] == pytest.approx(made[0]["start"] * 1000, abs=1)
    spoken = [number for record in made for number in beeps(record["text"])]
    assert spoken == list(range(spoken[0], engine.count + 1))
    for record in made[:-1]:
        metadata = record["metadata"]
        assert metadata["word_count"] == 2
        assert metadata["spoken"] == record["text"] == record["description"]
        assert metadata["timing"] == "exact"
        assert metadata["utterances"] in (1, 2)
        assert record["engine"] == metadata["speech_engine"] == "beeps"
    for before, after in itertools.pairwise(made):
        assert before["start"] < before["end"] <= after["start"]


async def test_timed_records_follow_the_clock_and_silence_makes_none(
    api: Api, engine: BeepEngine
) -> None:
    """Minutes of a meeting by the minute, closed when the minute is over."""
    engine.tells_words = False
    stream = await api.connect("loop.mp4?loop=1", **SOUND)
    index = await heard_index(api, stream, "time", "1.0")
    # Two rounds of the clip, so that its silent second is among them.
    made = await until(lambda: scenes(api, stream, index), lambda seen: len(seen) >= 7)
    for before, after in itertools.pairwise(made):
        steps = after["start"] - before["start"]
        assert steps == pytest.approx(round(steps), abs=1e-4)
        assert before["end"] <= after["start"] + 1e-6
    assert all(record["end"] - record["start"] == pytest.approx(1, abs=1e-4) for record in made)
    span = made[-1]["end"] - made[0]["start"]
    assert len(made) < span - 0.5  # not every second has a word
    spoken = [number for record in made for number in beeps(record["text"])]
    assert spoken == list(range(spoken[0], spoken[0] + len(spoken)))
    assert {record["metadata"]["timing"] for record in made} <= {"exact", "interpolated"}


async def test_a_prompt_goes_to_the_language_engine_and_can_be_changed(
    api: Api, language: CountingLanguage
) -> None:
    """Whoever finds a better question must not lose the records of the old one."""
    stream = await api.connect(**SOUND)
    index = await heard_index(api, stream, "sentence", 2, prompt="How many?")
    await say(api, stream, "He left. She stayed.", 100, 104)
    (first,) = await until(lambda: scenes(api, stream, index))
    assert first["text"] == "How many? 1"
    assert first["engine"] == "counter"
    assert first["metadata"]["spoken"] == "He left. She stayed."
    assert first["metadata"]["prompt_followed"] is True
    path = f"/rtstream/{stream}/index/scene/{index}"
    changed = await api.call("PATCH", path, json={"prompt": "And now?"})
    assert changed["prompt"] == "And now?"
    await say(api, stream, "One", 110, 111)
    await say(api, stream, "two", 112, 113)
    _, second = await until(lambda: scenes(api, stream, index), lambda seen: len(seen) == 2)
    assert second["text"] == "And now? 2"
    assert (second["start"], second["end"]) == (110, 113)
    assert (await api.call("PATCH", path, json={"prompt": None}))["prompt"] is None
    await say(api, stream, "Three. Four.", 120, 124)
    *_, third = await until(lambda: scenes(api, stream, index), lambda seen: len(seen) == 3)
    assert (third["text"], third["engine"]) == ("Three. Four.", "scripted")
    await api.refused("PATCH", path, 400, json={})
    await api.refused("PATCH", path, 400, json={"prompt": 5})
    await api.refused("PATCH", path.replace(index, "0" * 16), 404, json={"prompt": "x"})


async def test_what_a_language_engine_fails_at_is_counted_and_shown(
    api: Api, language: CountingLanguage
) -> None:
    """A summary that is missing must not look like a meeting in which nothing was said."""
    stream = await api.connect(**SOUND)
    index = await heard_index(api, stream, "word", 2, prompt="How many?")
    language.illness = "the endpoint answers rubbish"
    await say(api, stream, "one two", 100, 102)
    sick = await until(lambda: look(api, stream, index), lambda seen: seen["status"] == "error")
    assert sick["last_error"] == "the endpoint answers rubbish"
    assert sick["dropped_windows"] == 1
    language.illness = None
    await say(api, stream, "three four", 103, 105)
    (record,) = await until(lambda: scenes(api, stream, index))
    assert record["metadata"]["spoken"] == "three four"
    well = await until(lambda: look(api, stream, index), lambda seen: seen["status"] == "running")
    assert (well["last_error"], well["dropped_windows"]) == (None, 1)


async def test_batches_that_wait_too_long_are_given_up_and_counted(
    api: Api, language: CountingLanguage
) -> None:
    """A language engine that stands still must not fill the memory."""
    stream = await api.connect(**SOUND)
    index = await heard_index(api, stream, "word", 1, prompt="x")
    language.gate.clear()
    await say(api, stream, " ".join(f"w{n}" for n in range(600)), 100, 700)
    language.gate.set()
    await stop(api, stream)
    seen = await look(api, stream, index)
    page = await api.scenes(stream, index, page_size=1000)
    assert len(page) + seen["dropped_windows"] == 600
    assert seen["dropped_windows"] >= 90
    assert page[0]["metadata"]["spoken"] == "w599"


async def test_a_language_engine_that_does_not_load_refuses_the_index(
    api: Api, root: Path, language: CountingLanguage
) -> None:
    """The caller must hear it, not wait for summaries that never come."""
    language.is_loadable = False
    stream = await api.connect("loop.mp4?loop=1", **SOUND)
    body = {**HEARD, "prompt": "Summarise"}
    refused = await api.refused("POST", f"/rtstream/{stream}/index/scene", 503, json=body)
    assert "the endpoint does not answer" in refused["message"]
    listed = await api.call("GET", f"/rtstream/{stream}/index/scene")
    assert listed["scene_indexes"] == []
    index = await api.index(stream, **HEARD, extraction_config=None, prompt=None)
    await api.call("PATCH", f"/rtstream/{stream}/index/scene/{index}", json={"prompt": "Hm?"})
    sick = await until(lambda: look(api, stream, index), lambda seen: seen["status"] == "error")
    assert "the endpoint does not answer" in sick["last_error"]
    language.is_loadable = True
    assert await until(lambda: scenes(api, stream, index))


async def test_an_index_without_a_transcript_starts_one_and_says_so(
    api: Api, engine: BeepEngine
) -> None:
    """On the service such an index stays silent, and nobody knows why."""
    stream = await api.connect("loop.mp4?loop=1", enable_transcript=False, **SOUND)
    path = f"/rtstream/{stream}/index/scene"
    waits = await api.call("POST", path, json={**HEARD, "auto_start_transcript": False})
    assert waits["transcript"] == "not_running"
    assert "stays silent" in waits["note"]
    status = f"/rtstream/{stream}/transcription/status"
    assert (await api.call("GET", status))["status"] == "not_configured"
    made = await api.call("POST", path, json={**HEARD, "auto_start_transcript": True})
    assert made["transcript"] == "started"
    assert "one was started" in made["note"]
    assert made["extraction_config"] == {"segmenter": "word", "segmentation_value": "10"}
    shown = await api.call("GET", status)
    assert (shown["status"], shown["pushed_since"]) == ("running", None)
    third = await api.call("POST", path, json=HEARD)
    assert third["transcript"] == "running"
    assert "note" not in third
    switch = f"/rtstream/{stream}/transcription"
    stopped = await api.call("POST", switch, json={"action": "stop"})
    assert "audio indexes of this stream stay silent" in stopped["note"]


async def test_an_index_needs_sound(api: Api) -> None:
    """An index that never says anything wastes somebody's day."""
    deaf = await api.connect("loop.mp4?loop=1", media_types=["video"])
    silent = await api.connect("silent.mp4?loop=1", **SOUND)
    for stream, why in ((deaf, "'audio' in media_types"), (silent, "no sound")):
        body = await api.refused("POST", f"/rtstream/{stream}/index/scene", 400, json=HEARD)
        assert why in body["message"]


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ({"segmenter": "time"}, {"segmenter": "time", "segmentation_value": "10"}),
        ({"segmenter": "sentence"}, {"segmenter": "sentence", "segmentation_value": "1"}),
        (
            {"segmenter": "word", "segmentation_value": "50"},
            {"segmenter": "word", "segmentation_value": "50"},
        ),
        (
            {"segmenter": "time", "segmentation_value": None},
            {"segmenter": "time", "segmentation_value": "10"},
        ),
    ],
)
async def test_what_is_not_said_has_a_default(
    api: Api, asked: dict[str, Any], made: dict[str, str]
) -> None:
    """The official SDK sends null for what its user left out, and numbers as text."""
    stream = await api.connect(**SOUND)
    index = await api.index(stream, **HEARD, extraction_config=asked)
    seen = await look(api, stream, index)
    assert seen["extraction_config"] == made
    assert seen["name"].startswith("Audio index ")
    assert seen["extraction_type"] == "transcript"


async def test_a_stopped_index_says_what_it_had_and_goes_on_from_there(api: Api) -> None:
    """Stopping an index must not cost the words that were waiting for the next ones."""
    stream = await api.connect(**SOUND)
    index = await heard_index(api, stream, "word", 5)
    other = await heard_index(api, stream, "word", 1)
    path = f"/rtstream/{stream}/index/scene/{index}/status"
    await say(api, stream, "one two", 100, 102)
    assert (await api.call("PATCH", path, json={"action": "stop"}))["status"] == "stopped"
    (first,) = await scenes(api, stream, index)
    assert first["text"] == "one two"
    await say(api, stream, "nobody hears", 103, 105)
    assert (await api.call("PATCH", path, json={"action": "start"}))["status"] == "running"
    assert (await api.call("PATCH", path, json={"action": "start"}))["status"] == "running"
    await say(api, stream, "three", 106, 107)
    await stop(api, stream)
    assert [record["text"] for record in await scenes(api, stream, index)] == [
        "one two",
        "three",
    ]
    assert len(await scenes(api, stream, other)) == 5


async def test_what_a_test_says_is_like_what_an_engine_hears(api: Api, server: LocalServer) -> None:
    """Tests of other programs script speech; it must look like speech."""
    async with ear_of(api) as ear:
        stream = await api.connect(ws_connection_id=ear.id, **SOUND)
        index = await heard_index(api, stream, "time", 10, ws_connection_id=ear.id)
        now = (await look(api, stream, index))["created_at"]
        assert now
        words = [
            {"start": 100.0, "end": 101.0, "text": "so"},
            {"start": 101, "end": 102, "text": "it"},
        ]
        await server.control.add_utterance(stream, "so", 100, 101, is_final=False)
        await server.control.add_utterance(stream, "so it", 100, 102, words=words)
        partial, final = await ear.hear(), await ear.hear()
        assert (partial["data"]["is_final"], partial["data"]["text"]) == (False, "so")
        assert (final["data"]["is_final"], final["data"]["text"]) == (True, "so it")
        assert final["channel"] == "transcript"
        listed = await api.call("GET", f"/rtstream/{stream}/transcription")
        (record,) = listed["transcription_records"]
        assert record["engine"] == "scripted"
        assert [word["word"] for word in record["word_timestamps"]] == ["so", "it"]
        await stop(api, stream)
        audio = await ear.hear()
        assert (audio["channel"], audio["data"]["text"]) == ("audio_index", "so it")
        # A stream that does not run still has a transcript.
        await server.control.add_utterance(stream, "late", 300, 301)
        assert (await ear.hear())["data"]["text"] == "late"
    bad = {"rtstream_id": stream, "text": "x", "words": [{"start": "now"}]}
    await api.refused("POST", "/_local/utterances", 400, json=bad)
    await api.refused(
        "POST", "/_local/utterances", 404, json={"rtstream_id": "rts-nobody", "text": "x"}
    )


async def test_audio_indexes_come_back_after_a_restart(root: Path, tmp_path: Path) -> None:
    """A machine that reboots at night must be listening in the morning."""
    first, second = BeepEngine(), BeepEngine(count=100)
    async with (
        LocalServer(tmp_path, media_root=root, speech=lambda: first) as server,
        api_of(server) as api,
    ):
        stream = await api.connect("loop.mp4?loop=1", **SOUND)
        index = await heard_index(api, stream, "word", 2)
        await until(lambda: scenes(api, stream, index))
    async with (
        LocalServer(tmp_path, media_root=root, speech=lambda: second) as server,
        api_of(server) as api,
    ):
        old = await scenes(api, stream, index)
        spoken = [number for record in old for number in beeps(record["text"])]
        assert spoken[-1] == first.count
        more = await until(
            lambda: scenes(api, stream, index), lambda seen: len(seen) > len(old) + 1
        )
        assert more[: len(old)] == old
        assert beeps(more[len(old)]["text"]) == [101, 102]
