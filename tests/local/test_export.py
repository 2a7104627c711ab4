"""Exports: which recording, once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import pytest_asyncio

from rtstream_async.local import LocalServer
from rtstream_async.local.retention import Retention
from tests.local.harness import Api, api_of, until
from tests.local.recorded import Recorded, child_running, fetched, record, serving
from tests.local.recordings import play
from tests.local.test_crash import server_process
from tests.media.clips import Clip, make_clip
from tests.media.test_export import frames_of

EXPORTER = "rtstream_async.local.media.export"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recorded")
    clip = make_clip(folder / "clip.mp4", Clip(seconds=4, gop=1, bframes=2))
    return await record(folder / "data", clip, name="door")


async def export(api: Api, stream: str, **body: Any) -> dict[str, Any]:
    return await api.call("POST", f"/rtstream/{stream}/export", json=body)


def indexes(path: Path) -> Sequence[int]:
    return [index for _, index in frames_of(path)]


async def test_an_export_is_the_recording_from_its_first_picture_on(
    recorded: Recorded, tmp_path: Path
) -> None:
    """The whole point: what was seen live is there tomorrow."""
    async with serving(recorded, tmp_path / "data") as (_, api):
        made = await export(api, recorded.stream)
        assert made["video_id"].startswith("m-")
        assert made["name"] == "door - Recording"
        assert made["duration"] == pytest.approx(recorded.seconds, abs=0.1)
        assert made["is_whole"] is True
        film = await fetched(made["download_url"], tmp_path / "made.mp4")
        assert indexes(film) == list(range(100))
        assert (await play(made["stream_url"])).frames == list(range(100))
        assert (await api.stream(recorded.stream))["exported_asset_id"] == made["video_id"]


async def test_an_export_that_is_asked_for_again_is_the_same_video(
    recorded: Recorded, tmp_path: Path
) -> None:
    """A client that lost the answer asks again; it must not get a second copy."""
    async with serving(recorded, tmp_path / "data") as (_, api):
        first = await export(api, recorded.stream, name="Standup")
        both = await asyncio.gather(*(export(api, recorded.stream, name="x") for _ in range(3)))
        assert {made["video_id"] for made in both} == {first["video_id"]}
        assert {made["name"] for made in both} == {"Standup"}
        assert len((await api.call("GET", "/video"))["videos"]) == 1


async def test_exports_at_the_same_time_make_one_video(recorded: Recorded, tmp_path: Path) -> None:
    """Two tabs, one button each."""
    async with serving(recorded, tmp_path / "data") as (_, api):
        both = await asyncio.gather(*(export(api, recorded.stream) for _ in range(4)))
        assert len({made["video_id"] for made in both}) == 1


async def test_each_start_begins_a_recording_of_its_own(tmp_path: Path) -> None:
    """The service promises the latest recording, not all that ever was."""
    make_clip(tmp_path / "clip.mp4", Clip(seconds=2, gop=0.4))
    async with LocalServer(tmp_path / "data", media_root=tmp_path) as server, api_of(server) as api:
        stream = await api.connect("clip.mp4", store=True)

        async def stopped() -> dict[str, Any]:
            return await until(lambda: api.stream(stream), lambda seen: seen["status"] == "stopped")

        await stopped()
        first = await export(api, stream)
        status = f"/rtstream/{stream}/status"
        (tmp_path / "clip.mp4").rename(tmp_path / "away.mp4")
        await api.refused("PATCH", status, 400, json={"action": "start"})
        assert (await export(api, stream))["video_id"] == first["video_id"]
        make_clip(tmp_path / "clip.mp4", Clip(seconds=1, gop=0.4, first_index=500))
        await api.call("PATCH", status, json={"action": "start"})
        await stopped()
        second = await export(api, stream)
        assert second["video_id"] != first["video_id"]
        assert second["duration"] == pytest.approx(1, abs=0.1)
        film = await fetched(second["download_url"], tmp_path / "made.mp4")
        assert indexes(film) == list(range(500, 525))
        old = await api.call("GET", f"/video/{first['video_id']}")
        assert float(old["length"]) == pytest.approx(2, abs=0.1)


async def test_an_export_during_the_stop_has_the_last_seconds_too(tmp_path: Path) -> None:
    """The end of a meeting is where the decisions are."""
    make_clip(tmp_path / "clip.mp4", Clip(seconds=4, gop=4))
    async with LocalServer(tmp_path / "data", media_root=tmp_path) as server, api_of(server) as api:
        stream = await api.connect("clip.mp4?loop=1", store=True)
        await until(lambda: api.stream(stream), lambda seen: seen["recorded_seconds"] > 1)
        path = f"/rtstream/{stream}/status"
        stopping = asyncio.create_task(api.call("PATCH", path, json={"action": "stop"}))

        async def exported() -> dict[str, Any]:
            return (await api.http.post(f"/rtstream/{stream}/export", json={})).json()

        made = await until(exported, lambda body: body["success"])
        await stopping
        recorded = (await api.stream(stream))["recorded_seconds"]
        assert made["data"]["duration"] == pytest.approx(recorded, abs=0.1)
        assert (await export(api, stream))["video_id"] == made["data"]["video_id"]


async def test_what_can_not_be_exported_is_refused_with_the_reason(tmp_path: Path) -> None:
    """Each of these is a mistake that a user can put right, once it is named."""
    make_clip(tmp_path / "clip.mp4", Clip(seconds=2, gop=0.4))
    async with LocalServer(media_root=tmp_path, control=True) as server, api_of(server) as api:
        running = await api.connect("clip.mp4?loop=1", store=True)
        rolling = await api.connect("clip.mp4?loop=1", store=False)
        empty = await api.connect(store=True)
        path = "/rtstream/{}/export"
        body = await api.refused("POST", path.format(running), 400, json={})
        assert "stop" in body["message"]
        for stream in (rolling, empty):
            await api.call("PATCH", f"/rtstream/{stream}/status", json={"action": "stop"})
        body = await api.refused("POST", path.format(rolling), 400, json={})
        assert "store=True" in body["message"]
        body = await api.refused("POST", path.format(empty), 400, json={})
        assert "nothing" in body["message"]
        await api.refused("POST", path.format("rts-nobody"), 404, json={})
        await api.refused("POST", path.format(empty), 400, json={"nmae": "x"})


async def test_sound_alone_is_exported_as_an_audio(tmp_path: Path) -> None:
    """The service gives it an `a-` id, and nothing to watch."""
    clip = make_clip(tmp_path / "mic.mp4", Clip(seconds=3, video=None))
    made_of = await record(tmp_path / "data", clip, media_types=["audio"])
    async with serving(made_of) as (_, api):
        made = await export(api, made_of.stream)
        assert made["video_id"].startswith("a-")
        assert made["stream_url"] is None
        assert made["player_url"] is None
        assert made["duration"] == pytest.approx(3, abs=0.1)
        audio = await api.call("GET", f"/audio/{made['video_id']}")
        assert float(audio["length"]) == pytest.approx(3, abs=0.1)
        assert [one["id"] for one in (await api.call("GET", "/audio"))["audios"]] == [audio["id"]]
        assert (await api.call("GET", "/video"))["videos"] == []
        url = await api.call("POST", f"/audio/{audio['id']}/generate_url")
        async with httpx.AsyncClient() as http:
            answer = await http.get(url["signed_url"])
        assert answer.headers["content-type"] == "audio/mp4"
        await api.refused("POST", f"/video/{audio['id']}/stream", 400, json={"timeline": None})
        await api.call("DELETE", f"/audio/{audio['id']}")
        await api.refused("GET", f"/audio/{audio['id']}", 404)


async def test_an_exported_video_outlives_its_recording(recorded: Recorded, tmp_path: Path) -> None:
    """To save a recording from the quota is what exports are for."""
    async with serving(recorded, tmp_path / "data") as (server, api):
        made = await export(api, recorded.stream)
        full = attrs.evolve(server._up._settings, quota_bytes=0)
        await Retention(full, server._up._store).sweep()
        assert list((tmp_path / "data/segments" / recorded.stream).iterdir()) == []
        assert (await play(made["stream_url"])).frames == list(range(100))
        assert (await export(api, recorded.stream))["video_id"] == made["video_id"]


def evict(recorded: Recorded, count: int) -> None:
    """Take the oldest files, as the quota does."""
    with closing(sqlite3.connect(recorded.data / "rtstream.db")) as db, db:
        rows = db.execute("SELECT file, end_us FROM segments ORDER BY start_us LIMIT ?", (count,))
        for file, end_us in rows.fetchall():
            db.execute("DELETE FROM segments WHERE file = ?", (file,))
            db.execute("UPDATE streams SET evicted_to_us = ?", (end_us,))
            (recorded.data / "segments" / recorded.stream / file).unlink()


async def test_what_the_quota_left_of_a_recording_is_exported_and_said(
    recorded: Recorded, tmp_path: Path
) -> None:
    """Half a recording is better than none, but must not pass for a whole one."""
    mine = recorded.copy(tmp_path / "data")
    evict(mine, 1)
    async with serving(mine) as (_, api):
        response = await api.http.post(f"/rtstream/{mine.stream}/export", json={})
        body = response.json()
        assert "left" in body["message"]
        assert body["data"]["is_whole"] is False
        assert body["data"]["duration"] == pytest.approx(recorded.seconds - 2, abs=0.1)
        film = await fetched(body["data"]["download_url"], tmp_path / "made.mp4")
        assert indexes(film) == list(range(50, 100))


async def test_a_recording_of_which_nothing_is_left_is_refused(
    recorded: Recorded, tmp_path: Path
) -> None:
    """To say that nothing was recorded would send the user looking for a fault in the camera."""
    mine = recorded.copy(tmp_path / "data")
    evict(mine, 100)
    async with serving(mine) as (_, api):
        body = await api.refused("POST", f"/rtstream/{mine.stream}/export", 400, json={})
        assert body["error_code"] == "RECORDING_DELETED"


async def test_a_long_export_is_answered_later(recorded: Recorded, tmp_path: Path) -> None:
    """The official SDK gives up on a request after 30 seconds, and polls what says so."""
    async with serving(recorded, tmp_path / "data", job_patience=0) as (_, api):
        response = await api.http.post(f"/rtstream/{recorded.stream}/export", json={})
        body = response.json()
        assert (body["success"], body["status"], body["request_type"]) == (
            True,
            "processing",
            "sync",
        )
        assert 0 <= body["data"]["percentage"] <= 100
        url = body["data"]["output_url"]
        assert url == f"{api.http.base_url}/async-response/{body['data']['id']}".replace(
            "//a", "/a"
        )

        async def look() -> dict[str, Any]:
            return (await api.http.get(url)).json()

        seen = await until(look, lambda seen: seen["status"] != "processing")
        assert seen["status"] == "done"
        assert seen["data"]["video_id"].startswith("m-")
        again = await export(api, recorded.stream)
        assert again["video_id"] == seen["data"]["video_id"]
        job = (await api.http.get(f"/job/{body['data']['id']}")).json()
        assert (job["status"], job["data"]["job_type"]) == ("done", "export")
        await api.refused("GET", "/async-response/job-nothing", 404)
        await api.refused("GET", "/job/job-nothing", 404)


async def test_a_process_that_dies_is_started_once_more(recorded: Recorded, tmp_path: Path) -> None:
    """The system ends processes when memory is short; that is no reason to lose an export."""
    async with serving(recorded, tmp_path / "data") as (_, api):
        asking = asyncio.create_task(export(api, recorded.stream))
        os.kill(await child_running(EXPORTER, os.getpid()), signal.SIGKILL)
        made = await asking
        film = await fetched(made["download_url"], tmp_path / "made.mp4")
        assert indexes(film) == list(range(100))


async def test_an_export_that_fails_says_why_and_can_be_tried_again(
    recorded: Recorded, tmp_path: Path
) -> None:
    """A failure must leave neither half a video nor a stream that can't be exported."""
    async with serving(recorded, tmp_path / "data", job_patience=0) as (_, api):
        response = await api.http.post(f"/rtstream/{recorded.stream}/export", json={})
        url = response.json()["data"]["output_url"]
        victims = set()
        while len(victims) < 2:
            victim = await child_running(EXPORTER, os.getpid())
            os.kill(victim, signal.SIGKILL)
            victims.add(victim)

        async def look() -> dict[str, Any]:
            return (await api.http.get(url)).json()

        seen = await until(look, lambda seen: seen["status"] != "processing")
        assert (seen["success"], seen["status"]) == (False, "failed")
        assert "signal 9" in seen["message"]
        assert list((tmp_path / "data/assets").iterdir()) == []
        assert "exported_asset_id" not in await api.stream(recorded.stream)
        again = (await api.http.post(f"/rtstream/{recorded.stream}/export", json={})).json()
        url = again["data"]["output_url"]
        seen = await until(look, lambda seen: seen["status"] != "processing")
        assert seen["data"]["duration"] == pytest.approx(recorded.seconds, abs=0.1)


