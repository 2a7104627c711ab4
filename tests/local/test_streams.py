"""Streams of real media: recorded, described, played back, or refused in plain words."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from rtstream_async.local import LocalServer
from rtstream_async.local.media.publishing import publishing
from tests.local.engines import PixelEngine, numbers
from tests.local.harness import Api, api_of, ear_of, until
from tests.local.recordings import play
from tests.media.clips import Clip, make_clip
from tests.media.servers import free_port

FAST = {"extraction_config": {"time": 1, "frame_count": 5}}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media") / "root"
    folder.mkdir()
    make_clip(folder / "four.mp4", Clip(seconds=4, gop=1))
    make_clip(folder / "sound.mp4", Clip(video=None, seconds=20))
    make_clip(folder / "odd.avi", Clip(video="mpeg4", audio=None, seconds=2))
    (folder / "corrupt.mp4").write_bytes(os.urandom(50_000))
    (folder / "text.mp4").write_text("#EXTM3U\nfile:///etc/passwd\n")
    (folder / "folder.mp4").mkdir()
    outside = folder.parent / "outside.mp4"
    outside.write_bytes((folder / "four.mp4").read_bytes())
    (folder / "link.mp4").symlink_to(outside)
    (folder / "inside-link.mp4").symlink_to(folder / "four.mp4")
    return folder


@pytest.fixture
def engine() -> PixelEngine:
    return PixelEngine()


@pytest.fixture
async def server(root: Path, engine: PixelEngine) -> AsyncIterator[LocalServer]:
    async with LocalServer(media_root=root, vision=lambda: engine) as running:
        yield running


async def status_of(api: Api, stream: str) -> str:
    return (await api.stream(stream))["status"]


async def test_a_stream_is_recorded_described_delivered_and_played(
    api: Api, engine: PixelEngine
) -> None:
    """The one path that everything hangs on, frame by frame."""
    async with ear_of(api) as ear:
        stream = await api.connect("four.mp4")
        assert await status_of(api, stream) == "connected"
        index = await api.index(stream, ear.id, prompt="who?", **FAST)
        assert engine.loaded >= 1
        heard = [await ear.hear() for _ in range(3)]
        first = heard[0]["data"]
        clip = await api.call(
            "GET",
            f"/rtstream/{stream}/stream",
            params={"start": first["start"] / 1e3, "end": first["end"] / 1e3},
        )
        played = await play(clip["stream_url"])
        assert set(numbers(first["text"])) <= set(played.frames)
        assert 1.0 <= played.seconds <= 3.1
        await until(lambda: status_of(api, stream), lambda status: status == "stopped")
        scenes = list(reversed(await until(lambda: api.scenes(stream, index), ended_at(99))))
    for frame, scene in zip(heard, scenes, strict=False):
        data = frame["data"]
        assert data["text"] == scene["text"]
        assert (data["start"], data["end"]) == (
            round(scene["start"] * 1000),
            round(scene["end"] * 1000),
        )
        assert data["engine"] == "pixels"
    check_scenes(scenes)
    assert scenes[0]["metadata"]["prompt"] == "who?"
    record = await api.stream(stream)
    assert record["ingested"]["video"]["codec"] == "h264"
    assert record["ingested"]["transcoded"] is False
    assert record["recorded_seconds"] == pytest.approx(4, abs=0.1)
    whole = await play((await api.call("GET", f"/rtstream/{stream}/stream"))["stream_url"])
    assert whole.frames == list(range(100))
    assert whole.audio_seconds == pytest.approx(4, abs=0.2)


def ended_at(number: int):
    def accept(scenes: list[dict[str, object]]) -> bool:
        return bool(scenes) and numbers(str(scenes[0]["text"]))[-1] > number - 10

    return accept


def check_scenes(scenes: list[dict[str, object]]) -> None:
    """Every window has its own frames, evenly spread, and no frame is described twice."""
    seen = [numbers(str(scene["text"])) for scene in scenes]
    flat = [number for window in seen for number in window]
    assert flat == sorted(set(flat))
    for window in seen[1:-1]:
        assert len(window) == 5
        assert {b - a for a, b in itertools.pairwise(window)} == {5}
    for before, after in itertools.pairwise(scenes):
        assert before["end"] == pytest.approx(after["start"], abs=1e-5)
        times = before["metadata"]["times"]  # type: ignore[index]
        assert before["start"] - 0.01 <= times[0] <= times[-1] <= before["end"] + 0.01


@pytest.mark.parametrize(
    ("url", "status", "told"),
    [
        ("../outside.mp4", 403, "outside of the server's media root"),
        ("link.mp4", 403, "outside of the server's media root"),
        ("/etc/passwd", 403, "outside of the server's media root"),
        ("file:///etc/passwd", 403, "outside of the server's media root"),
        ("file:///../../etc/passwd", 403, "outside of the server's media root"),
        ("file://elsewhere/x.mp4", 400, "another machine"),
        ("nothing.mp4", 400, "no file"),
        ("folder.mp4", 400, "no file"),
        ("four.mp4\0.txt", 400, "url"),
        ("corrupt.mp4", 400, "invalid data"),
        ("text.mp4", 400, "can't be opened"),
        ("ftp://127.0.0.1/x", 400, "rtsp, rtmp, http(s) or a file"),
        ("rtsp://", 400, "no host"),
        ("rtsp://127.0.0.1:1/cam", 400, "connection refused"),
        ("http://127.0.0.1:1/x.mp4", 400, "connection refused"),
        ("rtmp://0.0.0.0:1935/live/x?listen=1", 400, "loopback"),
    ],
)
async def test_a_source_that_can_not_be_had_is_refused_and_nothing_is_left(
    api: Api, server: LocalServer, url: str, status: int, told: str
) -> None:
    """Half a stream that never plays is worse than an error."""
    refused = await api.refused("POST", "/rtstream", status, json={"url": url, "name": "x"})
    assert told in refused["message"]
    assert (await api.call("GET", "/rtstream"))["count"] == 0
    segments = server.data_dir / "segments"
    assert not segments.exists() or list(segments.iterdir()) == []


async def test_a_source_that_says_nothing_is_refused_in_time(root: Path) -> None:
    """A camera that accepts and never answers must not hang its caller."""
    accepted: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: accepted.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with (
        silent,
        LocalServer(media_root=root, open_timeout=1.0) as server,
        api_of(server) as api,
    ):
        url = f"rtsp://127.0.0.1:{port}/cam"
        refused = await api.refused("POST", "/rtstream", 400, json={"url": url})
        assert "can't be opened" in refused["message"]
        assert (await api.call("GET", "/rtstream"))["count"] == 0
        for writer in accepted:
            writer.close()
            await writer.wait_closed()


async def test_files_are_read_only_where_that_is_allowed(tmp_path: Path, root: Path) -> None:
    """Without a media root, nobody can read this machine's disk."""
    async with LocalServer() as server, api_of(server) as api:
        body = {"url": str(root / "four.mp4")}
        refused = await api.refused("POST", "/rtstream", 403, json=body)
        assert "reads no files" in refused["message"]


