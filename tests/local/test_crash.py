"""Crashes: of the server, by kill -9, and of an ingest. What was recorded stays playable."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from rtstream_async.local import LocalServer
from rtstream_async.local.domain.cutting import parse_segment_name
from tests.local.engines import BeepEngine, PixelEngine, beeps
from tests.local.harness import PATIENCE, Api, api_of, until
from tests.local.recordings import play
from tests.media.clips import Clip, make_clip

SERVER = """
import asyncio, json, sys
from rtstream_async.local import LocalServer
from tests.local.engines import BeepEngine, PixelEngine

async def main():
    server = LocalServer(
        sys.argv[1], media_root=sys.argv[2], vision=PixelEngine, speech=BeepEngine
    )
    await server.start()
    print(json.dumps([server.url, server.api_key]), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    make_clip(folder / "loop.mp4", Clip(seconds=4, gop=0.4))
    chirps = (0.3, 0.5, 0.7, 2.0, 2.2)
    make_clip(folder / "beeps.mp4", Clip(seconds=3.5, gop=0.5, chirps=chirps))
    return folder


@asynccontextmanager
async def server_process(data: Path, root: Path) -> AsyncIterator[tuple[Api, int]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER, str(data), str(root)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            url, key = json.loads(await process.stdout.readline())
        headers = {"x-access-token": key}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE) as http:
            yield Api(http), process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def rows_and_files(data: Path, stream: str) -> tuple[set[str], set[str]]:
    db = sqlite3.connect(data / "rtstream.db")
    with contextlib.closing(db):
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = {row[0] for row in db.execute("SELECT file FROM segments")}
    files = {path.name for path in (data / "segments" / stream).iterdir()}
    return rows, files


@pytest.mark.parametrize("recorded", [0.0, 1.5])
async def test_a_killed_server_loses_nothing_that_it_told(
    tmp_path: Path, root: Path, recorded: float
) -> None:
    """A power cut is when the recording is needed."""
    data = tmp_path / "data"
    async with server_process(data, root) as (api, pid):
        stream = await api.connect("loop.mp4?loop=1", store=True)
        fast = {"extraction_config": {"time": 0.5, "frame_count": 1}}
        index = await api.index(stream, **fast)
        scenes = await until(lambda: api.scenes(stream, index))
        told = await until(
            lambda: api.stream(stream), lambda seen: seen["recorded_seconds"] >= recorded
        )
        os.kill(pid, signal.SIGKILL)
    async with (
        LocalServer(data, media_root=root, vision=PixelEngine) as server,
        api_of(server) as api,
    ):
        after = await until(
            lambda: api.stream(stream),
            lambda seen: seen["recorded_seconds"] > told["recorded_seconds"] + 1,
        )
        assert after["status"] == "connected"
        found = await api.scenes(stream, index)
        assert [scene["start"] for scene in scenes] == [
            scene["start"] for scene in found[-len(scenes) :]
        ]
        urls = await api.call("GET", f"/rtstream/{stream}/stream")
        played = await play(urls["stream_url"])
        assert len(played.frames) >= 25 * told["recorded_seconds"]
    rows, files = rows_and_files(data, stream)
    assert rows == files
    spans = sorted(span for name in files if (span := parse_segment_name(name)))
    for before, later in itertools.pairwise(spans):
        assert before[1] <= later[0] + 1e-6


async def test_a_killed_server_keeps_what_was_said_and_goes_on_listening(
    tmp_path: Path, root: Path
) -> None:
    """Half a meeting is written down; the other half was said after the power cut."""
    data = tmp_path / "data"
    async with server_process(data, root) as (api, pid):
        stream = await api.connect("beeps.mp4?loop=1", media_types=["audio", "video"])
        config = {"segmenter": "word", "segmentation_value": 2}
        heard = {"extraction_type": "transcript", "extraction_config": config}
        index = await api.index(stream, **heard)
        told = await until(lambda: said(api, stream), lambda seen: len(seen) >= 2)
        made = await until(lambda: api.scenes(stream, index))
        os.kill(pid, signal.SIGKILL)
    after = BeepEngine(count=100)
    async with (
        LocalServer(data, media_root=root, vision=PixelEngine, speech=lambda: after) as server,
        api_of(server) as api,
    ):
        status = await api.call("GET", f"/rtstream/{stream}/transcription/status")
        assert status["status"] == "running"
        later = await until(
            lambda: said(api, stream), lambda seen: beeps(seen[-1]["text"])[-1] > 103
        )
        assert later[: len(told)] == told
        new = [record for record in later if beeps(record["text"])[0] > 100]
        assert new[0]["start"] > told[-1]["end"]
        scenes = await until(
            lambda: api.scenes(stream, index), lambda seen: len(seen) > len(made) + 1
        )
        kept = scenes[-len(made) :]
        assert [scene["text"] for scene in kept] == [scene["text"] for scene in made]
        assert beeps(scenes[0]["text"])[0] > 100
    db = sqlite3.connect(data / "rtstream.db")
    with contextlib.closing(db):
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def said(api: Api, stream: str) -> list[dict[str, Any]]:
    page = await api.call("GET", f"/rtstream/{stream}/transcription")
    return page["transcription_records"]


async def test_files_without_rows_and_rows_without_files_are_put_right(
    tmp_path: Path, root: Path
) -> None:
    """Between the renaming of a file and its row lies one moment; somebody deletes files."""
    async with LocalServer(tmp_path, media_root=root) as server, api_of(server) as api:
        stream = await api.connect("loop.mp4", store=True)
        record = await until(lambda: api.stream(stream), lambda seen: seen["status"] == "stopped")
    folder = tmp_path / "segments" / stream
    files = sorted(folder.iterdir())
    assert len(files) >= 2
    db = sqlite3.connect(tmp_path / "rtstream.db")
    with contextlib.closing(db), db:
        db.execute("DELETE FROM segments WHERE file = ?", (files[0].name,))
    files[-1].unlink()
    stray = tmp_path / "segments" / "rts-nobody"
    stray.mkdir()
    (stray / "1-2.ts").write_bytes(b"x")
    async with LocalServer(tmp_path, media_root=root) as server, api_of(server) as api:
        after = await api.stream(stream)
        assert after["recorded_from"] == record["recorded_from"]
        assert after["recorded_to"] < record["recorded_to"]
        urls = await api.call("GET", f"/rtstream/{stream}/stream")
        assert (await play(urls["stream_url"])).frames[0] == 0
    assert not stray.exists()


async def test_a_stream_that_was_never_answered_is_forgotten(tmp_path: Path) -> None:
    """The client got no id, so it would never be found, and record for ever."""
    async with LocalServer(tmp_path, control=True) as server, api_of(server) as api:
        half, loose, good = [await api.connect() for _ in range(3)]
    db = sqlite3.connect(tmp_path / "rtstream.db")
    with contextlib.closing(db), db:
        set_ = "UPDATE streams SET wanted = 0, status = ? WHERE id = ?"
        db.executemany(set_, [("connecting", half), ("connected", loose)])
    async with LocalServer(tmp_path, control=True) as server, api_of(server) as api:
        await api.refused("GET", f"/rtstream/{half}", 404)
        assert (await api.stream(loose))["status"] == "stopped"
        await until(lambda: api.stream(good), lambda seen: seen["status"] == "connected")


async def test_a_killed_ingest_is_started_again_and_shows(
    tmp_path: Path, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A native crash in one camera's decoder is that camera's trouble alone."""
    async with (
        LocalServer(tmp_path, media_root=root, vision=PixelEngine) as server,
        api_of(server) as api,
    ):
        stream, other = [await api.connect("loop.mp4?loop=1") for _ in range(2)]
        (victim,) = _workers(server, stream)
        os.kill(victim, signal.SIGSEGV)
        await until(lambda: api.stream(stream), lambda seen: seen["reconnects"] == 1)
        assert "signal 11" in caplog.text
        back = await until(lambda: api.stream(stream), lambda seen: seen["status"] == "connected")
        assert back["last_error"] is None
        assert (await api.stream(other))["reconnects"] == 0


def _workers(server: LocalServer, stream: str) -> list[int]:
    director: Any = server._up._director
    live = director.live(stream)
    return [live._ingest._child.pid]
