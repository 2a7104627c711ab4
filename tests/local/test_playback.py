"""What `generate_stream` gives, in a real browser; what the offline engine sees, for real."""

from __future__ import annotations

from typing import Any

import pytest

from rtstream_async.local import LocalServer
from tests.browser import open_browser
from tests.local.harness import CLIP, api_of, ear_of, until


def said(frame: dict[str, Any]) -> str:
    return frame["data"]["text"]


async def test_a_window_plays_in_a_browser_and_the_real_engine_sees_people() -> None:
    """The demo's promise: what is printed was seen, and what is linked plays."""
    async with (
        LocalServer(media_root=CLIP.parent) as server,
        api_of(server) as api,
        ear_of(api) as ear,
    ):
        stream = await api.connect(f"{CLIP.name}?loop=1", name="The porch")
        index = await api.index(stream, ear.id)
        frames = [await ear.hear()]
        # The clip shows both within 30 s; the patience of `hear` ends a vain wait.
        while not all(any(word in said(f) for f in frames) for word in ("person", "text reads")):
            frames.append(await ear.hear())
            assert len(frames) < 20
        assert {frame["data"]["engine"] for frame in frames} == {"offline-vision"}
        start, end = frames[0]["data"]["start"] / 1e3, frames[-1]["data"]["end"] / 1e3
        urls = await api.call(
            "GET",
            f"/rtstream/{stream}/stream",
            params={"start": start, "end": end, "player_title": "What happened"},
        )
        async with open_browser() as browser:
            page = await browser.open(urls["player_url"])
            await page.wait_for("video.currentTime > 2 && !video.paused")
            assert await page.evaluate("document.title") == "What happened"
            assert await page.evaluate("[video.videoWidth, video.videoHeight]") == [1280, 720]
            length = await page.evaluate("video.duration")
            assert end - start <= length <= end - start + 4.1
            assert [r.url for r in page.requests if not r.url.startswith(server.url)] == []
            assert page.complaints == []
        scenes = await until(lambda: api.scenes(stream, index))
        assert all(scene["metadata"] for scene in scenes)
        assert scenes[0]["start"] == pytest.approx(scenes[1]["end"], abs=1e-5)