async def test_a_link_inside_the_root_and_all_spellings_of_a_path_work(
    api: Api, root: Path
) -> None:
    """What is allowed must not depend on how it is written."""
    urls = ("inside-link.mp4", f"file://{root}/four.mp4", f"{root}/four.mp4", "./four.mp4?loop=1")
    for stream in await asyncio.gather(*map(api.connect, urls)):
        assert (await api.stream(stream))["ingested"]["video"]["codec"] == "h264"


async def test_an_odd_codec_is_transcoded_and_the_status_says_so(api: Api) -> None:
    """A browser plays H.264; whoever pays the CPU bill wants to know why it is high."""
    stream = await api.connect("odd.avi")
    record = await api.stream(stream)
    assert record["ingested"]["transcoded"] is True
    assert record["ingested"]["video"]["codec"] == "mpeg4"
    assert "transcoded" in record["ingested"]["note"]
    await until(lambda: status_of(api, stream), lambda status: status == "stopped")
    played = await play((await api.call("GET", f"/rtstream/{stream}/stream"))["stream_url"])
    assert len(played.frames) == 50


async def test_a_stream_without_a_picture_gets_no_visual_index(api: Api) -> None:
    """An index that never says anything looks like a camera that sees nothing."""
    stream = await api.connect("sound.mp4", media_types=["audio", "video"])
    refused = await api.refused(
        "POST", f"/rtstream/{stream}/index/scene", 400, json={"extraction_type": "time"}
    )
    assert "no picture" in refused["message"]
    deaf = await api.connect("four.mp4", media_types=["audio"])
    refused = await api.refused("POST", f"/rtstream/{deaf}/index/scene", 400, json={})
    assert "media_types" in refused["message"]


