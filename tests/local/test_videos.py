"""Exported videos: looked at, played, fetched, cut, compiled and deleted."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import httpx
import pytest
import pytest_asyncio

from rtstream_async.local import LocalServer
from tests.browser import open_browser
from tests.local.harness import Api
from tests.local.recorded import Recorded, fetched, record, serving
from tests.local.recordings import play
from tests.media.clips import Clip, append_ts, make_clip


@attrs.frozen
class Shelf:
    """A server with one exported video on it."""

    server: LocalServer
    api: Api
    recorded: Recorded
    video: dict[str, Any]

    @property
    def id(self) -> str:
        return self.video["id"]

    async def plays(self, url: str) -> list[int]:
        return (await play(url)).frames


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exported(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Six seconds, two a segment; each picture says which it is."""
    folder = tmp_path_factory.mktemp("recorded")
    clip = make_clip(folder / "clip.mp4", Clip(seconds=6, gop=1))
    made = await record(folder / "data", clip, name="door")
    async with serving(made) as (_, api):
        await api.call("POST", f"/rtstream/{made.stream}/export", json={"name": "Street & yard"})
    return made


@pytest.fixture
async def shelf(exported: Recorded, tmp_path: Path) -> AsyncIterator[Shelf]:
    async with serving(exported, tmp_path / "data") as (server, api):
        (video,) = (await api.call("GET", "/video"))["videos"]
        yield Shelf(server, api, exported, video)


async def test_a_video_is_answered_as_the_service_does(shelf: Shelf) -> None:
    """Apps read these fields by name; the length is text in every recorded answer."""
    collection = await shelf.api.call("GET", "/collection/default")
    video = await shelf.api.call("GET", f"/video/{shelf.id}", params={"collection_id": "default"})
    assert video["collection_id"] == collection["id"]
    assert video["name"] == "Street & yard"
    assert isinstance(video["length"], str)
    assert float(video["length"]) == pytest.approx(6, abs=0.1)
    assert int(video["size"]) > 10_000
    assert video["description"] is video["thumbnail_url"] is None
    assert video["rtstream_id"] == shelf.recorded.stream
    (piece,) = video["pieces"]
    assert piece["recorded_to"] - piece["recorded_from"] == pytest.approx(6, abs=0.05)


async def test_lists_come_by_collection_and_page(shelf: Shelf) -> None:
    """One collection must not show the videos of another."""
    api = shelf.api
    other = (await api.call("POST", "/collection", json={"name": "b", "description": ""}))["id"]
    for query, count in (
        ({}, 1),
        ({"collection_id": shelf.video["collection_id"]}, 1),
        ({"collection_id": other}, 0),
        ({"page_index": 1, "count": 1}, 0),
    ):
        assert len((await api.call("GET", "/video", params=query))["videos"]) == count
    await api.refused("GET", f"/video/{shelf.id}", 404, params={"collection_id": other})
    await api.refused("GET", "/video", 404, params={"collection_id": "c-nobody"})
    await api.refused("GET", "/video", 400, params={"count": 0})
    await api.refused("GET", "/video/m-nobody", 404)
    await api.refused("GET", f"/audio/{shelf.id}", 404)


async def test_a_video_can_be_renamed(shelf: Shelf) -> None:
    """The name that an export makes up is seldom the one that is wanted."""
    await shelf.api.call("PATCH", f"/video/{shelf.id}", json={"name": "Monday"})
    assert (await shelf.api.call("GET", f"/video/{shelf.id}"))["name"] == "Monday"
    await shelf.api.refused("PATCH", f"/video/{shelf.id}", 400, json={"name": " "})


async def test_a_deleted_video_leaves_nothing(shelf: Shelf, tmp_path: Path) -> None:
    """Who deletes a recording of people means it."""
    api, id_ = shelf.api, shelf.id
    shot = {"video_id": id_, "shots": [[0, 1], [3, 4]]}
    compiled = await api.call("POST", "/compile", json=[shot])
    assert list((tmp_path / "data/assets").iterdir())
    await api.call("DELETE", f"/video/{id_}")
    assert list((tmp_path / "data/assets").iterdir()) == []
    assert "exported_asset_id" not in await api.stream(shelf.recorded.stream)
    await api.refused("DELETE", f"/video/{id_}", 404)
    async with httpx.AsyncClient() as http:
        for url in (shelf.video["stream_url"], shelf.video["download_url"], compiled["stream_url"]):
            assert (await http.get(url)).status_code == 404
    again = await api.call("POST", f"/rtstream/{shelf.recorded.stream}/export", json={})
    assert again["video_id"] != id_


