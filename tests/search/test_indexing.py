"""Vectors come in the background, and whatever happens to them, search answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from rtstream_async.local.datadir import DATABASE
from tests.local.harness import PATIENCE, Api, until
from tests.search.engines import IdeaEngine
from tests.search.site import EPOCH, Site, site


def vectors(data: Path) -> list[bytes | None]:
    """Return the vectors that a server has left, one for each document."""
    with contextlib.closing(sqlite3.connect(data / DATABASE)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [row[0] for row in db.execute("SELECT vector FROM documents ORDER BY number")]


async def test_a_record_is_found_by_meaning_at_once(here: Site) -> None:
    """Who looks for what has just happened must not be told that it has not."""
    stream, _ = await here.stream("an empty street")
    await here.search(stream, "street")
    for text in ("flames at the gate", "a hound runs", "a woman waits"):
        await here.tell(stream, text)
    for query, text in (
        ("burning", "flames at the gate"),
        ("puppy", "a hound runs"),
        ("man", "a woman waits"),
    ):
        answer = await here.search(stream, query)
        assert answer["results"][0]["text"] == text
        assert answer["warnings"] == []


async def test_records_are_embedded_though_nobody_searches(here: Site) -> None:
    """The first search must not wait for a day's records."""
    await here.stream("a dog", "a cat")
    await until(lambda: asyncio.sleep(0, {"a dog", "a cat"} <= set(here.engine.passages)))


async def test_each_record_is_embedded_once(here: Site) -> None:
    """An endpoint is paid for by the text."""
    stream, _ = await here.stream("a dog", "a cat")
    for _ in range(3):
        await here.search(stream, "dog")
    await here.tell(stream, "a bird")
    await here.search(stream, "dog")
    told = [text for text in here.engine.passages if text.startswith("a ")]
    assert sorted(text for text in told if len(text) < 10) == ["a bird", "a cat", "a dog"]