async def test_an_export_goes_on_after_a_crash_of_the_server(
    recorded: Recorded, tmp_path: Path
) -> None:
    """Whoever was told "later" must find the video there, later."""
    mine = recorded.copy(tmp_path / "data")
    async with server_process(mine.data, tmp_path) as (api, pid):
        asking = asyncio.create_task(api.http.post(f"/rtstream/{mine.stream}/export", json={}))
        child = await child_running(EXPORTER, pid)
        os.kill(child, signal.SIGSTOP)
        job = await until(lambda: asyncio.to_thread(job_of, mine.data))
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(httpx.HTTPError):
            await asking
        os.kill(child, signal.SIGKILL)
    evict(mine, 1)  # what was kept for the export is kept, whatever happens to the recording
    stray = mine.data / "assets" / "0"
    stray.mkdir()
    async with serving(mine) as (_, api):

        async def look() -> dict[str, Any]:
            return (await api.http.get(f"/async-response/{job}")).json()

        seen = await until(look, lambda seen: seen["status"] != "processing")
        assert seen["status"] == "done", seen
        film = await fetched(seen["data"]["download_url"], tmp_path / "made.mp4")
        assert indexes(film) == list(range(100))
        video = seen["data"]["video_id"]
        assert [path.name for path in (mine.data / "assets").iterdir()] == [video[2:]]
        assert not list((mine.data / "assets").glob("*/*.part"))
        assert (await api.stream(mine.stream))["exported_asset_id"] == video