async def test_a_deleted_collection_takes_its_videos_with_it(tmp_path: Path) -> None:
    """Files of which no list tells would fill the disk unseen."""
    clip = make_clip(tmp_path / "clip.mp4", Clip(seconds=1, gop=0.4))
    async with LocalServer(tmp_path / "data", media_root=tmp_path) as server:
        headers = {"x-access-token": server.api_key}
        async with httpx.AsyncClient(base_url=server.url, headers=headers) as http:
            api = Api(http)
            id_ = (await api.call("POST", "/collection", json={"name": "b", "description": ""}))[
                "id"
            ]
            stream = await api.connect(clip.name, store=True, collection_id=id_)
            await api.call("PATCH", f"/rtstream/{stream}/status", json={"action": "stop"})
            made = await api.call("POST", f"/rtstream/{stream}/export", json={})
            video = await api.call("GET", f"/video/{made['video_id']}")
            assert video["collection_id"] == id_
            await api.call("DELETE", f"/collection/{id_}")
            await api.refused("GET", f"/video/{made['video_id']}", 404)
    assert list((tmp_path / "data/assets").iterdir()) == []


async def test_the_whole_video_plays_without_a_timeline(shelf: Shelf) -> None:
    """The official SDK asks so, and for an empty one, when it has lost the address."""
    for timeline in (None, []):
        urls = await shelf.api.call(
            "POST", f"/video/{shelf.id}/stream", json={"timeline": timeline, "length": "6.0"}
        )
        assert await shelf.plays(urls["stream_url"]) == list(range(150))


async def test_parts_play_one_after_the_other(shelf: Shelf) -> None:
    """A clip of what was searched for; its edges are those of the recorded segments."""
    path = f"/video/{shelf.id}/stream"
    one = await shelf.api.call("POST", path, json={"timeline": [[2.2, 3.5]], "length": 6})
    assert await shelf.plays(one["stream_url"]) == list(range(50, 100))
    async with httpx.AsyncClient() as http:
        text = (await http.get(one["stream_url"])).text
    assert "#EXT-X-START:TIME-OFFSET=0.200000,PRECISE=YES" in text
    two = await shelf.api.call("POST", path, json={"timeline": [[4.5, 5.5], [0, 0.5]]})
    assert await shelf.plays(two["stream_url"]) == [*range(100, 150), *range(50)]
    async with httpx.AsyncClient() as http:
        assert (await http.get(two["stream_url"])).text.count("#EXT-X-DISCONTINUITY\n") == 1
    seam = await shelf.api.call("POST", path, json={"timeline": [[0.5, 1.5], [1.5, 2.5]]})
    assert await shelf.plays(seam["stream_url"]) == list(range(100))


async def test_compiling_takes_shots_of_several_videos(shelf: Shelf) -> None:
    """The answer to a search in a collection is one film."""
    body = [
        {"video_id": shelf.id, "collection_id": "default", "shots": [[2.5, 3.0]]},
        {"video_id": shelf.id, "shots": [[0.1, 0.2], [5, 6.2]]},
    ]
    urls = await shelf.api.call("POST", "/compile", json=body)
    assert await shelf.plays(urls["stream_url"]) == [
        *range(50, 100),
        *range(50),
        *range(100, 150),
    ]
    (title,) = parse_qs(urlsplit(urls["player_url"]).query)["title"]
    assert title == "Street & yard"


BAD_TIMELINES = [
    [[3, 2]],
    [[2, 2]],
    [[-1, 2]],
    [[5, 7]],
    [[9, 10]],
    [[1]],
    [[1, 2, 3]],
    [["1", "2"]],
    [[True, 2]],
    [[1, None]],
    [1, 2],
    "0-5",
    {"start": 1},
]


@pytest.mark.parametrize("timeline", BAD_TIMELINES, ids=str)
async def test_shots_that_can_not_be_played_are_refused(shelf: Shelf, timeline: object) -> None:
    """A player that gets nothing spins for ever; a refusal names the shot."""
    body = await shelf.api.refused(
        "POST", f"/video/{shelf.id}/stream", 400, json={"timeline": timeline}
    )
    assert body["message"].startswith("timeline: ")
    await shelf.api.refused(
        "POST", "/compile", 400, json=[{"video_id": shelf.id, "shots": timeline}]
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({}, 400),
        ([1], 400),
        ([{"shots": [[0, 1]]}], 400),
        ([{"video_id": "m-nobody", "shots": [[0, 1]]}], 404),
        ([{"video_id": "m-nobody", "shots": [[0, 1]], "x": 1}], 400),
    ],
)
async def test_a_compilation_of_nothing_is_refused(shelf: Shelf, body: object, status: int) -> None:
    """Each is a slip of a program, which must be told which."""
    await shelf.api.refused("POST", "/compile", status, json=body)


async def test_too_many_shots_are_refused(shelf: Shelf) -> None:
    """A list without a bound is a way to exhaust the server."""
    shots = [[0, 1 + n / 1000] for n in range(1001)]
    body = [{"video_id": shelf.id, "shots": shots}]
    assert "1000" in (await shelf.api.refused("POST", "/compile", 400, json=body))["message"]