async def test_windows_that_were_never_recorded_are_refused_in_plain_words(api: Api) -> None:
    """A player that shows nothing does not say why."""
    stream = await api.connect("four.mp4?loop=1")
    path = f"/rtstream/{stream}/stream"
    await until(lambda: _span(api, stream))
    now = time.time()
    for params, status, told in (
        ({"start": now - 1000, "end": now - 900}, 404, "recorded is"),
        ({"start": now, "end": now}, 400, "must be before"),
        ({"start": now, "end": now - 1}, 400, "must be before"),
        ({"start": now, "end": now + 3600}, 400, "in the future"),
        ({"start": now * 1000, "end": now * 1000 + 5}, 400, "seconds"),
        ({"start": "nan", "end": now}, 400, "start"),
        ({"start": -5, "end": now}, 400, "start"),
        ({"begin": now}, 400, "begin"),
    ):
        refused = await api.refused("GET", path, status, params=params)
        assert told in refused["message"]


async def _span(api: Api, stream: str) -> float:
    return (await api.stream(stream))["recorded_seconds"]


async def test_a_window_that_ends_now_is_waited_for(api: Api) -> None:
    """`generate_stream(end=time.time())` must give the whole window, not what is flushed."""
    stream = await api.connect("four.mp4?loop=1")
    await until(lambda: _span(api, stream), lambda span: span > 2)
    end = time.time() + 0.5
    urls = await api.call(
        "GET", f"/rtstream/{stream}/stream", params={"start": end - 2, "end": end}
    )
    manifest = (await api.http.get(urls["stream_url"])).text
    assert manifest.rstrip().endswith("#EXT-X-ENDLIST")
    assert 2.0 <= (await play(urls["stream_url"])).seconds <= 4.3


async def test_a_manifest_opens_its_own_window_of_its_own_stream_and_nothing_else(
    api: Api, server: LocalServer
) -> None:
    """A link to two seconds of one camera must not be a key to all cameras."""
    stream, other = await api.connect("four.mp4"), await api.connect("four.mp4")
    await until(lambda: status_of(api, stream), lambda status: status == "stopped")
    record = await api.stream(stream)
    start = record["recorded_from"]
    urls = await api.call(
        "GET", f"/rtstream/{stream}/stream", params={"start": start, "end": start + 1}
    )
    async with httpx.AsyncClient(base_url=server.url) as stranger:
        answer = await stranger.get(urls["stream_url"])
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["referrer-policy"] == "no-referrer"
        (segment,) = [line for line in answer.text.splitlines() if line.startswith("/segments/")]
        assert (await stranger.get(segment)).status_code == 200
        path, _, token = segment.partition("?")
        name = path.rpartition("/")[2]
        folder = server.data_dir / "segments" / stream
        files = sorted(path.name for path in folder.iterdir())
        assert files[0] == name
        assert len(files) > 1
        manifest = urls["stream_url"].partition("?")[0]
        for url, status in (
            (path, 403),
            (f"{path}?{token[:-3]}", 403),
            (f"/segments/{stream}/{files[-1]}?{token}", 404),
            (f"/segments/{other}/{name}?{token}", 403),
            (f"/segments/{stream}/..%2f..%2fapi_key?{token}", 404),
            (f"/segments/{stream}/%2e%2e%2frtstream.db?{token}", 404),
            (f"/segments/{stream}/{'0' * 16}.ts?{token}", 404),
            (f"{manifest}", 403),
            (f"{manifest.replace(stream, other)}?{token}", 403),
            (f"{manifest.rpartition('/')[0]}/0-{2**52}.m3u8?{token}", 403),
            ("/player", 400),
            ("/player?url=http%3A%2F%2Fevil.example%2Fmanifests%2Fx", 400),
            (f"/player?url={manifest}", 403),
        ):
            assert (await stranger.get(url)).status_code == status, url
        assert (await stranger.get(urls["player_url"])).status_code == 200
        assert (await stranger.get("/console/static/player.js")).status_code == 200
        assert (await stranger.get("/console/static/../../server.py")).status_code in {401, 404}