def job_of(data: Path) -> str | None:
    """The job on disk; the server holds the database, so its files are copied first."""
    for name in ("rtstream.db", "rtstream.db-wal"):
        source = data / name
        if source.exists():
            (data.parent / f"copy-{name}").write_bytes(source.read_bytes())
    (data.parent / "copy-rtstream.db-wal").rename(data.parent / "copy.db-wal")
    (data.parent / "copy-rtstream.db").rename(data.parent / "copy.db")
    with closing(sqlite3.connect(data.parent / "copy.db")) as db:
        row = db.execute("SELECT id FROM jobs").fetchone()
    return None if row is None else str(row[0])


async def test_a_recording_that_goes_on_after_a_restart_is_one(tmp_path: Path) -> None:
    """The user has started it once; that the server was restarted is nothing to them."""
    make_clip(tmp_path / "clip.mp4", Clip(seconds=4, gop=0.4))
    data = tmp_path / "data"
    async with server_process(data, tmp_path) as (api, pid):
        stream = await api.connect("clip.mp4?loop=1", store=True)
        await until(lambda: api.stream(stream), lambda seen: seen["recorded_seconds"] > 2.2)
        os.kill(pid, signal.SIGKILL)
    async with LocalServer(data, media_root=tmp_path) as server, api_of(server) as api:
        before = (await api.stream(stream))["recorded_seconds"]
        await until(
            lambda: api.stream(stream), lambda seen: seen["recorded_seconds"] > before + 2.2
        )
        await api.call("PATCH", f"/rtstream/{stream}/status", json={"action": "stop"})
        whole = (await api.stream(stream))["recorded_seconds"]
        made = await export(api, stream)
        assert made["duration"] == pytest.approx(whole, abs=0.1)
        video = await api.call("GET", f"/video/{made['video_id']}")
        assert len(video["pieces"]) == 2  # the time without a server is closed up
        assert video["pieces"][1]["start"] == pytest.approx(video["pieces"][0]["end"])
        gap = video["pieces"][1]["recorded_from"] - video["pieces"][0]["recorded_to"]
        assert gap > 0.05


async def test_a_reset_leaves_no_videos(recorded: Recorded, tmp_path: Path) -> None:
    """Each test of a user begins with an empty server."""
    options = {"control": True, "job_patience": 0}
    async with serving(recorded, tmp_path / "data", **options) as (server, api):
        await api.http.post(f"/rtstream/{recorded.stream}/export", json={})
        os.kill(await child_running(EXPORTER, os.getpid()), signal.SIGSTOP)
        await server.control.reset()
        assert (await api.call("GET", "/video"))["videos"] == []
        assert list((tmp_path / "data/assets").iterdir()) == []


async def test_a_reset_deletes_videos(recorded: Recorded, tmp_path: Path) -> None:
    """Also those that are done."""
    async with serving(recorded, tmp_path / "data", control=True) as (server, api):
        await export(api, recorded.stream)
        await server.control.reset()
        assert (await api.call("GET", "/video"))["videos"] == []
        assert list((tmp_path / "data/assets").iterdir()) == []