async def test_a_token_opens_only_what_it_was_made_for(shelf: Shelf) -> None:
    """A link to three seconds that was passed on must not show the rest of the day."""
    path = f"/video/{shelf.id}/stream"
    part = await shelf.api.call("POST", path, json={"timeline": [[0, 1]]})
    two = await shelf.api.call("POST", path, json={"timeline": [[0, 1], [5, 6]]})
    async with httpx.AsyncClient(base_url=shelf.server.url) as http:
        whole = (await http.get(shelf.video["stream_url"])).text
        segments = re.findall(r"^/segments/\S+", whole, re.MULTILINE)
        assert len(segments) == 3
        token = parse_qs(urlsplit(part["stream_url"]).query)["token"][0]
        both = parse_qs(urlsplit(two["stream_url"]).query)["token"][0]
        file = parse_qs(urlsplit(shelf.video["download_url"]).query)["token"][0]

        async def status(path: str, token: str | None) -> int:
            query = {} if token is None else {"token": token}
            return (await http.get(urlsplit(path).path, params=query)).status_code

        assert [await status(one, token) for one in segments] == [200, 404, 404]
        assert [await status(one, both) for one in segments] == [200, 404, 200]
        assert [await status(one, file) for one in segments] == [403, 403, 403]
        assert await status(segments[0], None) == 403
        download = shelf.video["download_url"]
        assert await status(download, token) == 403
        assert await status(download, None) == 403
        assert await status(shelf.video["stream_url"], token) == 403
        assert await status(two["stream_url"], token) == 403
        other = f"/files/{shelf.recorded.stream}/x.mp4"
        assert await status(other, file) == 403


@pytest.mark.parametrize(
    "path",
    [
        "/segments/{id}/..%2f..%2frtstream.db",
        "/segments/{id}/%2e%2e/video.mp4",
        "/segments/{id}/video.mp4",
        "/files/{id}/..%2f..%2fapi_key",
        "/files/..%2f{id}/x",
        "/manifests/{id}/..%2fx.m3u8",
    ],
)
async def test_no_path_leads_out_of_a_video(shelf: Shelf, path: str) -> None:
    """The key of the server lies two folders up."""
    urls = (shelf.video["stream_url"], shelf.video["download_url"])
    async with httpx.AsyncClient(base_url=shelf.server.url) as http:
        for url in urls:
            (token,) = parse_qs(urlsplit(url).query)["token"]
            answer = await http.get(path.format(id=shelf.id), params={"token": token})
            if answer.status_code == 200:  # the name in a file's path is decoration
                assert answer.headers["content-type"] == "video/mp4"
            else:
                assert answer.status_code in (403, 404)


async def test_a_file_is_fetched_in_parts(shelf: Shelf, tmp_path: Path) -> None:
    """Browsers jump in a video by asking for its bytes from there on."""
    url = shelf.video["download_url"]
    assert urlsplit(url).path.endswith("/Street-yard.mp4")
    whole = (await fetched(url, tmp_path / "a.mp4")).read_bytes()
    assert whole[4:8] == b"ftyp"
    assert whole.index(b"moov") < whole.index(b"mdat")
    async with httpx.AsyncClient() as http:
        part = await http.get(url, headers={"range": "bytes=100-199"})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes 100-199/{len(whole)}"
        assert part.content == whole[100:200]
        beyond = await http.get(url, headers={"range": f"bytes={len(whole)}-"})
        assert beyond.status_code == 416
        head = await http.head(url)
        assert head.headers["accept-ranges"] == "bytes"
        assert head.headers["content-length"] == str(len(whole))
        assert head.headers["access-control-allow-origin"] == "*"


async def test_expired_links_play_no_more(exported: Recorded, tmp_path: Path) -> None:
    """A link in a chat must not open a camera's past for ever."""
    async with serving(exported, tmp_path / "data", clip_lifetime=-1.0) as (_, api):
        (video,) = (await api.call("GET", "/video"))["videos"]
        async with httpx.AsyncClient() as http:
            for name in ("stream_url", "download_url", "player_url"):
                answer = await http.get(video[name])
                assert answer.status_code == 403
                assert answer.json()["error_code"] == "EXPIRED"


async def test_compiled_films_are_forgotten_with_their_links(shelf: Shelf, tmp_path: Path) -> None:
    """Each search makes one; they must not pile up for years."""
    body = [{"video_id": shelf.id, "shots": [[0, 1], [3, 4]]}]
    for _ in range(3):
        await shelf.api.call("POST", "/compile", json=body)

    def ages(db: sqlite3.Connection) -> list[int]:
        return [row[0] for row in db.execute("SELECT created_us FROM timelines")]

    store = shelf.server._up._store
    assert len(await store.run(ages)) == 3
    await store.run(lambda db: db.execute("UPDATE timelines SET created_us = 0"))
    await shelf.api.call("POST", "/compile", json=body)
    assert len(await store.run(ages)) == 1


