"""Searching in what is said in exported videos, as a client sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rtstream_async.local.store import assets
from rtstream_async.local.store.assets import AssetUtteranceRow, Spoken
from tests.local.harness import Api
from tests.local.recorded import Recorded, record
from tests.local.recordings import play
from tests.media.clips import Clip, make_clip
from tests.search.site import Site, site

SAID = (
    "We talk about the puppy first.",
    "Then somebody brings an automobile.",
    "Nobody knows who has order 88412.",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recorded")
    make_clip(folder / "clip.mp4", Clip(seconds=6, gop=1, audio="aac"))
    return await record(folder / "data", folder / "clip.mp4", media_types=["video", "audio"])


@pytest.fixture
async def here(recorded: Recorded, tmp_path: Path) -> AsyncIterator[Site]:
    async with site(recorded.copy(tmp_path / "data").data) as running:
        yield running


async def export(api: Api, stream: str, name: str = "Standup") -> str:
    answer = await api.call("POST", f"/rtstream/{stream}/export", json={"name": name})
    return answer["video_id"]


async def say(here: Site, video: str, *texts: str) -> None:
    """Let it be known what is said in a video, a sentence a second."""
    rows = [
        AssetUtteranceRow(
            asset_id=video,
            start=float(at),
            end=at + 0.75,
            text=text,
            words=(),
            is_estimated=False,
            engine="ears",
        )
        for at, text in enumerate(texts)
    ]
    store: Any = here.server._running._store
    await store.run(assets.replace_asset_utterances, video, rows, Spoken(status="done"))


@pytest.fixture
async def video(here: Site, recorded: Recorded) -> str:
    id_ = await export(here.api, recorded.stream)
    await say(here, id_, *SAID)
    return id_


async def test_what_is_said_is_found_and_plays(here: Site, video: str) -> None:
    """That is what an exported meeting is for."""
    answer = await here.api.call(
        "POST", f"/video/{video}/search", json={"query": "dog", "filter": []}
    )
    (result,) = answer["results"]
    record_ = await here.api.call("GET", f"/video/{video}")
    assert result["video_id"] == video
    assert result["collection_id"] == record_["collection_id"]
    assert result["title"] == "Standup"
    assert float(result["length"]) == pytest.approx(6, abs=0.2)
    assert result["length"] == record_["length"]
    (doc,) = result["docs"]
    assert (doc["start"], doc["end"], doc["text"]) == (0, 0.75, SAID[0])
    assert doc["engine"] == "ears"
    assert 0.2 <= doc["score"] <= 1
    assert (await play(doc["stream_link"])).frames[0] == 0


async def test_finding_nothing_is_refused_as_the_service_does(here: Site, video: str) -> None:
    """Programs written for it look for these words (row 209)."""
    path = f"/video/{video}/search"
    for kind in ("semantic", "keyword"):
        body = {"query": "xylophone", "search_type": kind}
        refused = await here.api.refused("POST", path, 400, json=body)
        assert refused["message"] == "No results found"


async def test_a_video_that_nobody_has_listened_to_says_so(here: Site, recorded: Recorded) -> None:
    """`No results found` would say that nothing was said."""
    video = await export(here.api, recorded.stream)
    refused = await here.api.refused("POST", f"/video/{video}/search", 400, json={"query": "dog"})
    assert "call index_spoken_words() first" in refused["message"]
    answer = await here.api.call("POST", f"/video/{video}/search/v2", json={"query": "dog"})
    assert answer["results"] == []
    assert answer["warnings"][0]["code"] == "not_indexed"


async def test_keywords_are_all_there_and_in_order_of_time(here: Site, video: str) -> None:
    """Keyword search is for those who know the words."""
    await say(here, video, "order one", "one two", "the order of one", "two")
    body = {"query": "one order", "search_type": "keyword", "score_threshold": None}
    answer = await here.api.call("POST", f"/video/{video}/search", json=body)
    (result,) = answer["results"]
    assert [doc["text"] for doc in result["docs"]] == ["order one", "the order of one"]
    assert here.engine.passages == []


async def test_five_are_given_and_sorted_as_asked(here: Site, video: str) -> None:
    """Row 206 asks for five; a collection can be sorted by time."""
    await say(here, video, *(f"a dog number{at} {'barks ' * at}" for at in range(8)))
    path = f"/video/{video}/search"
    (best,) = (await here.api.call("POST", path, json={"query": "dog"}))["results"]
    assert len(best["docs"]) == 5
    scores = [doc["score"] for doc in best["docs"]]
    assert scores == sorted(scores, reverse=True)
    body = {"query": "dog barks", "sort_docs_on": "start", "result_threshold": 3}
    (timely,) = (await here.api.call("POST", path, json=body))["results"]
    starts = [doc["start"] for doc in timely["docs"]]
    assert len(starts) == 3
    assert starts == sorted(starts)


async def test_search_v2_finds_the_same_or_nothing(here: Site, video: str) -> None:
    """The SDK's `video.search()` comes here (rows 204, 205, 208)."""
    path = f"/video/{video}/search/v2"
    answer = await here.api.call("POST", path, json={"query": "vehicle", "session_id": "s"})
    assert answer["response_type"] == "shots"
    assert answer["session_id"] == "s"
    assert answer["warnings"] == []
    (result,) = answer["results"]
    assert [doc["text"] for doc in result["docs"]] == [SAID[1]]
    nothing = await here.api.call("POST", path, json={"query": "xylophone"})
    assert nothing["results"] == []
    body = {"query": "dog", "top_k": 5, "mode": "deep", "return_fields": ["a"]}
    body |= {"include_clip": True, "config": {"x": 1}, "score_threshold": 0}
    answer = await here.api.call("POST", path, json=body)
    assert [each["code"] for each in answer["warnings"]] == ["mode_unused", "config_unused"]