async def test_a_clip_url_expires(root: Path) -> None:
    """A link in a chat must not show a living room a year later."""
    async with LocalServer(media_root=root, clip_lifetime=-1) as server, api_of(server) as api:
        stream = await api.connect("four.mp4")
        await until(lambda: _span(api, stream))
        urls = await api.call("GET", f"/rtstream/{stream}/stream")
        answer = await api.http.get(urls["stream_url"])
        assert answer.status_code == 403
        assert answer.json()["error_code"] == "EXPIRED"


async def test_a_listener_is_up_when_connect_returns(api: Api) -> None:
    """An encoder is started right after, and must find somebody."""
    port = free_port()
    url = f"rtmp://127.0.0.1:{port}/live/key?listen=1"
    stream = await api.connect(url)
    record = await api.stream(stream)
    assert record["status"] == "connected"
    assert record["waiting_for_publisher"] is True
    refused = await api.refused("POST", "/rtstream", 400, json={"url": url})
    assert "listens at this address" in refused["message"]
    nothing = await api.refused("GET", f"/rtstream/{stream}/stream", 404)
    assert "nothing" in nothing["message"]
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await writer.wait_closed()
    await api.call("PATCH", f"/rtstream/{stream}/status", json={"action": "stop"})


async def test_a_publisher_comes_goes_and_comes_back(api: Api, root: Path) -> None:
    """Encoders crash; whoever watches must see that, and that it is over."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/key"
    async with ear_of(api) as ear:
        stream = await api.connect(f"{url}?listen=1")
        index = await api.index(stream, ear.id, **FAST)
        async with publishing(root / "four.mp4", url, loop=True) as publication:
            assert numbers((await ear.hear())["data"]["text"])
            record = await api.stream(stream)
            assert record["waiting_for_publisher"] is False
            assert record["ingested"]["live"] is True
            publication.kill()
            record = await until(
                lambda: api.stream(stream), lambda seen: seen["status"] == "reconnecting"
            )
            assert record["last_error"]
        described = len(await api.scenes(stream, index))
        async with publishing(root / "four.mp4", url, loop=True):
            record = await until(
                lambda: api.stream(stream), lambda seen: seen["status"] == "connected"
            )
            assert (record["reconnects"], record["last_error"]) == (1, None)
            await until(
                lambda: api.scenes(stream, index), lambda scenes: len(scenes) > described + 1
            )


async def test_a_publisher_without_a_picture_shows_on_the_index(api: Api, root: Path) -> None:
    """The index was made before anybody could know; silence would not tell why."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/key"
    stream = await api.connect(f"{url}?listen=1")
    index = await api.index(stream, **FAST)
    path = f"/rtstream/{stream}/index/{index}"
    async with publishing(root / "sound.mp4", url):
        sick = await until(lambda: api.call("GET", path), lambda seen: seen["status"] == "error")
        assert "no picture" in sick["last_error"]


async def test_a_stopped_stream_goes_on_where_it_is_told_to(api: Api) -> None:
    """Recordings of two runs must not overlap: a window would play twice."""
    stream = await api.connect("four.mp4?loop=1")
    path = f"/rtstream/{stream}/status"
    await until(lambda: _span(api, stream))
    stopped = await api.call("PATCH", path, json={"action": "stop"})
    before = stopped["recorded_to"]
    assert (await api.call("PATCH", path, json={"action": "start"}))["status"] == "connecting"
    await until(lambda: status_of(api, stream), lambda status: status == "connected")
    await until(lambda: _span(api, stream), lambda span: span > stopped["recorded_seconds"])
    urls = await api.call("GET", f"/rtstream/{stream}/stream", params={"start": before - 0.5})
    manifest = (await api.http.get(urls["stream_url"])).text
    assert "#EXT-X-DISCONTINUITY" in manifest
    again = await api.call("PATCH", path, json={"action": "stop"})
    assert again["recorded_from"] == stopped["recorded_from"]
    assert again["recorded_to"] - again["recorded_from"] > again["recorded_seconds"]