async def test_a_video_whose_file_was_deleted_is_forgotten_at_the_next_start(
    exported: Recorded, tmp_path: Path
) -> None:
    """A list that names what can't be played is worse than a short list."""
    mine = exported.copy(tmp_path / "data")
    (film,) = (mine.data / "assets").glob("*/video.mp4")
    film.unlink()
    async with serving(mine) as (_, api):
        assert (await api.call("GET", "/video"))["videos"] == []
        made = await api.call("POST", f"/rtstream/{mine.stream}/export", json={})
        assert made["duration"] == pytest.approx(6, abs=0.1)


async def test_a_segment_that_was_deleted_costs_only_itself(
    exported: Recorded, tmp_path: Path
) -> None:
    """The MP4 is whole; the manifest must not name a file that is not there."""
    mine = exported.copy(tmp_path / "data")
    segments = sorted((mine.data / "assets").glob("*/*.ts"))
    segments[1].unlink()
    (segments[0].parent / "export.part").write_bytes(b"x")
    async with serving(mine) as (_, api):
        (video,) = (await api.call("GET", "/video"))["videos"]
        assert (await play(video["stream_url"])).frames == [*range(50), *range(100, 150)]
        assert not (segments[0].parent / "export.part").exists()
    with closing(sqlite3.connect(mine.data / "rtstream.db")) as db:
        assert db.execute("SELECT count(*) FROM asset_segments").fetchone() == (2,)


SEEK = """
new Promise((resolve) => {
  const video = document.createElement("video");
  video.muted = true;
  video.src = %r;
  video.addEventListener("loadedmetadata", () => { video.currentTime = %r; });
  const read = () => {
    const canvas = document.createElement("canvas");
    canvas.width = 320; canvas.height = 180;
    const pen = canvas.getContext("2d");
    pen.drawImage(video, 0, 0);
    if (pen.getImageData(0, 0, 1, 1).data[3] === 0) {  // a busy browser draws the frame later
      setTimeout(read, 20);
      return;
    }
    let index = 0;
    for (let bit = 0; bit < 12; bit++) {
      const x = Math.round((bit + 0.5) * 320 / 12);
      index = index * 2 + (pen.getImageData(x, 20, 1, 1).data[0] > 127 ? 1 : 0);
    }
    resolve([index, video.duration]);
  };
  video.addEventListener("seeked", read);
  video.addEventListener("error", () => resolve([video.error.message, 0]));
})
"""


async def test_chromium_jumps_in_a_video_of_which_a_part_was_encoded_again(tmp_path: Path) -> None:
    """A part in another size has decoder settings of its own, which a browser must find."""
    parts = [
        make_clip(tmp_path / "1.ts", Clip(seconds=3, gop=1, shift=100)),
        make_clip(tmp_path / "2.ts", Clip(seconds=2, gop=1, size=(640, 480), first_index=75)),
    ]
    made_of = await record(tmp_path / "data", append_ts(tmp_path / "both.ts", parts))
    async with serving(made_of) as (_, api), open_browser() as browser:
        made = await api.call("POST", f"/rtstream/{made_of.stream}/export", json={})
        assert made["duration"] == pytest.approx(5, abs=0.1)
        page = await browser.open(made["download_url"])
        for seconds, index in ((4.02, 100), (1.02, 25), (4.02, 100)):
            seen, _ = await page.evaluate(SEEK % (made["download_url"], seconds))
            assert seen == index


async def test_chromium_plays_the_page_and_jumps_in_the_file(shelf: Shelf) -> None:
    """What is right by the book and does not play is wrong."""
    two = await shelf.api.call(
        "POST", f"/video/{shelf.id}/stream", json={"timeline": [[4, 6], [0, 2]]}
    )
    async with open_browser() as browser:
        page = await browser.open(shelf.video["player_url"])
        await page.wait_for("document.querySelector('video').currentTime > 1")
        assert await page.evaluate("document.querySelector('h1').innerText") == "Street & yard"
        length = await page.evaluate("document.querySelector('video').duration")
        assert length == pytest.approx(6, abs=0.15)
        assert page.complaints == []
        await page.navigate(shelf.video["download_url"])
        index, duration = await page.evaluate(SEEK % (shelf.video["download_url"], 5.02))
        assert index == 125
        assert duration == pytest.approx(6, abs=0.1)
        await page.navigate(two["player_url"])
        await page.wait_for("document.querySelector('video').duration > 3.8")
        await page.wait_for("document.querySelector('video').currentTime > 2.5")
        assert await page.evaluate("document.getElementById('player').dataset.state") == "recorded"