async def test_a_question_that_is_asked_again_is_not_embedded_again(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looks for something asks again, with another limit; half of the time is its vector."""
    monkeypatch.setattr("rtstream_async.local.search.library._REMEMBERED", 2)
    stream, _ = await here.stream("a hound", "a fire")
    for query in ("puppy", "burning", "puppy"):
        assert (await here.search(stream, query))["results"]
    assert here.engine.queries == ["puppy", "burning"]
    for query in ("vehicle", "puppy", "burning"):
        await here.search(stream, query, result_threshold=1)
    assert here.engine.queries == ["puppy", "burning", "vehicle", "burning"]


async def test_without_the_engine_words_are_found_and_it_is_said(
    here: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """An endpoint that is down must not take search with it, nor make it silently worse."""
    here.engine.illness = "out of credit"
    stream, _ = await here.stream("a dog barks", "flames")
    with caplog.at_level(logging.WARNING):
        answer = await here.search(stream, "dog burning")
    assert [hit["text"] for hit in answer["results"]] == ["a dog barks"]
    assert answer["degraded"] is True
    (warning,) = answer["warnings"]
    assert warning["code"] == "words_only"
    assert "out of credit" in warning["message"]


async def test_an_engine_that_can_not_be_loaded_is_named(here: Site) -> None:
    """`[ai]` may not be installed."""
    here.engine.is_loadable = False
    stream, _ = await here.stream("a dog barks")
    answer = await here.search(stream, "dogs")
    assert [hit["text"] for hit in answer["results"]] == ["a dog barks"]
    assert "the model is missing" in answer["warnings"][0]["message"]


async def test_an_engine_that_comes_back_is_used_again(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody restarts a server because an endpoint was down for a minute."""
    monkeypatch.setattr("rtstream_async.local.search.library._PAUSE", 0.05)
    here.engine.illness = "overloaded"
    stream, _ = await here.stream("a hound barks")
    assert (await here.search(stream, "puppy"))["degraded"] is True
    here.engine.illness = None
    answer = await here.settled(stream, "puppy")
    assert [hit["text"] for hit in answer["results"]] == ["a hound barks"]


async def test_an_engine_that_failed_is_left_alone_for_a_moment(here: Site) -> None:
    """Every search would wait for the same time-out."""
    here.engine.illness = "timed out"
    stream, _ = await here.stream("a dog")
    await here.search(stream, "dog")
    here.engine.illness = None
    answer = await here.search(stream, "dog")
    assert answer["degraded"] is True
    assert "timed out" in answer["warnings"][0]["message"]


async def test_an_engine_that_hangs_does_not_hang_search(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search page that never answers is worse than one with fewer results."""
    monkeypatch.setattr("rtstream_async.local.search.search._ENGINE_PATIENCE", 0.05)
    here.engine.gate.clear()
    stream, _ = await here.stream("a dog")
    answer = await here.search(stream, "dog")
    assert [hit["text"] for hit in answer["results"]] == ["a dog"]
    assert "not answered for 0.05 s" in answer["warnings"][0]["message"]
    here.engine.gate.set()


async def test_a_search_does_not_wait_for_ever_for_what_is_new(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be embedded in time is found by its words, and that is said."""
    stream, _ = await here.stream("a dog")
    await here.search(stream, "dog")
    monkeypatch.setattr("rtstream_async.local.search.search._FRESH_PATIENCE", 0.05)
    slow = here.engine.embed

    async def embed(texts: Any, *, kind: Any) -> Any:
        if kind == "passage":
            await asyncio.Event().wait()
        return await slow(texts, kind=kind)

    monkeypatch.setattr(IdeaEngine, "embed", lambda _, texts, kind: embed(texts, kind=kind))
    await here.tell(stream, "a hound barks")
    answer = await here.search(stream, "hound barks")
    assert "a hound barks" in [hit["text"] for hit in answer["results"]]
    (warning,) = answer["warnings"]
    assert warning["code"] == "not_indexed_yet"
    assert warning["message"].startswith("1 records here")
    assert answer["degraded"] is False


async def test_an_engine_that_breaks_its_contract_ends_nothing(
    here: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An engine of one's own has mistakes in it at first; streams must go on."""

    async def embed(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr("rtstream_async.local.search.indexer._GATHER", 0.01)
    monkeypatch.setattr(IdeaEngine, "embed", embed)
    stream, _ = await here.stream("a dog")
    await until(lambda: asyncio.sleep(0, "a mistake" in caplog.text))
    await here.api.refused("POST", f"/rtstream/{stream}/search", 500, json={"query": "dog"})
    monkeypatch.undo()
    answer = await here.settled(stream, "puppy")
    assert [hit["text"] for hit in answer["results"]] == ["a dog"]


async def test_a_text_that_can_not_be_embedded_does_not_stop_the_others(
    here: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """One odd record must not keep all later ones from being found."""
    here.engine.poison = "cursed"
    stream, _ = await here.stream("a hound", "a cursed amulet", "an automobile")
    answer = await here.settled(stream, "puppy")
    assert answer["results"][0]["text"] == "a hound"
    assert (await here.texts(stream, "vehicle"))[0] == "an automobile"
    assert (await here.texts(stream, "amulet"))[0] == "a cursed amulet"
    assert "found by its words alone" in caplog.text


async def test_what_is_deleted_is_not_found_and_leaves_memory(here: Site) -> None:
    """A deleted stream must be gone, also where it was the best answer."""
    stream, _ = await here.stream(*["a dog"] * 300)
    await here.search(stream, "dog")
    await here.server.control.reset()
    other, _ = await here.stream("some dog there")
    assert await here.texts(None, "dog") == ["some dog there"]
    running: Any = here.server._running
    assert len(running._search._library._shelf) == 1
    await here.api.refused("POST", f"/rtstream/{stream}/search", 404, json={"query": "dog"})
    assert await here.texts(other, "dog") == ["some dog there"]


async def test_what_was_embedded_is_not_embedded_again_after_a_restart(tmp_path: Path) -> None:
    """A day's records take minutes, and money where there is an endpoint."""
    async with site(tmp_path) as before:
        stream, _ = await before.stream("a hound barks", "flames")
        await before.settled(stream, "dog")
    async with site(tmp_path) as after:
        assert await after.texts(stream, "puppy") == ["a hound barks"]
        assert "a hound barks" not in after.engine.passages


async def test_another_engine_embeds_everything_anew(tmp_path: Path) -> None:
    """Vectors of different models can't be compared; old ones would give nonsense."""
    async with site(tmp_path) as before:
        stream, _ = await before.stream("a hound barks", "flames")
        await before.settled(stream, "dog")
    async with site(tmp_path, engine=IdeaEngine(name="other", size=512)) as after:
        answer = await after.settled(stream, "puppy")
        assert answer["results"][0]["text"] == "a hound barks"
        assert set(after.engine.passages) >= {"a hound barks", "flames"}


async def test_old_records_do_not_keep_a_search_waiting(tmp_path: Path) -> None:
    """After an update there may be a month of them; each search would wait for its patience."""
    broken = IdeaEngine(illness="not yet")
    async with site(tmp_path, engine=broken) as before:
        stream, _ = await before.stream(*["a hound barks"] * 50)
    slow = IdeaEngine()

    class Slow(IdeaEngine):
        async def embed(self, texts: Any, *, kind: Any) -> Any:
            if kind == "passage" and texts[0] == "a hound barks":
                await self.gate.wait()
            return await slow.embed(texts, kind=kind)

    engine = Slow()
    engine.gate.clear()
    async with site(tmp_path, engine=engine) as after:
        answer = await after.search(stream, "hound")
        assert answer["warnings"][0]["message"].startswith("50 records here")
        assert len(answer["results"]) == 10
        engine.gate.set()
        await after.settled(stream, "hound")


async def test_vectors_of_another_size_take_the_place_of_those_before(here: Site) -> None:
    """An endpoint's model may change behind its name."""
    stream, _ = await here.stream("a dog")
    await here.search(stream, "dog")
    here.engine.size = 1000
    answer = await here.settled(stream, "puppy")
    assert [hit["text"] for hit in answer["results"]] == ["a dog"]
    assert here.engine.passages.count("a dog") == 2


SERVER = """
import asyncio, json, sys
from rtstream_async.local import LocalServer
from tests.search.engines import IdeaEngine

class Slow(IdeaEngine):
    async def embed(self, texts, *, kind):
        await asyncio.sleep(0.02)
        return await super().embed(texts, kind=kind)

async def main():
    server = LocalServer(sys.argv[1], control=True, embedding=Slow)
    await server.start()
    print(json.dumps([server.url, server.api_key]), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("seconds", [0.0, 0.3, 1.2])
async def test_a_killed_server_goes_on_where_it_was(tmp_path: Path, seconds: float) -> None:
    """A power cut while records are embedded must lose none and spoil none."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER, str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    told: list[str] = []
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            url, key = json.loads(await process.stdout.readline())
        headers = {"x-access-token": key}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE) as http:
            api = Api(http)
            stream = await api.connect()
            await api.index(stream)
            for number in range(60):
                body = {"rtstream_id": stream, "text": f"hound number{number}", "start": EPOCH}
                await api.call("POST", "/_local/scenes", json={**body, "end": EPOCH + 1})
                told.append(body["text"])
            search = asyncio.create_task(
                http.post(f"/rtstream/{stream}/search", json={"query": "dog"})
            )
            await asyncio.sleep(seconds)
            os.kill(process.pid, signal.SIGKILL)
            await asyncio.wait({search})
            search.exception()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    left = vectors(tmp_path)
    assert len(left) == len(told)
    done = sum(vector is not None for vector in left)
    async with site(tmp_path) as after:
        await after.settled(stream, "dog")
        found = await after.texts(stream, "puppy", result_threshold=100)
        assert sorted(found) == sorted(told)
        again = [text for text in after.engine.passages if text in told]
        assert len(again) == len(told) - done
    assert all(vectors(tmp_path))
