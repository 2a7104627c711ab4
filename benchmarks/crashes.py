"""A server that is killed again and again at work, on one data directory; what is lost is told.

Two streams (a looping file, and a camera over RTMP) are recorded, described, written down, indexed
for search and watched for an event whose webhooks are collected here; short recordings are
exported now and then. The kill comes at a moment drawn by chance.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx

from benchmarks.crash_checks import check_database, due_webhooks, leftovers, rows_and_files_differ
from benchmarks.crash_receiver import Receiver, receiving
from rtstream_async.local.media.publishing import publishing
from tests.local.harness import PATIENCE, Api, until
from tests.media.clips import Clip, make_clip
from tests.media.servers import nginx_rtmp

__all__ = ["Outcome", "run"]

_EVERY = 0.5  # seconds of a scene
_EXPORT_EVERY = 4  # rounds
_LONGEST_WAIT = 0.8  # seconds between what was seen and the kill


@attrs.define
class Outcome:
    """What came of a run."""

    kills: int = 0
    problems: list[str] = attrs.field(factory=list[str])
    back_after: list[float] = attrs.field(factory=list[float])  #: seconds from start to new records
    records: int = 0  #: acknowledged, and found again
    exports: int = 0
    webhooks: int = 0  #: different ones that came
    repeated: int = 0  #: came again

    def row(self) -> Mapping[str, object]:
        """Return the run as a row of a table."""
        return {
            "kills": self.kills,
            "problems": len(self.problems),
            "records kept": self.records,
            "exports": self.exports,
            "webhooks": self.webhooks,
            "sent again": self.repeated,
            "at work again median s": statistics.median(self.back_after),
            "max s": max(self.back_after),
        }


@attrs.define
class _Told:
    """What a client was told, by its place: it must be there for ever."""

    records: dict[str, dict[str, str]] = attrs.field(factory=dict[str, dict[str, str]])
    recorded: dict[str, float] = attrs.field(factory=dict[str, float])  #: seconds
    fired: dict[str, int] = attrs.field(factory=dict[str, int])
    videos: set[str] = attrs.field(factory=set[str])

    def missing(self, now: _Told) -> list[str]:
        """Return what was told, and is not there now."""
        gone = [
            f"{path}: {len(lost)} records are lost"
            for path, kept in self.records.items()
            if (lost := kept.items() - now.records[path].items())
        ]
        for name in ("recorded", "fired"):
            before, after = getattr(self, name), getattr(now, name)
            gone += [
                f"{name} of {id_} shrank" for id_, count in before.items() if after[id_] < count
            ]
        return gone + [f"the video {id_} is lost" for id_ in self.videos - now.videos]


@attrs.define
class _Site:
    """What is at work in the server."""

    streams: list[str] = attrs.field(factory=list[str])
    indexes: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    alerts: dict[str, int] = attrs.field(factory=dict[str, int])  #: and what they begin after
    exported: list[str] = attrs.field(factory=list[str])  #: streams

    async def build(self, api: Api, camera: str, callback: str) -> None:
        """Set everything to work."""
        event = {"event_prompt": "a person", "label": "passer"}
        event_id = (await api.call("POST", "/rtstream/event", json=event))["event_id"]
        for url in ("beeps.mp4?loop=1", camera):
            stream = await api.connect(url, store=True, media_types=["video", "audio"])
            self.streams.append(stream)
            seen = {"time": _EVERY, "frame_count": 1}
            seeing = await api.index(stream, extraction_config=seen)
            heard = {"segmenter": "word", "segmentation_value": 2}
            hearing = await api.index(stream, extraction_type="transcript", extraction_config=heard)
            self.indexes += [(stream, seeing), (stream, hearing)]
            asked = {"event_id": event_id, "callback_url": callback}
            path = f"/rtstream/{stream}/index/{seeing}/alert"
            self.alerts[(await api.call("POST", path, json=asked))["alert_id"]] = 0

    async def look(self, api: Api) -> _Told:
        """Return all that the server tells."""
        told = _Told()
        for stream, index in self.indexes:
            path = f"/rtstream/{stream}/index/scene/{index}"
            told.records[path] = await _all(api, path, "scene_index_records")
            alerts = await api.call("GET", f"/rtstream/{stream}/index/{index}/alert")
            told.fired.update({alert["alert_id"]: alert["fired"] for alert in alerts["alerts"]})
        for stream in self.streams:
            path = f"/rtstream/{stream}/transcription"
            told.records[path] = await _all(api, path, "transcription_records")
            told.recorded[stream] = (await api.stream(stream))["recorded_seconds"]
        told.videos = {video["id"] for video in (await api.call("GET", "/video"))["videos"]}
        return told

    async def newest(self, api: Api) -> dict[str, float]:
        """Return where every kind of record has got to."""
        ends: dict[str, float] = {}
        for stream, index in self.indexes:
            found = await api.scenes(stream, index, page_size=1)
            ends[index] = found[0]["end"] if found else 0.0
        for stream in self.streams:
            ends[stream] = (await api.stream(stream))["recorded_to"] or 0.0
        return ends


async def _all(api: Api, path: str, name: str) -> dict[str, str]:
    records: dict[str, str] = {}
    page = 1
    while True:
        found = await api.call("GET", path, params={"page": page, "page_size": 100})
        records.update({f"{one['start']:.6f}": one["text"] for one in found[name]})
        if not found.get("next_page"):
            return records
        page += 1


async def run(folder: Path, *, rounds: int, seed: int) -> Outcome:
    """Kill the server `rounds` times; return what came of it.

    Args:
        folder: Empty; for media and the server's data.
        rounds: How many times.
        seed: Of the moments of the kills.
    """
    media, data, chance = folder / "media", folder / "data", random.Random(seed)
    media.mkdir()
    make_clip(media / "beeps.mp4", Clip(seconds=3.5, gop=0.5, chirps=(0.3, 0.5, 0.7, 2.0, 2.2)))
    make_clip(media / "short.mp4", Clip(seconds=1.5, gop=0.5))
    outcome, site = Outcome(), _Site()
    async with (
        nginx_rtmp(folder / "nginx") as rtmp,
        publishing(media / "beeps.mp4", f"{rtmp}/door", loop=True),
        receiving() as receiver,
    ):
        told = _Told()
        for number in range(rounds):
            begun = time.monotonic()
            async with _server(data, media) as (api, pid):
                if not site.streams:
                    await site.build(api, f"{rtmp}/door", receiver.url)
                await _await_progress(api, site)
                outcome.back_after.append(time.monotonic() - begun)
                now = await site.look(api)
                outcome.problems += [f"kill {number}: {what}" for what in told.missing(now)]
                exporting = None
                if number % _EXPORT_EVERY == 0:
                    exporting = await _start_export(api, site)
                await asyncio.sleep(chance.random() * _LONGEST_WAIT)
                told = await site.look(api)
                await asyncio.sleep(chance.random() * _LONGEST_WAIT / 10)
                tree = _tree(pid)
                os.kill(pid, signal.SIGKILL)
                if exporting is not None:
                    await asyncio.gather(exporting, return_exceptions=True)
            await _await_end(tree)
            outcome.kills += 1
            outcome.problems += [f"kill {number}: {what}" for what in check_database(data)]
        await _end_in_peace(data, media, site, told, receiver, outcome)
    return outcome


async def _end_in_peace(
    data: Path, media: Path, site: _Site, told: _Told, receiver: Receiver, outcome: Outcome
) -> None:
    """Start the server once more, have all that is due come, stop it, and look at what it left."""
    async with _server(data, media) as (api, pid):
        await _await_progress(api, site)
        now = await site.look(api)
        outcome.problems += told.missing(now)
        videos = {(await _export(api, stream))["video_id"] for stream in site.exported}
        if len(videos) != len(site.exported) or videos != (await site.look(api)).videos:
            outcome.problems.append("exports were lost, or made twice")
        for stream in site.streams:
            await api.call("PATCH", f"/rtstream/{stream}/status", json={"action": "stop"})
        await until(lambda: _waiting(api, site), lambda count: count == 0)
        await _check_search(api, site, outcome)
        now = await site.look(api)
        tree = _tree(pid)
        os.kill(pid, signal.SIGTERM)
        await _await_end([pid, *tree])
    outcome.problems += check_database(data)
    outcome.problems += rows_and_files_differ(data)
    outcome.problems += [f"{name} is left over" for name in leftovers(data)]
    due = due_webhooks(data, site.alerts)
    outcome.problems += [f"the webhook {key} never came" for key in due - receiver.taken.keys()]
    outcome.problems += [f"the webhook {key} was not due" for key in receiver.taken.keys() - due]
    outcome.records = sum(map(len, now.records.values()))
    outcome.exports = len(now.videos)
    outcome.webhooks = len(receiver.taken)
    outcome.repeated = receiver.taken.total() - len(receiver.taken)


async def _await_progress(api: Api, site: _Site) -> None:
    """Return when every recording, index and transcript has got further than it is now."""
    before = await site.newest(api)

    async def is_further() -> bool:
        now = await site.newest(api)
        return all(now[id_] > end for id_, end in before.items())

    await until(is_further)


async def _start_export(api: Api, site: _Site) -> asyncio.Task[Any]:
    """Record a short file to its end, and begin to export it."""
    stream = await api.connect("short.mp4", store=True)
    await until(lambda: api.stream(stream), lambda seen: seen["status"] == "stopped")
    site.exported.append(stream)
    return asyncio.create_task(_export(api, stream))


async def _export(api: Api, stream: str) -> Any:
    return await api.call("POST", f"/rtstream/{stream}/export", json={})


async def _waiting(api: Api, site: _Site) -> int:
    waiting = 0
    for stream, index in site.indexes:
        found = await api.call("GET", f"/rtstream/{stream}/index/{index}/alert")
        waiting += sum(alert["webhooks"]["waiting"] for alert in found["alerts"])
    return waiting


async def _check_search(api: Api, site: _Site, outcome: Outcome) -> None:
    """Note where search does not find what is recorded."""
    for stream, index in site.indexes:
        (newest,) = await api.scenes(stream, index, page_size=1)
        asked = {"query": newest["text"], "scene_index_id": index}
        found = await api.call("POST", f"/rtstream/{stream}/search", json=asked)
        if newest["text"] not in {result["text"] for result in found["results"]}:
            outcome.problems.append(f"{newest['text']!r} is not found in {index}")


@asynccontextmanager
async def _server(data: Path, media: Path) -> AsyncGenerator[tuple[Api, int]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.crash_server", str(data), str(media)),
        cwd=Path(__file__).parents[1],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
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


def _tree(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found += [child, *_tree(child)]
    return found


async def _await_end(processes: Sequence[int]) -> None:
    """Return when they are gone.

    Raises:
        TimeoutError: Some are not.
    """

    async def is_over() -> bool:
        return not any(_runs(pid) for pid in processes)

    await until(is_over)


def _runs(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