async def test_all_videos_of_a_collection_are_searched(
    here: Site, video: str, recorded: Recorded
) -> None:
    """Who said it, and in which meeting, is the question (rows 67, 70)."""
    silent = await here.api.connect("scripted://other")
    await here.api.index(silent)
    await here.tell(silent, "a dog in a stream, not in a video")
    collection = (await here.api.call("GET", "/collection/default"))["id"]
    answer = await here.api.call(
        "POST",
        f"/collection/{collection}/search",
        json={"query": "puppy", "sort_docs_on": None, "scene_index_id": None, "algorithm": None},
    )
    assert [result["video_id"] for result in answer["results"]] == [video]
    path = f"/collection/{collection}/search"
    await here.api.refused("POST", path, 400, json={"query": "xylophone"})
    answer = await here.api.call("POST", f"{path}/v2", json={"query": "88412"})
    (result,) = answer["results"]
    assert result["docs"][0]["text"] == SAID[2]
    assert result["docs"][0]["score"] > 0.5
    made = await here.api.call("POST", "/collection", json={"name": "x", "description": "y"})
    answer = await here.api.call(
        "POST", f"/collection/{made['id']}/search/v2", json={"query": "dog"}
    )
    assert answer["results"] == []


async def test_what_is_said_in_a_video_is_not_found_in_streams(here: Site, video: str) -> None:
    """It has no Unix times."""
    assert video
    assert await here.texts(None, "dog") == []


async def test_a_deleted_video_is_not_found(here: Site, video: str) -> None:
    """Nor is what was said in it."""
    await here.api.call("POST", f"/video/{video}/search", json={"query": "dog"})
    await here.api.call("DELETE", f"/video/{video}")
    await here.api.refused("POST", f"/video/{video}/search", 404, json={"query": "dog"})
    await here.api.refused("POST", "/collection/default/search", 400, json={"query": "dog"})
    answer = await here.api.call("POST", "/collection/default/search/v2", json={"query": "dog"})
    assert answer["results"] == []


@pytest.mark.parametrize(
    ("path", "body", "problem"),
    [
        ("search", {}, "query"),
        ("search", {"query": ""}, "query"),
        ("search", {"query": "x" * 100_000}, "query: has 100000 characters"),
        ("search", {"query": "dog", "index_type": "scene"}, "search the stream"),
        ("search", {"query": "dog", "index_type": "smell"}, "index_type"),
        ("search", {"query": "dog", "search_type": "smell"}, "search_type"),
        (
            "search",
            {"query": "dog", "search_type": "scene", "index_type": "scene"},
            "search the stream",
        ),
        ("search", {"query": "dog", "scene_index_id": "x"}, "scene_index_id"),
        ("search", {"query": "dog", "result_threshold": -3}, "result_threshold"),
        ("search", {"query": "dog", "sort_docs_on": "length"}, "sort_docs_on"),
        ("search", {"query": "dog", "filter": [{"a": 1}]}, "filter"),
        ("search", {"query": "dog", "top_k": 3}, "top_k"),
        ("search/v2", {"query": " "}, "query"),
        ("search/v2", {"query": "dog", "top_k": 0}, "top_k"),
        ("search/v2", {"query": "dog", "result_threshold": 3}, "result_threshold"),
        ("search/v2", {"query": "dog", "config": 3}, "config"),
        ("search/v2", {"query": "dog", "return_fields": "text"}, "return_fields"),
    ],
)
async def test_what_can_not_be_meant_is_refused(
    here: Site, video: str, path: str, body: dict[str, Any], problem: str
) -> None:
    """A misspelt argument must not give answers to another question."""
    for where in (f"/video/{video}", "/collection/default"):
        refused = await here.api.refused("POST", f"{where}/{path}", 400, json=body)
        assert problem in refused["message"]


async def test_a_search_by_a_language_model_is_one_by_meaning(here: Site, video: str) -> None:
    """Programs of the official SDKs ask for it by name, and are told what they get."""
    path = f"/video/{video}/search"
    asked = {"query": "puppy", "search_type": "llm", "index_type": "spoken_word"}
    answer = await here.api.call("POST", path, json=asked)
    plain = await here.api.call("POST", path, json={"query": "puppy"})
    assert answer["results"][0]["docs"][0]["text"] == plain["results"][0]["docs"][0]["text"]
    assert [warning["code"] for warning in answer["warnings"]] == ["llm_unused"]
    assert plain["warnings"] == []


async def test_unknown_videos_are_not_found(here: Site) -> None:
    """`No results found` would say that it was searched."""
    for path in ("search", "search/v2"):
        await here.api.refused("POST", f"/video/m-nobody/{path}", 404, json={"query": "dog"})


async def test_without_the_engine_it_is_said(here: Site, video: str) -> None:
    """The official SDK shows warnings to its user."""
    here.engine.illness = "out of credit"
    body = {"query": "puppy automobile", "score_threshold": 0}
    answer = await here.api.call("POST", f"/video/{video}/search", json=body)
    assert answer["degraded"] is True
    assert "out of credit" in answer["warnings"][0]["message"]
    assert len(answer["results"][0]["docs"]) == 2
